import type { Evidence } from "../evidence.ts";
import type { Event } from "../recording.ts";
import { type Catalogue, leaves } from "./mistake.ts";
import { surplus } from "./segments.ts";
import { compared } from "./tables.ts";

/** Mistakes about transferring files, block by block. */
export const files: Catalogue = {
  "case-sensitive": {
    sentence:
      "Modes and options may be written in capitals; your program compares them letter by letter.",
    fits: ({ kind, headline }) =>
      kind === "different" || /a read in capitals/.test(headline),
  },
  "mode-ignored": {
    sentence:
      "The client will translate the line ends of what it gets in this mode; your program sends bytes as they are.",
    fits: ({ headline }) => /expected an error, and got data/.test(headline),
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
      /the server's own port/.test(evidence.headline) ||
      Number(compared(evidence).actual) < Number(compared(evidence).expected),
  },
  "one-transfer-at-a-time": {
    sentence:
      "While one transfer goes on, your program hears no other request; the next client waits for the one before.",
    fits: ({ kind }) => kind === "silence" || kind === "different",
  },
  "transfers-outlive-server": {
    sentence:
      "The server's socket has closed, and its transfers go on; the program cannot end before the last client is given up.",
    fits: (evidence) =>
      evidence.kind === "assert" || evidence.kind === "unfinished" ||
      leaves("datagram socket")(evidence),
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
  "error-of-error": {
    sentence:
      "Your program answers an error with an error; two programs that do so never stop talking.",
    fits: ({ kind }) => kind === "extra",
  },
  "oack-not-awaited": {
    sentence:
      "Your program sends the first block before its client has agreed to the terms.",
    fits: ({ kind }) => kind === "extra",
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
      "This name leads out of the folder that is served; a stranger decides which file your program reads or writes.",
    fits: ({ headline }) =>
      /expected an error, and got (data|ack|oack)/.test(headline) ||
      /the names that were (looked for|written)/.test(headline),
  },
  "options-ignored": {
    sentence:
      "The client asked for other terms, and your program answers as if it had not.",
    fits: (evidence) =>
      /asked for options, and got/.test(evidence.headline) ||
      lacksFields(evidence),
  },
  "tsize-echoed": {
    sentence:
      "A reader's tsize asks how long the file is; your program gives the question back.",
    fits: (evidence) => {
      const { actual, expected } = compared(evidence);
      return actual === 'tsize: "0",' && /^tsize: "\d+",$/.test(expected);
    },
  },
  "option-unchecked": {
    sentence:
      "Your program agrees to an option that it does not know, or to a value that makes no sense.",
    fits: (evidence) =>
      evidence.kind === "different" || addsFields(evidence) ||
      /^it agrees to blocks of/.test(evidence.headline),
  },
  "stray-ends-transfer": {
    sentence:
      "What came was no packet of this client, and your program has ended the transfer for it; the client still waits.",
    fits: (evidence) =>
      evidence.kind === "silence" && evidence.who !== undefined &&
      closedAfterStray(evidence),
  },
  "ack-ahead": {
    sentence:
      "Your program acknowledges a block that it has not kept; the client believes that, and never sends it again.",
    fits: (evidence) =>
      Number(compared(evidence).actual) > Number(compared(evidence).expected),
  },
};

/** Whether an assertion about options has a name that nobody expected. */
function addsFields(evidence: Evidence): boolean {
  const { actual, expected } = compared(evidence);
  const names = (lines: string): string[] => lines.match(/^\w+(?=:)/gm) ?? [];
  return names(actual).some((name) => !names(expected).includes(name));
}

/** Whether the program closed a socket upon what its client did not say. */
function closedAfterStray({ who, recording }: Evidence): boolean {
  const calls = recording.program().filter(({ error }) => error === undefined);
  const before = calls.slice(0, calls.findLastIndex(isClose));
  const last = before.findLast(({ kind }) => kind === "receive");
  return last !== undefined && (last.who !== who || !isPacket(last));
}

function isClose({ kind }: Event): boolean {
  return kind === "close";
}

/** Whether a datagram begins as those of a transfer do. */
function isPacket({ bytes = new Uint8Array() }: Event): boolean {
  return bytes.length >= 4 && bytes[0] === 0 && bytes[1]! >= 3;
}

/** Whether an assertion about options misses some, and has none too many. */
function lacksFields(evidence: Evidence): boolean {
  const { actual, expected } = compared(evidence);
  return actual === "" && expected !== "";
}
