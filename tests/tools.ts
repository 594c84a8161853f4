// Programs that the world uses, run against what the course builds.
//
// Solutions listen on fixed ports, 7000 and the lesson's number, so two tests
// that use one port must never overlap. They do not, because `deno test` runs
// files and tests one after the other: never add `--parallel`, and stop every
// program before its test ends (`await using` does).
import { HOUSE } from "./course_files.ts";
import { Running, type Target } from "./running.ts";
import { isListening, untilListening } from "./listening.ts";

/** How a command ended, and all that it printed. */
export interface Ran {
  /** The exit code; 128 and the signal's number if a signal ended it. */
  readonly code: number;
  readonly stdout: string;
  /** The same as bytes, for protocols that are not text. */
  readonly bytes: Uint8Array;
  readonly stderr: string;
}

/** A solution that runs, and can be talked to. */
export interface Program extends AsyncDisposable {
  readonly port: number;
  /** The process; what it printed is in `stdout` and `stderr`. */
  readonly running: Running;
}

/** What is no program, and where it is to be had. */
const SYSTEMS: Record<string, (os: typeof Deno.build.os) => boolean> = {
  // The kernel's tables. `cat` reads them: Deno asks for every permission.
  "/proc": (os) => os === "linux" && findTool("cat") !== undefined,
  "Unix sockets": (os) => os !== "windows", // denoland/deno, issue 18236.
};

/** Programs that are the same ones elsewhere; each `nc` is another. */
const EVERYWHERE = ["chromium", "curl", "dig", "host", "python3", "redis-cli"];

/**
 * What a machine lacks of `tools`: programs, as Debian has them, "/proc", and
 * "Unix sockets".
 */
export function missing(tools: string[], os = Deno.build.os): string[] {
  return tools.filter((tool) => {
    const system = SYSTEMS[tool];
    if (system) return !system(os);
    const known = os === "linux" || EVERYWHERE.includes(tool);
    return !known || findTool(tool) === undefined;
  });
}

/**
 * Registers a test that needs programs of this machine. Where one is missing,
 * the test is ignored and its name says why; on a machine that claims to have
 * them all (`CI=true`) it fails instead, so that nothing is ignored for ever.
 */
export function realClient(
  name: string,
  tools: string[],
  fn: (t: Deno.TestContext) => Promise<void>,
): void {
  const lacking = missing(tools);
  if (lacking.length === 0) return Deno.test(name, fn);
  const reason = `this machine has no ${lacking.join(", no ")}`;
  if (Deno.env.get("CI") === "true") {
    Deno.test(name, () => {
      throw new Error(
        `Cannot run the real client: ${reason}. Add it to .ci/clients`,
      );
    });
  } else Deno.test.ignore(`${name} (${reason})`, fn);
}

/** As `realClient()`, with a UDP server: only a table says when it is there. */
export function overUdp(...[name, tools, fn]: Parameters<typeof realClient>) {
  realClient(name, ["/proc", ...tools], fn);
}

/** Where a program lies, or nothing if no folder in PATH has it. */
export function findTool(name: string): string | undefined {
  const windows = Deno.build.os === "windows";
  const folders = (Deno.env.get("PATH") ?? "").split(windows ? ";" : ":");
  return folders.map((folder) => `${folder}/${name}${windows ? ".exe" : ""}`)
    .find(isFile);
}

/** Runs a command to its end, or kills it at the limit and says so. */
export async function run(
  command: string,
  args: string[],
  { stdin = "", timeoutMs = 10_000 }: {
    stdin?: string | Uint8Array;
    timeoutMs?: number;
  } = {},
): Promise<Ran> {
  await using running = start(command, args);
  await running.send(stdin);
  await running.end();
  const code = await running.exit(timeoutMs);
  const { stdout, stderr } = running;
  return { code, stdout, stderr, bytes: await running.stdoutBytes() };
}

/** Starts a command that the test goes on talking to. */
export function start(command: string, args: string[]): Running {
  return new Running(command, args, HOUSE);
}

/**
 * Starts a program of the course as people do, `deno run -P …`, and waits until
 * its port is open. The port follows from the lesson's number in the path.
 */
export async function startProgram(
  [path, ...args]: [string, ...string[]],
  { port = portOf(path), transport = "tcp" }: Partial<Target> = {},
): Promise<Program> {
  if (await isListening({ port, transport })) {
    throw new Error(
      `Cannot start ${path}: ${transport} port ${port} is in use. ` +
        "End the program that listens there",
    );
  }
  const deno = Deno.execPath();
  const flags = ["run", "-q", "-P", "--no-prompt", "--config", "deno.json"];
  const running = start(deno, [...flags, path, ...args]);
  try {
    await untilListening({ port, transport }, running);
  } catch (error) {
    await running.stop();
    throw error;
  }
  return { port, running, [Symbol.asyncDispose]: () => running.stop() };
}

/** 7000 and the number of the lesson that the path names. */
export function portOf(path: string): number {
  const [, number] = path.match(/^(?:lessons|solutions)\/(\d\d)\//) ?? [];
  if (number !== undefined) return 7000 + Number(number);
  throw new Error(
    `Cannot tell the port of ${path}: it belongs to no lesson. Pass { port }`,
  );
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    if (error instanceof Deno.errors.NotADirectory) return false;
    throw error;
  }
}
