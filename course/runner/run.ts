import { Attempt, type Network, type RunOptions } from "./attempt.ts";
import { type Course, type Lesson, text } from "./lesson.ts";
import type { Standby } from "./standby.ts";
import { combined, judge, spotless, type Verdict } from "./verdict.ts";

/**
 * Runs the checks of `lesson` in child processes that may reach loopback and
 * nothing else, and judges them. Undefined if it was called off.
 *
 * Each network has a process of its own, and they run side by side: on two
 * cores the verdict is there in little more than half the time. Those that
 * stand by already, if there are any, are a tenth of a second ahead.
 */
export async function run(
  course: Course,
  lesson: Lesson,
  { standby, ...options }: RunOptions & { readonly standby?: Standby } = {},
): Promise<Verdict | undefined> {
  if (text(lesson.path) === undefined) return missing(lesson);
  const { signal } = options;
  const enough = new AbortController();
  const second = signal
    ? AbortSignal.any([signal, enough.signal])
    : enough.signal;
  const attempt = (network: Network) =>
    standby?.take(lesson, network) ??
      new Attempt(course, lesson, { network, warm: false });
  const simulated = attempt("simulated").go(options);
  const loopback = attempt("loopback").go({ ...options, signal: second });
  const evidence = await simulated;
  // What fails on the simulated network is told at once, and without luck.
  const final = evidence === undefined || !spotless(evidence);
  if (final) enough.abort();
  const also = await loopback;
  if (evidence === undefined || signal?.aborted) return undefined;
  if (final || also === undefined) return judge(evidence);
  return judge(combined(evidence, also));
}

function missing({ id, starter }: Lesson): Verdict {
  const text = `lessons/${id}/${starter} is not there any more.\n` +
    "Press r to get the original back, or: deno task learn reset " + id;
  const problem = { text, loading: true as const };
  return { passed: false, checks: [], problem, ms: 0, at: new Date() };
}
