import { type Catalogue, leaves } from "./mistake.ts";
import { surplus } from "./segments.ts";
import { compared } from "./tables.ts";

/** Mistakes about transferring files, block by block. */
export const files: Catalogue = {
  "case-sensitive": {
    sentence:
      "Modes and options may be written in capitals; your program compares them letter by letter.",
    fits: ({ kind }) => kind === "assert" || kind === "different",
  },
  "garbage-throws": {
    sentence:
      "Anybody may send anything to an open port; your program throws at what is no packet.",
    fits: ({ kind }) => kind === "threw",
  },
  "garbage-believed": {
    sentence:
      "This is no packet, or only a part of one, and your program takes it for one.",
    fits: ({ kind }) => kind === "assert",
  },
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
      /the server's own port/.test(evidence.headline) ||
      Number(compared(evidence).actual) < Number(compared(evidence).expected),
  },
  "transfer-left-open": {
    sentence:
      "A transfer is over, and its socket stays open; each one that is left costs a port, until none is free.",
    fits: leaves("datagram socket"),
  },
  "stranger-not-told": {
    sentence:
      "Somebody speaks to a port that is not theirs, and your program lets them go on.",
    fits: ({ kind, who }) => kind === "silence" && who !== undefined,
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
