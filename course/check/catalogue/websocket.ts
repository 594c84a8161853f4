import type { Evidence } from "../evidence.ts";
import { firstDifference } from "../bytes.ts";
import type { Event } from "../recording.ts";
import { type Catalogue, failure } from "./mistake.ts";

/** Mistakes about the frames of WebSocket, and about its handshakes. */
export const websocket: Catalogue = {
  "ws-accept-key": {
    sentence:
      "The client works out the answer to its key as well, and breaks off if yours is another: what is hashed, how, or the letters of the result.",
    fits: failure,
  },
  "ws-length-forms": {
    sentence:
      "Up to 125 a length stands in the second byte; above that in two more bytes, or in eight, and your program comes to something else.",
    fits: failure,
  },
  "length-64-precision": {
    sentence:
      "Your program took a length of eight bytes for a smaller one: on its way to a number a part of it was lost.",
    fits: ({ kind, headline, error }) =>
      kind === "assert" && headline.startsWith("Expected function to throw") ||
      error instanceof RangeError || /"RangeError"/.test(headline),
  },
  "ws-server-masks": {
    sentence:
      "Your frame says that it is masked, and a server sent it; only clients mask.",
    fits: ({ kind, expected = [], received = [] }) =>
      kind === "different" && isMasked(received) && !isMasked(expected),
  },
  "ws-still-masked": {
    sentence:
      "The right number of bytes, and not the bytes that the client meant: each was masked with one of four, in turn, from the payload's first byte on.",
    fits: isMaskedStill,
  },
  "ws-frame-is-message": {
    sentence:
      "A message may come in several frames, and your program does not make one of them again.",
    fits: (evidence) =>
      failure(evidence) && (!evidence.messages || isTornUp(evidence)),
  },
  "ws-control-between": {
    sentence:
      "A ping may come between two frames of a message; then your program loses the message, or the ping.",
    fits: failure,
  },
  "ws-unmasked": {
    sentence:
      "A client sent a frame without a mask, and your program took it all the same.",
    fits: notRefused,
  },
  "ws-rules-unchecked": {
    sentence:
      "This breaks a rule of the protocol, and your program goes on as if the two still understood each other.",
    fits: notRefused,
  },
  "ws-fragments-unbounded": {
    sentence:
      "Each frame is within the limit, and the message that they make is not; nobody has added them up.",
    fits: notRefused,
  },
  "ws-control-counted": {
    sentence:
      "A ping between the frames of a message is no part of it; your program has added its bytes to theirs.",
    fits: ({ kind, error }) =>
      kind === "threw" && error instanceof Error &&
      (error as Error & { code?: number }).code === 1009,
  },
  "ws-close-payload": {
    sentence:
      "A close is empty, or it begins with a code of two bytes, and some codes never travel; your program makes something else of it.",
    fits: (evidence) =>
      notRefused(evidence) || !!evidence.messages || evidence.kind === "threw",
  },
  "ws-reads-on": {
    sentence:
      "After a close, or an error, nothing counts, and your program took what came.",
    fits: ({ messages }) =>
      messages !== undefined &&
      messages.received.length > messages.expected.length,
  },
  "ws-wrong-code": {
    sentence:
      "A close carries a code that says why: a broken rule, a text that is none, too much of it, or all is well; your program gives another, or none.",
    fits: (evidence) => {
      const { kind, headline } = evidence;
      return kind === "assert" &&
        (/^Expected error|\bcode\b/.test(headline) || isAnother(evidence));
    },
  },
  "ws-no-pong": {
    sentence:
      "A ping asks for a pong with the same bytes, and your program answers otherwise, or not at all.",
    fits: failure,
  },
  "ws-no-close-handshake": {
    sentence:
      "Each side says close before the connection ends; yours ended it, or left it open, without that word.",
    fits: saidNoClose,
  },
  "ws-frame-after-close": {
    sentence:
      "A close is the last frame that a side sends, and your program sent another after it.",
    fits: (evidence) =>
      evidence.kind === "extra" && closesTo(evidence).length > 0,
  },
  "ws-stays-after-close": {
    sentence:
      "Your program has said close, and all is said; the connection is still open, and it is the server that ends it.",
    fits: (evidence) =>
      evidence.kind === "silence" && closesTo(evidence).length > 0 &&
        evidence.headline.includes("expected the end") ||
      evidence.headline.startsWith("both have said close"),
  },
  "ws-hangs-up-early": {
    sentence:
      "Your program says close and hangs up at once; the client has had no time to answer.",
    fits: ({ kind, who = "mute", headline, recording }) =>
      (["closed", "reset"].includes(kind) ||
        /was inside|was dropped after 0 s/.test(headline)) &&
      recording.program("close").some((call) => call.who === who),
  },
  "ws-abnormal-end": {
    sentence:
      "Some connections end without a close: by a reset, or by an end alone. That is 1006, and your program reports something else, or nothing.",
    // A line of the difference: it was expected, and is not there.
    fits: ({ headline }) => /^\+ +1006,$/m.test(headline),
  },
};

/** Whether a frame has its mask bit set. */
function isMasked([, second = 0]: Uint8Array | number[]): boolean {
  return second >= 0x80;
}

/**
 * Whether the messages came with some of their bytes changed by one of at most
 * four values: those of a mask, or the differences of two of them.
 */
function isMaskedStill({ messages }: Evidence): boolean {
  if (messages === undefined) return false;
  const { expected, received } = messages;
  if (expected.length !== received.length) return false;
  if (!expected.every((m, i) => m.length === received[i]!.length)) return false;
  const changes = expected.flatMap((message, i) =>
    Array.from(message, (byte, k) => byte ^ received[i]![k]!)
  );
  return new Set(changes.filter((change) => change !== 0)).size <= 4;
}

/** Whether parts of a message came, each on its own, or only some of them. */
function isTornUp({ messages }: Evidence): boolean {
  const { expected, received } = messages!;
  const isWhole = (message: Uint8Array) =>
    expected.some((wanted) => firstDifference(wanted, message) < 0);
  return received.length > expected.length || !received.every(isWhole);
}

/** Whether a call that should have thrown gave a result. */
function notRefused({ kind, headline }: Evidence): boolean {
  return kind === "assert" && headline.startsWith("Expected function to throw");
}

/** Whether values differ from the expected ones, and their number does not. */
function isAnother({ headline }: Evidence): boolean {
  const lines = (sign: RegExp) => headline.match(sign)?.length ?? 0;
  const missing = lines(/^\+ +\d/gm);
  return missing > 0 && missing === lines(/^- +\d/gm);
}

/** Whether somebody waited for a close, and the program has written none. */
function saidNoClose(evidence: Evidence): boolean {
  return evidence.who !== undefined && closesTo(evidence).length === 0 &&
    ["end", "reset", "silence", "closed"].includes(evidence.kind);
}

/** The closes that the program has written to who complains. */
function closesTo({ who, recording }: Evidence): Event[] {
  return recording.program("write").filter(({ bytes, ...write }) =>
    write.who === who && bytes?.[0] === 0x88
  );
}
