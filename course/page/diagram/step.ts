/** The learner's program among the participants; the others have names. */
export const PROGRAM = "";

/** Milliseconds without an event that show as a silence. */
export const SILENCE_MS = 10;

/** How many letters may stand above an arrow. */
export const COLUMNS = 26;

/** What an arrow stands for. */
export type Sign =
  | "bytes"
  | "connect"
  /** The end of one direction, or of both (FIN). */
  | "end"
  /** An end without warning (RST). */
  | "reset";

/** What goes from one participant to another. */
export interface Arrow {
  /** A participant's name, or {@linkcode PROGRAM}. */
  readonly from: string;
  readonly to: string;
  readonly sign: Sign;
  /** What stands above the arrow. */
  readonly above: string;
  /** What stands below it. */
  readonly below: string;
  /**
   * How far it came.
   *
   * - `taken`: the other side has accepted, read or received it
   * - `queued`: it waits in the kernel, and nobody has asked for it
   * - `lost`: it never got there
   * - `missing`: it was expected, and was never sent
   */
  readonly fate: "taken" | "queued" | "lost" | "missing";
}

/** One row of the diagram. */
export interface Step {
  /** Milliseconds since the check began. */
  readonly at: number;
  /** Who acts: a participant's name, or {@linkcode PROGRAM}. */
  readonly who: string;
  readonly arrow?: Arrow;
  /** What somebody of the cast does that goes to nobody. */
  readonly aside?: string;
  /** The program's call. */
  readonly call?: string;
  /** Where the program made it: "echo.ts:23". */
  readonly line?: string;
  /** Whether it is over, still waits, or is what the check fails with. */
  readonly state: "done" | "waits" | "fault";
  /** Set if the participant is gone after this. */
  readonly leaves?: boolean;
  /** The bytes, at most the first 256, and how many there were. */
  readonly bytes?: Uint8Array;
  readonly size?: number;
  /** All of it in one sentence. */
  readonly sentence: string;
}
