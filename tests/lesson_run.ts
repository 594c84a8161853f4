// Runs one lesson's own checks, as a learner would, on any program: the import
// map puts the program in the starter's place, and no file is copied.
import { findLesson, HOUSE } from "./course_files.ts";

/** The network a check runs on. */
export type Network = "simulated" | "loopback";

/** What the check library tells about a check that failed. */
export interface Failure {
  readonly network: Network;
  readonly headline: string;
  readonly text: string;
  readonly diagnosis?: { readonly id: string; readonly sentence: string };
  readonly recording: unknown[];
}

/** One check of one run. */
export interface Check {
  readonly name: string;
  /** `stuck`: its time ran out; `missing`: it was announced and never ended. */
  readonly status: "passed" | "failed" | "ignored" | "stuck" | "missing";
  readonly ms: number;
  readonly networks: Network[];
  readonly failure?: Failure;
}

/** What a run of a lesson's checks came to. */
export interface LessonRun {
  /** True if the process says so and every announced check ended well. */
  readonly passed: boolean;
  readonly code: number;
  readonly checks: Check[];
  /** The first failure that was explained: the one a learner sees. */
  readonly failure?: Failure;
  /** All that the process printed, but for the data. */
  readonly output: string;
  /** What there is to say when it went otherwise than promised. */
  readonly told: string;
}

/** How a lesson is run. */
export interface RunOptions {
  /** Stands in for the starter. Default: the starter itself. */
  readonly program?: URL;
  /** Grants what `-P` grants. Default: no permission, simulated network. */
  readonly permission?: boolean;
  /** Restricts the checks to one network. */
  readonly network?: Network;
  /** Stops at the first check that fails. */
  readonly failFast?: boolean;
  /** The process is killed after this time. Default: a minute. */
  readonly limitMs?: number;
  /** The course that the lesson belongs to. Default: this checkout. */
  readonly root?: URL;
}

/** Runs the checks of lesson `number`, and reads what they report. */
export async function runLesson(
  number: string,
  options: RunOptions = {},
): Promise<LessonRun> {
  const root = options.root ?? HOUSE;
  // A program cannot forge a report: it does not know the word that starts it.
  const nonce = crypto.randomUUID();
  const map = importMap(number, options.program, root);
  const { code, output } = await runDeno([
    "test",
    "--no-check",
    "--no-lock",
    ...(options.permission ? ["-P"] : []),
    ...(options.failFast ? ["--fail-fast"] : []),
    "--import-map",
    `data:application/json,${encodeURIComponent(JSON.stringify(map))}`,
    `lessons/${number}`,
    "--",
    `--report=${nonce}`,
    ...(options.network ? [`--network=${options.network}`] : []),
  ], { root, limitMs: options.limitMs ?? 60_000 });
  const checks = readReport(output, nonce);
  const well = (check: Check) => ["passed", "ignored"].includes(check.status);
  const failure = checks.find((check) => check.failure)?.failure;
  const printed = output.split("\n")
    .filter((line) => !line.startsWith("\u001e")).join("\n");
  return {
    passed: code === 0 && checks.length > 0 && checks.every(well),
    code,
    checks,
    ...(failure && { failure }),
    output: printed,
    told: failure?.text ?? printed,
  };
}

/** Runs this very Deno; what it printed comes back in one piece. */
export async function runDeno(
  args: string[],
  { root = HOUSE, limitMs = 120_000 } = {},
): Promise<{ code: number; output: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: root,
    env: { NO_COLOR: "1" },
    stdin: "null",
    signal: AbortSignal.timeout(limitMs),
  }).output();
  const output = await new Response(new Blob([stdout, stderr])).text();
  return { code, output };
}

/** The checks that a run announced, each with what became of it. */
export function readReport(output: string, nonce: string): Check[] {
  const checks = new Map<string, Check>();
  const start = `\u001e${nonce}`;
  let begun = "";
  for (const line of output.split("\n")) {
    if (!line.startsWith(start)) continue;
    const sign = line[start.length]!; // See course/check/report.ts.
    if (" <".includes(sign)) begun = "";
    begun += line.slice(start.length + 1);
    if ("<+".includes(sign)) continue; // The next one goes on.
    const data = JSON.parse(begun);
    for (const name of data.plan ?? []) {
      checks.set(name, { name, status: "missing", ms: 0, networks: [] });
    }
    if (data.end) checks.set(data.end, { ...data, name: data.end });
    if (data.stuck) checks.set(data.stuck, stuck(data));
  }
  // A check that is ignored never runs, so only Deno can tell.
  return [...checks.values()].map((check) =>
    check.status === "missing" && output.includes(`${check.name} ... ignored`)
      ? { ...check, status: "ignored" }
      : check
  );
}

/** A check without an end has no times; its explanation is what there is. */
function stuck(data: { stuck: string; text: string } & Partial<Failure>) {
  const name = data.stuck;
  const failure: Failure = {
    network: "simulated",
    headline: data.text.split("\n")[0]!,
    recording: [],
    ...data,
  };
  return { name, status: "stuck", ms: 0, networks: [], failure } as Check;
}

/** The course's own imports, with `program` in the starter's place. */
function importMap(number: string, program: URL | undefined, root: URL) {
  const config = JSON.parse(Deno.readTextFileSync(new URL("deno.json", root)));
  const absolute = (map: Record<string, string> = {}) =>
    Object.fromEntries(
      Object.entries(map).map(([name, path]) => [
        name,
        path.startsWith("./") ? new URL(path, root).href : path,
      ]),
    );
  const imports = absolute(config.imports);
  const inLessons = absolute(config.scopes?.["./lessons/"]);
  const scopes = { [new URL("lessons/", root).href]: inLessons };
  if (program) {
    imports[findLesson(number, root).starter.href] = program.href;
    scopes[program.href] = inLessons;
  }
  return { imports, scopes };
}
