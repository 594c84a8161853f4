import type { Place } from "./place.ts";
import type { Recording } from "./recording.ts";

/**
 * How a check failed.
 *
 * - `different`: other bytes came than were expected
 * - `silence`: nothing can happen any more, and something is missing
 * - `end`: the program closed the connection too early
 * - `reset`: the connection was reset under the cast
 * - `extra`: bytes came where none were expected
 * - `refused`: nobody listened where the cast connected
 * - `admitted`: somebody listened where the cast expected to be refused
 * - `closed`: the cast could not send, because the program had closed
 * - `threw`: a call of the program threw or rejected
 * - `assert`: an assertion of the test did not hold
 * - `crash`: an error in the background that would have ended the process
 * - `leak`: the program left a socket or a timer behind
 * - `unfinished`: the program did not end when all was over
 * - `exit`: the program tried to end the process
 * - `slow`: the program used more processor time than its work needs
 * - `unawaited`: the program made call after call, and waited for none
 */
export type Kind =
  | "different"
  | "silence"
  | "end"
  | "reset"
  | "extra"
  | "refused"
  | "admitted"
  | "closed"
  | "threw"
  | "assert"
  | "crash"
  | "leak"
  | "unfinished"
  | "exit"
  | "slow"
  | "unawaited";

/** What is known about a failure: what diagnoses are made from. */
export interface Evidence {
  /** How the check failed. */
  readonly kind: Kind;
  /** One sentence: what was expected, and what came instead. */
  readonly headline: string;
  /** The member of the cast that noticed, if it was one. */
  readonly who?: string;
  /** The bytes that were expected. */
  readonly expected?: Uint8Array;
  /** The bytes that came instead. */
  readonly received?: Uint8Array;
  /** The messages that were expected, and those that came instead. */
  readonly messages?: {
    readonly expected: readonly Uint8Array[];
    readonly received: readonly Uint8Array[];
  };
  /** What was thrown. */
  readonly error?: unknown;
  /** What was left behind, such as "connection" or "timer". */
  readonly left?: readonly string[];
  /** Everything that happened until then. */
  readonly recording: Recording;
  /** Which network it happened on. */
  readonly network: "simulated" | "loopback";
  /** Whether anything went over it; a scripted reader needs none. */
  readonly used: boolean;
}

/** A failed expectation, on its way from where it was noticed to the check. */
export class Unmet extends Error {
  override name = "Unmet";

  /** What is known; the check adds the rest. */
  readonly found: Omit<Evidence, "recording" | "network" | "used">;

  /** Where in the test the expectation stands. */
  place: Place | undefined;

  /** Carries `found`. */
  constructor(found: Omit<Evidence, "recording" | "network" | "used">) {
    super(found.headline);
    this.found = found;
  }

  /** Says that the expectation stands at `place`. */
  from(place: Place): this {
    this.place ??= place;
    return this;
  }
}
