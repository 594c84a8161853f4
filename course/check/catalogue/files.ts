import type { Catalogue } from "./mistake.ts";
import { isUnanswered, surplus } from "./segments.ts";
import { compared } from "./tables.ts";

/** Mistakes about transferring files, block by block. */
export const files: Catalogue = {
  "seq-wrap": {
    sentence:
      "Block numbers have 16 bits, and your program counts on as if they had more.",
    fits: ({ kind }) => kind === "assert",
  },
  "exact-multiple-end": {
    sentence:
      "A full block says that more will come; this file ends with one, and the client waits.",
    fits: (evidence) => surplus(evidence) < 0 || evidence.kind === "silence",
  },
  "one-socket-all-transfers": {
    sentence:
      "Two transfers share one port; what one client sends is taken for the other's, or has to wait.",
    fits: (evidence) =>
      ["silence", "different"].includes(evidence.kind) ||
      Number(compared(evidence).actual) < Number(compared(evidence).expected),
  },
  "stranger-not-told": {
    sentence:
      "Somebody speaks to a port that is not theirs, and your program lets them go on.",
    fits: isUnanswered,
  },
  "peer-error-ignored": {
    sentence:
      "The other side has said that it is over, and your program goes on.",
    fits: ({ kind }) => kind === "extra",
  },
  "error-not-told": {
    sentence:
      "Your program knows that this cannot be done, and does not say so; the client waits.",
    fits: ({ kind, who }) => kind === "silence" && who !== undefined,
  },
  "path-escape": {
    sentence:
      "This name leads out of the folder that is served; a stranger decides what your program reads.",
    fits: ({ kind }) => kind === "assert",
  },
  "options-ignored": {
    sentence:
      "The client asked for other terms, and your program answers as if it had not.",
    fits: ({ kind, headline }) =>
      kind === "assert" && /asked for options, and got/.test(headline),
  },
  "option-unchecked": {
    sentence:
      "Your program agrees to an option that it does not know, or to a value that makes no sense.",
    fits: ({ kind }) => kind === "assert" || kind === "different",
  },
};
