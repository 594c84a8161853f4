import { type Catalogue, failure, whenever } from "./mistake.ts";

/** Mistakes about writing. */
export const writing: Catalogue = {
  "ignore-write-count": {
    sentence: "write() took N of M bytes and you dropped the rest.",
    fits: failure,
  },
  "writeall-from-start": {
    sentence: "Your loop starts from the beginning again; advance by n.",
    fits: failure,
  },
  "interleaved-writers": {
    sentence:
      "Two writers interleaved inside one message; one writer task per connection.",
    fits: failure,
  },
  "unawaited-write": {
    sentence: "You did not await a write; its error killed the process.",
    fits: whenever("crash"),
  },
  "forgot-terminator": {
    sentence: "The peer is still waiting for the end of your message.",
    fits: failure,
  },
};
