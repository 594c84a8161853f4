import type { Catalogue } from "./mistake.ts";
import {
  ahead,
  cameAgain,
  isAnswerToOldAck,
  isClose,
  isTooSoon,
  isUncalledFor,
  skips,
  surplus,
  times,
} from "./segments.ts";
import { compared } from "./tables.ts";

/** Mistakes of who sends over a network that loses, doubles and delays. */
export const sending: Catalogue = {
  "window-ignored": {
    sentence:
      "More is on its way than the window allows; what is sent counts until it is acknowledged.",
    fits: (evidence) =>
      surplus(evidence) > 0 ||
      /bytes are on their way, and the window is/.test(evidence.headline),
  },
  "stop-and-wait": {
    sentence:
      "Your program hears the ack of one datagram before it sends the next; where a way is long, it is empty most of the time.",
    fits: ({ headline }) => /bytes took \d+ ms/.test(headline),
  },
  "loss-not-repaired": {
    sentence:
      "Something was lost, or its answer was; nobody but your program could send it again, and it does not.",
    fits: (evidence) =>
      surplus(evidence) < 0 || evidence.kind === "silence" ||
      skips(evidence) && !cameAgain(evidence) ||
      evidence.error instanceof Deno.errors.TimedOut,
  },
  "resends-everything": {
    sentence:
      "Only the oldest is known to be late; your program sends again what may have arrived behind it.",
    fits: (evidence) => surplus(evidence) > 0 && !isUncalledFor(evidence),
  },
  "news-unheard": {
    sentence: "News came, and your clock runs on as if nothing had been heard.",
    fits: ({ headline, messages }) => {
      const [, news = NaN] = headline.match(/with news at (\d+) ms/) ?? [];
      const [expected = 0] = times(messages?.expected ?? []);
      const [actual = Infinity] = times(messages?.received ?? []);
      return expected - actual === Number(news);
    },
  },
  "no-backoff": {
    sentence:
      "Nobody answers, and your program asks on at the same pace; where a network is full, that keeps it full.",
    fits: ({ messages }) => {
      const [first = 0, second = 0, third = 0] = times(
        messages?.received ?? [],
      );
      return third - second <= second - first && third > 0;
    },
  },
  "backoff-never-ends": {
    sentence:
      "The other side is heard again, and your program is still as slow as in the silence before.",
    fits: ({ messages }) => {
      const [expected = 0] = times(messages?.expected ?? []);
      const [actual = Infinity] = times(messages?.received ?? []);
      return messages !== undefined && actual > expected;
    },
  },
  "retransmit-on-dup-ack": {
    sentence:
      "An ack came twice, and your program answers both with data; that is acknowledged twice, and so on without an end.",
    fits: (evidence) =>
      surplus(evidence) > 0 || isAnswerToOldAck(evidence) ||
      evidence.kind === "assert" &&
        /datagrams were sent/.test(evidence.headline),
  },
  "dup-ack-restarts-timer": {
    sentence:
      "An ack that is no news started your clock again; while such acks come, nothing is repeated.",
    fits: (evidence) => surplus(evidence) < 0,
  },
  "backoff-ends-early": {
    sentence:
      "An ack that is no news made your program as impatient as at first; only news sets the waiting back.",
    fits: ({ messages }) => {
      const expected = times(messages?.expected ?? []);
      const [first, second = Infinity] = times(messages?.received ?? []);
      return first === expected[0] && second < expected[1]!;
    },
  },
  "asking-restarts-timer": {
    sentence:
      "due() was asked and had nothing to send, and your clock started again; whoever asks often never sees a repetition.",
    fits: (evidence) => surplus(evidence) < 0,
  },
  "sending-restarts-timer": {
    sentence:
      "A new segment started your clock again; while there is something new to send, the oldest may be lost and nobody asks.",
    fits: (evidence) => surplus(evidence) < 0,
  },
  "old-ack-believed": {
    sentence:
      "An old ack came late, and your program believes it again; what has once arrived does not go back.",
    fits: ({ messages, kind }) => messages !== undefined || kind === "assert",
  },
  "ack-beyond-sent": {
    sentence:
      "Nobody can have what was never sent; your program believes an ack that claims it.",
    fits: ({ kind }) => kind === "assert",
  },
  "wrong-error-class": {
    sentence:
      "Your program throws, as it should, and an error of another class; whoever called it tells errors apart by their class.",
    fits: ({ headline }) => /to be instance of/.test(headline),
  },
  "given-up-early": {
    sentence:
      "Your program has given up before giveUpMs had passed; the answer may have been on its way.",
    fits: ({ headline }) => /gave up within \d+ ms of/.test(headline),
  },
  "no-give-up": {
    sentence:
      "The other side has been silent for long enough, and your program has not given it up.",
    fits: (evidence) =>
      ahead(evidence) > 0 || evidence.kind === "extra" ||
      compared(evidence).actual === "" &&
        /has not given up/.test(evidence.headline),
  },
  "timeout-is-success": {
    sentence:
      "Nothing was heard for giveUpMs, and your program says that all went well; nobody knows that.",
    fits: ({ kind, headline }) =>
      kind === "assert" && /^Expected function to reject/.test(headline),
  },
  "closes-too-early": {
    sentence:
      "Your program says goodbye before all that it sent has been acknowledged; what is lost now stays lost.",
    fits: ({ kind, headline, received }) =>
      kind === "assert" && /before the close/.test(headline) ||
      isClose(received),
  },
  "rto-too-short": {
    sentence:
      "Your program sends again before an answer could have come; what was under way was only slow.",
    fits: (evidence) =>
      cameAgain(evidence) || isTooSoon(evidence) || isUncalledFor(evidence),
  },
};
