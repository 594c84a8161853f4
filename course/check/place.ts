const library = new URL("./", import.meta.url).href;

/** How many frames are looked at: the library's own on top, and a few more. */
const DEPTH = 8;

/** Where in somebody's source a call was made. Found out only when asked. */
export class Place {
  readonly #error: Error;
  #line: string | undefined;

  private constructor(error: Error) {
    this.#error = error;
  }

  /** For calls that nobody will ask about: finding out costs time. */
  static readonly nowhere = new Place(
    Object.assign(new Error(), { stack: "" }),
  );

  /** The place from which the library was called. */
  static here(): Place {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = DEPTH;
    const place = new Place(new Error());
    Error.stackTraceLimit = limit;
    return place;
  }

  /** The place where `error` was made, as far as its stack tells. */
  static of(error: unknown): Place {
    return new Place(error instanceof Error ? error : new Error());
  }

  /** The stack's lines that lie outside the library and the platform. */
  get frames(): string[] {
    const lines = (this.#error.stack ?? "").split("\n");
    return lines.filter((line) =>
      /^ +at .*file:\/\//.test(line) &&
      // The library's own tests are outside it.
      (!line.includes(library) || line.includes("_test.ts:")) &&
      !line.includes("/node_modules/") && !line.includes("/deno-std/")
    );
  }

  /** File and line, such as "echo.ts:14"; "" if nobody outside made the call. */
  get line(): string {
    this.#line ??= shortened(this.frames[0]);
    return this.#line;
  }

  /** The line, and from where that was called if it was; for a sentence. */
  get trail(): string {
    const [line = "", ...callers] = this.frames.map(shortened);
    const caller = callers.find((at) => at !== line && !inTest(at));
    return caller && !this.inTest ? `${line}, called at ${caller}` : line;
  }

  /**
   * The method that was called first, such as "Room.say()", if the stack shows
   * one of the class that `symbol` names: "Room.join()". Otherwise `symbol`.
   */
  method(symbol: string): string {
    const [owner, method] = symbol.split(".");
    if (method === undefined) return symbol;
    const found = this.frames
      .map((frame) => frame.match(/at (?:async )?(\w+\.\w+) /)?.[1])
      .findLast((called) => called?.startsWith(`${owner}.`));
    return found === undefined ? symbol : `${found}()`;
  }

  /** Whether the call came from a lesson's test and not from its program. */
  get inTest(): boolean {
    return inTest(this.line);
  }
}

function inTest(line: string): boolean {
  return /_test\.ts:\d+$/.test(line);
}

function shortened(frame: string | undefined): string {
  const found = frame?.match(/([^/]+\.[jt]s):(\d+):\d+\)?$/);
  return found ? `${found[1]}:${found[2]}` : "";
}
