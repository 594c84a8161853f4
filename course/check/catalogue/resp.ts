import { firstDifference } from "../bytes.ts";
import type { Evidence } from "../evidence.ts";
import { type Catalogue, failure, whenever } from "./mistake.ts";

/** Mistakes about RESP, the protocol of Redis, and about what it serves. */
export const resp: Catalogue = {
  "resp-line-injection": {
    sentence:
      "Text from a client ends the line of a reply, and what follows counts as another reply; from then on, all are off by one.",
    fits: ({ kind, received }) => kind === "different" && breaks(received),
  },
  "resp-not-binary-safe": {
    sentence:
      "A bulk string is counted, not delimited: it may hold CR LF, and your program takes that for its end.",
    fits: failure,
  },
  "encoded-twice": {
    sentence:
      "Your program made text of the bytes, a character for each, and UTF-8 of that text; every byte above 127 became two.",
    fits: ({ expected, received }) =>
      !!expected && !!received && expected.some((byte) => byte > 127) &&
      firstDifference(received, encodedTwice(expected)) < 0,
  },
  "generator-abandoned": {
    sentence:
      "The reply is not to the command that came last, but to what was left of the one before; a generator that is given up stops at its yield.",
    fits: ({ kind, expected, received }) =>
      kind === "different" && begins(expected, "$") &&
      /^(\+OK|-ERR)/.test(asText(received)),
  },
  "resp-blank-inline": {
    sentence:
      "An empty command, a blank line or *0, asks for nothing; your program passes it on, or gives up on it.",
    fits: failure,
  },
  "resp-nested-bomb": {
    sentence:
      "Your program lets arrays stand in arrays, and a few bytes for each level fill its stack; a command has one level.",
    fits: failure,
  },
  "error-swallows-commands": {
    sentence:
      "What is wrong came behind a command that is right, and your program dropped both.",
    fits: ({ kind, messages, received }) =>
      kind === "different" && (!!messages || begins(received, "-")),
  },
  "lenient-number": {
    sentence:
      "Your program takes something for a number that is none; only digits are one, and a minus where it may stand.",
    fits: (evidence) =>
      /^Expected function to throw:/.test(evidence.headline) ||
      /^INCR /.test(replies(evidence).command) && !countsPast64(evidence),
  },
  "resp-unknown-command": {
    sentence:
      "Clients try commands that a server may not know, and go on after -ERR; yours has another answer, or none.",
    fits: (evidence) => failure(evidence) || whenever("crash")(evidence),
  },
  "name-in-one-case": {
    sentence:
      "SET, Set and set are one command; your program knows a name in one spelling alone.",
    fits: (evidence) =>
      evidence.kind === "threw" ||
      evidence.kind === "different" &&
        asText(evidence.received).startsWith("-") ||
      replies(evidence).actual.startsWith("(error)"),
  },
  "missing-argument": {
    sentence:
      "Your program runs a command with too few arguments, or too many: nobody has counted them.",
    fits: failure,
  },
  "integer-rounded": {
    sentence:
      "From 9,007,199,254,740,992 on, a number of JavaScript cannot hold every integer; this one is off by one.",
    fits: (evidence) => {
      const { expected, actual } = replies(evidence);
      return /900719925474099\d/.test(expected) &&
        /900719925474099\d/.test(actual);
    },
  },
  "integer-overflow": {
    sentence:
      "The highest number of 64 bits has no next one, and your program counts on; no client can take such a reply.",
    fits: countsPast64,
  },
  "milliseconds-for-seconds": {
    sentence:
      "EX, EXPIRE and TTL count in seconds, PX in milliseconds, like the clock; your program takes one for the other.",
    fits: (evidence) => {
      const { command, actual } = replies(evidence);
      const left = integer(actual);
      return command.startsWith("TTL ") && (left >= 1_000 || left === -2);
    },
  },
  "expired-but-there": {
    sentence:
      "The end of a key has come, and your program still has its value.",
    fits: (evidence) => {
      const { command, expected, actual } = replies(evidence);
      const [name] = command.split(" ");
      return expected === "(nil)" && actual !== "(nil)" ||
        name === "INCR" && actual === "(integer) 2" ||
        /^(DEL|EXPIRE)$/.test(name!) && actual === "(integer) 1" ||
        name === "LPUSH" && actual === "(error) WRONGTYPE" ||
        / NX$/.test(command) && actual === "(nil)";
    },
  },
  "end-outlives-value": {
    sentence:
      "A key has a new value, without an end; the end of the value before has taken it away.",
    fits: (evidence) => {
      const { command, actual } = replies(evidence);
      return command.startsWith("GET ") && actual === "(nil)";
    },
  },
  "end-lost": {
    sentence:
      "INCR has changed this value, and its end is gone; only a SET takes that away.",
    fits: (evidence) => {
      const { command, actual } = replies(evidence);
      return command.startsWith("TTL ") && actual === "(integer) -1";
    },
  },
  "refused-set-changes": {
    sentence:
      "NX has refused this SET, and the key's end is another one all the same.",
    fits: (evidence) => {
      const { command, actual } = replies(evidence);
      return command.startsWith("TTL ") && actual.startsWith("(integer)");
    },
  },
  "expired-kept": {
    sentence:
      "What has expired is still in memory; perhaps nobody ever asks for it, so something else has to remove it in time.",
    fits: (evidence) => {
      const { command, expected, actual } = replies(evidence);
      return command === "DBSIZE" && integer(actual) > integer(expected) ||
        evidence.kind === "different" && begins(evidence.received, ":");
    },
  },
  "reply-overtakes": {
    sentence:
      "A reply has overtaken the one before it; replies carry no names, and their order says which is which.",
    fits: ({ kind, received }) =>
      kind === "different" && (begins(received, "+") || begins(received, "$4")),
  },
  "error-overtakes": {
    sentence:
      "Replies to commands before the wrong one were still to come, and your program sent the error first, or alone.",
    fits: ({ kind, headline, received }) =>
      kind === "assert" && /^\w+ got an error before/.test(headline) ||
      kind === "different" && begins(received, "-"),
  },
  "empty-list-kept": {
    sentence:
      "BLPOP took the last item of a list; the key is still there, with nothing in it.",
    fits: ({ kind, expected, received }) =>
      // DBSIZE says one too many. A number that is too low is of an LPUSH.
      kind === "different" && begins(expected, ":0") && begins(received, ":1"),
  },
  "pushed-counted-late": {
    sentence:
      "LPUSH says how many items there are before anybody takes one; your program counts what is left afterwards.",
    fits: ({ kind, expected, received }) =>
      kind === "different" && begins(expected, ":1") && begins(received, ":0"),
  },
  "wait-without-number": {
    sentence:
      "The time of a BLPOP is no number, or below 0; your program waits all the same, or answers as if it had waited.",
    fits: ({ kind, received }) =>
      kind === "silence" ||
      kind === "different" && /^[$*]-1/.test(asText(received)),
  },
  "gives-up-early": {
    sentence:
      "BLPOP waits as long as it says, and for ever if that is 0; your program gave up before that.",
    fits: (evidence) =>
      evidence.kind === "different" && gaveUpEarly(evidence) ||
      evidence.kind === "assert" && /^BLPOP waited/.test(evidence.headline),
  },
  "last-come-first-served": {
    sentence:
      "The item went to the client that came last; whoever has waited longest is first.",
    fits: (evidence) => evidence.kind === "silence" && overtook(evidence),
  },
  "blocking-pop-leak": {
    sentence:
      "Your program gave the item to somebody who no longer waits for one, having left or got an answer; it is lost.",
    fits: (evidence) => {
      const { kind, received } = evidence;
      return kind === "silence" &&
          (cameAfterLeaving(evidence) || gotTooMuch(evidence)) ||
        kind === "different" && /^(\$-1|\*2)/.test(asText(received)) ||
        wroteToNobody(evidence);
    },
  },
  "message-dropped": {
    sentence:
      "A subscriber did not get all that was published while it was subscribed; it cannot know, as long as nobody hangs up on it.",
    fits: ({ kind, headline }) =>
      kind === "assert" && /it misses messages$/.test(headline),
  },
  "replies-pile-up": {
    sentence:
      "A client sends commands and reads no reply; your program reads on, and what waits for that client fills its memory.",
    fits: failure,
  },
  "limit-of-its-own": {
    sentence:
      "A subscriber was hung up on though less was waiting than serve() was told may wait; your program has another limit.",
    fits: ({ kind, headline }) =>
      kind === "end" ||
      kind === "assert" && /was let go with less than/.test(headline),
  },
  "subscription-leak": {
    sentence:
      "A subscriber has left, and your program still counts it, and writes to it.",
    fits: (evidence) =>
      evidence.kind === "different" && begins(evidence.received, ":") ||
      wroteToNobody(evidence),
  },
};

