import type { Catalogue } from "./mistake.ts";
import type { Recording } from "../recording.ts";
import {
  ackOf,
  ahead,
  cameAgain,
  isAnswerToOldAck,
  isChanged,
  isEscaped,
  isLonger,
  isRepeated,
  isShorter,
  isShuffled,
  isTooSoon,
  isUnanswered,
  isUncalledFor,
  isUnescaped,
  skips,
  surplus,
  times,
} from "./segments.ts";
import { compared } from "./tables.ts";

/** Mistakes about reliable transfer over a network that is not. */
export const transfer: Catalogue = {
  "not-escaped": {
    sentence:
      "A slash in the data looks like one that ends the data, and a backslash like one that hides a slash.",
    fits: isUnescaped,
  },
  "ack-counts-escaped": {
    sentence:
      "Backslashes belong to the wire; your program takes them for bytes of the data, and positions count bytes of the data.",
    fits: (evidence) => isEscaped(evidence) || ahead(evidence) > 0,
  },
  "unescaped-twice": {
    sentence:
      "These backslashes were bytes of the data; your program takes them for the wire's, and removes them as well.",
    fits: isUnescaped,
  },
  "checksum-ignored": {
    sentence:
      "This datagram was changed on its way, and its checksum says so; your program believes it all the same.",
    fits: (evidence) =>
      evidence.kind === "extra" || isChanged(evidence) ||
      evidence.kind === "assert" && /: decode\(\) of/.test(evidence.headline),
  },
  "checksum-demanded": {
    sentence:
      "Somebody typed this message, and a checksum may be missing; your program takes it for none.",
    fits: ({ kind, headline }) => kind === "assert" && isUntaken(headline),
  },
  "udp-order": {
    sentence:
      "A datagram overtook another one; your program takes what comes last for the end of all that came.",
    fits: (evidence) =>
      ahead(evidence) > 0 || isShuffled(evidence) || isChanged(evidence),
  },
  "udp-duplicates": {
    sentence:
      "The network delivered a copy; your program takes it for something new.",
    fits: (evidence) =>
      isRepeated(evidence) || isLonger(evidence) || ahead(evidence) > 0,
  },
  "accept-out-of-order": {
    sentence:
      "These bytes lie behind a gap; your program takes them for the ones that come next.",
    fits: (evidence) =>
      isLonger(evidence) || isShuffled(evidence) || ahead(evidence) > 0 ||
      /^onData\(3\) says that it is news/.test(evidence.headline),
  },
  "future-discarded": {
    sentence:
      "What came too early is gone again; now its sender has to send it once more.",
    fits: isShorter,
  },
  "overlap-duplicated": {
    sentence:
      "A part of this piece was there already, and your program takes it a second time.",
    fits: (evidence) => isLonger(evidence) || ahead(evidence) > 0,
  },
  "overlap-discarded": {
    sentence:
      "A part of this piece was there already, and the rest was new; your program has thrown away both.",
    fits: isShorter,
  },
  "overlap-replaced": {
    sentence:
      "A shorter piece came to the position of a longer one, and your program keeps it instead; the rest was there already, and is gone.",
    fits: isShorter,
  },
  "room-refused": {
    sentence:
      "There is room for all that lies before the capacity's end, counted from the first byte that is not taken; your program refused some of it.",
    fits: (evidence) => ahead(evidence) < 0 || isShorter(evidence),
  },
  "capacity-ignored": {
    sentence:
      "Your program keeps more than its capacity, or makes room for it; a stranger decides how much.",
    fits: (evidence) =>
      isLonger(evidence) || ahead(evidence) > 0 ||
      evidence.error instanceof RangeError,
  },
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
      skips(evidence) || evidence.error instanceof Deno.errors.TimedOut,
  },
  "resends-everything": {
    sentence:
      "Only the oldest is known to be late; your program sends again what may have arrived behind it.",
    fits: (evidence) => surplus(evidence) > 0 && !isUncalledFor(evidence),
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
  "ack-not-repeated": {
    sentence:
      "Why would this come again? Its sender has not heard your answer, and your program does not give it at once.",
    fits: (evidence) =>
      isUnanswered(evidence) ||
      /repeated its ack after/.test(evidence.headline),
  },
  "connect-starts-over": {
    sentence:
      "A copy of the first message came late, and your program answers as if nothing had arrived since.",
    fits: (evidence) => ahead(evidence) < 0 && ackOf(evidence.received) === 0,
  },
  "ack-of-ack": {
    sentence:
      "Your program answers an ack; two programs that do so never stop talking.",
    fits: ({ kind }) => kind === "extra",
  },
  "answered-too-early": {
    sentence:
      "The sender hears that all is well, and what it sent is not delivered yet; if that fails, it is lost for good.",
    fits: ({ kind, headline }) =>
      kind === "extra" || /before it delivered/.test(headline),
  },
  "no-dally": {
    sentence:
      "For your program this is over; its sender cannot know that, and your last answer may be lost.",
    fits: (evidence) =>
      isUnanswered(evidence) || ahead(evidence) < 0 ||
      evidence.kind === "silence" && hasClosed(evidence.recording),
  },
  "unknown-close-answered": {
    sentence:
      "Your program says that a whole stream has arrived, and it knows no such session; its sender believes that.",
    fits: ({ kind, received }) => kind === "extra" && isClose(received),
  },
  "forgotten-too-early": {
    sentence:
      "This session was never silent for giveUpMs, and your program has forgotten it; every message is a sign of life.",
    fits: (evidence) => isUnanswered(evidence) || ahead(evidence) < 0,
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

/** Whether decode() gave nothing for what somebody had typed. */
function isUntaken(headline: string): boolean {
  return /\/(connect|ack)\//.test(headline) && /undefined/.test(headline);
}

function isClose(bytes?: Uint8Array): boolean {
  return /^\/close\//.test(new TextDecoder().decode(bytes));
}

/** Whether the program has closed a socket. */
function hasClosed(recording: Recording): boolean {
  return recording.program("close").length > 0;
}
