import type { Recording } from "../recording.ts";
import type { Catalogue } from "./mistake.ts";

/** Mistakes of servers that answer DNS queries, and ask others. */
export const dnsServing: Catalogue = {
  "dns-answers-answers": {
    sentence:
      "Your program answered an answer; two servers that do so talk to each other for ever.",
    fits: ({ kind }) => kind === "extra",
  },
  "dns-tcp-length": {
    sentence:
      "Over TCP each message has its length in front, two bytes, the highest first; what came first is another number.",
    fits: ({ kind, received, headline }) =>
      ["silence", "end"].includes(kind) && (received?.length ?? 0) > 0 ||
      headline.includes("are no whole message"),
  },
  "dns-no-tcp": {
    sentence:
      "TC says: ask again over TCP. There the same question gets no answer, or again a part of one.",
    fits: ({ kind, headline }) =>
      ["silence", "end", "reset", "refused"].includes(kind) ||
      headline.includes("TC is set over TCP"),
  },
  "dns-id-passed-on": {
    sentence:
      "Upstream is asked under the id that the asker chose; whoever knows it can answer in upstream's place.",
    fits: ({ headline }) => headline.includes("asked under the asker's id"),
  },
  "dns-id-not-restored": {
    sentence:
      "The answer came back under the id that upstream was asked with; whoever asked waits for another.",
    fits: ({ headline }) => headline.includes("the answer to id 7 has another"),
  },
  "dns-stray-ends-wait": {
    sentence:
      "A datagram that was not the answer ended the wait; the answer came a moment later, and nobody was there to take it.",
    fits: ({ kind, expected, received }) =>
      kind === "different" && expected !== undefined && received === undefined,
  },
  "dns-recursion-flag": {
    sentence:
      "RA says whether your server asks others for its clients, and it says the opposite of what is so.",
    fits: ({ headline }) => headline.includes("RA is"),
  },
  "dns-silent-deadline": {
    sentence:
      "The deadline ended the wait for upstream, and nothing was sent after that; whoever asked is told nothing.",
    fits: ({ kind, recording }) =>
      kind === "silence" && interrupted(recording) &&
      !waitsForUpstream(recording),
  },
  "dns-one-query": {
    sentence:
      "Your program closed the connection behind its first answer; a client may ask again and again on it.",
    fits: ({ kind, recording }) => {
      const answered = recording.program("write").at(-1)?.at;
      const closed = recording.program("close").at(-1)?.at;
      return ["end", "closed"].includes(kind) && // And no clock did it.
        answered !== undefined && closed !== undefined && closed - answered < 5;
    },
  },
  "udp-unanswerable": {
    sentence:
      "A datagram said that it came from port 0, where nothing can be sent; send() threw, and nobody gets an answer any more.",
    fits: ({ kind, recording }) =>
      ["crash", "silence"].includes(kind) &&
      recording.program("send").some(({ error }) => error !== undefined),
  },
  "dns-stray-restarts-clock": {
    sentence:
      "A datagram that was not the answer began the wait anew; whoever sends one now and then keeps it up for ever.",
    fits: ({ headline }) => /of timeoutMs/.test(headline),
  },
  "dns-id-guessable": {
    sentence:
      "Whoever has seen some of these ids can guess the next one, and answer in upstream's name.",
    fits: ({ headline }) => headline.includes("have too much in common"),
  },
  "dns-answer-rewritten": {
    sentence:
      "Upstream's answer was taken apart and written anew; a pointer in its data counts the bytes of the old one.",
    fits: ({ kind, expected, received }) =>
      kind === "different" && received !== undefined &&
      received.length !== expected?.length,
  },
};

/** Whether a close ended a receive() of the program. */
function interrupted(recording: Recording): boolean {
  return recording.program("receive").some(({ error }) =>
    error instanceof Deno.errors.Interrupted
  );
}

/** Whether a receive() waits on a socket that the program has opened. */
function waitsForUpstream({ waiting }: Recording): boolean {
  return waiting.some(({ side, kind, served }) =>
    side === "program" && kind === "receive" && !served
  );
}
