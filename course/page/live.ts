import type { PageState } from "../runner/mod.ts";

/** The latest state, and those who wait for the next. */
export class Live {
  #state: PageState | undefined;
  #verdict = "";
  /** It goes on from another process's, for windows that stay open. */
  #version = Date.now();
  #changed = Promise.withResolvers<void>();

  /** What the runner said last; undefined until it has said anything. */
  get state(): PageState | undefined {
    return this.#state;
  }

  /** Counts the verdicts: what a browser shows of one need not change. */
  get version(): number {
    return this.#version;
  }

  /** Takes over a new state, and wakes everybody. */
  show(next: PageState): void {
    const same = next.checking && next.lesson === this.#state?.lesson;
    const state = same ? { ...this.#state, ...next } : next;
    const verdict = JSON.stringify([state.lesson, state.verdict]);
    if (verdict !== this.#verdict) this.#version++;
    this.#verdict = verdict;
    this.#state = state;
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  /** Waits until the next state is there, or `signal` is aborted. */
  async next(signal: AbortSignal): Promise<void> {
    const stopped = Promise.withResolvers<void>();
    const stop = () => stopped.resolve();
    if (signal.aborted) return;
    signal.addEventListener("abort", stop, { once: true });
    await Promise.race([this.#changed.promise, stopped.promise]);
    signal.removeEventListener("abort", stop);
  }

  /** Waits until `holds` is true of the state; at the most until `signal`. */
  async until(
    holds: (state: PageState) => boolean,
    signal: AbortSignal,
  ): Promise<void> {
    while (!signal.aborted) {
      if (this.#state && holds(this.#state)) return;
      await this.next(signal);
    }
  }
}
