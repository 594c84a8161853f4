import type { Evidence } from "../evidence.ts";
import {
  bulkString,
  cutMessage,
  lacksEmpty,
  wasNotRefused,
  wrongLength,
} from "./frames.ts";
import { received } from "./letters.ts";
import { type Catalogue, failure } from "./mistake.ts";
import { isFarOff } from "./messages.ts";
import { isReading, readsAsBefore } from "./traffic.ts";

/** Mistakes about lengths. */
export const lengths: Catalogue = {
  "length-endianness": {
    sentence:
      "The network begins a length with its highest byte, and your program with its lowest: 00 05 is 5 to one, and 1,280 to the other.",
    fits: (evidence) => {
      const lengths = wrongLength(evidence);
      return lengths
        ? lengths.swapped === lengths.expected
        : waitsAfterLength(evidence) || failure(evidence) &&
            /\b83,?886,?080\b/.test(String(evidence.error));
    },
  },
  "length-includes-header": {
    sentence:
      "Your length counts more than the body; what it counts too much, the other side takes from the message that follows.",
    fits: (evidence) => {
      const lengths = wrongLength(evidence);
      const more = lengths && lengths.received - lengths.expected;
      // Four bytes of header, in lesson 09; the CR LF at the end, in 23.
      return more === 4 || more === 2;
    },
  },
  "length-in-characters": {
    sentence:
      "Your length counts characters, and the wire carries bytes; some characters take two, three or four.",
    fits: (evidence) => {
      const lengths = wrongLength(evidence);
      if (lengths === undefined) {
        return failure(evidence) && !bulkString(evidence.expected);
      }
      const text = new TextDecoder().decode(lengths.body);
      return [text.length, [...text].length].includes(lengths.received);
    },
  },
  "unbounded-length": {
    sentence:
      "Your program accepts a length above the limit that it was given; in a few bytes a stranger can announce gigabytes.",
    fits: (evidence) =>
      wasNotRefused(evidence) && !isJustAbove(evidence) ||
      ranOutOfMemory(evidence),
  },
  "allocate-before-check": {
    sentence:
      "Your program makes room for a message before it knows its length, or before any of it has come; strangers fill your memory.",
    fits: (evidence) =>
      ranOutOfMemory(evidence) ||
      failure(evidence) && !wasNotRefused(evidence),
  },
  "negative-length": {
    sentence:
      "From 2 GiB on a length turns negative in your program, and a negative number is below every limit.",
    fits: failure,
    spins: true,
  },
  "zero-length-frame": {
    sentence:
      "An empty message is a message too; your program leaves it out, stops at it, or waits for a byte that never comes.",
    fits: (evidence) =>
      failure(evidence) && (!evidence.messages || lacksEmpty(evidence)) &&
      evidence.recording.program("throw").every(({ error }) =>
        !(error instanceof Deno.errors.BadResource)
      ) &&
      // A datagram without a payload has an id at the most.
      (received(evidence.recording).at(-1)?.size ?? 0) <= 4,
  },
  "dataview-offset": {
    sentence:
      "Your program reads the length at the beginning of a buffer; its bytes are a window that begins further on.",
    fits: cutMessage,
  },
  "signed-vs-unsigned": {
    sentence:
      "Your program takes a number with a sign for one without: the same 32 bits, and 4,294,967,296 between them.",
    fits: isFarOff,
  },
  "sum-overflow": {
    sentence:
      "Every number fits into 32 bits, and their sum does not; your program lost what was above them.",
    fits: isFarOff,
  },
  "resync-after-error": {
    sentence:
      "After a false header nobody knows where the next message begins; your program reads on as if it did.",
    // A program that has hung up reads nothing more.
    fits: (evidence) =>
      failure(evidence) &&
      !["end", "closed", "reset"].includes(evidence.kind) &&
      evidence.headline !== "Expected function to throw." &&
      !evidence.headline.startsWith("Expected error ") &&
      !waitsForEnd(evidence),
  },
  "hangs-up-on-nonsense": {
    sentence:
      "The message was whole, and only what it said made no sense; your program hung up, although it knows where the next one begins.",
    fits: ({ kind, who, recording }) =>
      ["end", "closed", "reset"].includes(kind) &&
      recording.program("close").some((call) => call.who === who),
  },
  "json-type-unchecked": {
    sentence:
      'A length came that is no number, and your program went on with it; to JSON 5, "5" and [5] are three different things.',
    fits: wasNotRefused,
  },
  "content-type-guessed": {
    sentence:
      'Only "text/json" is a question; your program took another type for it, and answered what should go back as it came.',
    fits: ({ kind, received }) =>
      kind === "different" &&
      /^\{\s*"result"/.test(new TextDecoder().decode(received)),
  },
  "state-machine-blocking": {
    sentence:
      "Your program waits in the middle of its work for one peer; until that one acts nothing else moves, not even what has arrived already.",
    fits: ({ kind, headline }) =>
      kind === "silence" ||
      kind === "assert" && /gives Promise|\bwaited for\b/.test(headline),
  },
};

/**
 * Whether nothing comes of a message that begins with 0 and another byte: the
 * other way round they are more. A check that says so has had 1 and 1 before.
 */
function waitsAfterLength({ headline, messages }: Evidence): boolean {
  return /\bbegins 00 \w\w\b/.test(headline) && messages?.received.length === 0;
}

/** Whether what was not refused is one above a limit: there is one, beside it. */
function isJustAbove({ headline }: Evidence): boolean {
  return /, one more than max\w+$/.test(headline);
}

/** Whether the program reads from a client elsewhere than it reads messages. */
function waitsForEnd({ kind, who = "", recording }: Evidence): boolean {
  return kind === "silence" && isReading(recording) &&
    !readsAsBefore(who, recording);
}

/** Whether the program asked for more memory than there is. */
function ranOutOfMemory({ error, headline }: Evidence): boolean {
  return /allocation failed|Invalid array buffer length/i
    .test(`${headline} ${error}`);
}
