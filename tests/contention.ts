import { processorTime } from "../course/check/outside.ts";

/** So much work is done to find out how long it takes, in milliseconds. */
const WORK_MS = 300;

/**
 * How many times as long work takes now as it would without what else this
 * machine has to do: 1 if nobody else wants the processor.
 */
export function contention(): number {
  const [began, used] = [performance.now(), processorTime()];
  while (processorTime() - used < WORK_MS);
  return Math.max(1, (performance.now() - began) / WORK_MS);
}
