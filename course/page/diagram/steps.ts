import { plain, type Problem } from "../../runner/mod.ts";
import { count, fromHex, label } from "../bytes.ts";
import { withArrivals } from "./arrivals.ts";
import { faultOf, unfinished } from "./fault.ts";
import { type Arrow, COLUMNS, PROGRAM, type Sign, type Step } from "./step.ts";
import { joined, type Told } from "./told.ts";

/**
 * What happened, row by row: the recording with what belongs together put into
 * one row, then the calls that still wait, and what never came.
 */
export function stepsOf(problem: Problem): Step[] {
  const { recording = [], waiting = [], dropped = 0 } = problem;
  const accepting = waiting.some(({ side, kind }) =>
    side === "program" && kind === "accept"
  );
  const events = withArrivals({
    events: recording,
    cut: dropped > 0,
    accepting,
  });
  const fault = faultOf(problem);
  const cast = new Set(
    recording.filter(({ side }) => side === "cast").map(({ who }) => who),
  );
  const steps: Step[] = [];
  for (const event of joined(events)) {
    const last = steps.at(-1);
    const together = last && merged(last, event);
    if (together) steps[steps.length - 1] = together;
    else steps.push(step(event, cast.has(event.who)));
    if (fault !== undefined && event.last === fault) {
      steps.push({ ...steps.pop()!, state: "fault" });
    }
  }
  return [...steps, ...unfinished(problem)];
}

/** Two events in one row: a call and what it met, or two views of one thing. */
function merged(step: Step, event: Told): Step | undefined {
  const { arrow } = step;
  if (step.at !== event.at || arrow === undefined) return;
  if (event.kind === "fate") return { ...step, ...fate(step, arrow, event) };
  if (event.side === "program") {
    const meets = step.call === undefined && step.who !== PROGRAM &&
      (event.who === step.who || event.text === `accept() → ${step.who}`) &&
      fits(arrow, event);
    if (!meets) return;
    const sentence = `${step.sentence}. Your program: ${sentenceOf(event)}`;
    return { ...step, ...call(event), sentence: plain(sentence) };
  }
  const arrives = step.who === PROGRAM && arrow.to === event.who &&
    arrow.fate === "taken" && fits(arrow, event) &&
    (event.kind !== "receive" || event.size === step.size);
  if (!arrives) return;
  const sentence = `${step.sentence}. ${sentenceOf(event)}`;
  return { ...step, sentence };
}

/** Whether `event` can be the other end of `arrow`. */
function fits(
  { sign, fate }: Arrow,
  { kind, error, size, text }: Told,
): boolean {
  if (sign === "connect") return kind === "accept";
  if (sign === "reset") return error !== undefined || text.startsWith("←");
  if (sign === "end") {
    return kind === "end" || (kind === "read" && !error && size === undefined);
  }
  // Of what is still in the kernel, a read has taken something else.
  return (kind === "read" || kind === "receive") && size !== undefined &&
    fate === "taken";
}

/** What the network does to a datagram belongs to the row of the datagram. */
function fate(step: Step, arrow: Arrow, { text }: Told): Partial<Step> {
  const lost = text.startsWith("drops");
  return {
    arrow: {
      ...arrow,
      below: `${suffered(text)} on the way`,
      ...(lost && { fate: "lost" as const }),
    },
    sentence: plain(`${step.sentence}. The network ${text}`),
  };
}

/** "drops …" is "dropped", and "keeps for 20 ms …" is "kept for 20 ms". */
function suffered(text: string): string {
  const [verb = "", ...rest] = text.split(" ");
  const done: Record<string, string> = {
    drops: "dropped",
    doubles: "doubled",
    corrupts: "corrupted",
  };
  return done[verb] ?? `kept ${rest.slice(0, 3).join(" ")}`;
}

function step(event: Told, inCast: boolean): Step {
  const { at, side, who } = event;
  const arrow = arrowOf(event, inCast);
  const bytes = event.size !== undefined && {
    bytes: fromHex(event.bytes),
    size: event.size,
  };
  const common = {
    at,
    ...(arrow && { arrow }),
    ...bytes,
    state: "done" as const,
    sentence: sentenceOf(event),
  };
  if (side === "program") return { ...common, who: PROGRAM, ...call(event) };
  const leaves = event.kind === "close" ||
    (event.kind === "reset" && !event.text.startsWith("←"));
  const aside = arrow ? {} : { aside: plain(did(event)) };
  return { ...common, who, ...aside, ...(leaves && { leaves }) };
}

function call(event: Told): { call: string; line?: string } {
  const { line } = event;
  return {
    call: plain(shortened(event) + often(event)),
    ...(line && { line }),
  };
}

/** The call without its bytes, which stand at the arrow. */
function shortened({ kind, text, size }: Told): string {
  if (size === undefined) return text;
  if (kind === "read" || kind === "receive") {
    return text.replace(/ → .*$/, ` → ${count(size)}`);
  }
  return / of [\d,]+ bytes?$/.test(text) ? text : text.replace(/: .*$/, "");
}

function often({ times }: Told): string {
  return times > 1 ? `, ${count(times, "time")}` : "";
}

/** The arrow of an event that goes from one to another, if it does. */
function arrowOf(event: Told, inCast: boolean): Arrow | undefined {
  const { side, who, kind, error } = event;
  if (who === "" || (error !== undefined && kind !== "connect")) return;
  // A scripted reader is not in the recording itself: its bytes come from here.
  const fromReader = side === "program" && !inCast &&
    (kind === "read" || kind === "receive");
  const outwards = side === "program" && !fromReader;
  const known = fromReader
    ? (event.size === undefined ? "end" : "bytes")
    : signOf(event);
  if (known === undefined) return;
  const ends = outwards
    ? { from: PROGRAM, to: who }
    : { from: who, to: PROGRAM };
  const came = error ? "lost" : event.taken ? "taken" : "queued";
  return { ...ends, sign: known, ...words(event, known), fate: came };
}

function signOf({ side, kind, text }: Told): Sign | undefined {
  if (kind === "connect") return "connect";
  if (kind === "send" || kind === "write") return "bytes";
  if (kind === "closeWrite" || kind === "close") return "end";
  if (kind === "reset" && side === "cast" && !text.startsWith("←")) {
    return "reset";
  }
  return undefined;
}

function words(
  { kind, size, bytes, times }: Told,
  sign: Sign,
): { above: string; below: string } {
  if (sign === "connect") return { above: "connects", below: "" };
  if (sign === "reset") return { above: "vanishes", below: "RST" };
  if (sign === "end") {
    const above = kind === "close" ? "closes" : "ends its sending";
    return { above, below: "FIN" };
  }
  const words = label(fromHex(bytes), size ?? 0, COLUMNS);
  if (times === 1) return words;
  return { ...words, below: `${count(size ?? 0)}, ${count(times, "time")}` };
}

function sentenceOf(event: Told): string {
  const { side, who, text } = event;
  if (side === "program") return plain(text + often(event));
  return plain(`${who} ${did(event)}`);
}

/** What somebody of the cast did, as the end of a sentence. */
function did(event: Told): string {
  const said = event.text.replace(/^→/, "sends").replace(/^←/, "gets");
  return said + often(event);
}
