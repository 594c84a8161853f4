import { type Catalogue, failure, leaves } from "./mistake.ts";

/** Mistakes about closing. */
export const closing: Catalogue = {
  "leaked-conn": {
    sentence: "The client is gone but you never closed: CLOSE_WAIT leak.",
    fits: leaves("connection"),
  },
  "leak-on-error-path": {
    sentence: "You close only when all goes well; use finally.",
    fits: leaves("connection"),
  },
  "close-instead-of-closewrite": {
    sentence: "You closed both directions; closeWrite() ends only yours.",
    fits: failure,
  },
};
