import type { Lesson } from "./lesson.ts";
import { networks } from "./lesson_page.ts";
import type { TypeProblem } from "./types.ts";
import type { Verdict } from "./verdict.ts";

/** What one run showed, for a pipe or a log: plain, and in full. */
export function plainText(
  { id, title }: Lesson,
  { passed, checks, problem }: Verdict,
  types: readonly TypeProblem[],
): string {
  const good = checks.filter(({ status }) => status === "passed").length;
  const name = `lesson ${id} ${title}`;
  const lines = [];
  if (passed) lines.push(`${name}: ${all(good)}${networks(checks)}`);
  else if (checks.length === 0) lines.push(`${name}: no check ran`);
  else lines.push(`${name}: ${good} of ${checks.length} checks pass`);
  if (problem?.check) lines.push(`FAIL ${problem.check}`);
  if (problem) lines.push("", problem.text.trimEnd());
  if (types.length > 0) lines.push("", "Types, beside the checks:");
  for (const { at, message } of types) lines.push(`${at}  ${message}`);
  return lines.join("\n") + "\n";
}

function all(count: number): string {
  return count === 1 ? "1 check passes" : `all ${count} checks pass`;
}

/** The same as data. `types` is null if they were not looked at. */
export function jsonText(
  { id, title }: Lesson,
  { passed, checks, problem, ms, at }: Verdict,
  types: readonly TypeProblem[] | null,
): string {
  const { diagnosis = null, ...failure } = problem ?? {};
  const run = { lesson: id, title, passed, ms: Math.round(ms), at, checks };
  const why = { failure: problem ? failure : null, diagnosis, types };
  return JSON.stringify({ ...run, ...why }) + "\n";
}