/** The reply that was expected of a command, and the one that it got. */
function replies({ kind, headline }: Evidence) {
  const [, command = "", expected = "", actual = ""] = kind === "assert"
    ? headline.match(/^the reply to (.+) should be (.+), and is (.+)$/s) ?? []
    : [];
  return { command, expected, actual };
}

/** The number in a reply that is shown as "(integer) 5"; none in others. */
function integer(shown: string): number {
  return Number(shown.match(/^\(integer\) (-?\d+)$/)?.[1] ?? NaN);
}

/** Whether a reply holds a number that takes more than 64 bits with its sign. */
function countsPast64(evidence: Evidence): boolean {
  return /^\(integer\) -?922337203685477/.test(replies(evidence).actual);
}

/** The bytes of a message as text, a character for each. */
function asText(bytes: Uint8Array = new Uint8Array()): string {
  return String.fromCharCode(...bytes.subarray(0, 256));
}

/** Whether `bytes` begin with `text`. */
function begins(bytes: Uint8Array | undefined, text: string): boolean {
  return asText(bytes).startsWith(text);
}

/** What `bytes` become as text of a character each, in UTF-8. */
function encodedTwice(bytes: Uint8Array): Uint8Array {
  return new TextEncoder().encode(asText(bytes));
}

/** Whether a line of text has a line break in it, and not only at its end. */
function breaks(bytes: Uint8Array = new Uint8Array()): boolean {
  return bytes.subarray(0, -2).some((byte) => byte === 0x0d || byte === 0x0a);
}

