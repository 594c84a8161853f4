import type { Recording } from "../recording.ts";
import type { Catalogue } from "./mistake.ts";
import { neverClosed } from "./traffic.ts";

/** Mistakes about when a server of HTTP answers, and about how it parts. */
export const httpAnswers: Catalogue = {
  "http-expect": {
    sentence:
      "The client has asked whether to send its body, and waits for your answer; your program waits for the body.",
    fits: ({ kind, headline, recording }) =>
      (["silence", "end", "reset"].includes(kind) ||
        kind === "assert" && headline.includes("was told")) &&
      asked(recording) > answered(recording),
  },
  "http-continue-early": {
    sentence:
      "Your program says 100 Continue to somebody who is not to go on: the handler does not want the body, or the client cannot know the word.",
    fits: ({ kind, received }) =>
      kind === "different" && text(received).startsWith("HTTP/1.1 100"),
  },
  "http-continue-late": {
    sentence:
      "Your answer had begun, and your program says 100 Continue in the middle of it; the client takes that for a part of the answer.",
    fits: ({ kind, headline }) =>
      kind === "assert" && headline.includes("in the middle of the answer"),
  },
  "http-answer-waits": {
    sentence:
      "Your program knows its answer, and reads on before it sends it; a client that is refused uploads everything first.",
    fits: ({ kind, headline, who, recording }) =>
      kind === "assert" && headline.includes("has answered at once") ||
      ["silence", "end"].includes(kind) &&
        recording.program("read").some((call) => call.who === who) &&
        recording.program("write").every((call) =>
          call.who !== who || call.error !== undefined
        ),
  },
  "no-lingering-close": {
    sentence:
      "Your program closed under a client that was still sending; the kernel resets such a connection, and the last answer may never be read.",
    fits: ({ kind, who = "", recording }) =>
      (kind === "closed" || kind === "reset") &&
      !neverClosed(recording).includes(who),
  },
  "http-clock-runs-on": {
    sentence:
      "Your clock ran while the handler worked; nobody was waiting for the client then, and it has lost that time.",
    fits: ({ kind, recording }) =>
      ["silence", "end", "closed"].includes(kind) &&
      recording.program("close").length > 0,
  },
  "http-producer-goes-on": {
    sentence:
      "The client is gone, and whoever makes the body has not been told: it goes on, or keeps what it holds.",
    fits: ({ kind, headline }) =>
      kind === "assert" && headline.includes("what makes the body"),
  },
};

/** How often the cast has asked whether to send a body. */
function asked({ events }: Recording): number {
  return events.filter(({ side, kind, bytes }) =>
    side === "cast" && kind === "send" &&
    /\r\nexpect: 100-continue\r\n/i.test(text(bytes))
  ).length;
}

/** How often the program has said 100 Continue. */
function answered(recording: Recording): number {
  return recording.program("write").filter(({ bytes }) =>
    text(bytes).startsWith("HTTP/1.1 100")
  ).length;
}

function text(bytes: Uint8Array = new Uint8Array()): string {
  return new TextDecoder("latin1").decode(bytes);
}
