import { firstDifference } from "../bytes.ts";
import type { Evidence } from "../evidence.ts";
import type { Recording } from "../recording.ts";
import { replaced } from "./messages.ts";
import { isRefusedWithCr } from "./chat.ts";
import { type Catalogue, failure, whenever } from "./mistake.ts";

/** Mistakes about lines, and about the text in them. */
export const lines: Catalogue = {
  "utf8-per-chunk": {
    sentence:
      "A read ended inside a character, and your program decoded what each read brought alone: neither part is a character.",
    fits: ({ kind, expected, received }) =>
      kind === "different" && replaced(received) && !replaced(expected),
  },
  "invalid-utf8-silent": {
    sentence:
      "Your program was told to refuse what is not UTF-8, and has let it pass without a word.",
    fits: notRejected,
  },
  "bom-stripped": {
    sentence:
      "The text begins with a byte order mark, ef bb bf, and your decoder took these three bytes away.",
    fits: ({ expected, received }) =>
      expected !== undefined && received !== undefined &&
      lacksMark(expected, received),
  },
  "delimiter-split": {
    sentence:
      "A read ended inside a delimiter; your program looks for it in each read alone, and found neither half.",
    fits: (evidence) => {
      const { kind, received, recording } = evidence;
      if (!cutsDelimiter(recording)) return false;
      if (kind === "silence") return failure(evidence);
      // It is left in the message, or its second half ends an empty one.
      const marks = received?.some((byte) => byte === 0x0d || byte === 0x0a);
      return kind === "different" && (received?.length === 0 || !!marks);
    },
  },
  "crlf-kept": {
    sentence:
      "The client ends its lines with \\r\\n, and your program takes only \\n away: \\r is still in the line.",
    fits: (evidence) => holdsCr(evidence) || isRefusedWithCr(evidence),
  },
  "unbounded-line": {
    sentence:
      "Your program collects a line whatever its length; a peer that never ends one can fill the memory.",
    fits: (evidence) =>
      notRejected(evidence) ||
      evidence.kind === "silence" && failure(evidence) ||
      evidence.kind === "assert" && evidence.headline.startsWith("it took"),
  },
  "partial-last-line": {
    sentence:
      "The stream ended inside a line, and your program gave out its beginning as if it were all of it.",
    fits: whenever("assert", "different", "extra"),
  },
};

/** Whether a read ended in CR or LF, and the next one began with one. */
function cutsDelimiter(recording: Recording): boolean {
  const isMark = (byte?: number) => byte === 0x0d || byte === 0x0a;
  const reads = recording.program("read");
  return reads.some(({ bytes }, i) =>
    isMark(bytes?.at(-1)) && isMark(reads[i + 1]?.bytes?.[0])
  );
}

/** Whether a call that should have failed gave a result. */
function notRejected({ kind, headline }: Evidence): boolean {
  return kind === "assert" && headline.startsWith("Expected function to") &&
    !/, one more than max\w+$/.test(headline); // There is a limit, beside it.
}

/** Whether `received` is what is left of `expected` without its first mark. */
function lacksMark(expected: Uint8Array, received: Uint8Array): boolean {
  const mark = [0xef, 0xbb, 0xbf];
  return mark.every((byte, i) => expected[i] === byte) &&
    firstDifference(expected.subarray(3), received) < 0;
}

/** Whether the first wrong byte is a carriage return. */
function holdsCr({ kind, expected, received }: Evidence): boolean {
  return kind === "different" && expected !== undefined &&
    received?.[firstDifference(expected, received)] === 0x0d;
}
