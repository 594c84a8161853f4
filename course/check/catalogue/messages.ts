// What recognizers ask about messages that were found in a stream.
import { concat, contains, firstDifference } from "../bytes.ts";
import type { Evidence } from "../evidence.ts";
import { cutShort, gaveEnd, lastRead } from "./traffic.ts";

/** The beginning is right, and zeros stand where the rest should be. */
export function paddedWithZeros({ expected, received }: Evidence): boolean {
  if (expected === undefined || expected.length !== received?.length) {
    return false;
  }
  const at = firstDifference(expected, received);
  return at > 0 && received.subarray(at).every((byte) => byte === 0);
}

/** All of it came, and its end stands in front of its beginning. */
export function endFirst({ expected, received }: Evidence): boolean {
  return expected !== undefined && expected.length === received?.length &&
    firstDifference(expected, received) >= 0 &&
    contains(concat([expected, expected]), received);
}

/** What came begins as expected, and is too short or too long. */
export function beginsRight({ expected, received }: Evidence): boolean {
  if (expected === undefined || received === undefined) return false;
  const shorter = Math.min(expected.length, received.length);
  return shorter > 0 && firstDifference(expected, received) === shorter;
}

/** Whether all messages came, each as long as it should be, with other bytes. */
export function onlyOverwritten({ messages }: Evidence): boolean {
  return messages !== undefined &&
    messages.expected.length === messages.received.length &&
    messages.expected.every(({ length }, i) =>
      length === messages.received[i]!.length
    );
}

/** What came is right for its first `n` bytes. */
export function hasBegun({ expected, received }: Evidence, n: number): boolean {
  if (expected === undefined || received === undefined) return false;
  const at = firstDifference(expected, received);
  return at < 0 || at >= n;
}

/**
 * Whether a message, or an answer to one, did not come as it should: it is
 * short, it has other bytes, somebody waits for it in vain, or cannot send all
 * of it, because the program has hung up.
 */
export function isMissing(evidence: Evidence): boolean {
  const { kind, received, messages, recording } = evidence;
  if (recording.program("read").length === 0) return true;
  if (recording.program("accept").length > 0) return kind !== "extra";
  if (received === undefined) {
    return kind === "assert" || kind === "closed" || !!messages;
  }
  return cutShort(evidence);
}

/** Whether the program reports an end, and no read has given one. */
export function tookShortForEnd({ error, recording }: Evidence): boolean {
  const last = lastRead(recording);
  return error instanceof Deno.errors.UnexpectedEof &&
    last !== undefined && !gaveEnd(last);
}

/** Whether decoding failed on a message of which only a part had come. */
export function cutMessageThrew({ kind, error }: Evidence): boolean {
  return (kind === "crash" || kind === "threw") &&
    (error instanceof RangeError && !OWN_SLIP.test(error.message) ||
      error instanceof SyntaxError);
}

/** What V8 says of a `set()` into too little room, and of endless recursion. */
const OWN_SLIP = /^offset is out of bounds$|^Maximum call stack size exceeded$/;

/** Whether the program made this error to say something, and not by a slip. */
export function reported(error: unknown): boolean {
  return error instanceof Deno.errors.UnexpectedEof ||
    error instanceof Error && error.constructor === Error;
}

/** The number that came, of 32 bits, is nowhere near the expected one. */
export function isFarOff({ kind, expected, received }: Evidence): boolean {
  if (kind !== "different" || !expected || !received) return false;
  if (expected.length < 4 || received.length < 4) return false;
  const off = int32(expected) - int32(received);
  // A slip in rounding or counting is not as far off as a lost sign or carry.
  return Math.abs(off) >= 2 ** 24 || int32(received) === 0;
}

function int32(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getInt32(0);
}

/** Whether a decoder has put U+FFFD where it found no UTF-8. */
export function replaced(bytes: Uint8Array = new Uint8Array()): boolean {
  const mark = [0xef, 0xbf, 0xbd];
  return bytes.some((_, i) => mark.every((byte, k) => bytes[i + k] === byte));
}
