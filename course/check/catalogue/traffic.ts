// What recognizers ask about the bytes that a program read and wrote.
import { contains, firstDifference } from "../bytes.ts";
import type { Evidence } from "../evidence.ts";
import type { Event, Recording } from "../recording.ts";

/** How many bytes these calls carried, in all. */
export function total(calls: readonly Event[]): number {
  return calls.reduce((sum, { size = 0 }) => sum + size, 0);
}

/** What came is the beginning of what was expected, and the rest is missing. */
export function cutShort({ expected, received }: Evidence): boolean {
  if (expected === undefined || received === undefined) return false;
  return received.length < expected.length &&
    firstDifference(received, expected) === received.length;
}

/** The end came where some number of bytes was expected. */
export function endedTooEarly({ kind, expected }: Evidence): boolean {
  return kind === "end" && expected === undefined;
}

/** The program hung up, in the end, under a read that still waited. */
export function gaveUpReading({ kind, recording }: Evidence): boolean {
  return kind === "end" &&
    lastRead(recording)?.error instanceof Deno.errors.Interrupted;
}

/** Whether a read gave null. */
export function gaveEnd({ kind, text }: Event): boolean {
  return kind === "read" && text.endsWith("→ null");
}

/** The program's latest read that has returned, if there was one. */
export function lastRead(recording: Recording): Event | undefined {
  return recording.program("read").at(-1);
}

/** Whether this read had no room: it asked for 0 bytes. */
export function hadNoRoom(read: Event | undefined): boolean {
  return read?.text.endsWith(" into 0 bytes → 0 bytes") ?? false;
}

/** How many bytes a write was asked to take; it may have taken fewer. */
export function offered({ text, size = 0 }: Event): number {
  const [, asked] = text.match(/: \d+ of ([\d,]+) bytes?$/) ?? [];
  return asked === undefined ? size : Number(asked.replaceAll(",", ""));
}

/**
 * The writes that took a part, each with the next write to the same peer, if
 * there was one.
 */
export function partialWrites(
  recording: Recording,
): { write: Event; next: Event | undefined }[] {
  const writes = recording.program("write")
    .filter(({ place }) => !place?.inTest); // The check writes there, too.
  return writes.flatMap((write, i) => {
    if (offered(write) === (write.size ?? 0)) return [];
    const next = writes.slice(i + 1).find(({ who }) => who === write.who);
    return [{ write, next }];
  });
}

/** The first wrong byte is one that should have come later. */
export function cameTooEarly({ expected, received }: Evidence): boolean {
  if (expected === undefined || received === undefined) return false;
  const at = firstDifference(received, expected);
  return at >= 0 && at < received.length &&
    expected.indexOf(received[at]!, at) >= 0;
}

/**
 * Other members of the cast have sent the first wrong byte, or it and those
 * behind it, and the one who got them has not.
 */
export function cameFromOthers(evidence: Evidence): boolean {
  const { who, expected, received, recording } = evidence;
  if (expected === undefined || received === undefined) return false;
  const at = firstDifference(received, expected);
  if (at < 0 || at >= received.length) return false;
  const sent = recording.events.filter(({ kind, side, bytes }) =>
    side === "cast" && kind === "send" && bytes !== undefined
  );
  return [1, 4].some((length) => {
    const wrong = received.subarray(at, at + length);
    const by = sent.filter(({ bytes }) => contains(bytes!, wrong));
    return by.length > 0 && by.every((event) => event.who !== who);
  });
}

/** Whether the program takes no more clients. */
export function closedListener(recording: Recording): boolean {
  return recording.program("close").some(({ who }) => who === "");
}

/** The peers whose connections the program has not closed. */
export function neverClosed(recording: Recording): string[] {
  const calls = recording.program();
  const closed = calls.filter(({ kind }) => kind === "close");
  return [...new Set(calls.map(({ who }) => who))].filter((who) =>
    who !== "" && closed.every((call) => call.who !== who)
  );
}

/** Whether a read of the program waits. */
export function isReading({ waiting }: Recording): boolean {
  return waiting.some(({ side, kind }) =>
    side === "program" && kind === "read"
  );
}

/** Whether the program waits for `who` where it has read requests before. */
export function readsAsBefore(who: string, recording: Recording): boolean {
  const before = recording.program("read").filter((read) =>
    read.who === who && !gaveEnd(read)
  );
  return recording.waiting.some((call) =>
    call.side === "program" && call.kind === "read" && call.who === who &&
    before.some(({ place }) => place?.line === call.place?.line)
  );
}

/** Whether the end, or the close, of a stream closed a connection. */
export function closedByStream(
  recording: Recording,
  stream: "readable" | "writable",
): boolean {
  return recording.program("close").some(({ text }) =>
    text.startsWith(`${stream} closes`)
  );
}

/** Somebody waits for a request again, which the program has written once. */
export function wasNotRepeated({ kind, recording }: Evidence): boolean {
  const waits = recording.waiting.some(({ side, kind }) =>
    side === "cast" && kind === "accept"
  );
  return kind === "silence" && waits &&
    recording.program("connect").length === 1 &&
    recording.program("write").length > 0;
}

/** What the cast sent last, and what it has sent on two connections. */
export function requests({ events }: Recording) {
  const sent = events.filter(({ side, kind }) =>
    side === "cast" && kind === "send"
  );
  const repeated = sent.find(({ who, text }, i) =>
    sent.slice(0, i).some((e) => e.text === text && e.who !== who)
  );
  return { last: sent.at(-1), repeated };
}
