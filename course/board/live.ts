/** Counts the changes of something, and wakes those who wait for the next. */
export class Live {
  #version = 0;
  #changed = Promise.withResolvers<void>();

  /** How often it has changed. */
  get version(): number {
    return this.#version;
  }

  /** Something is different now. */
  change(): void {
    this.#version++;
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  /** Waits for a change after `version`; at the most until `signal`. */
  async after(version: number, signal: AbortSignal): Promise<void> {
    if (this.#version > version || signal.aborted) return;
    const stopped = Promise.withResolvers<void>();
    const stop = () => stopped.resolve();
    signal.addEventListener("abort", stop, { once: true });
    await Promise.race([this.#changed.promise, stopped.promise]);
    signal.removeEventListener("abort", stop);
  }
}
