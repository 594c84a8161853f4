/** What the calls of a conversation came to, in the order of the calls. */
export class Log {
  /** A line for each step, with what settled during it. */
  readonly lines: string[] = [];
  readonly #arrived: () => Promise<void>;
  #settled: string[] = [];
  #calls = 0;

  /** `arrived()` waits until what is under way has arrived. */
  constructor(arrived: () => Promise<void>) {
    this.#arrived = arrived;
  }

  /**
   * Makes a call, and waits until its effects have arrived everywhere. What it
   * comes to is written down in the step in which it settles.
   */
  async step(name: string, call: () => unknown): Promise<void> {
    const number = ++this.#calls;
    const note = (result: string) =>
      void this.#settled.push(`${number} ${result}`);
    try {
      const result = call();
      if (result instanceof Promise) {
        result.then((value) => note(told(value)), (error) => note(told(error)));
      } else note(told(result));
    } catch (error) {
      note(told(error));
    }
    await this.#arrived();
    // Two calls may settle in one step, and which is first does not matter.
    const settled = this.#settled.splice(0).sort();
    this.lines.push(`${number} ${name}: ${settled.join(", ") || "waits"}`);
  }
}

function told(value: unknown): string {
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  return value === undefined ? "done" : String(value);
}
