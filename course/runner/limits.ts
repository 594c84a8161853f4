import type { Ending } from "./child.ts";

/** Upper limits for one run. */
export interface Limits {
  /** Milliseconds for the whole run. */
  readonly time: number;
  /** Milliseconds until the checks must have announced themselves. */
  readonly load: number;
  /** Bytes of memory, where it can be known. */
  readonly memory: number;
  /** Characters of output, beside what the check library says. */
  readonly output: number;
}

/**
 * What one run of a lesson may use. The slowest solved lesson takes a third of
 * the time; a file that loads at all does so in well under a second.
 */
export const LIMITS: Limits = {
  time: 14_000,
  load: 5_000,
  memory: 1024 ** 3,
  output: 256 * 1024,
};

/**
 * How often the memory is looked at, in milliseconds. Most runs are over before
 * the first time; a program that does nothing else fills half a gigabyte.
 */
const LOOK_MS = 500;

/** Watches over the limits of one run, and stops it at the first one reached. */
export class Watchdog implements AsyncDisposable {
  readonly #limits: Limits;
  readonly #stop: (ending: Ending) => void;
  readonly #whole: ReturnType<typeof setTimeout>;
  readonly #look: ReturnType<typeof setInterval>;
  #looking: Promise<void> = Promise.resolve();
  #load: ReturnType<typeof setTimeout> | undefined;

  /**
   * Starts the clocks. `stop` is called with the limit that was reached;
   * `memory` tells how many bytes are in use, if it can.
   */
  constructor(
    limits: Limits,
    stop: (ending: Ending) => void,
    memory: () => Promise<number | undefined>,
  ) {
    this.#limits = limits;
    this.#stop = stop;
    const look = async () => {
      if ((await memory() ?? 0) > limits.memory) stop("memory");
    };
    this.#look = setInterval(() => this.#looking = look(), LOOK_MS);
    this.#whole = setTimeout(() => stop("time"), limits.time);
    this.loading();
  }

  /** Gives the loading all its time again: it was something else until now. */
  loading(): void {
    clearTimeout(this.#load);
    this.#load = setTimeout(() => this.#stop("load"), this.#limits.load);
  }

  /** The checks are there. */
  loaded(): void {
    clearTimeout(this.#load);
  }

  /** So much has been printed until now. */
  printed(characters: number): void {
    if (characters > this.#limits.output) this.#stop("output");
  }

  /** Stops the clocks, and waits for a look at the memory that has begun. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#look);
    clearTimeout(this.#whole);
    clearTimeout(this.#load);
    await this.#looking;
  }
}
