import type { RecordedEvent } from "../../runner/mod.ts";
import { count } from "../bytes.ts";
import { SILENCE_MS } from "./step.ts";

/** An event, or a run of them that is told as one. */
export interface Told extends RecordedEvent {
  /** How many events it stands for; its words and bytes are those of all. */
  readonly times: number;
  /** The place of the last of them in the recording. */
  readonly last: number;
  /** Whether what it sent has been read, received or accepted. */
  readonly taken: boolean;
}

/** A recording of more rows than this has runs of similar calls joined, too. */
const MANY = 24;

/** How many bytes are kept of what is joined. */
const KEPT = 256;

/** Joins equal calls in a row, and in a long recording similar ones. */
export function joined(events: readonly Told[]): Told[] {
  const equal = runs(events, (a, b) => a.text === b.text).map(repeated);
  if (equal.length <= MANY) return equal;
  return runs(equal, () => true).flatMap((run) =>
    run.length > 2 ? [summed(run)] : run
  );
}

/** Splits `events` where the caller, the call or the line changes. */
function runs(
  events: readonly Told[],
  same: (a: Told, b: Told) => boolean,
): Told[][] {
  const runs: Told[][] = [];
  for (const event of events) {
    const last = runs.at(-1)?.at(-1);
    if (last && alike(last, event) && same(last, event)) {
      runs.at(-1)!.push(event);
    } else runs.push([event]);
  }
  return runs;
}

function alike(a: Told, b: Told): boolean {
  return a.side === b.side && a.who === b.who && a.kind === b.kind &&
    a.line === b.line && a.error === b.error && a.taken === b.taken &&
    b.at - a.at < SILENCE_MS;
}

function repeated(run: Told[]): Told {
  return { ...together(run), text: run[0]!.text };
}

/** Calls whose words differ: what they have in common, and all their bytes. */
function summed(run: Told[]): Told {
  const { text, size } = run[0]!;
  const whole = together(run);
  if (size === undefined) return { ...whole, text };
  const [what] = text.match(/^(?:→|←|.*? →|.*?:)/) ?? [text];
  return { ...whole, text: `${what} ${count(whole.size!)}` };
}

function together(run: Told[]): Told {
  const [first, last] = [run[0]!, run.at(-1)!];
  const times = run.reduce((sum, { times }) => sum + times, 0);
  const sized = first.size !== undefined && {
    size: run.reduce((sum, { size = 0 }) => sum + size, 0),
    bytes: run.flatMap(({ bytes }) => bytes || []).join(" ")
      .slice(0, 3 * KEPT - 1),
  };
  return { ...first, ...sized, times, last: last.last };
}
