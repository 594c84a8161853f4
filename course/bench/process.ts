/** What to start, and how. */
export interface ProcessOptions {
  readonly cwd?: string;
  readonly env?: Record<string, string>;
  /** It is killed after so many milliseconds. Default: a minute. */
  readonly limitMs?: number;
}

const living = new Set<Process>();

/**
 * A program in a process group of its own, so that ending it leaves nothing
 * behind. It is killed when its time is up, and when it is disposed of.
 */
export class Process implements AsyncDisposable {
  /** What it has printed since the last `forget()`, both streams. */
  printed = "";
  /** What it has printed to its standard output alone. */
  stdout = "";
  /** How it ended; all that it printed has been read by then. */
  readonly ended: Promise<Deno.CommandStatus>;
  readonly #name: string;
  readonly #child: Deno.ChildProcess;
  readonly #limit: ReturnType<typeof setTimeout>;
  #over = false;
  #changed = Promise.withResolvers<void>();

  /** Starts a command. It may open as many files as this machine allows. */
  constructor(
    command: readonly string[],
    { cwd, env = {}, limitMs = 60_000 }: ProcessOptions = {},
  ) {
    this.#name = command.join(" ");
    const files = 'ulimit -n "$(ulimit -Hn)" && exec "$@"';
    this.#child = new Deno.Command("sh", {
      args: ["-c", files, "sh", ...command],
      ...(cwd !== undefined && { cwd }),
      env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1", ...env },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
      detached: true,
    }).spawn();
    living.add(this);
    this.#limit = setTimeout(() => this.kill(), limitMs);
    this.ended = this.#follow();
  }

  /** Its process id. */
  get pid(): number {
    return this.#child.pid;
  }

  /** From now on, only what is printed later counts. */
  forget(): void {
    this.printed = "";
  }

  /** Waits until `pattern` is in what it has printed, and gives the match. */
  async prints(pattern: RegExp): Promise<RegExpExecArray> {
    while (true) {
      const found = pattern.exec(this.printed);
      if (found) return found;
      if (this.#over) throw this.failure(`print ${pattern}`);
      await this.#changed.promise;
    }
  }

  /** Waits until it has printed nothing for `ms` milliseconds. */
  async rests(ms: number): Promise<void> {
    while (!this.#over) {
      const rest = Promise.withResolvers<boolean>();
      const timer = setTimeout(() => rest.resolve(true), ms);
      const more = this.#changed.promise.then(() => false);
      const rested = await Promise.race([rest.promise, more]);
      clearTimeout(timer);
      if (rested) return;
    }
  }

  /** An error that says what could not be had, and what it printed instead. */
  failure(what: string): Error {
    const said = this.printed.trim().slice(-400);
    return new Error(`Cannot get "${this.#name}" to ${what}: ${said}`);
  }

  /** Ends the whole group at once. */
  kill(): void {
    if (this.#over) return;
    try {
      Deno.kill(-this.pid, "SIGKILL");
    } catch (error) {
      // It ended by itself a moment ago.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill();
    await this.ended;
    await this.#child.stdin.abort().catch(() => "It went with the process.");
  }

  async #follow(): Promise<Deno.CommandStatus> {
    const [status] = await Promise.all([
      this.#child.status,
      this.#read(this.#child.stdout, (text) => this.stdout += text),
      this.#read(this.#child.stderr, () => {}),
    ]);
    clearTimeout(this.#limit);
    living.delete(this);
    this.#over = true;
    this.#changed.resolve();
    return status;
  }

  async #read(
    stream: ReadableStream<Uint8Array<ArrayBuffer>>,
    take: (text: string) => void,
  ): Promise<void> {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      take(text);
      this.printed += text;
      this.#changed.resolve();
      this.#changed = Promise.withResolvers();
    }
  }
}

/** Runs a command to its end and gives its standard output. */
export async function output(
  command: readonly string[],
  options: ProcessOptions = {},
): Promise<string> {
  await using process = new Process(command, options);
  const { success } = await process.ended;
  if (success) return process.stdout;
  throw process.failure("end well");
}

/** Ends everything that is still there, for the way out. */
export function killAll(): void {
  for (const process of living) process.kill();
}
