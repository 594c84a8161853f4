import { concat, copyOf, count, type Data, preview, toBytes } from "./bytes.ts";
import type { World } from "./stand_ins/world.ts";

/**
 * One step of a scripted reader: bytes; 0 for a read that gives none; an error
 * to reject with; a pause in milliseconds, in which nothing comes; null for the
 * end, which every later read gives too.
 */
export type ReaderStep = Data | 0 | Error | null | { readonly pause: number };

/** Ends a play on loopback that begins with a script: no network carries it. */
export class OffStage extends Error {
  override name = "OffStage";
}

const NOTHING = new Uint8Array();

/** A reader that gives exactly what its script says, read by read. */
export class ScriptedReader {
  readonly #world: World;
  readonly #steps: readonly ReaderStep[];
  #at = 0;
  /** What is left of the step before `#at`, if a read took a part of it. */
  #rest: Uint8Array = NOTHING;
  #reads = 0;
  #given = 0;
  #pause: Promise<void> | undefined;

  /** After the last step every read waits for ever, unless it was null. */
  constructor(world: World, steps: readonly ReaderStep[]) {
    this.#world = world;
    this.#steps = steps;
  }

  /** How many reads were made. */
  get reads(): number {
    return this.#reads;
  }

  /** How many bytes they gave. */
  get given(): number {
    return this.#given;
  }

  /** Gives the next step, or as much of it as `into` holds. */
  read(into: Uint8Array): Promise<number | null> {
    this.#reads++;
    const what = into.length === 0 ? "read() into 0 bytes" : "read()";
    return this.#world.call(
      { kind: "read", who: "the reader", what, scripted: true, on: this },
      () => this.#next(into),
      (n) =>
        n === null ? { text: `${what} → null`, fruitless: true } : {
          text: (bytes: Uint8Array, size: number) =>
            `${what} → ${size ? preview(bytes, 18, size) : count(0)}`,
          bytes: into.subarray(0, n),
          fruitless: n === 0,
        },
    );
  }

  #next(into: Uint8Array): Promise<number | null> {
    if (this.#rest.length > 0) return this.#give(this.#rest, into);
    const step = this.#steps[this.#at];
    if (step === undefined) return new Promise(() => {}); // Silence.
    if (step === null) return Promise.resolve(null);
    if (step !== 0 && into.length === 0) return Promise.resolve(0);
    if (isPause(step)) return this.#wait(step).then(() => this.#next(into));
    this.#at++;
    if (step === 0) return Promise.resolve(0);
    if (step instanceof Error) return Promise.reject(step);
    return this.#give(typeof step === "string" ? toBytes(step) : step, into);
  }

  /** Lets a pause pass. Every read that waits meanwhile waits for the same. */
  #wait({ pause }: { pause: number }): Promise<void> {
    return this.#pause ??= this.#world.clock.sleep(pause).then(() => {
      this.#at++;
      this.#pause = undefined;
    });
  }

  /** Gives as much of `bytes` as `into` holds, and keeps the rest. */
  #give(bytes: Uint8Array, into: Uint8Array): Promise<number> {
    const n = Math.min(bytes.length, into.length);
    const whole = n === bytes.length;
    into.set(whole ? bytes : bytes.subarray(0, n));
    this.#rest = whole ? NOTHING : bytes.subarray(n);
    this.#given += n;
    return Promise.resolve(n);
  }
}

function isPause(step: ReaderStep): step is { readonly pause: number } {
  return typeof step === "object" && step !== null && "pause" in step;
}

/**
 * One step of a scripted writer: how many bytes a write takes at the most; an
 * error to reject with; a pause in milliseconds, after which it takes them all.
 */
export type WriterStep = number | Error | { readonly pause: number };

/** How far a program may write too much before it is stopped. */
export interface Stop {
  /** How many bytes it may write; the first write after them never returns. */
  readonly after: number;
  /** Called when that write is made. */
  readonly exceeded: () => void;
}

/** A writer that accepts as many bytes at a time as its script says. */
export class ScriptedWriter {
  readonly #world: World;
  readonly #accepts: readonly WriterStep[];
  readonly #stop: Stop | undefined;
  readonly #parts: Uint8Array[] = [];
  #calls = 0;
  #taken = 0;

  /** `accepts` has a step for each write; it starts again at its end. */
  constructor(world: World, accepts: readonly WriterStep[], stop?: Stop) {
    this.#world = world;
    this.#accepts = accepts;
    this.#stop = stop;
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
    if (this.#stop && this.#taken > this.#stop.after) {
      this.#stop.exceeded();
      return new Promise(() => {}); // The check is over.
    }
    const step = this.#accepts[this.#calls++ % this.#accepts.length];
    return this.#world.call(
      { kind: "write", who: "the writer", what: "write()", scripted: true },
      async () => {
        if (step instanceof Error) throw step;
        const pauses = typeof step === "object";
        if (pauses) await this.#world.clock.sleep(step.pause);
        const part = copyOf(bytes, pauses ? undefined : step);
        this.#parts.push(part);
        this.#taken += part.length;
        return part.length;
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
