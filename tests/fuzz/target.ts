import { Random } from "../../course/check/stand_ins/random.ts";
import { findLesson } from "../course_files.ts";
import { mutated, pieces } from "./mutate.ts";

/** A parser of a solution, and what it may do with inputs that are wrong. */
export interface Target {
  /** The lesson, if it is of one, and what is called: "09 FrameDecoder". */
  readonly name: string;
  /** Inputs that are right. */
  readonly seeds: Uint8Array[];
  /** The most bytes that it may ask for at a time. */
  readonly most: number;
  /** Names of the errors that it documents. */
  readonly errors: string[];
  /** Parses what comes in these pieces. */
  // deno-lint-ignore no-explicit-any -- The solution's own exports.
  parse(solution: any, pieces: Uint8Array[]): unknown;
}

/** How long one input may take, in milliseconds; most take microseconds. */
const LONGEST_MS = 2_000;

/**
 * Gives `count` inputs to `target`, and returns what went wrong: at most ten
 * sentences, each with the seed that makes its input again.
 */
export async function fuzz(target: Target, count: number): Promise<string[]> {
  const number = target.name.slice(0, 2);
  const solution = /^\d/.test(number)
    ? await import(findLesson(number).solution.href)
    : {};
  const wrong: string[] = [];
  using largest = new Largest();
  for (let seed = 1; seed <= count && wrong.length < 10; seed++) {
    const random = new Random(seed);
    const input = mutated(random, target.seeds);
    const cut = pieces(random, input);
    const say = (what: string) =>
      wrong.push(`${target.name}, seed ${seed}: ${what}\n${show(input)}`);
    largest.bytes = 0;
    const began = performance.now();
    try {
      const result = target.parse(solution, cut);
      // Most are over at once, and a promise costs more than they do.
      if (result instanceof Promise) await result;
    } catch (error) {
      const name = error instanceof Error ? error.name : typeof error;
      if (!target.errors.includes(name)) say(`${error}`);
    }
    const ms = performance.now() - began;
    if (ms > LONGEST_MS) say(`it took ${Math.round(ms)} ms`);
    if (largest.bytes > target.most) say(`it asked for ${largest.bytes} bytes`);
  }
  return wrong;
}

/** Watches how many bytes anybody asks for at a time. */
class Largest implements Disposable {
  bytes = 0;
  readonly #real = globalThis.Uint8Array;

  constructor() {
    globalThis.Uint8Array = new Proxy(this.#real, {
      construct: (real, args: [unknown], target) => {
        const [size] = args;
        if (typeof size === "number" && size > this.bytes) this.bytes = size;
        return Reflect.construct(real, args, target);
      },
    });
  }

  [Symbol.dispose]() {
    globalThis.Uint8Array = this.#real;
  }
}

/** Gives pieces, one at each read, and then the end. */
export class Pieces {
  readonly #pieces: Uint8Array[];

  constructor(pieces: Uint8Array[]) {
    this.#pieces = [...pieces];
  }

  /** How many bytes have not been read. */
  get left(): number {
    return this.#pieces.reduce((sum, { length }) => sum + length, 0);
  }

  read(into: Uint8Array): Promise<number | null> {
    const piece = this.#pieces.shift();
    if (piece === undefined) return Promise.resolve(null);
    const part = piece.subarray(0, into.length);
    if (part.length < piece.length) {
      this.#pieces.unshift(piece.subarray(part.length));
    }
    into.set(part);
    return Promise.resolve(part.length);
  }
}

/** Bytes from text in which `\x00` and the like are bytes. */
export function bytes(...texts: string[]): Uint8Array[] {
  return texts.map((text) =>
    Uint8Array.from(text, (char) => char.charCodeAt(0))
  );
}

function show(input: Uint8Array): string {
  return `    ${input.slice(0, 80).toHex()}${input.length > 80 ? "…" : ""}`;
}
