import { type Catalogue, failure, loops, whenever } from "./mistake.ts";

/** Mistakes about accepting. */
export const accepting: Catalogue = {
  "await-in-accept-loop": {
    sentence:
      "You wait for one client's whole conversation inside the accept loop, so nobody else is let in until it ends.",
    fits: failure,
  },
  "handler-rejection-kills-server": {
    sentence: "An error of one client ended the server for all the others.",
    fits: whenever("crash"),
  },
  "accept-busy-loop": {
    sentence: "You retry a listener that is closed.",
    fits: loops("accept"),
  },
  "shared-buffer": {
    sentence:
      "Two connections share one buffer; state belongs to the connection.",
    fits: failure,
  },
  "global-session": {
    sentence: "Per-client data leaked to another client.",
    fits: failure,
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
    sentence: "In Deno 2.9 sanitizeOps/sanitizeResources are off by default.",
    fits: failure,
  },
};
