import {
  answeredAnother,
  lastIsFromAsked,
  received,
  sent,
  waitsToReceive,
  waitsTwice,
  wasTooLong,
} from "./letters.ts";
import { type Catalogue, failure } from "./mistake.ts";
import { cutShort } from "./traffic.ts";

/** Mistakes about datagrams. */
export const datagrams: Catalogue = {
  "unstable-flag": {
    sentence:
      "Deno gives UDP sockets only to a program started with --unstable-net; without it, Deno.listenDatagram does not exist.",
    fits: ({ error }) =>
      error instanceof TypeError &&
      /listenDatagram is not a function/.test(error.message),
  },
  "udp-truncation": {
    sentence:
      "The datagram was longer than the buffer that receive() was given; the rest was thrown away, and nobody was told.",
    fits: (evidence) =>
      evidence.kind === "different" && evidence.received?.length !== 0 &&
      cutShort(evidence),
  },
  "udp-no-timeout": {
    sentence:
      "A datagram was lost on the way and nobody will ever say so; your program waits for the answer, and goes on waiting.",
    fits: ({ kind, recording }) =>
      kind === "silence" && waitsToReceive(recording) &&
      sent(recording).length <= 1,
  },
  "udp-expects-refused": {
    sentence:
      "Your program speaks of a refusal, and nobody refused: to a UDP socket a closed port is as silent as a lost datagram.",
    fits: ({ recording }) =>
      recording.events.some(({ side, error }) =>
        side === "program" && error instanceof Deno.errors.ConnectionRefused
      ),
  },
  "udp-wrong-peer": {
    sentence:
      "Every datagram comes with the address of its sender; your answer went to another one.",
    fits: ({ recording }) => answeredAnother(recording),
  },
  "udp-trusts-anyone": {
    sentence:
      "This answer came from an address that your program never asked; anybody may send to an open port.",
    fits: ({ recording }) => lastIsFromAsked(recording) === false,
  },
  "udp-as-stream": {
    sentence:
      "Two datagrams are two messages; your program joins them, as if they were pieces of a stream.",
    fits: ({ kind, expected, received }) => {
      if (kind !== "different" || !expected || !received) return false;
      const tail = received.subarray(-expected.length);
      return received.length > expected.length &&
        String(tail) === String(expected);
    },
  },
  "udp-too-big": {
    sentence:
      "One datagram takes at most 65,507 bytes; the kernel refused a longer one of your program (EMSGSIZE).",
    fits: ({ recording }) => wasTooLong(recording),
  },
  "udp-empty-is-eof": {
    sentence:
      "An empty datagram is a message like any other; your program took it for an end, and UDP has none.",
    fits: ({ kind, recording }) =>
      kind === "silence" && !waitsToReceive(recording) &&
      received(recording).at(-1)?.size === 0,
  },
  "udp-burst-loss": {
    sentence:
      "While your program paused, datagrams filled the buffer of its socket; what came after them was thrown away.",
    fits: (evidence) => {
      const { events } = evidence.recording;
      const offered = events.filter(({ side, kind }) =>
        side === "cast" && kind === "send"
      );
      const taken = received(evidence.recording);
      return failure(evidence) && offered.length > taken.length;
    },
  },
  "udp-wildcard-source": {
    sentence:
      "Your answer left from another address than the one that was asked; whoever asked takes it for a stranger's.",
    fits: ({ headline }) => /expected the answer from/.test(headline),
  },
  "udp-concurrent-receive": {
    sentence:
      "Several receive() calls wait at once, and nobody promises which of them gets the next datagram.",
    fits: ({ recording }) => waitsTwice(recording),
  },
  "udp-handler-throws": {
    sentence:
      "One datagram that your server could not digest ended its loop; now nobody gets an answer.",
    fits: ({ kind, error }) => {
      const { BadResource, Interrupted } = Deno.errors;
      const closed = error instanceof BadResource ||
        error instanceof Interrupted;
      return kind === "crash" && !closed;
    },
  },
};
