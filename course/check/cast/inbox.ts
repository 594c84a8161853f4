import { concat, preview } from "../bytes.ts";
import type { RawConn } from "../network.ts";
import type { Recording, Words } from "../recording.ts";

/** How the other side's sending ended, or "open". */
export type Ending = "open" | "end" | "reset";

/**
 * How many bytes one read asks for: few at first, for most clients never hear
 * more, and there may be a thousand of them.
 */
const LITTLE = 4_096;
const MUCH = 65_536;

/** What has arrived on a connection and was not asked for yet. */
export class Inbox {
  readonly #name: string;
  readonly #conn: RawConn;
  readonly #recording: Recording;
  #parts: Uint8Array<ArrayBuffer>[] = [];
  #into = new Uint8Array(LITTLE);
  #reading: Promise<void> | undefined;
  #ending: Ending = "open";

  /** Collects what arrives on `conn`, noted as received by `name`. */
  constructor(name: string, conn: RawConn, recording: Recording) {
    this.#name = name;
    this.#conn = conn;
    this.#recording = recording;
  }

  /** The bytes that are here. */
  get bytes(): Uint8Array<ArrayBuffer> {
    if (this.#parts.length !== 1) this.#parts = [concat(this.#parts)];
    return this.#parts[0]!;
  }

  /** The bytes that are here, without the first `skip`. */
  after(skip: number): Uint8Array<ArrayBuffer> {
    const rest: Uint8Array<ArrayBuffer>[] = [];
    for (const part of this.#parts) {
      if (skip < part.length) rest.push(part.subarray(skip));
      skip = Math.max(0, skip - part.length);
    }
    return rest.length === 1 ? rest[0]! : concat(rest);
  }

  /** How many bytes are here. */
  get length(): number {
    return this.#parts.reduce((sum, part) => sum + part.length, 0);
  }

  /** Whether more can come, and if not, how it ended. */
  get ending(): Ending {
    return this.#ending;
  }

  /** Removes and returns the first `length` bytes. */
  take(length: number): Uint8Array<ArrayBuffer> {
    const { bytes } = this;
    this.#parts = [bytes.subarray(length)];
    return bytes.slice(0, length);
  }

  /**
   * Waits until something arrives: bytes, the end, or a reset. A call that is
   * given up loses nothing: the next one waits for the same read.
   */
  more(): Promise<void> {
    return this.#reading ??= this.#read().finally(() =>
      this.#reading = undefined
    );
  }

  async #read() {
    try {
      const n = await this.#conn.read(this.#into);
      if (n === null) return this.#end("end", "← the end (FIN)");
      const bytes = this.#into.slice(0, n);
      const full = n === this.#into.length;
      if (full && n < MUCH) this.#into = new Uint8Array(MUCH);
      this.#parts.push(bytes);
      this.#note("receive", received, bytes);
    } catch (error) {
      const { BadResource, ConnectionReset, Interrupted } = Deno.errors;
      if (error instanceof ConnectionReset) {
        return this.#end("reset", "← a reset (RST)");
      }
      // The cast left while it was listening; nobody asks any more.
      const left = error instanceof Interrupted || error instanceof BadResource;
      if (!left) throw error;
      this.#ending = "end";
    }
  }

  #end(ending: Ending, text: string) {
    this.#ending = ending;
    this.#note(ending, text);
  }

  #note(kind: string, text: Words, bytes?: Uint8Array) {
    this.#recording.note({
      side: "cast",
      who: this.#name,
      kind,
      text,
      ...(bytes && { bytes }),
    });
  }
}

function received(bytes: Uint8Array, size: number): string {
  return `← ${preview(bytes, 24, size)}`;
}
