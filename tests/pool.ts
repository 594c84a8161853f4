/**
 * How many lessons run at once. Each waits now and then, for a pause or for its
 * process to begin, so that three keep two cores busy.
 */
const PLACES = 3;

/**
 * Runs `work` for each item, `places` at a time (three, if none is said), and
 * keeps the order of results.
 */
export async function pooled<T, R>(
  items: readonly T[],
  work: (item: T) => Promise<R>,
  places = PLACES,
): Promise<R[]> {
  const results: R[] = [];
  // One iterator for all workers: each takes the next item that is free.
  const queue = items.entries();
  const worker = async () => {
    for (const [index, item] of queue) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: places }, worker));
  return results;
}