/** The BLPOPs that the cast has sent, in order. */
function blpops({ recording }: Evidence) {
  return recording.events.filter(({ side, kind, bytes }) =>
    side === "cast" && kind === "send" && begins(bytes, "BLPOP")
  );
}

/** Whether the latest BLPOP of `who` got null before its time. */
function gaveUpEarly(evidence: Evidence): boolean {
  const { who, received, recording } = evidence;
  if (!/^[$*]-1/.test(asText(received))) return false;
  const asked = blpops(evidence).findLast((event) => event.who === who);
  const seconds = Number(asText(asked?.bytes).match(/([\d.]+)\r\n/)?.[1]);
  const { at = 0 } = recording.program("write")
    .findLast((event) => event.who === who) ?? {};
  return seconds === 0 || at - (asked?.at ?? 0) < 1_000 * seconds;
}

/** To whom the program wrote items, which are arrays; a name for each. */
function takers({ recording }: Evidence): string[] {
  return recording.program("write")
    .filter(({ bytes }) => begins(bytes, "*"))
    .map(({ who }) => who);
}

/** Whether somebody who asked later than `who` has an item. */
function overtook(evidence: Evidence): boolean {
  const waits = blpops(evidence);
  const turn = (who?: string) => waits.findIndex((event) => event.who === who);
  return takers(evidence).some((who) => turn(who) > turn(evidence.who));
}

/** Whether somebody has more items than they asked for. */
function gotTooMuch(evidence: Evidence): boolean {
  const [given, waits] = [takers(evidence), blpops(evidence)];
  return given.some((taker) =>
    given.filter((who) => who === taker).length >
      waits.filter(({ who }) => who === taker).length
  );
}

/** Whether an item was pushed after somebody had left. */
function cameAfterLeaving({ recording: { events } }: Evidence): boolean {
  const cast = events.filter(({ side }) => side === "cast");
  const left = cast.findIndex(({ kind }) => /^(close|reset)$/.test(kind));
  return left >= 0 &&
    cast.slice(left).some(({ kind, bytes }) =>
      kind === "send" && begins(bytes, "LPUSH")
    );
}

/** Whether an error in the background comes from a connection that is gone. */
function wroteToNobody({ kind, error }: Evidence): boolean {
  const { BadResource, BrokenPipe, ConnectionReset, Interrupted } = Deno.errors;
  return kind === "crash" &&
    [BadResource, BrokenPipe, ConnectionReset, Interrupted]
      .some((Gone) => error instanceof Gone);
}
