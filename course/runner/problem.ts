import { LIMITS } from "./limits.ts";
import type { Diagnosis, Loop, RecordedEvent, WaitingCall } from "./report.ts";
import { clip, plain, spread, wrap } from "./text.ts";
import { shorten, type Trouble, trouble } from "./trouble.ts";
import type { CheckResult, Evidence } from "./verdict.ts";

/**
 * Why a run does not pass. Of a failed check it is all that the check library
 * said; of anything else, it has a text and little more.
 */
export interface Problem {
  /** The check that it belongs to, if one was running. */
  readonly check?: string;
  /** The complete explanation, at 80 columns, without colour. */
  readonly text: string;
  /** Where: a line of the checks, or of the learner's file. */
  readonly at?: string;
  /** The same line, and from where that was called: for a sentence. */
  readonly trail?: string;
  /** Where the check failed; it may have passed on the other one. */
  readonly network?: "simulated" | "loopback";
  /** How the check failed: "silence", "different", "crash". */
  readonly kind?: string;
  /** The member of the cast that noticed, if it was one. */
  readonly who?: string;
  /** The first sentence of the text. */
  readonly headline?: string;
  /** The mistake, if it is one that the catalogue knows. */
  readonly diagnosis?: Diagnosis;
  /** The bytes that a check wanted, in hex, from `offset` on; at most 256. */
  readonly expected?: string;
  /** The bytes that it got instead, in the same way. */
  readonly received?: string;
  /** How many bytes before these are the same, and are not told. */
  readonly offset?: number;
  /** What crossed the wire, from both sides. */
  readonly recording?: readonly RecordedEvent[];
  /** How many more events there were than are recorded. */
  readonly dropped?: number;
  /** Which calls had not returned. */
  readonly waiting?: readonly WaitingCall[];
  /** The call that the program made again and again, in vain. */
  readonly loop?: Loop;
  /** Replays a random plan of the simulated network. */
  readonly seed?: number;
  /** Set if the lesson's file could not even be loaded. */
  readonly loading?: true;
}

/** Finds what to say of a run that does not pass: the surest source first. */
export function explanation(
  evidence: Evidence,
  checks: readonly CheckResult[],
): Problem {
  const { report, cases, ending } = evidence;
  const failing = checks.find(({ status }) => status === "failed");
  const check = failing && { check: failing.name };
  if (ending === "output") return { ...check, text: flooded() };
  if (ending === "memory") return { ...check, text: tooLarge() };
  const stuck = failing && report.stuck.get(failing.name);
  if (stuck) {
    const { text, at, diagnosis } = stuck;
    const lines = plain(text).split("\n").flatMap((line) => wrap(line, 78));
    return {
      ...check,
      text: lines.join("\n"),
      ...(at && { at }),
      ...(diagnosis && { diagnosis }),
    };
  }
  if (ending === "load") return { text: neverLoaded(), loading: true };
  if (ending === "time") return { ...check, text: timedOut(failing) };
  const failure = failing && report.ended.get(failing.name)?.failure;
  if (failure) return { ...check, ...failure, text: plain(failure.text) };
  const text = failing && cases?.get(failing.name)?.text;
  // "Cancelled" is said of a check during which an error came from elsewhere.
  if (text && text !== "Cancelled") {
    return { ...check, text: shorten(plain(text), evidence.root).trimEnd() };
  }
  if (failing && cases?.get(failing.name)?.status === "passed") {
    return { ...check, text: UNPLAYED };
  }
  return loose(evidence, check);
}

const UNPLAYED =
  "Deno says that this check passed, and it was never played.\n" +
  "Does your program replace Deno.test?";

function loose(
  evidence: Evidence,
  check: { check: string } | undefined,
): Problem {
  const found = trouble(evidence.output, evidence.root);
  const loading = evidence.report.begun.size === 0 &&
    { loading: true as const };
  if (found) {
    const { at } = found;
    return { ...check, ...loading, text: draw(found), ...(at && { at }) };
  }
  if (evidence.code === 0) {
    return {
      ...check,
      text: "The run ended early: not every check was reached.",
    };
  }
  const said = shorten(plain(evidence.output), evidence.root).trim();
  const last = said.split("\n").slice(-12).join("\n");
  const text = `The run ended with code ${evidence.code} and no result.`;
  return { ...check, text: last === "" ? text : `${text}\n\n${last}` };
}

/** An error with its place, its reason and its line of code. */
function draw({ message, note, at, frame }: Trouble): string {
  const [first, ...rest] = message.split("\n");
  const head = at ? `${at}  ${first}` : first!;
  const lines = [...wrapped(head, note), ...rest];
  if (!frame) return lines.join("\n");
  const number = at?.split(":").at(-2) ?? "";
  const gutter = " ".repeat(number.length);
  const code = clip(`  ${number} │ ${frame.code}`, 78);
  return [...lines, "", code, `  ${gutter} │ ${clip(frame.marks, 70)}`].join(
    "\n",
  );
}

function wrapped(head: string, note: string): string[] {
  const lines = wrap(head, 78);
  const last = lines.pop()!;
  return [...lines, ...spread(last, note, 78)];
}

function seconds(ms: number): string {
  return `${ms / 1000} s`;
}

function flooded(): string {
  const kilobytes = LIMITS.output / 1024;
  return `Your program printed more than ${kilobytes} kB, so it was stopped.\n` +
    "Which line prints, and how often is it reached?";
}

function tooLarge(): string {
  const gigabytes = LIMITS.memory / 1024 ** 3;
  return `Your program took more than ${gigabytes} GB of memory, so it was ` +
    "stopped.\nWhat grows, and what makes it smaller again?";
}

function neverLoaded(): string {
  return `Your file was still loading after ${
    seconds(LIMITS.load)
  }, so it was ` +
    "stopped.\nIs there a loop outside every function?";
}

function timedOut(failing: CheckResult | undefined): string {
  const where = failing ? "in this check" : "between two checks";
  return `The run had not ended after ${
    seconds(LIMITS.time)
  }, so it was stopped ` +
    `${where}.\nWhat is your program waiting for, or which loop does not end?`;
}
