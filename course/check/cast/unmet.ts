// The expectations of the cast that a program can fail to meet, in words.
import { count, preview } from "../bytes.ts";
import { Unmet } from "../evidence.ts";

/** Bytes are missing: silence, the end or a reset came instead. */
export function missing(
  who: string,
  expected: Uint8Array | number,
  received: Uint8Array,
  kind: "silence" | "end" | "reset",
): Unmet {
  const exact = typeof expected !== "number";
  const wanted = exact
    ? `${count(expected.length)}, ${preview(expected)},`
    : count(expected);
  const got = received.length === 0 ? "nothing" : count(received.length);
  const then = { silence: "", end: ", then the end", reset: ", then a reset" };
  return new Unmet({
    kind,
    who,
    ...(exact && { expected }),
    received: received.slice(),
    headline: `${who} expected ${wanted} and got ${got}${then[kind]}`,
  });
}

/** Bytes came, if any did, and not the `mark` that was to follow them. */
export function missingMark(
  who: string,
  mark: Uint8Array,
  received: Uint8Array,
  kind: "silence" | "end" | "reset",
): Unmet {
  const got = received.length === 0
    ? "nothing"
    : `${count(received.length)} without it`;
  const then = { silence: "", end: ", then the end", reset: ", then a reset" };
  return new Unmet({
    kind,
    who,
    received: received.slice(),
    headline: `${who} expected ${preview(mark)} and got ${got}${then[kind]}`,
  });
}

/** Other bytes came. */
export function other(
  who: string,
  expected: Uint8Array,
  received: Uint8Array,
): Unmet {
  return new Unmet({
    kind: "different",
    who,
    expected,
    received: received.slice(),
    headline: `${who} expected ${preview(expected)} and got other bytes`,
  });
}

/** Bytes came where `instead` was expected. */
export function tooMuch(
  who: string,
  instead: string,
  received: Uint8Array,
): Unmet {
  return new Unmet({
    kind: "extra",
    who,
    received: received.slice(),
    headline: `${who} expected ${instead}, and got ${preview(received)}`,
  });
}

/** The connection should have ended, and has not, or has ended with RST. */
export function noEnd(
  who: string,
  received: Uint8Array,
  kind: "silence" | "reset",
): Unmet {
  const instead = kind === "reset"
    ? "got a reset"
    : "your program keeps it open";
  return new Unmet({
    kind,
    who,
    received: received.slice(),
    headline: `${who} expected the end of the connection, and ${instead}`,
  });
}

/** As `unmet`, of a client that was connected and that nobody accepted. */
export function inQueue({ found }: Unmet): Unmet {
  const [what] = found.headline.split(": your program");
  const why = `your program closed the listener with ${found.who} in its queue`;
  return new Unmet({ ...found, headline: `${what}: ${why}` });
}

/** What `who` sends does not go out. */
export function cannotSend(
  who: string,
  bytes: Uint8Array,
  why: "full" | "closed",
): Unmet {
  const because = why === "closed"
    ? "your program has closed the connection"
    : "your program does not read, and the buffers are full";
  return new Unmet({
    kind: why === "closed" ? "closed" : "silence",
    who,
    headline: `${who} cannot send ${preview(bytes)}: ${because}`,
  });
}

/** No datagram came at all. */
export function noDatagram(who: string): Unmet {
  return new Unmet({
    kind: "silence",
    who,
    headline: `${who} expected a datagram and got nothing`,
  });
}

/** The right datagram came from the wrong address. */
export function misaddressed(
  who: string,
  asked: Deno.NetAddr,
  from: Deno.NetAddr,
): Unmet {
  const [wanted, got] = [asked, from].map((a) => `${a.hostname}:${a.port}`);
  return new Unmet({
    kind: "different",
    who,
    headline:
      `${who} expected the answer from ${wanted}, and it came from ${got}`,
  });
}
