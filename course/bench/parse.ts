// What other programs print, read as numbers.

/** Answers in a second, and how many were none. */
export interface Answers {
  readonly perSecond: number;
  readonly errors: number;
}

/** Reads what wrk prints at the end. */
export function parseWrk(output: string): Answers {
  const perSecond = numberIn(output, /Requests\/sec: +([\d.]+)/);
  const refused = /Non-2xx or 3xx responses: (\d+)/.exec(output)?.[1] ?? 0;
  const broken = /Socket errors: (.*)/.exec(output)?.[1] ?? "";
  const counts = [refused, ...broken.match(/\d+/g) ?? []].map(Number);
  return { perSecond, errors: counts.reduce((sum, count) => sum + count) };
}

/** Reads what `redis-benchmark --csv` prints: commands in a second, by name. */
export function parseRedisBenchmark(output: string): Map<string, number> {
  const lines = output.matchAll(/^"([^"]+)","([\d.]+)"/gm);
  const found = new Map(
    [...lines].map(([, name, perSecond]) => [name!, Number(perSecond)]),
  );
  if (found.size > 0) return found;
  throw new Error(`Cannot find a result in: ${output}`);
}

/** Reads what `course/runner/latency.ts` prints: medians in milliseconds. */
export function parseLatency(output: string): Verdicts {
  return {
    passing: numberIn(output, /passing +(\d+) ms/),
    failing: numberIn(output, /failing +(\d+) ms/),
  };
}

/** From a save to its verdict, in milliseconds. */
export interface Verdicts {
  readonly passing: number;
  readonly failing: number;
}

/** Reads what `course/bench/board.ts` prints, as milliseconds. */
export function parseBoard(output: string): { median: number; p99: number } {
  return {
    median: numberIn(output, /median ([\d.]+) ms/),
    p99: numberIn(output, /99th percentile ([\d.]+) ms/),
  };
}

/** The number in the first group of `pattern`. */
function numberIn(output: string, pattern: RegExp): number {
  const number = pattern.exec(output)?.[1];
  if (number !== undefined) return Number(number);
  throw new Error(`Cannot find ${pattern} in: ${output}`);
}
