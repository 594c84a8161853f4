import type { Bench } from "./bench.ts";
import { median } from "./numbers.ts";
import type { Verdicts } from "./parse.ts";
import { Process } from "./process.ts";

/** After a verdict, a runner is left alone until it has been quiet so long. */
const REST_MS = 300;

/** A runner that watches an exercise. */
export interface Watcher {
  readonly name: string;
  /** The line of `runner.mjs` that gives the checks this runner's `test`. */
  readonly test: string;
  readonly command: readonly string[];
  /** What ends a run, with a word in a group that says how. */
  readonly verdict: RegExp;
  /** That word when all checks have passed. */
  readonly passed: string;
}

/** What is saved in turn. */
export interface Programs {
  /** The full path of the file. */
  readonly path: string;
  readonly right: string;
  readonly wrong: string;
}

/** A copy of the exercise, with one program that is right and one that is not. */
export function exercise(
  { root, folder }: Bench,
  test: string,
): Programs & { readonly folder: string } {
  const from = `${root}/course/bench/peers/exercise`;
  const to = Deno.makeTempDirSync({ dir: folder });
  Deno.copyFileSync(`${from}/checks.mjs`, `${to}/echo.test.mjs`);
  Deno.writeTextFileSync(`${to}/runner.mjs`, test);
  const right = Deno.readTextFileSync(`${from}/echo.mjs`);
  const path = `${to}/echo.mjs`;
  Deno.writeTextFileSync(path, right);
  // All checks fail at once: none waits for what never comes.
  const wrong = changed(right, "write(bytes)", 'write("x".repeat(90))');
  return { folder: to, path, right, wrong };
}

/** `source` with one thing that is another; it has to be there. */
export function changed(source: string, from: string, to: string): string {
  if (source.includes(from)) return source.replace(from, to);
  throw new Error(`Cannot make a wrong program: there is no "${from}"`);
}

/** Lets `watcher` watch a copy of the exercise, and saves so many times. */
export async function watched(
  bench: Bench,
  { test, command, verdict, passed }: Watcher,
  saves: number,
): ReturnType<typeof saved> {
  const { folder, ...programs } = exercise(bench, test);
  await using process = new Process(command, { cwd: folder });
  await process.prints(verdict);
  return await saved(programs, saves, async () => {
    await process.rests(REST_MS);
    process.forget();
    return async () => (await process.prints(verdict))[1] === passed;
  });
}

/**
 * Saves a wrong and a right program in turn, and takes the medians of the times
 * until the verdict. `ready` is called before a save, and what it gives after.
 * A false verdict is counted, and its time is not.
 */
export async function saved(
  { path, right, wrong }: Programs,
  saves: number,
  ready: () => Promise<() => Promise<boolean>>,
): Promise<Verdicts & { readonly falseOnes: number }> {
  const times = { passing: [] as number[], failing: [] as number[] };
  for (let n = 0; n < saves; n++) {
    for (const how of ["failing", "passing"] as const) {
      const verdict = await ready();
      const began = performance.now();
      Deno.writeTextFileSync(path, how === "passing" ? right : wrong);
      const passed = await verdict();
      const time = performance.now() - began;
      if (passed === (how === "passing")) times[how].push(time);
    }
  }
  const { passing, failing } = times;
  return {
    passing: median(passing),
    failing: median(failing),
    falseOnes: 2 * saves - passing.length - failing.length,
  };
}
