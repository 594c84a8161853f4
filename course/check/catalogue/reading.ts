import { firstsOnly } from "./frames.ts";
import { type Catalogue, failure, loops } from "./mistake.ts";
import {
  beginsRight,
  cutMessageThrew,
  endFirst,
  hasBegun,
  isMissing,
  onlyOverwritten,
  paddedWithZeros,
  replaced,
  reported,
  tookShortForEnd,
} from "./messages.ts";
import {
  cameTooEarly,
  closedByStream,
  cutShort,
  endedTooEarly,
  gaveEnd,
  gaveUpReading,
  hadNoRoom,
  isReading,
  lastRead,
  total,
} from "./traffic.ts";

/** Mistakes about reading. */
export const reading: Catalogue = {
  "one-read-one-message": {
    sentence:
      "Your program takes what one read brings for one message; a read may end inside a message, or bring several.",
    fits: (evidence) =>
      failure(evidence) && !paddedWithZeros(evidence) && !endFirst(evidence) &&
        (isMissing(evidence) || tookShortForEnd(evidence)) ||
      cutMessageThrew(evidence),
  },
  "read-fills-buffer": {
    sentence:
      "Your program takes a buffer for full after one read; only a part had come, and the rest of it is still zeros.",
    fits: (evidence) => failure(evidence) && paddedWithZeros(evidence),
  },
  "header-single-read": {
    sentence:
      "Your program reads a header once, as if it came in one piece; even four bytes can come as one and three.",
    fits: (evidence) => {
      const reads = evidence.recording.program("read");
      const short = ({ size = 4 }) => size < 4;
      return (failure(evidence) || cutMessageThrew(evidence)) &&
        (reads.length === 0 || reads.slice(-3).some(short)) &&
        !hasBegun(evidence, 4);
    },
  },
  "ignore-read-count": {
    sentence:
      "Your program passes on its whole buffer; only the bytes that the read counted have come.",
    fits: (evidence) => {
      const { recording, received = [] } = evidence;
      const reads = recording.program("read");
      const writes = recording.program("write");
      if (writes.length === 0) {
        return failure(evidence) && received.length > total(reads);
      }
      // More goes out than ever came in, in writes larger than their reads.
      return total(writes) > total(reads) &&
        writes.some(({ size = 0 }) =>
          size > Math.max(0, ...reads.map((read) => read.size ?? 0))
        );
    },
  },
  "stale-buffer-alias": {
    sentence:
      "Your program kept a view of a buffer that was filled again later; the bytes it meant to keep were replaced.",
    fits: (evidence) =>
      failure(evidence) && evidence.kind === "different" &&
      (evidence.expected?.length === evidence.received?.length ||
        cameTooEarly(evidence)),
  },
  "one-buffer-for-all": {
    sentence:
      "Two calls read into one buffer at the same time; each finds there what the other one was given.",
    fits: ({ kind, expected, received, recording }) =>
      kind === "different" && expected?.length === received?.length &&
      recording.program("read").filter(gaveEnd).length > 1,
  },
  "eof-infinite-loop": {
    sentence:
      "A read gave null, the end, and your program read again; after the end there is nothing but null.",
    fits: (evidence) => {
      const last = lastRead(evidence.recording);
      return loops("read")(evidence) && last !== undefined && gaveEnd(last);
    },
  },
  "zero-means-eof": {
    sentence:
      "Your program took a read of 0 bytes for the end; nothing had come just then, and more followed.",
    fits: (evidence) => {
      const last = lastRead(evidence.recording);
      return failure(evidence) && !hadNoRoom(last) &&
        (last?.text.endsWith("→ 0 bytes") ?? false);
    },
  },
  "read-without-room": {
    sentence:
      "Your program reads into a buffer that is full: a read into 0 bytes brings 0 at once, whatever has come.",
    fits: ({ recording }) => hadNoRoom(lastRead(recording)),
  },
  "reads-on-with-enough": {
    sentence:
      "All the bytes that were asked for had come, and your program reads on; that read waits until somebody sends more.",
    // A check that reveals it has given every call enough.
    fits: (evidence) =>
      evidence.kind === "silence" && failure(evidence) &&
      isReading(evidence.recording),
  },
  "reads-byte-by-byte": {
    sentence:
      "Your program reads one byte at a time; each read is a call, and costs far more than the byte that it brings.",
    fits: ({ headline, recording }) =>
      / took \d+ reads$/.test(headline) &&
      recording.program("read").every(({ size }) => size === 1),
  },
  "eof-mid-message-ok": {
    sentence:
      "The end came inside a message, and your program goes on as if all of it had come, or none of it.",
    fits: ({ kind, headline, who, recording }) => {
      if (kind === "assert") {
        return /^Expected function to|taken for the whole/.test(headline);
      }
      const last = lastRead(recording);
      return (kind === "different" || kind === "extra") &&
        last !== undefined && gaveEnd(last) && last.who === (who ?? last.who);
    },
  },
  "clean-eof-is-error": {
    sentence:
      "The end came between two messages, where it is due, and your program reports it as an error.",
    fits: ({ kind, error, recording }) => {
      const last = lastRead(recording);
      const ended = last === undefined || gaveEnd(last);
      return ended && (kind === "extra" || reported(error));
    },
  },
  "eof-means-peer-gone": {
    sentence:
      "Your program took the end of the client's sending for its departure; it was still there, and bytes are missing.",
    fits: (evidence) =>
      (failure(evidence) && cutShort(evidence) || endedTooEarly(evidence)) &&
      !closedByStream(evidence.recording, "readable") &&
      !closedByStream(evidence.recording, "writable") &&
      evidence.recording.program("read").some(gaveEnd),
  },
  "read-until-quiet": {
    sentence:
      "Your program takes a pause for the end of a message; the rest of it was on its way.",
    fits: (evidence) =>
      failure(evidence) && cutShort(evidence) ||
      // It reports an end, and its read still waits for one.
      tookShortForEnd(evidence) && isReading(evidence.recording),
  },
  "short-read-means-end": {
    sentence:
      "Your program stopped after a read that gave fewer bytes than it had room for; that was no end, only all that had come so far.",
    fits: (evidence) => {
      const last = lastRead(evidence.recording);
      return failure(evidence) && cutShort(evidence) &&
        last !== undefined && (last.size ?? 0) > 0;
    },
  },
  "reads-once": {
    sentence:
      "Your program read once, and the client spoke more than once; a read brings what has come, and not what will.",
    fits: (evidence) => {
      const [first, ...more] = evidence.recording.program("read");
      return failure(evidence) && cutShort(evidence) && more.length === 0 &&
        (first?.size ?? 0) > 0;
    },
  },
  "first-message-only": {
    sentence:
      "Your program waits for another read, and has not used up what the last one brought.",
    fits: (evidence) =>
      firstsOnly(evidence) || gaveUpReading(evidence) ||
      evidence.kind === "silence" && evidence.recording.loop === undefined &&
        evidence.recording.waiting.some(({ side, kind }) =>
          side === "program" && kind === "read"
        ),
  },
  "leftover-discarded": {
    sentence:
      "A read brought more than one message, and what followed the first is lost when your program asks for the next.",
    fits: (evidence) =>
      (failure(evidence) || reported(evidence.error)) &&
      evidence.expected?.length !== 0 && // Nothing cannot be lost.
      !onlyOverwritten(evidence) &&
      !/^the first (record|line)\b/.test(evidence.headline) && // None before it.
      !paddedWithZeros(evidence) && !beginsRight(evidence),
  },
  "binary-through-string": {
    sentence:
      "The bytes went through a string on their way, and those that are no UTF-8 came out as others.",
    fits: (evidence) =>
      failure(evidence) && replaced(evidence.received) &&
      !replaced(evidence.expected),
  },
  "copies-all-each-time": {
    sentence:
      "For each piece your program copied all earlier ones again (ten times the input, a hundred times the work), or made a buffer that is far too large.",
    // Whoever reads byte by byte is slow without copying anything twice.
    fits: ({ kind, recording }) =>
      kind === "slow" &&
      recording.program("read").some(({ size = 0 }) => size > 16),
  },
  "limit-after-reading": {
    sentence:
      "All that the other side sent was in memory before your program looked at the limit.",
    fits: ({ kind, headline }) =>
      kind === "assert" && headline.includes("before it refused"),
  },
  "rescan-from-zero": {
    sentence:
      "For every piece that comes, your program copies, searches or makes room for the whole again; ten times the input costs a hundred times the work.",
    // So many calls would be slow whatever the program did in between.
    fits: ({ kind, recording }) =>
      kind === "slow" && recording.events.length + recording.dropped < 70_000,
  },
};
