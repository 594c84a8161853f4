import { type Catalogue, leaves } from "./mistake.ts";
import { hangs, says } from "./headlines.ts";

/** Mistakes about kept connections, and about who gets the next request. */
export const pooling: Catalogue = {
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
    fits: (evidence) =>
      hangs(evidence, "get()") ||
      // There was one place, and somebody has had it before.
      says(evidence, /(broken|left|was slow) .*waited in vain/),
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
    fits: (evidence) => says(evidence, /as a fresh one/),
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
    fits: (evidence) =>
      says(evidence, /of 1000 requests|while one was avoided/),
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
    fits: (evidence) => says(evidence, /to be avoided|again, and not well/),
  },
  "balance-gives-up": {
    sentence:
      "The only upstream that is well was to be avoided if possible, and it is not possible.",
    fits: (evidence) => says(evidence, /nobody else was there/),
  },
  "pick-not-reported": {
    sentence:
      "A request is over because its client has left, and the balancer counts it for ever: that upstream looks busy, and is avoided.",
    fits: (evidence) => says(evidence, /^Values.*doomed has left, and of 4/),
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
};
