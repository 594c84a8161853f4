import type { Evidence } from "../evidence.ts";
import type { Event } from "../recording.ts";
import type { Catalogue } from "./mistake.ts";
import { compared } from "./tables.ts";

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

/** Fits an answer that names `option` where there is none. */
function believes(option: string): (evidence: Evidence) => boolean {
  return (evidence) => {
    const { actual, expected } = compared(evidence);
    return actual === option && expected === "none";
  };
}

/** Whether a write is the head of an HTTP response: it asks for nothing. */
function isResponse({ bytes = new Uint8Array() }: Event): boolean {
  return new TextDecoder().decode(bytes).startsWith("HTTP/");
}
