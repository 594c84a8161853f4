import type { Recording } from "../recording.ts";
import type { Catalogue } from "./mistake.ts";
import { gaveEnd, neverClosed, total } from "./traffic.ts";

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
      kind === "assert" &&
        (headline.includes("has answered at once") ||
          headline.includes("has answered") && readToTheEnd(recording)) ||
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
  "http-time-carried-over": {
    sentence:
      "Each head and each body has a time of its own; your program hung up on this client for what it had spent before.",
    fits: ({ kind, who, recording }) =>
      ["end", "closed"].includes(kind) && hungUpInSilence(recording, who),
  },
  "http-time-saved-up": {
    sentence:
      "Each byte earns some time back, and no more than was spent; your program lets a client save up as much as it likes.",
    fits: ({ kind, headline, recording }) =>
      kind === "assert" && tookAsManyMs(headline, recording),
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

/** Whether the program read to the end of its last client, and said nothing. */
function readToTheEnd(recording: Recording): boolean {
  const calls = recording.program();
  const last = calls.slice(calls.findLastIndex((e) => e.kind === "accept"));
  return last.some(gaveEnd) &&
    last.every(({ kind }) => kind !== "write" && kind !== "closeWrite");
}

/** Whether the program hung up on `who` when nothing else happened: by a clock. */
function hungUpInSilence({ events }: Recording, who = ""): boolean {
  const close = events.find((event) =>
    event.side === "program" && event.kind === "close" && event.who === who
  );
  return close !== undefined &&
    !events.some(({ side, kind, at }) =>
      side === "cast" && kind === "send" && at === close.at
    );
}

/** Whether it took a millisecond for each byte that was sent, or a bit more. */
function tookAsManyMs(headline: string, { events }: Recording): boolean {
  const [, took, ms] = headline.match(/took (\d+) ms.*Ms: (\d+)$/) ?? [];
  const sent = total(
    events.filter(({ side, kind }) => side === "cast" && kind === "send"),
  );
  return Math.abs(Number(took) - sent - Number(ms)) < 500;
}

function text(bytes: Uint8Array = new Uint8Array()): string {
  return new TextDecoder("latin1").decode(bytes);
}
