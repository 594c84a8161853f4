import { plain, type Problem, type RecordedEvent } from "../../runner/mod.ts";
import { firstDifference, fromHex, label } from "../bytes.ts";
import { type Arrow, COLUMNS, PROGRAM, type Step } from "./step.ts";

/** Which kind of event of the cast each kind of failure is noticed at. */
const NOTICED: Record<string, string> = {
  different: "receive",
  extra: "receive",
  end: "end",
  reset: "reset",
  refused: "connect",
  closed: "send",
};

/** How many bytes of what was expected are told at the most. */
const TOLD = 256;

/** The place in the recording of the event that the check fails with. */
export function faultOf(problem: Problem): number | undefined {
  const { recording = [], kind = "", who } = problem;
  const last = (is: (event: RecordedEvent) => boolean) => {
    const at = recording.findLastIndex(is);
    return at < 0 ? undefined : at;
  };
  if (kind === "crash" || kind === "threw") {
    return last((event) => event.kind === "crash" || event.kind === "throw") ??
      last((event) => event.side === "program" && event.error !== undefined);
  }
  const noticed = NOTICED[kind];
  if (noticed === undefined || who === undefined) return;
  return last((event) =>
    event.side === "cast" && event.who === who && event.kind === noticed
  );
}

/** An error that is in no call of the recording: where it was thrown. */
function thrown({ kind, at, headline = "" }: Problem, when: number): Step[] {
  const [, name] = headline.match(/ threw (\w+)/) ?? [];
  if (kind !== "crash" || name === undefined) return [];
  const call = `throws ${name}`;
  const line = at && !/_test\.ts:/.test(at) ? { line: at } : {};
  const sentence = plain(`Your program ${call}`);
  return [{ at: when, who: PROGRAM, call, ...line, state: "fault", sentence }];
}

/** The calls that have not returned, and what was expected and never came. */
export function unfinished(problem: Problem): Step[] {
  const { waiting = [], recording = [], kind, who } = problem;
  const at = recording.at(-1)?.at ?? 0;
  const calls = waiting.filter(({ side }) => side === "program")
    .map(({ what, line }): Step => ({
      at,
      who: PROGRAM,
      call: plain(`${what}, waiting`),
      ...(line && { line }),
      state: "waits",
      sentence: plain(`Your program still waits for ${what}`),
    }));
  const cast = waiting.filter(({ side }) => side === "cast");
  const missing = cast.map(({ who, what, kind }) =>
    absent({ at, who, what, kind, rest: restFor(problem, who) })
  );
  const given = who !== undefined && cast.every((call) => call.who !== who) &&
    ["different", "end", "reset"].includes(kind ?? "");
  const rest = given ? restFor(problem, who) : undefined;
  return [
    ...(faultOf(problem) === undefined ? thrown(problem, at) : []),
    ...calls,
    ...missing,
    ...(rest
      ? [absent({ at, who: who!, what: "", kind: "receive", rest })]
      : []),
  ];
}

/** What `who` still has to get, if the check knows the bytes. */
function restFor(
  { who: noticed, expected, received }: Problem,
  who: string,
): Uint8Array | undefined {
  if (noticed !== who || !expected) return;
  const wanted = fromHex(expected);
  // There may be more of it than is told.
  if (wanted.length >= TOLD) return;
  const at = firstDifference(wanted, fromHex(received));
  const rest = at < 0 ? wanted : wanted.subarray(at);
  return rest.length > 0 ? rest : undefined;
}

/** The row of what somebody of the cast waits for in vain. */
function absent({ at, who, what, kind, rest }: {
  at: number;
  who: string;
  what: string;
  kind: string;
  rest: Uint8Array | undefined;
}): Step {
  const common = { at, who, state: "fault" as const };
  if (who === "the check") {
    const call = plain(`the check ${what}`);
    return { ...common, who: PROGRAM, call, sentence: call };
  }
  const waits = plain(what.replace(/^waits for (the )?/, ""));
  const words = rest
    ? label(rest, rest.length, COLUMNS)
    : { above: waits, below: "" };
  const outwards = kind === "send";
  const arrow: Arrow = {
    from: outwards ? who : PROGRAM,
    to: outwards ? PROGRAM : who,
    sign: kind === "end" ? "end" : "bytes",
    above: words.above,
    below: [words.below, outwards ? "cannot go out" : "never came"].filter(
      Boolean,
    )
      .join(", "),
    fate: "missing",
  };
  const sentence = outwards
    ? `${who} ${what}, and cannot`
    : `${who} expected ${words.above}, and it never came`;
  return { ...common, arrow, sentence: plain(sentence) };
}
