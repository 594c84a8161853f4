import type { Evidence } from "../evidence.ts";
import type { Event, Recording, Waiting } from "../recording.ts";
import type { Catalogue } from "./mistake.ts";

/** Mistakes about what the options of a socket do. */
export const options: Catalogue = {
  "many-small-writes": {
    sentence:
      "Your message goes out in pieces: each is a call and a packet, and the kernel may keep the second back until the first is confirmed.",
    fits: ({ kind, recording }) =>
      kind === "assert" && recording.program("write").length > 1,
  },
  "keepalive-heartbeat": {
    sentence:
      "SO_KEEPALIVE asks an idle peer for the first time after two hours; until then your program hears nothing and says nothing.",
    fits: ({ kind, recording }) =>
      kind === "silence" && recording.program("write").every(isResponse),
  },
  "silence-never-ends": {
    sentence:
      "Your program asks and asks, and nothing comes back; missMs is over, and it waits on: nothing has ended its read.",
    fits: ({ kind, headline, recording }) =>
      kind === "assert" && headline.includes("missMs is") &&
      recording.waiting.some(isRead) && askedInVain(recording) > 20,
  },
  "looks-when-it-asks": {
    sentence:
      "Your program looks at its clock only when it asks; missMs was over between two questions, and nobody noticed.",
    fits: (evidence) => closedInsteadOfAsking(evidence),
  },
  "reuseport-partial": {
    sentence:
      "A port is shared only if every listener has asked for it; one of yours has not, so the kernel keeps the port for it.",
    fits: ({ error }) => error instanceof Deno.errors.AddrInUse,
  },
  "nodelay-flushes": {
    sentence:
      "TCP_NODELAY changes when bytes leave, and nothing else; the peer still reads several writes at once, or half of one.",
    fits: believes("TCP_NODELAY"),
  },
  "backlog-is-max-clients": {
    sentence:
      "The backlog is the line of those who wait to be accepted; whoever is accepted has left it, and is not counted.",
    fits: believes("backlog"),
  },
  "linger-for-delivery": {
    sentence:
      "SO_LINGER makes close() wait for the other kernel; whether the other program has read anything, it does not say.",
    fits: believes("SO_LINGER"),
  },
  "rcvbuf-cargo": {
    sentence:
      "The kernel sizes its buffers as the line needs; a size of your own switches that off.",
    fits: believes("SO_RCVBUF"),
  },
};

/** Fits a table that names `option` where it does not help. */
function believes(option: string): (evidence: Evidence) => boolean {
  return ({ kind, headline }) =>
    kind === "assert" && headline.endsWith(` is not "${option}"`);
}

/** How often the program has written since it last read anything. */
function askedInVain(recording: Recording): number {
  const calls = recording.program().map(({ kind }) => kind);
  const heard = calls.lastIndexOf("read");
  return calls.slice(heard + 1).filter((kind) => kind === "write").length;
}

/** Whether the program closed late, and just when its next question was due. */
function closedInsteadOfAsking({ headline, recording }: Evidence): boolean {
  const [, took, missMs] = headline.match(/^(\d+) ms .*missMs is (\d+)$/) ?? [];
  const [last = NaN, before = NaN] = recording.program("write").reverse()
    .map(({ at }) => at);
  const closed = recording.program("close").at(-1)?.at ?? NaN;
  return Number(took) > Number(missMs) &&
    Math.abs(closed - last - (last - before)) <= 1;
}

function isRead({ side, kind }: Waiting): boolean {
  return side === "program" && kind === "read";
}

/** Whether a write is the head of an HTTP response: it asks for nothing. */
function isResponse({ bytes = new Uint8Array() }: Event): boolean {
  return new TextDecoder().decode(bytes).startsWith("HTTP/");
}
