import type { Lesson } from "../lesson.ts";
import type { Verdict } from "../verdict.ts";

/**
 * What a board is told: which lesson, which check, how it came out. Nothing of
 * the learner's code, and nothing of what it sent or received.
 */
export interface Standing {
  readonly lesson: string;
  readonly status: "working" | "failing" | "passing";
  readonly good: number;
  readonly of: number;
  readonly check: string | null;
  readonly diagnosis: string | null;
  readonly passed: readonly string[];
}

/** Where somebody is who sees this. */
export function standingOf({ lesson, verdict, passed }: {
  readonly lesson: Lesson;
  readonly verdict?: Verdict | undefined;
  readonly passed: ReadonlySet<string>;
}): Standing {
  const checks = verdict?.checks ?? [];
  const { check, diagnosis } = verdict?.problem ?? {};
  return {
    lesson: lesson.id,
    status: verdict ? verdict.passed ? "passing" : "failing" : "working",
    good: checks.filter(({ status }) => status === "passed").length,
    of: checks.length,
    check: check?.slice(0, 200) ?? null,
    diagnosis: diagnosis?.id ?? null,
    passed: [...passed].sort(),
  };
}
