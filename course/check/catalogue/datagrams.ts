import {
  answeredAnother,
  answersAnother,
  asksAgain,
  cameFromStranger,
  changedPayload,
  endedByStray,
  hasTwoIds,
  lastHasId,
  lastIsFromAsked,
  received,
  sent,
  waitsToReceive,
  waitsTwice,
  wasTooLong,
} from "./letters.ts";
import type { Recording } from "../recording.ts";
import { type Catalogue, failure, leaves } from "./mistake.ts";
import { ahead, isCrowded, lastIsOfSession, skips } from "./segments.ts";
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
      sent(recording).length > 0 && !asksAgain(recording),
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
    fits: (evidence) =>
      cameFromStranger(evidence) ||
      lastIsFromAsked(evidence.recording) === false,
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
      "One datagram of your program is too long: the kernel refuses more than 65,507 bytes, and a network may drop what does not fit into one of its frames.",
    fits: ({ headline, recording }) =>
      wasTooLong(recording) ||
      /^A datagram has \d+ bytes, and \d+ are allowed/.test(headline),
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
      "Datagrams came faster than they were read; the buffer of a socket is small, and what does not fit is thrown away.",
    fits: (evidence) => {
      if (/datagrams came while/.test(evidence.headline)) return true;
      const { events } = evidence.recording;
      const offered = events.filter(({ side, kind }) =>
        side === "cast" && kind === "send"
      );
      const taken = received(evidence.recording);
      const gaveUp = evidence.error instanceof Deno.errors.TimedOut;
      return failure(evidence) && gaveUp && offered.length > taken.length;
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
    fits: (evidence) => {
      const { kind, error, recording } = evidence;
      const { BadResource, Interrupted } = Deno.errors;
      const closed = error instanceof BadResource ||
        error instanceof Interrupted;
      const returned = recording.program("return").length > 0;
      return kind === "crash" && !closed || failure(evidence) && returned ||
        kind === "silence" && stoppedReceiving(recording);
    },
  },
  "udp-cuts-answer": {
    sentence:
      "A part of an answer looks like a whole one; whoever asked cannot know that the rest is missing.",
    fits: ({ kind, received }) => kind === "extra" && received?.length !== 0,
  },
  "udp-left-open": {
    sentence:
      "Your program has ended on a way that leads past close(), and its socket stays open.",
    fits: leaves("datagram socket"),
  },
  "udp-close-interrupts": {
    sentence:
      "close() ends a receive() that still waits, with Interrupted; nobody caught it.",
    fits: ({ kind, error }) =>
      kind === "crash" && error instanceof Deno.errors.Interrupted,
  },
  "udp-address-identity": {
    sentence:
      "The right answer came from the address that was asked, and was not taken; every receive() makes a new address object.",
    fits: (evidence) => {
      const { kind, error, recording } = evidence;
      const waits = kind === "silence" || skips(evidence) ||
        error instanceof Deno.errors.TimedOut;
      const isAnswer = lastHasId(recording) === true ||
        lastIsOfSession(recording);
      return waits && lastIsFromAsked(recording) === true && isAnswer;
    },
  },
  "udp-fixed-timeout": {
    sentence:
      "Two requests with different timeoutMs asked again after the same time.",
    fits: ({ kind, recording }) =>
      kind === "different" && asksAgain(recording) &&
      // Who sends all tries at once has a right timer, and does not wait for it.
      recording.program("send").some(({ at }) => at > 0),
  },
  "udp-stray-ends-try": {
    sentence:
      "A datagram that was not the answer ended the wait; request() gave up before timeoutMs had passed.",
    fits: ({ kind, recording }) => kind === "threw" && endedByStray(recording),
  },
  "udp-short-answer": {
    sentence:
      "This datagram is shorter than an id, and was taken for the answer; what the buffer holds behind it is none of its bytes.",
    fits: ({ kind, recording }) => {
      const { size = 4 } = received(recording).at(-1) ?? {};
      return kind === "different" && size < 4;
    },
  },
  "udp-abandoned-receive": {
    sentence:
      "The receive() that your program gave up on was still waiting, and it took the datagram that came next.",
    fits: ({ error, kind, recording }) =>
      (kind === "silence" || error instanceof Deno.errors.TimedOut) &&
      waitsTwice(recording),
  },
  "udp-timer-restarted": {
    sentence:
      "A datagram that is no answer starts your clock again; while such come, your program neither asks again nor gives up.",
    fits: ({ kind, headline, recording }) =>
      kind === "assert" && received(recording).length > 1 &&
      (!asksAgain(recording) || /repeated block \d+ after/.test(headline)),
  },
  "udp-id-without-address": {
    sentence:
      "Two clients use the same id; an id is good only together with its address.",
    fits: (evidence) =>
      answersAnother(evidence) ||
      failure(evidence) && isCrowded(evidence.recording),
  },
  "udp-id-with-payload": {
    sentence:
      "This id came from this address before, with another payload; the id alone says that it is the same request.",
    fits: ({ kind, recording }) =>
      kind === "different" && changedPayload(recording),
  },
  "udp-key-runs-together": {
    sentence:
      "A short port with a long id, a long port with a short id: written without a mark between them, the two are the same.",
    fits: (evidence) =>
      answersAnother(evidence) && hasTwoIds(evidence.recording),
  },
  "udp-address-without-id": {
    sentence:
      "One sender began a second session, and your program takes it for the first; an address is good only together with its id.",
    fits: (evidence) => ahead(evidence) > 0,
  },
};

/** Whether the program has received, and waits for nobody but clients of TCP. */
function stoppedReceiving(recording: Recording): boolean {
  return received(recording).length > 0 &&
    !recording.waiting.some(({ side, kind }) =>
      side === "program" && kind !== "accept"
    );
}
