import { line } from "./line.ts";
import { Refused } from "./refused.ts";

/** How a lesson's checks came out, or that nothing has come out yet. */
export type Status = "working" | "failing" | "passing";

/** What a learner's runner says: where they are, and nothing of their code. */
export interface Standing {
  /** Two digits: "03". */
  readonly lesson: string;
  readonly status: Status;
  /** How many checks pass. */
  readonly good: number;
  /** How many there are; 0 if the file could not be loaded. */
  readonly of: number;
  /** The first check that fails. */
  readonly check: string | null;
  /** The catalogue's id of the mistake, if it has one. */
  readonly diagnosis: string | null;
  /** The lessons that have passed so far. */
  readonly passed: readonly string[];
  /** For how many milliseconds it has been so. */
  readonly forMs: number;
}

/** A standing that began as long ago as a day is not believed. */
const LONGEST_MS = 24 * 3_600_000;
const LONGEST_CHECK = 200;
const MOST_CHECKS = 500;
const FIELDS = new Set(
  "lesson status good of check diagnosis passed forMs".split(" "),
);

/**
 * Understands a report.
 *
 * @throws {Refused} if it is something else, or says more than it should.
 */
export function readStanding(value: unknown): Standing {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Refused(400, "A report has to be an object.");
  }
  const report = value as Record<string, unknown>;
  // No code comes here, not even by accident.
  const strange = Object.keys(report).find((name) => !FIELDS.has(name));
  if (strange !== undefined) {
    throw new Refused(
      400,
      "A report has these fields and no other: " +
        `${[...FIELDS].join(", ")}.`,
    );
  }
  const { status, diagnosis, passed } = report;
  if (status !== "working" && status !== "failing" && status !== "passing") {
    throw new Refused(400, "The status is working, failing or passing.");
  }
  const of = count("of", report.of, MOST_CHECKS);
  return {
    lesson: lesson(report.lesson),
    status,
    good: count("good", report.good, of),
    of,
    check: optional(report.check, (it) => line("check", it, LONGEST_CHECK)),
    diagnosis: optional(diagnosis, id),
    passed: lessons(passed),
    forMs: count("forMs", report.forMs ?? 0, LONGEST_MS),
  };
}

/** A lesson's two digits. */
export function lesson(value: unknown): string {
  if (typeof value === "string" && /^\d\d$/.test(value)) return value;
  throw new Refused(400, 'A lesson is named by its two digits, as in "03".');
}

function lessons(value: unknown): string[] {
  if (Array.isArray(value) && value.length <= 100) {
    return [...new Set(value.map(lesson))].sort();
  }
  throw new Refused(400, "The lessons that passed have to be a short list.");
}

function id(value: unknown): string {
  const fits = typeof value === "string" && /^[a-z0-9-]{1,60}$/.test(value);
  if (fits) return value;
  throw new Refused(400, "A diagnosis is named as in the catalogue.");
}

function count(name: string, value: unknown, most: number): number {
  const fits = Number.isInteger(value) && (value as number) >= 0 &&
    (value as number) <= most;
  if (fits) return value as number;
  throw new Refused(400, `"${name}" has to be a whole number, 0 to ${most}.`);
}

function optional<T>(value: unknown, read: (value: unknown) => T): T | null {
  return value === undefined || value === null ? null : read(value);
}
