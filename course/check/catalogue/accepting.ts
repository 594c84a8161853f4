import type { Evidence } from "../evidence.ts";
import { Place } from "../place.ts";
import { type Catalogue, failure, loops, whenever } from "./mistake.ts";
import { cameFromOthers } from "./traffic.ts";

/** Mistakes about accepting. */
export const accepting: Catalogue = {
  "await-in-accept-loop": {
    sentence:
      "You wait for one client's whole conversation inside the accept loop, so nobody else is let in until it ends.",
    fits: (evidence) => evidence.kind === "silence" && waitsElsewhere(evidence),
  },
  "handler-rejection-kills-server": {
    sentence:
      "An error in the conversation with one client ended the server for all the others.",
    fits: (evidence) =>
      whenever("crash")(evidence) &&
      (vanished(evidence) || brokeOff(evidence)),
  },
  "accept-busy-loop": {
    sentence: "You retry a listener that is closed.",
    fits: loops("accept"),
  },
  "shared-buffer": {
    sentence:
      "Two connections use one buffer: what one client sent has come out at another.",
    fits: (evidence) => failure(evidence) && cameFromOthers(evidence),
  },
  "global-session": {
    sentence:
      "What one client told your program is in another client's answer; they share what should be each one's own.",
    fits: ({ kind, recording }) =>
      ["different", "extra", "assert"].includes(kind) &&
      new Set(recording.program("accept").map(({ text }) => text)).size > 1,
  },
  "await-between-check-and-set": {
    sentence: "Something ran between your check and your set.",
    fits: failure,
  },
  "announce-before-join": {
    sentence: "That client had not joined yet.",
    fits: failure,
  },
  "no-leave-on-error": {
    sentence:
      "The user vanished by reset and you told nobody; do it in finally.",
    fits: failure,
  },
  "mutate-while-iterating": {
    sentence: "Iterate over a copy.",
    fits: failure,
  },
  "echo-to-sender": {
    sentence: "The sender must not receive its own message.",
    fits: failure,
  },
  "slow-client-blocks-broadcast": {
    sentence:
      "One slow reader stopped everybody; give each client its own queue and task.",
    fits: failure,
  },
  "unbounded-outbox": {
    sentence:
      "The queue of a client that does not read must be bounded: drop or disconnect.",
    fits: failure,
  },
  "sanitizers-on": {
    sentence:
      "deno test passes a test that leaks its sockets: in Deno 2.9 the sanitizers are off unless they are asked for.",
    fits: failure,
  },
};

/** Whether the program reads from another client and has not let `who` in. */
function waitsElsewhere({ who = "", recording }: Evidence): boolean {
  const calls = recording.program();
  return calls.every((call) => call.text !== `accept() → ${who}`) &&
    recording.waiting.some(({ side, kind }) =>
      side === "program" && kind === "read"
    );
}

/** Whether the error is how a client that vanished looks. */
function vanished({ error, recording }: Evidence): boolean {
  const { BrokenPipe, ConnectionReset } = Deno.errors;
  return recording.program().some((event) => event.error === error) &&
    (error instanceof ConnectionReset || error instanceof BrokenPipe);
}

/** Whether the program gave up on what a client sent, or its handler did. */
function brokeOff({ error }: Evidence): boolean {
  const { InvalidData, UnexpectedEof } = Deno.errors;
  return error instanceof InvalidData || error instanceof UnexpectedEof ||
    error instanceof Error && Place.of(error).inTest;
}
