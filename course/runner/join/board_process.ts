import type { Course } from "../lesson.ts";
import type { Standing, Start, Word } from "./words.ts";

/** Who wants to know what the board says. */
export interface BoardListener {
  readonly onWord: (word: Word) => void;
  /** Called when the process has ended by itself. */
  readonly onEnd: () => void;
}

/** Longer lines are none of ours. */
const LONGEST_LINE = 8 * 1024;

/**
 * The process that speaks with the board (`main.ts` says why it is one). It may
 * reach the board's address alone, and ends when this process does.
 */
export class BoardProcess implements Disposable {
  readonly #process: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  /** The latest standing, while an earlier one is being written. */
  #next: Standing | undefined;
  #writing = false;
  #gone = false;

  /** Starts it, and lets it join. */
  constructor({ root }: Course, start: Start, listener: BoardListener) {
    // A company's proxy knows nothing of an address in this room. (Deno does
    // not understand the usual "*".)
    const direct = start.address.replace(/:\d+$/, "").replace(/[[\]]/g, "");
    this.#process = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--quiet",
        "--no-check",
        "--no-prompt",
        `--allow-net=${start.address}`,
        "course/runner/join/main.ts",
      ],
      cwd: root,
      env: { NO_PROXY: direct, no_proxy: direct, DENO_NO_UPDATE_CHECK: "1" },
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
      detached: true,
    }).spawn();
    this.#process.unref();
    this.#input = this.#process.stdin.getWriter();
    this.#write(start);
    this.#listen(listener);
  }

  /** Tells the board where the learner is. It never waits. */
  show(standing: Standing): void {
    this.#next = standing;
    if (!this.#writing) this.#write();
  }

  /** Ends it. Twice is fine. */
  [Symbol.dispose](): void {
    if (this.#gone) return;
    this.#leave();
    try {
      this.#process.kill("SIGKILL");
    } catch (error) {
      // It ended by itself a moment ago.
      const over = error instanceof TypeError ||
        error instanceof Deno.errors.NotFound;
      if (!over) throw error;
    }
  }

  async #write(line: Start | Standing | undefined = this.#next): Promise<void> {
    this.#writing = true;
    while (line !== undefined && !this.#gone) {
      if (line === this.#next) this.#next = undefined;
      const bytes = new TextEncoder().encode(JSON.stringify(line) + "\n");
      try {
        await this.#input.write(bytes);
      } catch (error) {
        // It has ended, and `onEnd` says so.
        if (error instanceof Deno.errors.BrokenPipe) return;
        if (this.#gone) return;
        throw error;
      }
      line = this.#next;
    }
    this.#writing = false;
  }

  async #listen({ onWord, onEnd }: BoardListener): Promise<void> {
    let rest = "";
    const { stdout } = this.#process;
    for await (const piece of stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + piece).split("\n");
      rest = lines.pop()!.slice(0, LONGEST_LINE);
      if (!this.#gone) lines.forEach((line) => onWord(JSON.parse(line)));
    }
    if (this.#gone) return;
    this.#leave();
    onEnd();
  }

  #leave(): void {
    this.#gone = true;
    // What was not read yet is read by nobody now.
    this.#input.abort().catch(() => {});
  }
}
