/** Something that happened on the wire, as one side saw it. */
export interface RecordedEvent {
  /** Milliseconds since the check began. */
  readonly at: number;
  /** Which side saw it: the check's cast, or the learner's program. */
  readonly side: "cast" | "program";
  /** A name of the cast; of the program's calls, the peer's name, or "". */
  readonly who: string;
  /** A word for machines: "connect", "write". */
  readonly kind: string;
  /** The same for people. */
  readonly text: string;
  /** The bytes, in hex: at most the first 256. */
  readonly bytes?: string;
  /** How many bytes there were. */
  readonly size?: number;
  /**
   * The learner's line that caused it: "echo.ts:14". In a recording of more than
   * 200 events only the first and the last 100 have one.
   */
  readonly line?: string;
  /** What the call failed with. */
  readonly error?: string;
}

/** A call that had not returned when the check failed. */
export interface WaitingCall {
  /** What is waited for: "read() from ann". */
  readonly what: string;
  /** As in {@linkcode RecordedEvent.kind}. */
  readonly kind: string;
  /** Whose call it is. */
  readonly side: "cast" | "program";
  /** The name of the peer, or of the member of the cast that waits. */
  readonly who: string;
  /** Where it was called: "echo.ts:23". */
  readonly line?: string;
}

/** A fruitless call that the program made again and again. */
export interface Loop {
  readonly what: string;
  readonly line: string;
  readonly times: number;
}

/** Why a check failed, as the check library tells it. */
export interface Failure {
  readonly network: "simulated" | "loopback";
  /** How it failed: "silence", "different", "crash". */
  readonly kind: string;
  /** The member of the cast that noticed, if it was one. */
  readonly who?: string;
  readonly headline: string;
  /** The complete explanation at 80 columns, headline included. */
  readonly text: string;
  readonly diagnosis?: Diagnosis;
  /** In hex, from `offset` on; at most 256 bytes. */
  readonly expected?: string;
  readonly received?: string;
  readonly offset?: number;
  readonly recording: readonly RecordedEvent[];
  /** How many more events there were than are recorded. */
  readonly dropped: number;
  readonly waiting: readonly WaitingCall[];
  readonly loop?: Loop;
  /** The line of the check, or of the learner's file: "echo_test.ts:12". */
  readonly at?: string;
  /** The same line, and from where that was called: for a sentence. */
  readonly trail?: string;
  readonly seed?: number;
}

/** The catalogue's name for a mistake, and its sentence. */
export interface Diagnosis {
  /** As in `tests/mistakes/`: "await-in-accept-loop". */
  readonly id: string;
  /** What the learner is told about it. */
  readonly sentence: string;
}

/** How one check ended. */
export interface End {
  readonly end: string;
  readonly status: "passed" | "failed" | "ignored";
  readonly ms: number;
  readonly networks: readonly string[];
  readonly failure?: Failure;
}

/** A check whose time ran out while the program was busy. */
export interface Stuck {
  readonly stuck: string;
  readonly at?: string;
  readonly text: string;
  readonly diagnosis?: Diagnosis;
}

/** What the check library said about itself during a run. */
export interface Report {
  /** The names of all checks, in order, or undefined if none was announced. */
  plan?: readonly string[];
  /** Those of them that make no sense here: they have no network. */
  ignored: readonly string[];
  /** Set once every test of the process has passed, as far as Deno can tell. */
  over: boolean;
  readonly begun: Set<string>;
  readonly ended: Map<string, End>;
  readonly stuck: Map<string, Stuck>;
}

const SHOWN = 64 * 1024;
const LONGEST_DATA = 8 * 1024 * 1024;
const LONGEST_LINE = 8 * 1024;

/**
 * Takes the data lines out of what a run prints.
 *
 * A data line begins with U+001E, the run's own random word, and a sign: "<" if
 * it is the first of several, "+" in their middle, ">" if it is the last, and a
 * space if it is the only one. The program under test does not know the word, so
 * whatever else it prints is output. The explanation comes from here, and never
 * the verdict.
 */
export class ReportReader {
  readonly report: Report = {
    ignored: [],
    over: false,
    begun: new Set(),
    ended: new Map(),
    stuck: new Map(),
  };
  /** The beginning of what was printed beside the data lines. */
  output = "";
  /** How many characters were printed beside the data lines. */
  printed = 0;
  readonly #mark: string;
  #pending = "";
  /** Data whose next line is still to come. */
  #data = "";

  /** Reads a run that was started with this random word. */
  constructor(nonce: string) {
    this.#mark = `\u001e${nonce}`;
  }

  /** Takes what was printed next. Lines may come in pieces. */
  push(text: string): void {
    const lines = (this.#pending + text).split("\n");
    this.#pending = lines.pop()!;
    for (const line of lines) this.#line(line, "\n");
    // A flood need not contain a newline. It is counted all the same.
    const data = this.#pending.includes(this.#mark);
    const longest = data ? LONGEST_DATA : LONGEST_LINE;
    if (this.#pending.length < longest) return;
    this.print(this.#pending);
    this.#pending = "";
  }

  /** Takes the end: what stands there without a newline is a line too. */
  end(): void {
    if (this.#pending !== "") this.#line(this.#pending, "");
    this.#pending = "";
  }

  #line(line: string, newline: string): void {
    // A program that prints no newline shares its line with the data.
    const at = line.indexOf(this.#mark);
    const sign = at < 0 ? "" : line[at + this.#mark.length];
    if (!sign || !" <+>".includes(sign)) return this.print(line + newline);
    if (at > 0) this.print(line.slice(0, at));
    // What has begun before, and has no end, was cut short.
    if (" <".includes(sign)) this.#data = "";
    this.#data += line.slice(at + this.#mark.length + 1);
    if ("<+".includes(sign)) return; // The next line goes on.
    const json = parse(this.#data);
    this.#data = "";
    if (json) this.#record(json);
    else this.print(line.slice(at) + newline);
  }

  /** Takes output that can hold no data lines: what came on stderr. */
  print(text: string): void {
    this.printed += text.length;
    this.output += text.slice(0, Math.max(0, SHOWN - this.output.length));
  }

  #record(data: Record<string, unknown>): void {
    const { plan, ignored, begin, end, stuck, over } = data;
    if (Array.isArray(plan)) this.report.plan ??= plan.map(String);
    if (Array.isArray(ignored)) this.report.ignored = ignored.map(String);
    if (over === true) this.report.over = true;
    if (typeof begin === "string") this.report.begun.add(begin);
    if (typeof end === "string") {
      this.report.ended.set(end, data as unknown as End);
    }
    if (typeof stuck === "string") {
      this.report.stuck.set(stuck, data as unknown as Stuck);
    }
  }
}

/** A line that was cut short by a kill is no data. */
function parse(json: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(json);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
