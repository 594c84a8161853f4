import { concat, count, type Data, preview, toBytes } from "./bytes.ts";
import type { World } from "./stand_ins/world.ts";

/**
 * One step of a scripted reader: bytes; 0 for a read that gives none; an error
 * to reject with; null for the end, which every later read gives too.
 */
export type ReaderStep = Data | 0 | Error | null;

/** A reader that gives exactly what its script says, read by read. */
export class ScriptedReader {
  readonly #world: World;
  readonly #steps: ReaderStep[];
  #reads = 0;

  /** After the last step every read waits for ever, unless it was null. */
  constructor(world: World, steps: readonly ReaderStep[]) {
    this.#world = world;
    this.#steps = [...steps];
  }

  /** How many reads were made. */
  get reads(): number {
    return this.#reads;
  }

  /** Gives the next step, or as much of it as `into` holds. */
  read(into: Uint8Array): Promise<number | null> {
    this.#reads++;
    return this.#world.call(
      { kind: "read", who: "the reader", what: "read()" },
      () => this.#next(into),
      (n) =>
        n === null
          ? { text: "read() → null", fruitless: true }
          : { text: `read() → ${count(n)}`, bytes: into.subarray(0, n) },
    );
  }

  #next(into: Uint8Array): Promise<number | null> {
    const step = this.#steps[0];
    if (step === undefined) return new Promise(() => {}); // Silence.
    if (step === null) return Promise.resolve(null);
    if (step === 0 || into.length === 0) {
      if (step === 0) this.#steps.shift();
      return Promise.resolve(0);
    }
    if (step instanceof Error) {
      this.#steps.shift();
      return Promise.reject(step);
    }
    const bytes = toBytes(step);
    const part = bytes.subarray(0, into.length);
    into.set(part);
    if (part.length === bytes.length) this.#steps.shift();
    else this.#steps[0] = bytes.slice(part.length);
    return Promise.resolve(part.length);
  }
}

/** A writer that accepts as many bytes at a time as its script says. */
export class ScriptedWriter {
  readonly #world: World;
  readonly #accepts: readonly (number | Error)[];
  readonly #parts: Uint8Array[] = [];
  #calls = 0;

  /**
   * `accepts` says how many bytes each write takes at the most, or what it
   * rejects with; it starts again at its end.
   */
  constructor(world: World, accepts: readonly (number | Error)[]) {
    this.#world = world;
    this.#accepts = accepts;
  }

  /** How many writes were made. */
  get writes(): number {
    return this.#calls;
  }

  /** All bytes that were accepted, in order. */
  get received(): Uint8Array<ArrayBuffer> {
    return concat(this.#parts);
  }

  /** Accepts a part of `bytes`, or all of them. */
  write(bytes: Uint8Array): Promise<number> {
    const step = this.#accepts[this.#calls++ % this.#accepts.length];
    return this.#world.call(
      { kind: "write", who: "the writer", what: "write()" },
      () => {
        if (step instanceof Error) return Promise.reject(step);
        const part = bytes.slice(0, step);
        this.#parts.push(part);
        return Promise.resolve(part.length);
      },
      (n) => ({
        text: n === bytes.length
          ? `write(): ${preview(bytes, 16)}`
          : `write(): ${n} of ${count(bytes.length)}`,
        bytes: bytes.subarray(0, n),
        fruitless: n === 0,
      }),
    );
  }
}
