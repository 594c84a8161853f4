import type { Recording } from "../recording.ts";
import type { Catalogue } from "./mistake.ts";
import { requests, wasNotRepeated } from "./traffic.ts";

/** Mistakes about asking again, and about being asked again. */
export const retrying: Catalogue = {
  "no-answer-is-final": {
    sentence:
      "No whole answer came, and your program gave up; an idempotent request is worth another attempt.",
    fits: (evidence) =>
      wasNotRepeated(evidence) && evidence.error !== undefined &&
      !(evidence.error instanceof TypeError),
  },
  "one-clock-for-all": {
    sentence:
      "One clock ran for all attempts, and the first used it up; those after it had no time to hear an answer.",
    fits: ({ kind, error, recording }) => {
      const [first = 0, second = Infinity] = durations(recording);
      return ["silence", "closed", "threw"].includes(kind) &&
        isTimeOut(error) && second < first / 2;
    },
  },
  "repeat-still-counts": {
    sentence:
      "The repeated request got its first answer again, and was added all the same; the sum has it twice.",
    fits: ({ kind, expected, received, recording }) => {
      const { last, repeated } = requests(recording);
      const tooMuch = lastNumber(received) - lastNumber(expected);
      return kind === "different" && last?.text !== repeated?.text &&
        tooMuch === lastNumber(repeated?.bytes);
    },
  },
};

/** How long each attempt of the program lasted, in milliseconds. */
function durations(recording: Recording): number[] {
  const calls = recording.program();
  return calls.flatMap(({ kind, at, error }, i) => {
    if (kind !== "connect") return [];
    const end = calls.slice(i).find(({ kind }) => kind === "close");
    return error === undefined ? (end?.at ?? Infinity) - at : 0;
  });
}

function isTimeOut(error: unknown): boolean {
  return error instanceof Deno.errors.TimedOut ||
    error instanceof DOMException && error.name === "TimeoutError";
}

/** The number at the end of a line; none is NaN. */
function lastNumber(bytes: Uint8Array = new Uint8Array()): number {
  const [, digits] = new TextDecoder().decode(bytes).match(/(\d+)\n$/) ?? [];
  return Number(digits);
}
