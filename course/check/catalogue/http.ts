import type { Evidence } from "../evidence.ts";
import type { Recording } from "../recording.ts";
import { type Catalogue, failure } from "./mistake.ts";
import { compared } from "./tables.ts";
import { isReading, readsAsBefore } from "./traffic.ts";

/** Mistakes about HTTP: requests, answers, and the connection around them. */
export const http: Catalogue = {
  "http-head-one-read": {
    sentence:
      "A read brought the beginning of a head, and your program took it for all of it; the empty line had not come yet.",
    fits: (evidence) => {
      const [first, ...more] = evidence.recording.program("read");
      return failure(evidence) && more.length === 0 && (first?.size ?? 0) > 0;
    },
  },
  "http-case": {
    sentence:
      "The client wrote the name of a header in other letters, large or small; to HTTP it is the same name.",
    fits: ({ kind, expected, received }) =>
      kind === "different" && text(received) !== "" &&
      text(received).toLowerCase() === text(expected).toLowerCase(),
  },
  "http-pipelining-lost": {
    sentence:
      "The next request had come together with the one before it; your program let go of both, and waits for another read.",
    fits: ({ kind, recording }) => kind === "silence" && isReading(recording),
  },
  "http-reordered": {
    sentence:
      "The answer to a later request went out before the one to an earlier; only their order tells answers apart.",
    fits: ({ kind, expected, received, recording }) =>
      kind === "different" &&
      wereAskedTogether(text(expected), text(received), recording),
  },
  "http-body-in-buffer": {
    sentence:
      "The body came together with its head, so your program has read it; it waits for another read to bring it.",
    fits: ({ kind, recording }) => kind === "silence" && isReading(recording),
  },
  "http-length-chars": {
    sentence:
      "Your Content-Length counts letters, and the client counts bytes; some letters take two, three or four.",
    fits: (evidence) => {
      const { actual, expected } = compared(evidence);
      return actual !== "" && Number(actual) < Number(expected);
    },
  },
  "http-head-body": {
    sentence:
      "An answer to HEAD, and one with 204 or 304, ends with its head; the client takes your body for the next answer.",
    fits: ({ kind, expected, received }) =>
      kind === "different" && text(received) !== "" &&
      (expected?.length === 0 ||
        isAnswer(expected) && !text(received).startsWith("HTTP/")),
  },
  "http-crlf-injection": {
    sentence:
      "A value with a line break in it has become two lines of your head; whoever chose the value chose a header.",
    fits: ({ kind, headline, received }) =>
      kind === "assert" &&
        /^Expected function to throw.*\\[rn]/.test(headline) &&
        !isChanged(headline) ||
      kind === "different" && text(received).startsWith("HTTP/1.1 302"),
  },
  "http-header-unchecked": {
    sentence:
      "Your program sends this as a header, and it is none: the name has to be a token, and NUL stands in no value.",
    fits: ({ kind, headline }) =>
      kind === "assert" && headline.startsWith("Expected function to throw") &&
      !isChanged(headline),
  },
  "http-no-keep-alive": {
    sentence:
      "Your program closed after an answer, and nobody had asked for that; in HTTP/1.1 the connection stays for the next request.",
    fits: ({ kind, who = "", recording }) =>
      ["end", "reset", "closed"].includes(kind) && wroteTo(who, recording) &&
      hungUp(who, recording),
  },
  "http-close-ignored": {
    sentence:
      "The client asked that the connection end with this answer; your program reads on, and has not ended it.",
    fits: ({ kind, who = "", recording }) =>
      kind === "silence" && readsAsBefore(who, recording),
  },
  "http-encodes-outside-try": {
    sentence:
      "The handler's answer could not be encoded, and that error went past the place where your program makes a 500 of one.",
    fits: ({ kind, error }) => kind === "crash" && error instanceof TypeError,
  },
  "http-takes-anything": {
    sentence:
      "Your program answers this as if it were a request that it can serve, where it should say no.",
    fits: (evidence) => isServed(evidence),
  },
  "http-missing-host": {
    sentence:
      "In HTTP/1.1 a request names its host, once; your program serves one that names none, or two.",
    fits: (evidence) => isServed(evidence),
  },
  "http-traversal": {
    sentence:
      "The target named a file that is not in your directory, and your program opened it, or tried to.",
    fits: ({ kind, headline }) =>
      kind === "assert" && /^GET \S+ opened /.test(headline),
  },
  "http-limit-early": {
    sentence:
      "This head is within the limit; your program counts what ends it as well, or what stands behind it.",
    fits: ({ kind, expected, received }) =>
      kind === "different" && text(expected).startsWith("HTTP/1.1 200") &&
      text(received).startsWith("HTTP/1.1 431"),
  },
  "empty-line-left": {
    sentence:
      "Your program let go of a head and not of the empty line that ends it, and takes that for the next request.",
    fits: ({ kind, received }) =>
      kind === "different" && text(received).trim() === "",
  },
  "http-gone-told": {
    sentence:
      "The client left while its answer went out; your program tells that to onError, as if the handler had failed.",
    fits: ({ kind, headline }) =>
      kind === "assert" && headline.includes("of a client that left"),
  },
  "http-no-limit": {
    sentence:
      "This is above one of your limits, and your program takes it all the same: a stranger decides how much it keeps.",
    fits: (evidence) =>
      isServed(evidence) ||
      evidence.kind === "silence" && isReading(evidence.recording),
  },
};

/** Whether what was no header went out as another. */
function isChanged(headline: string): boolean {
  return headline.endsWith(", which it has changed");
}

function text(bytes: Uint8Array = new Uint8Array()): string {
  return new TextDecoder().decode(bytes);
}

/** Whether `bytes` begin as an answer does. */
function isAnswer(bytes: Uint8Array = new Uint8Array()): boolean {
  return text(bytes).startsWith("HTTP/1.1 ");
}

/** Whether a client was told that all is well, and expected a refusal. */
export function isServed({ kind, expected, received }: Evidence): boolean {
  return kind === "different" && /^HTTP\/1\.1 [45]/.test(text(expected)) &&
    /^HTTP\/1\.[01] 2/.test(text(received));
}

/** Whether the program has written anything to `who`. */
function wroteTo(who: string, recording: Recording): boolean {
  return recording.program("write").some((write) => write.who === who);
}

/** Whether the program has ended its sending to `who`, or closed. */
function hungUp(who: string, recording: Recording): boolean {
  return recording.program().some((call) =>
    call.who === who && ["closeWrite", "close"].includes(call.kind)
  );
}

/** Whether one client asked for both, and names `received` later. */
function wereAskedTogether(
  expected: string,
  received: string,
  { events }: Recording,
): boolean {
  return events.some(({ side, kind, bytes }) => {
    if (side !== "cast" || kind !== "send") return false;
    const asked = text(bytes);
    const at = asked.indexOf(expected.trim());
    return at >= 0 && asked.indexOf(received.trim(), at + 1) > at;
  });
}
