import { type Catalogue, whenever } from "./mistake.ts";
import type { Recording } from "../recording.ts";
import {
  ackOf,
  ahead,
  isChanged,
  isClose,
  isEscaped,
  isLonger,
  isRepeated,
  isShorter,
  isShuffled,
  isUnanswered,
  isUnescaped,
} from "./segments.ts";

/** Mistakes about what a transfer says, and about who receives it. */
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
  "copies-kept": {
    sentence:
      "Your program keeps pieces that bring nothing new, and goes through all of them again and again; whoever sends copies stops it.",
    fits: whenever("slow"),
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
};

/** Whether decode() gave nothing for what somebody had typed. */
function isUntaken(headline: string): boolean {
  return /\/(connect|ack)\//.test(headline) && /undefined/.test(headline);
}

/** Whether the program has closed a socket. */
function hasClosed(recording: Recording): boolean {
  return recording.program("close").length > 0;
}
