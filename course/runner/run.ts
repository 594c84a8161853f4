import { Child, type Ending } from "./child.ts";
import { junitCases } from "./junit.ts";
import { type Course, type Lesson, text } from "./lesson.ts";
import { LIMITS, type Limits, Watchdog } from "./limits.ts";
import { ReportReader } from "./report.ts";
import {
  combined,
  type Evidence,
  judge,
  spotless,
  type Verdict,
} from "./verdict.ts";

/** How to run a lesson's checks. */
export interface RunOptions {
  /** Ends the run at once; `run()` then gives undefined. */
  readonly signal?: AbortSignal;
  /**
   * How much time and output it may use.
   *
   * @default {LIMITS}
   */
  readonly limits?: Limits;
}

type Network = "simulated" | "loopback";

let runs = 0;

/**
 * Runs the checks of `lesson` in child processes that may reach loopback and
 * nothing else, and judges them. Undefined if it was called off.
 *
 * Each network has a process of its own, and they run side by side: on two
 * cores the verdict is there in little more than half the time.
 */
export async function run(
  course: Course,
  lesson: Lesson,
  options: RunOptions = {},
): Promise<Verdict | undefined> {
  if (text(lesson.path) === undefined) return missing(lesson);
  const { signal } = options;
  const enough = new AbortController();
  const second = signal
    ? AbortSignal.any([signal, enough.signal])
    : enough.signal;
  const simulated = runOn("simulated", course, lesson, options);
  const loopback = runOn("loopback", course, lesson, {
    ...options,
    signal: second,
  });
  const evidence = await simulated;
  // What fails on the simulated network is told at once, and without luck.
  const final = evidence === undefined || !spotless(evidence);
  if (final) enough.abort();
  const also = await loopback;
  if (evidence === undefined || signal?.aborted) return undefined;
  if (final || also === undefined) return judge(evidence);
  return judge(combined(evidence, also));
}

async function runOn(
  network: Network,
  { root }: Course,
  lesson: Lesson,
  options: RunOptions,
): Promise<Evidence | undefined> {
  const started = performance.now();
  const nonce = crypto.randomUUID();
  const results = `${root}/.course/run-${Deno.pid}-${++runs}.xml`;
  const reader = new ReportReader(nonce);
  // Deleting the folder may cost the marks, and no more.
  Deno.mkdirSync(`${root}/.course`, { recursive: true });
  try {
    const args = command(lesson, network, { nonce, results });
    const { code, ending } = await start(args, root, reader, options);
    if (ending === "unwanted") return undefined;
    reader.end();
    const xml = text(results);
    const cases = xml === undefined ? undefined : junitCases(xml);
    const { report, output } = reader;
    const ms = performance.now() - started;
    return { root, code, ending, cases, report, output, ms };
  } finally {
    remove(results);
  }
}

async function start(
  args: string[],
  cwd: string,
  reader: ReportReader,
  { signal, limits = LIMITS }: RunOptions,
): Promise<{ code: number; ending: Ending }> {
  const child = new Child(args, { cwd, ...(signal && { signal }), take });
  using watchdog = new Watchdog(limits, (ending) => child.kill(ending));

  function take(text: string, stream: "stdout" | "stderr") {
    if (stream === "stdout") reader.push(text);
    else reader.print(text);
    if (reader.report.plan) watchdog.loaded();
    // A first run may have to fetch the standard library: that is not loading.
    else if (text.includes("Download ")) watchdog.loading();
    watchdog.printed(reader.printed);
  }

  return await child.ended;
}

function command(
  lesson: Lesson,
  network: Network,
  { nonce, results }: { nonce: string; results: string },
): string[] {
  return [
    "test",
    "--no-check",
    "--fail-fast",
    "--no-prompt",
    "--junit-path",
    results,
    "--allow-net=127.0.0.0/8,[::1],localhost",
    `lessons/${lesson.id}`,
    "--",
    `--report=${nonce}`,
    `--network=${network}`,
  ];
}

function missing({ id, starter }: Lesson): Verdict {
  const text = `lessons/${id}/${starter} is not there any more.\n` +
    "Press r to get the original back, or: deno task learn reset " + id;
  const problem = { text, loading: true as const };
  return { passed: false, checks: [], problem, ms: 0, at: new Date() };
}

function remove(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    // A run that was stopped has written none.
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
