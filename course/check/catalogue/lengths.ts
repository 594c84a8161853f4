import { type Catalogue, failure } from "./mistake.ts";

/** Mistakes about lengths. */
export const lengths: Catalogue = {
  "length-endianness": {
    sentence:
      "Your length is byte-swapped: network order is big-endian (setUint32(…, false)).",
    fits: failure,
  },
  "length-includes-header": {
    sentence:
      "Your length counts the header too; the spec counts the body only.",
    fits: failure,
  },
  "length-in-characters": {
    sentence: "You counted characters; the wire counts bytes.",
    fits: failure,
  },
  "unbounded-length": {
    sentence: "You allocated what the peer asked for; check the length first.",
    fits: failure,
  },
  "allocate-before-check": {
    sentence: "Validate the length before allocating.",
    fits: failure,
  },
  "negative-length": {
    sentence: "The shift made your length negative; use >>>0 or getUint32.",
    fits: failure,
  },
  "zero-length-frame": {
    sentence: "An empty message is a message.",
    fits: failure,
  },
  "dataview-offset": {
    sentence: "You read from the start of the backing buffer; pass byteOffset.",
    fits: failure,
  },
  "signed-vs-unsigned": {
    sentence: "The field is signed (or unsigned) in the spec.",
    fits: failure,
  },
  "sum-overflow": {
    sentence: "The intermediate sum overflowed 32 bits.",
    fits: failure,
  },
  "resync-after-error": {
    sentence:
      "After a framing error the stream position is lost: answer once and close.",
    fits: failure,
  },
  "state-machine-blocking": {
    sentence: "Parse what you have and return; do not wait inside the parser.",
    fits: failure,
  },
};
