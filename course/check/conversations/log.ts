/** What the calls of a conversation came to, in the order of the calls. */
export class Log {
  /** A line for each step, with what settled during it. */
  readonly lines: string[] = [];
  readonly #arrived: () => Promise<void>;
  #settled: string[] = [];
  readonly #calls: Promise<unknown>[] = [];

  /** `arrived()` waits until what is under way has arrived. */
  constructor(arrived: () => Promise<void>) {
    this.#arrived = arrived;
  }

  /**
   * Makes a call, and waits until its effects have arrived everywhere. What it
   * comes to is written down in the step in which it settles.
   */
  async step(name: string, call: () => unknown): Promise<void> {
    const number = this.#calls.length + 1;
    const note = (result: string) =>
      void this.#settled.push(`${number} ${result}`);
    // deno-lint-ignore require-await -- A throw is as good as a rejection.
    const called = (async () => call())();
    this.#calls.push(
      called.then((value) => note(told(value)), (error) => note(told(error))),
    );
    await this.#arrived();
    // Two calls may settle in one step, and which is first does not matter.
    const settled = this.#settled.splice(0).sort();
    this.lines.push(`${number} ${name}: ${settled.join(", ") || "waits"}`);
  }

  /** Waits until no call is under way: all sockets have to be closed first. */
  async over(): Promise<void> {
    await Promise.all(this.#calls);
  }
}

function told(value: unknown): string {
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  return value === undefined ? "done" : String(value);
}
