import { hasGroups, memoryCommand, type Os } from "./platform.ts";

/**
 * How a child ended: by itself, or when it had said its last word, or at a
 * limit, or because nobody wants it.
 */
export type Ending =
  | "exit"
  | "done"
  | "time"
  | "load"
  | "output"
  | "memory"
  | "unwanted";

/** What to start, and how to follow it. */
export interface ChildOptions {
  readonly cwd: string;
  readonly signal?: AbortSignal;
  /** What the child reads, in place of what `say()` says. */
  readonly input?: ReadableStream<Uint8Array>;
  /** The system to go by; this one if none is said. */
  readonly os?: Os;
  /** Called with whatever the child prints, as it comes. */
  readonly take: (text: string, stream: "stdout" | "stderr") => void;
}

const living = new Set<Child>();

/**
 * A Deno process in a process group of its own, so that ending it leaves
 * nothing behind, whatever it is doing.
 */
export class Child {
  /** Settles when the process is gone and its output has been read. */
  readonly ended: Promise<{ code: number; ending: Ending }>;
  readonly #process: Deno.ChildProcess;
  readonly #os: Os;
  #ending: Ending = "exit";

  /** Starts this very Deno with `args`; it waits for what `say()` says. */
  constructor(args: string[], options: ChildOptions) {
    this.#os = options.os ?? Deno.build.os;
    this.#process = new Deno.Command(Deno.execPath(), {
      args,
      cwd: options.cwd,
      env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
      detached: true,
    }).spawn();
    living.add(this);
    const unwanted = () => this.kill("unwanted");
    if (options.signal?.aborted) unwanted();
    options.signal?.addEventListener("abort", unwanted, { once: true });
    this.ended = this.#follow(options).finally(() => {
      options.signal?.removeEventListener("abort", unwanted);
      living.delete(this);
    });
  }

  /** Whether the process has ended. */
  get over(): boolean {
    return !living.has(this);
  }

  /**
   * Bytes of memory that the process has in use, or undefined where nobody can
   * say: there is no `ps`, or no such process any more.
   */
  async memory(): Promise<number | undefined> {
    const { pid } = this.#process;
    const [program, ...args] = memoryCommand(this.#os, pid) ?? [];
    if (program === undefined || this.over) return undefined;
    try {
      const { stdout } = await new Deno.Command(program, { args }).output();
      return Number(new TextDecoder().decode(stdout)) * 1_024;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  }

  /** Writes `text`, if any, to its standard input, and ends that. Once. */
  async say(text = ""): Promise<void> {
    const writer = this.#process.stdin.getWriter();
    try {
      await writer.write(new TextEncoder().encode(text));
      await writer.close();
    } catch (error) {
      // It has ended, and `ended` says how.
      if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
    }
  }

  /**
   * Ends the whole group at once. The first reason given is the one kept; false
   * if there was one already.
   */
  kill(ending: Ending): boolean {
    if (!living.has(this) || this.#ending !== "exit") return false;
    this.#ending = ending;
    try {
      if (hasGroups(this.#os)) Deno.kill(-this.#process.pid, "SIGKILL");
      else this.#process.kill("SIGKILL");
    } catch (error) {
      // It ended by itself a moment ago, and `ended` is about to say so.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    return true;
  }

  async #follow({ input, take }: ChildOptions) {
    // A child that has gone reads no more; its end is told elsewhere.
    input?.pipeTo(this.#process.stdin).catch(() => {});
    const [status] = await Promise.all([
      this.#process.status,
      read(this.#process.stdout, (text) => take(text, "stdout")),
      read(this.#process.stderr, (text) => take(text, "stderr")),
    ]);
    return { code: status.code, ending: this.#ending };
  }
}

/** Ends every child that is still there, for the way out. */
export function killChildren(): void {
  for (const child of living) child.kill("unwanted");
}

/** Waits until every child is gone that was there; none is ended by this. */
export async function childrenGone(): Promise<void> {
  await Promise.all([...living].map(({ ended }) => ended));
}

async function read(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  take: (text: string) => void,
): Promise<void> {
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    take(text);
  }
}
