import {
  copyOf,
  type Data,
  firstDifference,
  preview,
  toBytes,
} from "./bytes.ts";
import { Unmet } from "./evidence.ts";
import { Place } from "./place.ts";

/**
 * Asserts that `actual` are the bytes of `expected`; a failure shows both, with
 * a caret under the first difference. `what` names them, such as "the reply".
 */
export function assertBytes(
  actual: Uint8Array | null | undefined,
  expected: Data,
  what = "the result",
): void {
  const wanted = toBytes(expected);
  if (actual instanceof Uint8Array && firstDifference(actual, wanted) < 0) {
    return;
  }
  const bytes = actual instanceof Uint8Array;
  const got = bytes ? preview(actual) : String(actual);
  throw new Unmet({
    kind: "different",
    expected: wanted,
    ...(bytes && { received: copyOf(actual) }),
    headline: `${what} should be ${preview(wanted)}, and is ${got}`,
  }).from(Place.here());
}
