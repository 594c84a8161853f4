import type { RecordedEvent } from "../../runner/mod.ts";
import type { Told } from "./told.ts";

/** Everything that is needed to tell whether something was taken. */
interface Known {
  readonly events: readonly RecordedEvent[];
  /** Whether the recording is so full that its end is missing. */
  readonly cut: boolean;
  /** Who waits for a client, if the program does. */
  readonly accepting: boolean;
}

/**
 * Says of each event whether what it sent was taken by the other side: read,
 * received or accepted. Where that cannot be known, it is said to be.
 */
export function withArrivals(known: Known): Told[] {
  const untaken = new Set([
    ...unread(known),
    ...unaccepted(known),
  ]);
  return known.events.map((event, index) => ({
    ...event,
    times: 1,
    last: index,
    taken: !untaken.has(event),
  }));
}

/** Clients that are connected, and that the program has not accepted. */
function unaccepted({ events, accepting, cut }: Known): RecordedEvent[] {
  const accepts = events.filter(isAccept);
  if (cut || (!accepting && accepts.length === 0)) return [];
  const met = new Set(
    accepts.map(({ text }) => text.replace("accept() → ", "")),
  );
  return events.filter((event) =>
    event.side === "cast" && event.kind === "connect" && !met.has(event.who)
  );
}

function isAccept({ side, kind, error }: RecordedEvent): boolean {
  return side === "program" && kind === "accept" && error === undefined;
}

const SENDS = new Set(["send", "write"]);
const TAKES = new Set(["receive", "read"]);

function unread({ events, cut }: Known): RecordedEvent[] {
  if (cut) return [];
  const names = new Set(
    events.filter(({ side }) => side === "cast").map(({ who }) => who),
  );
  return [...names].flatMap((who) => {
    const theirs = events.filter((event, i) =>
      event.who === who && !isSpoilt(events[i + 1])
    );
    const joins = theirs.filter(({ side, kind }) =>
      side === "cast" && (kind === "connect" || kind === "accept")
    );
    // Of two connections under one name, nobody knows which bytes are whose.
    if (joins.length > 1) return [];
    const find = joins.length === 1 ? unreadBytes : unreadLetters;
    return (["cast", "program"] as const).flatMap((side) => {
      const does = (which: Set<string>, mine: boolean) =>
        theirs.filter((event) =>
          (event.side === side) === mine && which.has(event.kind) &&
          event.size !== undefined
        );
      return find(does(SENDS, true), does(TAKES, false));
    });
  });
}

/** Whether the network has dropped or changed the datagram before this event. */
function isSpoilt(next: RecordedEvent | undefined): boolean {
  return next?.kind === "fate" && /^(?:drops|corrupts) /.test(next.text);
}

/** A stream has no borders: what counts is how many bytes were taken. */
function unreadBytes(
  sent: RecordedEvent[],
  taken: RecordedEvent[],
): RecordedEvent[] {
  const total = taken.reduce((sum, { size }) => sum + size!, 0);
  let end = 0;
  return sent.filter(({ size }) => (end += size!) > total);
}

/** Each datagram is taken as a whole, perhaps cut short, or not at all. */
function unreadLetters(
  sent: RecordedEvent[],
  taken: RecordedEvent[],
): RecordedEvent[] {
  const left = [...taken];
  return sent.filter(({ bytes = "" }) => {
    const at = left.findIndex((letter) => bytes.startsWith(letter.bytes ?? ""));
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}
