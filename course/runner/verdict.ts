import type { Ending } from "./child.ts";
import type { JUnitCase } from "./junit.ts";
import { explanation, type Problem } from "./problem.ts";
import type { Report } from "./report.ts";

/** How one check came out of a run. */
export interface CheckResult {
  /** As the checks call it: a symbol and a promise. */
  readonly name: string;
  /** "waiting" means that it was not reached. */
  readonly status: "passed" | "failed" | "ignored" | "waiting";
  /** How long it took, if it was reached. */
  readonly ms?: number;
  /** Where it ran: "simulated", "loopback". */
  readonly networks: readonly string[];
}

/** What one run of a lesson's checks showed. */
export interface Verdict {
  /** Whether the lesson passes. */
  readonly passed: boolean;
  /** All checks, in order. Empty if the lesson could not be loaded. */
  readonly checks: readonly CheckResult[];
  /** Why it does not pass: the first failing check, or what went wrong else. */
  readonly problem?: Problem;
  /** Milliseconds, from the start of the process to its end. */
  readonly ms: number;
  /** When the run ended. */
  readonly at: Date;
}

/** Everything that one run left behind. */
export interface Evidence {
  readonly root: string;
  readonly code: number;
  readonly ending: Ending;
  /** Undefined if the run left no results, because it was killed. */
  readonly cases: ReadonlyMap<string, JUnitCase> | undefined;
  readonly report: Report;
  /** What was printed beside the data lines. */
  readonly output: string;
  readonly ms: number;
}

/**
 * Judges a run. It passes if the process ended by itself with 0, or had said its
 * last word, and both Deno and the check library say so of every check that was
 * announced.
 *
 * What a program prints can neither make it pass nor keep it from passing: it
 * does not know the word that begins the library's lines. And one that replaces
 * `Deno.test` can make Deno say what it likes, but not the library.
 */
export function judge(evidence: Evidence): Verdict {
  const { report, cases, ms } = evidence;
  // Steps of a test have results too: "name > step".
  const names = report.plan ??
    [...cases?.keys() ?? []].filter((name) => !name.includes(" > "));
  const checks = names.map((name) => check(name, evidence));
  const passed = isWell(evidence) && cases !== undefined &&
    report.plan !== undefined &&
    checks.every(({ status }) => status === "passed" || status === "ignored") &&
    checks.some(({ status }) => status === "passed");
  const base = { passed, checks, ms, at: new Date() };
  return passed ? base : { ...base, problem: explanation(evidence, checks) };
}

/** Whether nothing failed, even if nothing passed: a network may have no check. */
export function spotless(evidence: Evidence): boolean {
  const { cases, report } = evidence;
  if (!isWell(evidence) || cases === undefined) return false;
  return (report.plan ?? []).every((name) =>
    ["passed", "ignored"].includes(statusOf(name, evidence))
  );
}

function isWell({ code, ending }: Evidence): boolean {
  return code === 0 && (ending === "exit" || ending === "done");
}

/** What two runs of the same checks left behind, one on each network. */
export function combined(first: Evidence, second: Evidence): Evidence {
  const [one, two] = [first.report, second.report];
  const ended = new Map(one.ended);
  for (const [name, end] of two.ended) {
    const before = ended.get(name);
    ended.set(name, {
      ...end,
      ms: end.ms + (before?.ms ?? 0),
      networks: [...new Set([...before?.networks ?? [], ...end.networks])],
    });
  }
  const cases = new Map(second.cases);
  for (const [name, result] of first.cases ?? []) {
    if (cases.get(name)?.status === "ignored") cases.set(name, result);
  }
  const { plan } = one;
  return {
    ...second,
    ...(second.cases ? { cases } : {}),
    report: { ...two, ended, ...(plan && { plan }) },
    output: first.output + second.output,
    ms: Math.max(first.ms, second.ms),
  };
}

function check(name: string, evidence: Evidence): CheckResult {
  const end = evidence.report.ended.get(name);
  return {
    name,
    status: statusOf(name, evidence),
    networks: end?.networks ?? [],
    ...(end && { ms: end.ms }),
  };
}

function statusOf(name: string, evidence: Evidence): CheckResult["status"] {
  const status = evidence.cases?.get(name)?.status ??
    unfinished(name, evidence);
  const agreed = evidence.report.ended.get(name)?.status === "passed";
  return status === "passed" && !agreed ? "failed" : status;
}

/** After a kill only the data lines tell how far it came. */
function unfinished(name: string, { report, cases }: Evidence) {
  if (cases !== undefined) return "waiting";
  if (report.stuck.has(name)) return "failed";
  const begun = report.begun.has(name) ? "failed" : "waiting";
  return report.ended.get(name)?.status ?? begun;
}
