import { keysIn } from "./keys.ts";

/** How much room a screen has. */
export interface Size {
  readonly columns: number;
  readonly rows: number;
}

const OPEN = "\u001b[?1049h\u001b[?25l";
const CLOSE = "\u001b[?25h\u001b[?1049l";
const HOME = "\u001b[H";
const CLEAR_LINE = "\u001b[2K";
const CLEAR_BELOW = "\u001b[J";

/**
 * The learner's terminal while the runner has it: raw keys, a screen of its own
 * and no cursor. `Symbol.dispose` gives it back as it was; twice is fine.
 */
export class Terminal implements Disposable {
  #open = true;
  #shown = "";

  /** Takes over the terminal. */
  constructor() {
    Deno.stdin.setRaw(true);
    print(OPEN);
  }

  /** Its size now; 80 by 24 where that cannot be known. */
  get size(): Size {
    const { columns, rows } = Deno.consoleSize();
    return { columns: columns || 80, rows: rows || 24 };
  }

  /** Shows `lines` and nothing else. */
  draw(lines: readonly string[]): void {
    // Cleared before and not after it is written: at the right edge the cursor
    // stays on the last letter, and would take it along.
    const picture = lines.map((line) => CLEAR_LINE + line).join("\r\n");
    if (!this.#open || picture === this.#shown) return;
    this.#shown = picture;
    // In one piece and over the old picture, so that nothing flickers.
    print(HOME + picture + CLEAR_BELOW);
  }

  /** Draws again what is drawn next, even if it is the same. */
  forget(): void {
    this.#shown = "";
  }

  /** The keys as they are pressed. Ends when the terminal goes away. */
  keys(): AsyncGenerator<string> {
    return keysIn(this.#typed());
  }

  async *#typed(): AsyncGenerator<string> {
    const decoder = new TextDecoder();
    const buffer = new Uint8Array(256);
    while (this.#open) {
      const n = await Deno.stdin.read(buffer);
      if (n === null) return;
      yield decoder.decode(buffer.subarray(0, n), { stream: true });
    }
  }

  [Symbol.dispose](): void {
    if (!this.#open) return;
    this.#open = false;
    print(CLOSE);
    Deno.stdin.setRaw(false);
  }
}

/** Whether there is a person at both ends. */
export function interactive(): boolean {
  return Deno.stdin.isTerminal() && Deno.stdout.isTerminal();
}

/** Prints `text` as it is, without a newline of its own. */
export function print(text: string): void {
  write(Deno.stdout, text);
}

/** Prints a complaint. */
export function complain(text: string): void {
  write(Deno.stderr, text);
}

function write(to: { writeSync(bytes: Uint8Array): number }, text: string) {
  let bytes = new TextEncoder().encode(text);
  while (bytes.length > 0) bytes = bytes.subarray(to.writeSync(bytes));
}
