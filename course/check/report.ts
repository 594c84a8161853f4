import { firstDifference, hex } from "./bytes.ts";
import type { Mistake } from "./catalogue/mistake.ts";
import type { Evidence } from "./evidence.ts";
import type { Place } from "./place.ts";
import { real } from "./real.ts";

const NETWORKS = ["simulated", "loopback"] as const;

/**
 * What `args`, the command line behind `--`, ask for.
 *
 * @throws {TypeError} If they ask for what there is not.
 */
export function askedIn(args: readonly string[]): {
  /** Restricts all checks to one network. */
  network: (typeof NETWORKS)[number] | undefined;
  /** Replaces the seed that each check has of its own. */
  seed: number | undefined;
} {
  const refuse = (arg: string, known: string) => {
    throw new TypeError(`Cannot take ${arg}: give ${known}`);
  };
  const networks = NETWORKS.map((known) => `--network=${known}`).join(" or ");
  const seeds = "a whole number, such as --seed=7";
  // A space in the place of "=" is easily typed.
  if (args.includes("--network")) refuse("--network", networks);
  if (args.includes("--seed")) refuse("--seed", seeds);

  const name = option("network", args);
  const network = NETWORKS.find((known) => known === name);
  if (name !== undefined && !network) refuse(`--network=${name}`, networks);
  const seed = option("seed", args);
  if (seed !== undefined && !/^\d+$/.test(seed)) {
    refuse(`--seed=${seed}`, seeds);
  }
  return { network, seed: seed === undefined ? undefined : Number(seed) };
}

/** What the command line of this process asks for. */
export const asked = askedIn(Deno.args);

/** Marks the lines of data that whoever started this process waits for. */
let nonce = option("report", Deno.args);

/**
 * Begins the lines of data with this word from now on. It is a secret: the
 * program under test can read the command line, and must not find it there.
 */
export function reportAs(word: string) {
  nonce = word;
}

/** Whether somebody waits for data. */
export function isReported(): boolean {
  return nonce !== undefined;
}

function option(name: string, args: readonly string[]): string | undefined {
  const prefix = `--${name}=`;
  const given = args.find((arg) => arg.startsWith(prefix));
  return given?.slice(prefix.length);
}

/**
 * How many characters a line of data has at most. Up to 4,096 bytes go into a
 * pipe in one piece (PIPE_BUF, pipe(7)); in longer lines, what another thread of
 * Deno writes at that moment would stand in the middle.
 */
const LINE = 1_000;

/**
 * Prints `data` as marked lines, if somebody asked for it. The sign behind the
 * word says what a line is: "<" the first of several, "+" one in their middle,
 * ">" the last, and " " the only one. Deno may stop a test that takes too long
 * right here; what comes next then begins anew.
 */
export function report(data: unknown): void {
  if (nonce === undefined) return;
  let rest: string = real.stringify(data);
  let isFirst = true;
  while (rest.length > LINE) {
    // Two halves of one character would both be lost.
    const isHalf = /[\ud800-\udbff]/.test(rest[LINE - 1]!);
    const end = isHalf ? LINE - 1 : LINE;
    line(isFirst ? "<" : "+", rest.slice(0, end));
    rest = rest.slice(end);
    isFirst = false;
  }
  line(isFirst ? " " : ">", rest);
}

/** A program may have printed half a line; data begins on a line of its own. */
function line(sign: string, text: string) {
  real.log(`\n\x1e${nonce}${sign}${text}`);
}

/**
 * How many events have their line at either end of a recording. To find a line
 * takes 0.1 ms: for thousands of them, most of the time that is left.
 */
const PLACED = 100;

/** A failure as data, for a page to draw. */
export function asData(
  evidence: Evidence,
  mistake: Mistake | undefined,
  also: { text: string; place: Place | undefined; seed: number },
) {
  const { network, headline, expected, received, recording } = evidence;
  const { loop, events } = recording;
  const isNearAnEnd = (i: number) => i < PLACED || i >= events.length - PLACED;
  return {
    network,
    kind: evidence.kind,
    who: evidence.who,
    headline,
    text: also.text,
    diagnosis: mistake && { id: mistake.id, sentence: mistake.sentence },
    ...compared(expected, received),
    at: also.place?.line,
    trail: also.place?.trail,
    seed: also.seed,
    loop: loop && { ...loop, place: undefined, line: loop.place.line },
    dropped: recording.dropped,
    recording: events.map(({ place, bytes, error, ...event }, i) => ({
      ...event,
      ...(bytes && { bytes: hex(bytes) }),
      ...(isNearAnEnd(i) && place?.line ? { line: place.line } : {}),
      ...(error ? { error: String(error) } : {}),
    })),
    waiting: recording.waiting.map(({ place, ...waiting }) => ({
      ...waiting,
      ...(place?.line ? { line: place.line } : {}),
    })),
  };
}

/** How many bytes of what was expected and received are told at the most. */
const TOLD = 256;
/** How many of them come before the first difference. */
const BEFORE = 64;

/** Both in hex, from `offset` on: where they differ is always among them. */
function compared(
  expected: Uint8Array | undefined,
  received: Uint8Array | undefined,
) {
  const at = expected && received ? firstDifference(expected, received) : 0;
  const offset = at < TOLD - BEFORE ? 0 : at - BEFORE;
  const told = (bytes: Uint8Array) =>
    hex(bytes.subarray(offset, offset + TOLD));
  return {
    expected: expected && told(expected),
    received: received && told(received),
    ...(offset > 0 && { offset }),
  };
}
