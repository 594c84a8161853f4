import type { Evidence } from "../evidence.ts";
import { type Catalogue, failure, leaves } from "./mistake.ts";
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
    fits: (evidence) => says(evidence, /X-Forwarded-For/),
  },
  "pool-never-reuses": {
    sentence:
      "A connection that could carry the next request is closed, or forgotten; each request pays for a new one.",
    fits: (evidence) =>
      says(evidence, /get\(\) opened another|and so many connections/),
  },
  "pool-over-max": {
    sentence:
      "There are more connections than allowed: whoever is connecting, or has a place that is unused, was not counted.",
    fits: (evidence) => says(evidence, /connections, and max is/),
  },
  "pool-place-lost": {
    sentence:
      "A place in the pool was taken and never given back; when the last is gone, everybody waits for ever.",
    fits: (evidence) => hangs(evidence, "get()"),
  },
  "pool-waits-on": {
    sentence:
      "Somebody who waits for a connection is not told that there is nothing to wait for any more.",
    fits: (evidence) =>
      hangs(evidence, "get(), given up,") ||
      says(evidence, /to reject: get\(\)/),
  },
  "pool-keeps-idle": {
    sentence:
      "A connection that nobody uses stays open; the upstream has to keep its side of it, too.",
    fits: (evidence) =>
      evidence.kind === "silence" || says(evidence, /, and idleMs is/),
  },
  "pool-closes-used": {
    sentence:
      "The clock for a connection that is not used ran while it was used, and closed it.",
    fits: ({ kind, headline }) =>
      ["closed", "end", "threw", "reset"].includes(kind) ||
      kind === "assert" && headline.includes("before idleMs"),
  },
  "pool-leftover": {
    sentence:
      "Bytes are waiting on a connection before anything was asked; to whoever gets it next they are the answer.",
    fits: (evidence) =>
      evidence.kind === "silence" ||
      says(evidence, /left over|spoke unasked/),
  },
  "pool-not-fresh": {
    sentence:
      "A fresh connection was asked for, because kept ones are not to be trusted just now, and a kept one was given.",
    fits: (evidence) =>
      says(evidence, /as a fresh one/) || hangs(evidence, "get()"),
  },
  "pool-close-leaves": {
    sentence:
      "All is over, and a connection of the pool is open: one that was unused, or one that came back later.",
    fits: (evidence) =>
      evidence.kind === "silence" && evidence.who !== "ann" &&
        evidence.who !== "idle" && evidence.who !== undefined ||
      leaves("connection")(evidence) ||
      says(evidence, /until its idleMs|has left \d+ open/),
  },
  "idle-pool-race": {
    sentence:
      "The upstream had ended the connection that your program kept, and a request was given to it all the same.",
    fits: (evidence) =>
      evidence.kind === "silence" ||
      says(evidence, /that had (ended|been reset)|the answer to (GET|DELETE)/),
  },
  "balance-one-sided": {
    sentence: "Some upstreams get more than their share, and others wait.",
    fits: (evidence) => says(evidence, /of 1000 requests/),
  },
  "balance-ignores-load": {
    sentence:
      "A request goes to an upstream that has several to work on, while another one has fewer.",
    fits: (evidence) =>
      says(evidence, /others are busy|three picks, one for each/),
  },
  "balance-picks-again": {
    sentence:
      "An upstream that has just failed gets the same request again, although another one is well.",
    fits: (evidence) => says(evidence, /that was to be avoided/),
  },
  "balance-gives-up": {
    sentence:
      "The only upstream that is well was to be avoided if possible, and it is not possible.",
    fits: (evidence) => says(evidence, /nobody else was there/),
  },
  "health-one-strike": {
    sentence:
      "A single failure can happen to anybody; your program takes an upstream out before there were failAfter of them.",
    fits: (evidence) => says(evidence, /and it was taken out/),
  },
  "health-not-in-row": {
    sentence:
      "A success lies between these failures, and your program has added them up; in the end it takes everybody out.",
    fits: (evidence) => says(evidence, /since a success/),
  },
  "health-ignored": {
    sentence:
      "An upstream fails again and again, and your program goes on sending it requests.",
    fits: (evidence) => says(evidence, /still picked|and failAfter is/),
  },
  "health-never-back": {
    sentence:
      "An upstream that has failed is well again, and nobody finds out: it gets no request with which it could show that.",
    fits: (evidence) => says(evidence, /does not come back/),
  },
  "health-probe-hangs": {
    sentence:
      "An examination without an answer takes for ever; it is a failure, and should keep nobody waiting.",
    fits: (evidence) =>
      says(
        evidence,
        /examinations never end|was asked \d+ times|examination that/,
      ),
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
    fits: (evidence) => failure(evidence) && evidence.kind !== "refused",
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
    fits: (evidence) => says(evidence, /within 2 timeouts/),
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
  "proxy-no-limit": {
    sentence:
      "A client says how much it will send, or just sends it, and your program takes it all.",
    fits: ({ kind, headline }) =>
      ["silence", "end", "reset", "closed"].includes(kind) ||
      kind === "assert" && headline.includes("Values are not equal"),
  },
};

/** Whether an assertion of the check speaks of this. */
function says({ kind, headline }: Evidence, what: RegExp): boolean {
  return kind === "assert" && what.test(headline);
}

/** Whether the call that the check names so does not return. */
function hangs({ kind, headline }: Evidence, call: string): boolean {
  return kind === "silence" && headline.startsWith(`${call} does not`);
}
