import type { Standing } from "./standing.ts";
import type { Learner } from "./store.ts";

/** The learner after a report at `now`, or undefined if it changes nothing. */
export function moved(
  before: Learner,
  { forMs, passed, ...here }: Standing,
  now: number,
): Learner | undefined {
  const fresh = passed.filter((id) => !before.passed.has(id));
  const same = before.lesson === here.lesson &&
    before.status === here.status && before.check === here.check;
  if (
    same && fresh.length === 0 && before.good === here.good &&
    before.of === here.of && before.diagnosis === here.diagnosis
  ) return undefined;
  return {
    ...before,
    ...here,
    // Nobody can have failed here before they came.
    since: same ? before.since : Math.max(now - forMs, before.joined),
    passed: new Map([
      ...before.passed,
      ...fresh.map((id) => [id, now] as const),
    ]),
  };
}
