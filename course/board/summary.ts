import type { Learner } from "./store.ts";

/** One lesson, and how many are where in it. */
export interface Bar {
  readonly lesson: string;
  readonly passed: number;
  /** Those who are at it now, and have not passed it. */
  readonly here: number;
}

/** A mistake that somebody is at now, or a check without a named mistake. */
export interface Stuck {
  readonly lesson: string;
  /** The diagnosis, or the name of the check. */
  readonly what: string;
  /** Whether `what` is a diagnosis. */
  readonly named: boolean;
  readonly people: number;
}

/**
 * A row for each of the lessons that anybody is at or has passed, and for
 * `open`; at most `most`. Those where nobody is go first, from the beginning.
 */
export function bars(
  learners: readonly Learner[],
  { open, most }: { open: string | null; most: number },
): Bar[] {
  const counts = new Map<string, { passed: number; here: number }>();
  const at = (lesson: string) => {
    if (!counts.has(lesson)) counts.set(lesson, { passed: 0, here: 0 });
    return counts.get(lesson)!;
  };
  if (open !== null) at(open);
  for (const { lesson, passed } of learners) {
    for (const id of passed.keys()) at(id).passed++;
    if (lesson !== "" && !passed.has(lesson)) at(lesson).here++;
  }
  const all = [...counts].map(([lesson, count]) => ({ lesson, ...count }))
    .sort((one, other) => Number(one.lesson) - Number(other.lesson));
  const byNeed = all.toSorted((one, other) =>
    other.here - one.here || Number(other.lesson) - Number(one.lesson)
  );
  const kept = new Set(byNeed.slice(0, most));
  return all.filter((bar) => kept.has(bar));
}

/** What fails now, with what most people fail first. */
export function stuck(learners: readonly Learner[]): Stuck[] {
  const failing = learners.filter(({ status }) => status === "failing");
  const groups = Map.groupBy(
    failing,
    ({ lesson, diagnosis, check }) => `${lesson} ${diagnosis ?? check}`,
  );
  return [...groups.values()].map((people) => {
    const { lesson, diagnosis, check } = people[0]!;
    const what = diagnosis ?? check ?? "it does not load";
    return { lesson, what, named: diagnosis !== null, people: people.length };
  }).sort((one, other) =>
    other.people - one.people || Number(one.lesson) - Number(other.lesson)
  );
}

/** Those first who need somebody: who has failed for longest. */
export function byNeed(
  learners: readonly Learner[],
  isAway: (learner: Learner) => boolean,
): Learner[] {
  const order = ["failing", "working", "passing"];
  // Asked once for each, and not at each comparison of a thousand.
  const ranked = learners.map((it) => ({
    it,
    rank: isAway(it) ? order.length : order.indexOf(it.status),
  }));
  ranked.sort((one, other) =>
    one.rank - other.rank || one.it.since - other.it.since ||
    one.it.id - other.it.id
  );
  return ranked.map(({ it }) => it);
}

/** How long something has lasted: "now", "9 min", "1 h 05". */
export function duration(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return "now";
  if (minutes < 60) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${
    String(minutes % 60).padStart(2, "0")
  }`;
}

/** What is left on the timer: "42:07", "01:02:07". */
export function clock(ms: number): string {
  const seconds = Math.ceil(ms / 1_000);
  const parts = [Math.floor(seconds / 60) % 60, seconds % 60];
  const hours = Math.floor(seconds / 3_600);
  if (hours > 0) parts.unshift(hours);
  return parts.map((n) => String(n).padStart(2, "0")).join(":");
}
