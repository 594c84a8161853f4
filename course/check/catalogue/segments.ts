// What recognizers ask about a transfer: pieces of a stream, and acks of it.
import { firstDifference } from "../bytes.ts";
import type { Evidence } from "../evidence.ts";
import type { Recording } from "../recording.ts";
import { received as heard, sent } from "./letters.ts";
import { compared } from "./tables.ts";
import { cutShort } from "./traffic.ts";

/** Bytes, one character for each. */
function text(bytes: Uint8Array | undefined): string {
  return bytes ? String.fromCharCode(...bytes.subarray(0, 256)) : "";
}

/** The position that an ack acknowledges; nothing if it is no ack. */
export function ackOf(bytes: Uint8Array | undefined): number | undefined {
  const [, pos] = text(bytes).match(/^\/ack\/\d+\/(\d+)\//) ?? [];
  return pos === undefined ? undefined : Number(pos);
}

/** Whether these bytes close a session. */
export function isClose(bytes: Uint8Array | undefined): boolean {
  return /^\/close\//.test(text(bytes));
}

/** How far an ack, or a position, is ahead of the right one; 0 if it is none. */
export function ahead(evidence: Evidence): number {
  const [right, wrong] = [ackOf(evidence.expected), ackOf(evidence.received)];
  if (right !== undefined && wrong !== undefined) return wrong - right;
  const { actual, expected } = compared(evidence);
  if (!/^\d+$/.test(actual)) return 0;
  return Number(actual) - Number(expected);
}

/** More bytes came than belong there. */
export function isLonger({ kind, expected, received }: Evidence): boolean {
  if (kind !== "different" || !expected || !received) return false;
  return received.length > expected.length;
}

/** The right bytes came, and not all of them. */
export function isShorter(evidence: Evidence): boolean {
  return evidence.kind === "different" && cutShort(evidence);
}

/** The right bytes came, and in another order. */
export function isShuffled({ kind, expected, received }: Evidence): boolean {
  if (kind !== "different" || !expected || !received) return false;
  return String(expected.toSorted()) === String(received.toSorted());
}

/** Something came twice that should have come once. */
export function isRepeated(evidence: Evidence): boolean {
  const { kind, expected, received, messages } = evidence;
  if (messages) return surplus(evidence) > 0 && hasTwins(messages.received);
  if (kind !== "different" || !expected || !received) return false;
  const twice = [...expected, ...expected];
  return String(received) === String(twice) ||
    expected.length === 0 && received.length > 0;
}

function hasTwins(messages: readonly Uint8Array[]): boolean {
  return messages.some((message, i) =>
    messages.slice(0, i).some((before) => firstDifference(before, message) < 0)
  );
}

/** How many messages too many were given; below 0 if some are missing. */
export function surplus({ messages }: Evidence): number {
  if (messages === undefined) return 0;
  return messages.received.length - messages.expected.length;
}

/** Something was given where nothing was due. */
export function isUncalledFor({ messages }: Evidence): boolean {
  return messages?.expected.length === 0 && messages.received.length > 0;
}

/** A message came that has the right length, and other bytes. */
export function isChanged({ messages }: Evidence): boolean {
  return messages?.received.some((message, i) =>
    message.length === messages.expected[i]?.length &&
    firstDifference(message, messages.expected[i]) >= 0
  ) ?? false;
}

/** What is there beside the right bytes are backslashes that escape others. */
export function isEscaped({ kind, expected, received }: Evidence): boolean {
  if (kind !== "different" || !expected || !received) return false;
  const plain = text(received).replace(/\\([/\\])/g, "$1");
  const right = text(expected);
  return received.length > expected.length &&
    (plain === right || withoutSum(plain) === withoutSum(right));
}

/** What came is what was expected, but for backslashes that are missing. */
export function isUnescaped({ kind, expected, received }: Evidence): boolean {
  if (kind !== "different" || !expected || !received) return false;
  const bare = (bytes: Uint8Array) =>
    withoutSum(text(bytes)).replaceAll("\\", "");
  return received.length < expected.length && bare(received) === bare(expected);
}

function withoutSum(message: string): string {
  return message.replace(/[0-9a-f]{4}$/, "");
}

/** The times in milliseconds that messages such as "300 ms" tell. */
export function times(messages: readonly Uint8Array[]): number[] {
  return messages.map((message) => parseInt(text(message)));
}

/** Whether the first of such times is earlier than it should be. */
export function isTooSoon({ messages }: Evidence): boolean {
  const [expected = 0] = times(messages?.expected ?? []);
  const [actual = Infinity] = times(messages?.received ?? []);
  return actual < expected;
}

/** Somebody waits for an answer to what the program has heard last. */
export function isUnanswered({ kind, who, recording }: Evidence): boolean {
  const calls = recording.program().filter(({ error }) => error === undefined);
  const last = calls.findLast(({ kind }) =>
    kind === "receive" || kind === "send"
  );
  return kind === "silence" && who !== undefined && last?.kind === "receive";
}

/** Whether what came is a datagram that the program had sent before. */
export function cameAgain({ kind, received, recording }: Evidence): boolean {
  if (kind !== "different" && kind !== "extra" || !received) return false;
  const same = sent(recording).filter(({ bytes }) =>
    bytes !== undefined && firstDifference(bytes, received.slice(0, 256)) < 0
  );
  return same.length > 1;
}

/** Whether data came again because an ack did that says nothing new. */
export function isAnswerToOldAck(evidence: Evidence): boolean {
  if (evidence.kind === "extra" && heardTwice(evidence.recording)) return true;
  const acks = heard(evidence.recording).map(({ bytes }) => ackOf(bytes) ?? -1);
  const last = acks.pop() ?? -1;
  const isData = /^\/data\//.test(text(evidence.received));
  return evidence.kind === "extra" && isData && acks.some((ack) => ack >= last);
}

/** Whether the datagram that the program heard last had come before. */
function heardTwice(recording: Recording): boolean {
  const came = heard(recording).map(({ bytes }) => String(bytes));
  const last = came.pop();
  return last !== undefined && came.includes(last);
}

/** Whether what the program heard last belongs to a session that it began. */
export function lastIsOfSession(recording: Recording): boolean {
  const sessionOf = (bytes?: Uint8Array) =>
    text(bytes).match(/^\/[a-z]+\/(\d+)\//)?.[1];
  const last = sessionOf(heard(recording).at(-1)?.bytes);
  return last !== undefined &&
    sent(recording).some(({ bytes }) => sessionOf(bytes) === last);
}

/** Whether a message of another kind came than the one that was due. */
export function skips({ kind, expected, received }: Evidence): boolean {
  const kindOf = (bytes?: Uint8Array) => text(bytes).split("/")[1];
  return kind === "different" && received !== undefined &&
    kindOf(expected) !== kindOf(received);
}

/** Whether messages of one session came from two addresses. */
export function isCrowded(recording: Recording): boolean {
  const senders = heard(recording).map(({ who, bytes }) =>
    [who, text(bytes).split("/")[2]] as const
  );
  return senders.some(([who, session]) =>
    session !== undefined &&
    senders.some(([other, number]) => who !== other && session === number)
  );
}
