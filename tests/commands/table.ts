// How a table says what a person does who follows a page: in which order the
// commands are typed, in which terminals, and what they print.
import type { Target } from "../running.ts";

/**
 * Output. A string must stand on the page, word for word; `…` in it is anything.
 * What the page does not show is an expression.
 */
export type Output = string | RegExp;

/** What is compared with what a command prints. */
interface Printing {
  /** All that it prints, or all that is new. */
  readonly prints?: Output;
  /** What it prints among other things, in any order. */
  readonly mentions?: Output | Output[];
  /**
   * Which parts of the strings above differ each time: ports, milliseconds. The
   * same expression has to fit what is printed in their place.
   */
  readonly varies?: RegExp;
}

/** A command, typed into a terminal of its own. */
export interface Command extends Printing {
  /** One or more lines, just as they stand on the page, with their comments. */
  readonly run: string;
  /** For one that stands there in other words: the words that tell of it. */
  readonly told?: string;
  /** Names the terminal, if the command stays; otherwise it must end. */
  readonly as?: string;
  /** The terminal is left alone when somebody listens, or it prints this. */
  readonly until?: Target | RegExp;
  /** The exit code of one that ends, if it is not 0. */
  readonly code?: number;
  /**
   * It is typed again until it prints what it should: for what takes a moment
   * that nobody tells, and for what happens mostly.
   */
  readonly again?: true;
}

/** What goes to a command itself; the last is typed after Ctrl-Z. */
export type Key = "Ctrl-C" | "Ctrl-D" | "Ctrl-Z" | "kill -9 %1";

/** What is done in the terminal of a command that stays. */
export interface Doing extends Printing {
  readonly in: string;
  /** Typed before the output is looked at. */
  readonly type?: string;
  /** Pressed after what is typed. */
  readonly press?: Key;
  /** The command ends, with this exit code, or any. */
  readonly ends?: number | "somehow";
  /** Nothing has been printed. */
  readonly silent?: true;
}

/** Variables of the shell, as on the page: later commands have them. */
export interface Setting {
  readonly set: string;
}

/** One thing that a person does. */
export type Step = Command | Doing | Setting;

/** What is done one after the other, in one checkout. */
export interface Scene {
  /**
   * Which commands it plays: those under "Try it", with the lesson solved, or
   * the others, with the starter. Earlier lessons are solved in both.
   */
  readonly part: "experiment" | "Try it";
  readonly shows: string;
  readonly steps: Step[];
}

/** A page with commands. */
export interface Page {
  /** From the root. */
  readonly path: string;
  /** Programs that the scenes need, and not every machine has. */
  readonly tools: string[];
  readonly scenes: Scene[];
  /** Lines that are not played, each with the reason. */
  readonly unplayed?: Record<string, string>;
  /** First lines of plain blocks that are pictures, and nobody's output. */
  readonly pictures?: string[];
}

/** For commands: a backslash is a backslash. */
export const raw: typeof String.raw = String.raw;

/** Somebody listens on this port, for TCP. */
export function tcp(port: number): Target {
  return { port, transport: "tcp" };
}

/** Somebody has bound this port, for UDP. */
export function udp(port: number): Target {
  return { port, transport: "udp" };
}
