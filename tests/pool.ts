/** How many lessons run at once: more would slow each other on two cores. */
const PLACES = 2;

/**
 * Runs `work` for each item, `places` at a time (two, if none is said), and
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
