// What recognizers ask about frames: four bytes of length, and then a body.
import { firstDifference } from "../bytes.ts";
import type { Evidence } from "../evidence.ts";

/** Two messages that differ in their lengths alone. */
export interface Lengths {
  /** The length that the message should carry. */
  readonly expected: number;
  /** The length that it carries. */
  readonly received: number;
  /** The same four bytes, read the other way round. */
  readonly swapped: number;
  /** The body, which is as it should be. */
  readonly body: Uint8Array;
}

/** What the lengths are, if the failure is about a message's length alone. */
export function wrongLength(evidence: Evidence): Lengths | undefined {
  return frameLengths(evidence) ?? bulkLengths(evidence);
}

/** The same for a frame of lesson 09: four bytes of length, then the body. */
function frameLengths({ expected, received }: Evidence): Lengths | undefined {
  if (!expected || !received || expected.length < 4) return;
  const body = expected.subarray(4);
  if (uint32(expected) !== body.length || received.length < 4) return;
  if (firstDifference(body, received.subarray(4)) >= 0) return;
  return {
    expected: uint32(expected),
    received: uint32(received),
    swapped: uint32(received, true),
    body,
  };
}

/** The same for a bulk string of RESP: "$5", CR LF, the body, CR LF. */
function bulkLengths({ expected, received }: Evidence): Lengths | undefined {
  const [wanted, got] = [bulkString(expected), bulkString(received)];
  if (!wanted || !got || firstDifference(wanted.body, got.body) >= 0) return;
  const lengths = { expected: wanted.length, received: got.length };
  return { ...lengths, swapped: NaN, body: wanted.body };
}

/** The length that a bulk string claims, and what is in it. */
export function bulkString(bytes: Uint8Array = new Uint8Array()) {
  const header = bytes.indexOf(0x0a) + 1;
  const line = new TextDecoder().decode(bytes.subarray(0, header));
  const [, length] = line.match(/^\$(\d+)\r\n$/) ?? [];
  if (length === undefined) return;
  return { length: Number(length), body: bytes.subarray(header, -2) };
}

/** Whether a call that should have failed did not, or waits for more. */
export function wasNotRefused(evidence: Evidence): boolean {
  const { kind, headline, expected } = evidence;
  if (kind === "silence") return expected === undefined;
  return kind === "assert" && /^Expected function to/.test(headline);
}

/** A message that came is the beginning of the one that was expected. */
export function cutMessage({ messages }: Evidence): boolean {
  if (messages === undefined) return false;
  const { expected, received } = messages;
  const at = received.findIndex((message, i) =>
    firstDifference(message, expected[i] ?? new Uint8Array()) >= 0
  );
  const whole = expected[at];
  const part = received[at];
  return !!whole && !!part && part.length > 0 && part.length < whole.length &&
    firstDifference(whole, part) === part.length;
}

/** What came is right, if anything did, and the last messages did not come. */
export function firstsOnly({ messages }: Evidence): boolean {
  if (messages === undefined) return false;
  const { expected, received } = messages;
  return received.length < expected.length &&
    received.every((message, i) => firstDifference(message, expected[i]!) < 0);
}

/** Messages are missing, and the first of them is empty. */
export function lacksEmpty({ messages }: Evidence): boolean {
  if (messages === undefined) return false;
  const { expected, received } = messages;
  const at = expected.findIndex((message, i) =>
    !received[i] || firstDifference(message, received[i]) >= 0
  );
  return received.length < expected.length && expected[at]?.length === 0;
}

function uint32(bytes: Uint8Array, littleEndian = false): number {
  const { buffer, byteOffset } = bytes;
  return new DataView(buffer, byteOffset).getUint32(0, littleEndian);
}
