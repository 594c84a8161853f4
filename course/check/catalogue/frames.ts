// What recognizers ask about frames: four bytes of length, and then a body.
import { firstDifference } from "../bytes.ts";
import type { Evidence } from "../evidence.ts";

/** Two frames that differ in their lengths alone. */
export interface Lengths {
  /** The length that the frame should carry. */
  readonly expected: number;
  /** The length that it carries. */
  readonly received: number;
  /** The same four bytes, read the other way round. */
  readonly swapped: number;
  /** The body, which is as it should be. */
  readonly body: Uint8Array;
}

/** What the lengths are, if the failure is about a frame's length alone. */
export function wrongLength(
  { expected, received }: Evidence,
): Lengths | undefined {
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
