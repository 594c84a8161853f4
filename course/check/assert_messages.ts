import { copyOf, count, type Data, preview, toBytes } from "./bytes.ts";
import { Unmet } from "./evidence.ts";
import { Place } from "./place.ts";

/** How many messages a sentence names before it only counts them. */
const NAMED = 3;

/**
 * Asserts that `actual` is an array of the messages in `expected`, byte for
 * byte and with the same borders. `what` names who gives them, such as
 * "push() of half a frame".
 */
export function assertMessages(
  actual: unknown,
  expected: readonly Data[],
  what: string,
): void {
  const wanted = expected.map(toBytes);
  if (!isMessages(actual)) {
    throw new Unmet({
      kind: "assert",
      headline: `${what} should give an array of byte arrays, and gives ${
        Deno.inspect(actual, { depth: 0, breakLength: Infinity })
      }`,
    }).from(Place.here());
  }
  const at = firstDifferent(actual, wanted);
  if (at < 0) return;
  const both = wanted[at] && actual[at];
  throw new Unmet({
    kind: "different",
    messages: { expected: wanted, received: actual.map((m) => copyOf(m)) },
    ...(both && { expected: wanted[at], received: copyOf(actual[at]!) }),
    headline: `${what} should give ${named(wanted)}, and gives ${
      named(actual)
    }`,
  }).from(Place.here());
}

function isMessages(actual: unknown): actual is Uint8Array[] {
  return Array.isArray(actual) && actual.every((m) => m instanceof Uint8Array);
}

/** The number of the first message that differs; -1 if none does. */
function firstDifferent(a: Uint8Array[], b: Uint8Array[]): number {
  const same = (i: number) =>
    a[i]?.length === b[i]?.length &&
    !!a[i]?.every((byte, j) => byte === b[i]![j]);
  for (let i = 0; i < Math.max(a.length, b.length); i++) if (!same(i)) return i;
  return -1;
}

function named(messages: readonly Uint8Array[]): string {
  if (messages.length === 0) return "nothing";
  const some = messages.slice(0, NAMED).map((m) => preview(m, 18)).join(", ");
  if (messages.length <= NAMED) return some;
  return `${some} … (${count(messages.length, "message")})`;
}
