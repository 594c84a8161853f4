import type { Evidence } from "../evidence.ts";
import type { Catalogue } from "./mistake.ts";

/** Mistakes about tables of sockets, and about what their rows mean. */
export const tables: Catalogue = {
  "columns-by-number": {
    sentence:
      "Your program takes words by their place in the line, and this tool has others there; the rows are lost.",
    fits: (evidence) => {
      const { actual, expected, same } = compared(evidence);
      return rowsIn(expected) > 0 && rowsIn(actual + same) === 0;
    },
  },
  "missing-column": {
    sentence:
      "This tool shows no queues, and your program takes other words for them.",
    fits: (evidence) => {
      const { actual } = compared(evidence);
      // The number of a process, which lsof shows where ss has a queue.
      return /\bNaN\b/.test(actual) || / (4711|815) \d+"/.test(actual);
    },
  },
  "looks-like-an-address": {
    sentence:
      "Something looks like an address and a port, and is none; your program made a row of it.",
    fits: (evidence) => {
      const { actual, expected } = compared(evidence);
      // The name of a program with a version, which lsof shows first.
      return !isUdp(actual) && rowsIn(actual) > rowsIn(expected) ||
        /python3\|11/.test(actual);
    },
  },
  "udp-is-a-row": {
    sentence:
      "A UDP socket has no connection, even where its state is ESTABLISHED; your program made a TCP row of it.",
    fits: (evidence) => isUdp(compared(evidence).actual),
  },
  "unread-means-queued": {
    sentence:
      "Unread bytes do not tell who waits: an accepted client may have them too, a queued one none.",
    fits: (evidence) => {
      const { actual, expected } = compared(evidence);
      return accepted(actual) < accepted(expected) - 1;
    },
  },
  "row-means-accepted": {
    sentence:
      "Some rows are there before the handshake is done, or after the server has ended; your program counts them as accepted.",
    fits: (evidence) => {
      const { actual, expected } = compared(evidence);
      return actual !== "" && Number(actual) > Number(expected);
    },
  },
  "reset-in-queue": {
    sentence:
      "Who resets in the queue loses its row and keeps its place; your program counts fewer clients than none.",
    fits: (evidence) => Number(compared(evidence).actual) < 0,
  },
  "address-backwards": {
    sentence:
      "The address comes out backwards: the kernel prints it as one number, whose last byte is the first of the address.",
    fits: (evidence) => /\b1\.0\.0\.127\b/.test(compared(evidence).actual),
  },
  "time-wait-is-a-bug": {
    sentence:
      "TIME_WAIT is how the side that closed first ends, for a minute; your program takes that row for somebody who is there.",
    fits: (evidence) => {
      const { actual, expected } = compared(evidence);
      return actual === "false" && expected === "true";
    },
  },
  "reuseaddr-two-listeners": {
    sentence:
      "SO_REUSEADDR lets a server pass what is left of old connections; somebody who listens is in its way all the same.",
    fits: (evidence) => {
      if (evidence.error instanceof Deno.errors.AddrInUse) return true;
      const { actual, expected } = compared(evidence);
      return actual === "true" && expected === "false" ||
        /listeners.* is not "SO_REUSEADDR"$/.test(evidence.headline);
    },
  },
  "four-tuple": {
    sentence:
      "Two connections have one port in common, and your program takes them for one; all four numbers tell them apart.",
    fits: (evidence) => {
      const { actual, expected } = compared(evidence);
      return actual !== "" && Number(actual) < Number(expected);
    },
  },
  "number-of-one-system": {
    sentence:
      "Each system has its own numbers: 61 is a refusal on a Mac and missing data on Linux. Your program goes by the number.",
    fits: (evidence) =>
      compared(evidence).actual === "refused" &&
      evidence.headline.includes("No data available (os error 61)"),
  },
  "ping-proves-port": {
    sentence:
      "The machine answered, and it said that nobody listens at this port; your program takes any answer for the service.",
    fits: (evidence) =>
      compared(evidence).actual === "open" &&
      evidence.recording.program("connect").some(({ error }) =>
        error instanceof Deno.errors.ConnectionRefused
      ),
  },
};

/** Whether a report counts the clients in the queue as accepted, too. */
export function acceptsTheQueue(evidence: Evidence): boolean {
  const { actual, expected, same } = compared(evidence);
  const queued = Number(same.match(/\bqueued: (\d+)/)?.[1] ?? NaN);
  return accepted(actual) >= accepted(expected) + queued;
}

function accepted(report: string): number {
  return Number(report.match(/\baccepted: (\d+)/)?.[1] ?? NaN);
}

/** What differs in an assertion that did not hold; nothing for other failures. */
export function compared({ kind, headline }: Evidence) {
  if (kind !== "assert") return { actual: "", expected: "", same: "" };
  // deno-lint-ignore no-control-regex -- Terminals get the lines in colour.
  const lines = headline.replace(/\x1b\[[\d;]*m/g, "").split("\n");
  const begin = (sign: string) =>
    lines.filter((line) => line.startsWith(`${sign} `))
      .map((line) => line.slice(1).trim().replace(/^"(.*)"$/, "$1")).join("\n");
  return { actual: begin("-"), expected: begin("+"), same: begin(" ") };
}

/** How many rows the lines of an assertion name, as `127.0.0.1|7005`. */
function rowsIn(text: string): number {
  return text.split("\n").filter((line) => line.includes("|")).length;
}

/** Whether one of the rows is the DHCP client's, whose ports only UDP uses. */
function isUdp(text: string): boolean {
  return /\|68\b/.test(text);
}
