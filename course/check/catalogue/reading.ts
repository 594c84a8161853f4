import { type Catalogue, failure, loops } from "./mistake.ts";

/** Mistakes about reading. */
export const reading: Catalogue = {
  "one-read-one-message": {
    sentence:
      "You treated one read as one message; TCP keeps bytes, not message boundaries.",
    fits: failure,
  },
  "read-fills-buffer": {
    sentence:
      "read() returned N bytes of the M you asked for; loop until you have M.",
    fits: failure,
  },
  "header-single-read": {
    sentence:
      "Your header itself can arrive in pieces; read it with the same exact-read loop.",
    fits: failure,
  },
  "ignore-read-count": {
    sentence: "You used the whole buffer; only the first n bytes are new.",
    fits: failure,
  },
  "stale-buffer-alias": {
    sentence: "You stored a view of a reused buffer; copy it with slice().",
    fits: failure,
  },
  "eof-infinite-loop": {
    sentence:
      "read() gave null (EOF) and you kept reading; break out of the loop.",
    fits: loops("read"),
  },
  "zero-means-eof": {
    sentence: "0 bytes is not EOF; only null is.",
    fits: failure,
  },
  "eof-mid-message-ok": {
    sentence:
      "The peer ended in the middle of a message: report UnexpectedEof, not success.",
    fits: failure,
  },
  "clean-eof-is-error": {
    sentence: "EOF on a message boundary is a normal end.",
    fits: failure,
  },
  "eof-means-peer-gone": {
    sentence:
      "EOF means the peer stopped sending, it can still read your answer.",
    fits: failure,
  },
  "read-until-quiet": {
    sentence:
      "Silence is not a delimiter; the protocol must say where a message ends.",
    fits: failure,
  },
  "short-read-means-end": {
    sentence: "A short read only means that is what had arrived.",
    fits: failure,
  },
  "first-message-only": {
    sentence:
      "More complete messages were waiting in your buffer; loop until none is left.",
    fits: failure,
  },
  "leftover-discarded": {
    sentence:
      "You threw away the bytes that followed the message; keep them for the next call.",
    fits: failure,
  },
  "utf8-per-chunk": {
    sentence:
      "You decoded a character cut in half; use one decoder with {stream:true} or decode whole messages.",
    fits: failure,
  },
  "binary-through-string": {
    sentence:
      "Bytes went through a string and were changed; keep Uint8Array end to end.",
    fits: failure,
  },
  "invalid-utf8-silent": {
    sentence:
      "Invalid UTF-8 was replaced silently; use {fatal:true} and reject.",
    fits: failure,
  },
  "bom-stripped": {
    sentence:
      "TextDecoder removed a BOM; set ignoreBOM:true when bytes matter.",
    fits: failure,
  },
  "delimiter-split": {
    sentence:
      "The delimiter was split across two reads; search the accumulated buffer.",
    fits: failure,
  },
  "crlf-kept": {
    sentence: "The line still ends in a carriage return.",
    fits: failure,
  },
  "rescan-from-zero": {
    sentence:
      "Your buffer work grows with the square of the input; remember how far you searched.",
    fits: failure,
  },
  "unbounded-line": {
    sentence:
      "A peer without a newline can fill your memory; cap the line length.",
    fits: failure,
  },
  "partial-last-line": {
    sentence: "A line without its terminator is not a line; drop or report it.",
    fits: failure,
  },
};
