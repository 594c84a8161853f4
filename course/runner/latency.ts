/**
 * Measures the time from a save to the verdict, as `deno task learn` has it.
 *
 * By hand: `deno run -A course/runner/latency.ts 03 15` works on a copy of the
 * checkout, with lesson 03's starter (failing) and solution (passing) in turn,
 * 15 times.
 *
 * @module
 */
import { copyTree } from "./copy_tree.ts";
import { findLesson, openCourse, text } from "./lesson.ts";
import { print } from "./terminal.ts";

/** Medians, in milliseconds. */
export interface Latency {
  readonly failing: number;
  readonly passing: number;
  /** From the start of the program to its first verdict. */
  readonly first: number;
}

/** What to save in turn, and how often. */
export interface Rounds {
  /** The full path of the learner's file. */
  readonly path: string;
  readonly failing: string;
  readonly passing: string;
  readonly rounds: number;
}

/** Runs the runner at `root` and saves the two programs in turn. */
export async function latency(
  root: string,
  lesson: string,
  { path, failing, passing, rounds }: Rounds,
): Promise<Latency> {
  const began = performance.now();
  const child = new Deno.Command(Deno.execPath(), {
    args: ["task", "-q", "learn", "--json", "--watch", lesson],
    cwd: root,
    stdin: "null",
    stdout: "piped",
  }).spawn();
  const runs = lines(child.stdout);
  const times = { failing: [] as number[], passing: [] as number[] };
  try {
    await verdict(runs);
    const first = performance.now() - began;
    for (let round = 0; round < rounds; round++) {
      times.failing.push(await save(path, failing, { runs, passed: false }));
      times.passing.push(await save(path, passing, { runs, passed: true }));
    }
    const { failing: slow, passing: fast } = times;
    return { failing: median(slow), passing: median(fast), first };
  } finally {
    child.kill("SIGTERM");
    await child.status;
    await runs.return(undefined);
  }
}

interface Run {
  readonly passed?: boolean;
}

async function save(
  path: string,
  source: string,
  { runs, passed }: { runs: AsyncGenerator<Run>; passed: boolean },
): Promise<number> {
  const saved = performance.now();
  Deno.writeTextFileSync(path, source);
  const run = await runs.next();
  const time = performance.now() - saved;
  if (run.done || run.value.passed !== passed) {
    throw new Error(`Cannot measure: ${JSON.stringify(run.value)}`);
  }
  // The types come next; a person's next save comes long after them, when those
  // who stand by for it have loaded what they need.
  await runs.next();
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  return time;
}

async function verdict(runs: AsyncGenerator<Run>): Promise<void> {
  await runs.next();
  await runs.next();
}

async function* lines(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<Run> {
  let pending = "";
  for await (const piece of stream.pipeThrough(new TextDecoderStream())) {
    const whole = (pending + piece).split("\n");
    pending = whole.pop()!;
    for (const line of whole) yield JSON.parse(line);
  }
}

function median(numbers: number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]!;
}

if (import.meta.main) {
  const here = decodeURIComponent(new URL("../..", import.meta.url).pathname);
  const root = Deno.makeTempDirSync();
  try {
    for (
      const name of ["deno.json", "deno.lock", "course", "lessons", "solutions"]
    ) {
      copyTree(here + name, `${root}/${name}`);
    }
    const course = openCourse(root);
    const lesson = findLesson(course, Deno.args[0] ?? "03")!;
    const rounds = Number(Deno.args[1] ?? 15);
    const solution = `${root}/solutions/${lesson.id}/${lesson.starter}`;
    const { failing, passing, first } = await latency(root, lesson.id, {
      path: lesson.path,
      failing: text(lesson.path)!,
      passing: text(solution)!,
      rounds,
    });
    print(`lesson ${lesson.id}, medians of ${rounds} saves\n`);
    print(`  first verdict, with types  ${first.toFixed(0)} ms\n`);
    print(`  save to verdict, failing   ${failing.toFixed(0)} ms\n`);
    print(`  save to verdict, passing   ${passing.toFixed(0)} ms\n`);
  } finally {
    Deno.removeSync(root, { recursive: true });
  }
}
