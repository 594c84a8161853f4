import type { Evidence } from "../evidence.ts";
import { says } from "./headlines.ts";
import { type Catalogue, failure } from "./mistake.ts";
import { compared } from "./tables.ts";

/** Mistakes of a program that stands between a client and servers. */
export const proxying: Catalogue = {
  "hop-by-hop-forwarded": {
    sentence:
      "Your program passes on a field that is about its connection with one side; the other side takes it for a word about its own.",
    fits: (evidence) => says(evidence, /passedOn\(\) of Host and|X-Hop in the/),
  },
  "hop-by-hop-named": {
    sentence:
      "Connection names further fields that are about this one connection, and your program passes them on.",
    fits: (evidence) => says(evidence, /Connection names X-Secret/),
  },
  "hop-by-hop-trusted": {
    sentence:
      "Whoever fills in Connection can take away what your program needs itself: where a message goes, and where it ends.",
    fits: (evidence) => says(evidence, /Connection names Content-Length/),
  },
  "forwarded-for-lost": {
    sentence:
      "The upstream sees your program's address alone, and the field that should tell for whom it asks does not say it all.",
    fits: (evidence) =>
      says(evidence, /X-Forwarded-For/) && !isAllThere(evidence),
  },
  "proxy-closes-client": {
    sentence:
      "HTTP/1.1 keeps a connection for the next request; your program hangs up on the client after the first.",
    fits: ({ kind, who }) =>
      ["end", "closed", "reset"].includes(kind) && who === "ann",
  },
  "proxy-framing-lost": {
    sentence:
      "What your program sends does not end where it says: the other side reads too little, too much, or waits.",
    fits: (evidence) =>
      failure(evidence) && evidence.kind !== "refused" &&
      !says(evidence, /has no 1xx/),
  },
  "proxy-buffers": {
    sentence:
      "Your program keeps a body until it has all of it; whoever needs the beginning first, to go on, waits for ever.",
    fits: ({ kind }) => ["silence", "end"].includes(kind),
  },
  "proxy-forwards-unclear": {
    sentence:
      "Your program passes on a message before it knows that it is clear; the other side may read another one in it.",
    fits: (evidence) => says(evidence, /one was asked for/),
  },
  "upstream-error-escapes": {
    sentence:
      "An upstream failed, and the client learns it as a broken connection or as your own fault, and not as an honest 502, 503 or 504.",
    fits: (evidence) =>
      ["end", "reset", "closed", "silence", "crash"].includes(evidence.kind) ||
      /^\d{3}$/.test(compared(evidence).actual) &&
        !/^50[234]$/.test(compared(evidence).actual),
  },
  "no-retry": {
    sentence:
      "The request has done nothing yet, or can be done twice, and another upstream is well; your program gives up.",
    fits: (evidence) =>
      compared(evidence).actual === "502" || says(evidence, /fewer times/),
  },
  "retry-without-body": {
    sentence:
      "The first upstream has got the body, and your program sends the request to another one, without it.",
    fits: (evidence) => says(evidence, /of 5 bytes|PUT was answered with 504/),
  },
  "retry-storm": {
    sentence:
      "Where all fail your program asks more often than it may; so an overload becomes a worse one.",
    fits: (evidence) =>
      says(evidence, /more often than/) || evidence.kind === "silence",
  },
  "retry-after-timeout": {
    sentence:
      "The client has waited timeoutMs for this answer; your program asks again, and lets it wait once more.",
    fits: (evidence) =>
      says(evidence, /within 2 timeouts/) ||
      says(evidence, /lets nobody in/) &&
        evidence.recording.program("connect").length > 1,
  },
  "upload-goes-on": {
    sentence:
      "The answer came before the body had ended, and your program used the connection again: the next request lands inside that body.",
    fits: (evidence) => says(evidence, /got GET \/bob inside it/),
  },
  "upstream-close-ignored": {
    sentence:
      "The upstream has said that it ends this connection after its answer, and your program keeps it for the next request.",
    fits: (evidence) => says(evidence, /said that it ends/),
  },
  "proxy-false-whole": {
    sentence:
      "A body broke off, and your program ended it as if nothing had happened; the other side takes a part for the whole.",
    fits: (evidence) => says(evidence, /got a whole/),
  },
  "proxy-lies": {
    sentence:
      "In the confusion a client got an answer that is wrong, and looks right: somebody else's, or a part, or two.",
    fits: (evidence) => says(evidence, /was answered: /),
  },
  "upstream-clock-runs-on": {
    sentence:
      "The upstream was waiting for the body, and your clock counted that against it; it was the client who was slow.",
    fits: (evidence) => says(evidence, /ann was slow/),
  },
  "client-gone-goes-on": {
    sentence:
      "The client has left, and an upstream goes on working for it, because your program has not hung up there.",
    fits: (evidence) =>
      evidence.kind === "silence" ||
      says(evidence, /goes on making the answer/),
  },
  "client-gone-blamed": {
    sentence:
      "A client has left, and your program counts that as a failure of the upstream; a few impatient people take it out.",
    fits: (evidence) =>
      says(evidence, /doomed has left GET .*answered with 503/),
  },
  "client-fault-blamed": {
    sentence:
      "A client has made a mistake, or was too slow, and your program counts that as a failure of the upstream.",
    fits: (evidence) => says(evidence, /bob .*ann was answered with 503/),
  },
  "client-gone-ends-others": {
    sentence:
      "One client has left, and your program hung up on a connection to an upstream that was somebody else's by then.",
    fits: (evidence) => says(evidence, /ann has left, and bob was answered/),
  },
  "proxy-no-limit": {
    sentence:
      "A client says how much it will send, or just sends it, and your program takes it all.",
    fits: ({ kind, headline }) =>
      ["silence", "end", "reset", "closed"].includes(kind) ||
      kind === "assert" && headline.includes("Values are not equal"),
  },
};

/** Whether all that should be in a list is in it, in some order. */
function isAllThere(evidence: Evidence): boolean {
  const { actual = "", expected = "" } = compared(evidence);
  const given = actual.split(/, */);
  return expected.split(/, */).every((one) => given.includes(one)) &&
    actual !== expected;
}
