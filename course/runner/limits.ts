import type { Ending } from "./child.ts";

/** Upper limits for one run. */
export interface Limits {
  /** Milliseconds for the whole run. */
  readonly time: number;
  /** Milliseconds until the checks must have announced themselves. */
  readonly load: number;
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
  output: 256 * 1024,
};

/** Watches over the limits of one run, and stops it at the first one reached. */
export class Watchdog implements Disposable {
  readonly #limits: Limits;
  readonly #stop: (ending: Ending) => void;
  readonly #whole: ReturnType<typeof setTimeout>;
  #load: ReturnType<typeof setTimeout> | undefined;

  /** Starts the clocks. `stop` is called with the limit that was reached. */
  constructor(limits: Limits, stop: (ending: Ending) => void) {
    this.#limits = limits;
    this.#stop = stop;
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

  /** Stops the clocks. */
  [Symbol.dispose](): void {
    clearTimeout(this.#whole);
    clearTimeout(this.#load);
  }
}
