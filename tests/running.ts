/** Where a program listens. */
export interface Target {
  readonly port: number;
  readonly transport: "tcp" | "udp";
}

/** How long a program may take to say what a test waits for. */
const PATIENCE_MS = 10_000;

/**
 * A process that a test talks to. What it prints is collected while it runs,
 * so that it never waits for a reader, and a failing test can show it.
 */
export class Running implements AsyncDisposable {
  readonly #name: string;
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #printed = { stdout: "", stderr: "" };
  readonly #chunks: Uint8Array[] = [];
  readonly #finished: Promise<unknown>;
  /** Called at every change: something was printed, or the process ended. */
  readonly #watchers = new Set<() => void>();
  #code: number | undefined;

  /** Starts it in the folder `cwd`. Failures call it by `name`. */
  constructor(
    command: string,
    args: string[],
    cwd: URL,
    { env = {}, name = [command, ...args].join(" ") }: {
      env?: Record<string, string>;
      name?: string;
    } = {},
  ) {
    this.#name = name;
    this.#child = new Deno.Command(command, {
      args,
      cwd,
      env: { NO_COLOR: "1", ...env },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#finished = Promise.all([
      this.#collect("stdout"),
      this.#collect("stderr"),
      this.#child.status,
    ]).then(([, , { code }]) => {
      this.#code = code;
      this.#changed();
    });
  }

  /** The number by which the system knows it. */
  get pid(): number {
    return this.#child.pid;
  }

  /** All that it printed so far; bytes that are not text are replaced. */
  get stdout(): string {
    return this.#printed.stdout;
  }

  /** The same as bytes, for protocols that are not text. */
  async stdoutBytes(): Promise<Uint8Array> {
    const blob = new Blob(this.#chunks as BlobPart[]);
    return new Uint8Array(await blob.arrayBuffer());
  }

  /** All that it complained about so far. */
  get stderr(): string {
    return this.#printed.stderr;
  }

  /** The exit code, once the process has ended and its output is complete. */
  get code(): number | undefined {
    return this.#code;
  }

  /** Types `text`. A process that no longer listens is no error here. */
  async send(text: string | Uint8Array): Promise<void> {
    const bytes = typeof text === "string"
      ? new TextEncoder().encode(text)
      : text;
    if (bytes.length > 0) await unlessBroken(this.#input.write(bytes));
  }

  /** Ends its input, as Ctrl-D does. */
  async end(): Promise<void> {
    await unlessBroken(this.#input.close());
  }

  /** Waits until it has printed `text`, and returns all that it printed. */
  async until(text: string, limitMs: number = PATIENCE_MS): Promise<string> {
    await this.when(
      () => this.stdout.includes(text),
      `print ${JSON.stringify(text)}`,
      limitMs,
    );
    return this.stdout;
  }

  /** Sends it a signal, such as "SIGTERM". */
  signal(name: Deno.Signal) {
    this.#child.kill(name);
  }

  /** Waits until it has ended by itself, and returns the exit code. */
  async exit(limitMs: number = PATIENCE_MS): Promise<number> {
    await this.when(() => this.#code !== undefined, "end", limitMs);
    return this.#code!;
  }

  /** Waits until `done()` holds; asks again whenever something changed. */
  async when(
    done: () => boolean,
    what: string,
    limitMs: number = PATIENCE_MS,
  ): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const look = () => {
      if (done()) resolve();
      else if (this.#code !== undefined) reject(this.#report(what, "it ended"));
    };
    const limit = setTimeout(
      () => reject(this.#report(what, `${limitMs} ms went by`)),
      limitMs,
    );
    this.#watchers.add(look);
    look();
    try {
      await promise;
    } finally {
      clearTimeout(limit);
      this.#watchers.delete(look);
    }
  }

  /** Kills it, if it still runs, and waits until nothing of it is left. */
  async stop(): Promise<void> {
    if (this.#code === undefined) kill(this.#child);
    await this.#finished;
    await unlessBroken(this.#input.close());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #collect(name: "stdout" | "stderr"): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of this.#child[name]) {
      if (name === "stdout") this.#chunks.push(chunk);
      this.#printed[name] += decoder.decode(chunk, { stream: true });
      this.#changed();
    }
    this.#printed[name] += decoder.decode();
  }

  #changed(): void {
    for (const look of this.#watchers) look();
  }

  #report(what: string, reason: string): Error {
    return new Error(
      `Cannot wait for "${this.#name}" to ${what}: ${reason}. ` +
        `It printed:\n${this.stdout}${this.stderr}`,
    );
  }
}

/** It may end between the question whether it runs and the kill. */
function kill(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch (error) {
    const gone = error instanceof TypeError ||
      error instanceof Deno.errors.NotFound;
    if (!gone) throw error;
  }
}

/** Input that cannot be delivered any more shows in the output, if it counts. */
async function unlessBroken(delivery: Promise<void>): Promise<void> {
  try {
    await delivery;
  } catch (error) {
    const broken = error instanceof Deno.errors.BrokenPipe ||
      error instanceof TypeError;
    if (!broken) throw error;
  }
}
