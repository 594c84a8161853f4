import { count } from "./bytes.ts";
import type { Place } from "./place.ts";
import type { Event, Recording } from "./recording.ts";

/** One line of the table: what the cast did, and what the program did then. */
interface Row {
  at: number;
  who: string;
  left: string;
  right: string;
  /** Where the program did it. Its line is looked up in the rows that stay. */
  place?: Place | undefined;
  /** Whether the check failed with the error of one of its two events. */
  fault?: boolean;
}

/** How many lines a recording may take; of a longer one, parts are left out. */
const ROWS = 22;

/** Milliseconds without an event that count as a wait, as in the diagram. */
const WAIT_MS = 10;

/**
 * The recording as a table of at most `width` columns, without colour. Where it
 * is too long, what happened around `error` stays: what the check failed with.
 */
export function table(
  recording: Recording,
  width: number,
  error?: unknown,
): string {
  const events = collapsed(recording.events);
  const rows = [...paired(events, error), ...waiting(recording)];
  const told = withIgnored(rows, recording);
  const kept = shortened(told);
  const name = longest(kept.map(({ who }) => who));
  const place = longest(kept.map(line));
  const halves = kept.map((row) => ({
    left: `${time(row)}  ${row.who.padEnd(name)}  ${row.left}`.trimEnd(),
    right: row.right && `${line(row).padEnd(place)}  ${row.right}`,
  }));
  const room = width - longest(halves.map(({ right }) => right));
  const needed = longest(halves.map(({ left }) => left)) + 2;
  const middle = Math.max(12, Math.min(room, Math.max(needed, 38)));
  return halves
    .flatMap(({ left, right }) => sideBySide(left, right, middle))
    .map((line) => fit(line, width))
    .join("\n");
}

/** Both halves in one line; in two, if the left one reaches into the right. */
function sideBySide(left: string, right: string, middle: number): string[] {
  if (right === "" || left.length + 2 <= middle) {
    return [left.padEnd(middle) + right];
  }
  return [left, " ".repeat(middle) + right];
}

function line({ place }: Row): string {
  return place?.line ?? "";
}

function longest(texts: string[]): number {
  return Math.max(0, ...texts.map((text) => text.length));
}

function time({ at }: Row): string {
  return Number.isNaN(at) ? "" : `${Math.round(at)} ms`.padStart(9);
}

function fit(line: string, width: number): string {
  const trimmed = line.trimEnd();
  return trimmed.length > width ? `${trimmed.slice(0, width - 1)}…` : trimmed;
}

/** Joins runs of equal calls, such as a hundred reads of one byte. */
function collapsed(events: readonly Event[]): (Event & { times: number })[] {
  const joined: (Event & { times: number })[] = [];
  let before = 0;
  for (const event of events) {
    const last = joined.at(-1);
    const same = last && last.side === event.side && last.who === event.who &&
      last.text === event.text && last.kind === event.kind &&
      last.place?.line === event.place?.line && event.at - before < WAIT_MS;
    before = event.at;
    if (same) last.times++;
    else joined.push({ ...event, times: 1 });
  }
  return joined;
}

/** Puts an event of the program beside the event of the cast before it. */
function paired(
  events: (Event & { times: number })[],
  fault: unknown,
): Row[] {
  const rows: Row[] = [];
  for (const { at, side, who, text, times, place, error } of events) {
    const told = times > 1 ? `${text}, ${count(times, "time")}` : text;
    if (side === "cast") {
      rows.push({ at, who, left: told, right: "" });
      continue;
    }
    const last = rows.at(-1);
    const beside = last && last.right === "" && last.at === at;
    const row = beside ? last : { at, who: "", left: "", right: "" };
    row.right = told;
    row.place = place;
    row.fault = error !== undefined && error === fault;
    if (!beside) rows.push(row);
  }
  return rows;
}

/** Who still waits, and for what. */
function waiting(recording: Recording): Row[] {
  const at = recording.events.at(-1)?.at ?? 0;
  const calls = Map.groupBy(
    recording.waiting,
    ({ side, who, what, place }) => [side, who, what, place?.line].join(),
  );
  return calls.values().toArray().map((equal) => {
    const { side, who, what, place } = equal[0]!;
    if (side === "cast") {
      return { at, who, left: `${what} …`, right: "" };
    }
    const often = equal.length > 1 ? `, ${count(equal.length, "time")}` : "";
    const right = `${what}, still waiting${often}`;
    return { at, who: "", left: "", right, place };
  });
}

/**
 * Says beside a client's connect that nobody accepted it; below, if something
 * else stands there.
 */
function withIgnored(rows: Row[], { events, waiting }: Recording): Row[] {
  const calls = [...events, ...waiting];
  const accepts = calls.some(({ side, kind }) =>
    side === "program" && kind === "accept"
  );
  if (!accepts) return rows;
  const met = new Set(
    events.filter(({ kind }) => kind === "accept")
      .map(({ text }) => text.replace("accept() → ", "")),
  );
  return rows.flatMap((row) => {
    if (row.left !== "connects" || met.has(row.who)) return row;
    const right = `nobody accepts ${row.who}`;
    if (row.right === "") return { ...row, right, place: undefined };
    return [row, { at: row.at, who: "", left: "", right }];
  });
}

function shortened(rows: Row[]): Row[] {
  if (rows.length <= ROWS) return rows;
  const stays = staying(rows);
  const kept: Row[] = [];
  let left = 0;
  for (const [i, row] of rows.entries()) {
    if (!stays(i)) {
      left++;
      continue;
    }
    if (left > 0) kept.push(gap(left));
    kept.push(row);
    left = 0;
  }
  return kept;
}

/**
 * Which rows stay: the first and the last, and what is around a fault that lies
 * between them, with more of what led to it than of what followed.
 */
function staying(rows: Row[]): (i: number) => boolean {
  const fault = rows.findLastIndex((row) => row.fault);
  const end = rows.length;
  // What led to it has to stand there, too.
  const between = fault >= 6 && fault < end - 10;
  return between
    ? (i) => i < 4 || i >= fault - 7 && i <= fault + 3 || i >= end - 5
    : (i) => i < 6 || i >= end - (ROWS - 7);
}

function gap(left: number): Row {
  const text = `… ${count(left, "more event")} …`;
  return { at: NaN, who: "", left: text, right: "" };
}
