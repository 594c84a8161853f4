import type { Evidence } from "../evidence.ts";
import type { Event, Recording } from "../recording.ts";
import { received as heard, sent } from "./letters.ts";
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
      "Block numbers have 16 bits: behind 65,535 comes 0, and your program does not go on there.",
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
    fits: (evidence) => isUntold(evidence) || isToldInstead(evidence),
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
      evidence.kind === "different" && isOp(OACK, evidence.received) ||
      addsFields(evidence) ||
      /^it agrees to blocks of/.test(evidence.headline),
  },
  "agreed-not-kept": {
    sentence:
      "Your program has agreed to other terms, and does not keep to them: blksize counts bytes, and timeout seconds.",
    fits: (evidence) => cutsOtherwise(evidence) || asksTooSoon(evidence),
  },
  "too-few-retries": {
    sentence:
      "Your program has said this again, and less often than `retries` says; the next one might have arrived.",
    fits: ({ kind, who, recording }) =>
      kind === "silence" && who !== undefined && repeatedLast(recording),
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

/** What the second byte of a packet says. */
const DATA = 3, ERROR = 5, OACK = 6;

function isOp(op: number, bytes: Uint8Array | undefined): boolean {
  return bytes?.[0] === 0 && bytes[1] === op;
}

/** Whether an oack accepts the option that is called `name`. */
function accepts(name: string, bytes: Uint8Array | undefined): boolean {
  return isOp(OACK, bytes) && new TextDecoder().decode(bytes).includes(name);
}

/** Whether a block is longer than it was agreed, or takes what follows along. */
function cutsOtherwise({ kind, expected, received, recording }: Evidence) {
  return kind === "different" && isOp(DATA, received) &&
    received!.length > expected!.length &&
    sent(recording).some(({ bytes }) => accepts("blksize", bytes));
}

/** Whether an oack is said again, unasked, before the time that it names. */
function asksTooSoon({ kind, received, recording }: Evidence): boolean {
  const last = sent(recording).at(-1)?.at ?? 0;
  const before = heard(recording).at(-1)?.at ?? 0;
  return kind === "extra" && accepts("timeout", received) &&
    last - before >= 5; // What is said sooner is an answer.
}

/** Whether what the program said last had been said before. */
function repeatedLast(recording: Recording): boolean {
  const all = sent(recording).map(({ bytes }) => String(bytes));
  const last = all.pop();
  return last !== undefined && all.includes(last);
}

/** Whether somebody waits to whom the program has said nothing. */
function isUntold({ kind, who, recording }: Evidence): boolean {
  return kind === "silence" && who !== undefined &&
    sent(recording).every((letter) => letter.who !== who);
}

/** Whether an error has come to another one than was heard last. */
function isToldInstead({ kind, who, received, recording }: Evidence): boolean {
  return kind === "extra" && isOp(ERROR, received) &&
    heard(recording).at(-1)?.who !== who;
}

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
