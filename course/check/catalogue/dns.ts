import type { Evidence } from "../evidence.ts";
import type { Catalogue } from "./mistake.ts";
import { compared } from "./tables.ts";

/** Mistakes about DNS messages, and about what a zone answers. */
export const dns: Catalogue = {
  "dns-edns": {
    sentence:
      "Behind the question stands an OPT record, which says what the asker can take; your program refuses it, or passes over it.",
    fits: (evidence) => {
      const { actual, expected } = compared(evidence);
      return refused(evidence) || actual.startsWith("FORMERR") ||
        / OPT\b/.test(expected) && !/ OPT\b/.test(actual) ||
        evidence.headline.includes("were allowed, and TC is set");
    },
  },
  "dns-pointer-return": {
    sentence:
      "What follows a pointer stands right behind it; your program reads on where the pointer leads.",
    fits: (evidence) => {
      const { actual, expected } = compared(evidence);
      // The name is right, and what belongs to it is not.
      const named = (text: string) =>
        [...text.matchAll(/"(\S+) /g)].map(([, name]) => name!);
      return named(actual).some((name) => named(expected).includes(name));
    },
  },
  "dns-pointer-loop": {
    sentence:
      "A pointer leads to itself, ahead, or back into its own name, and your program follows it; a few bytes from anybody send it round without end.",
    fits: ({ kind, headline }) =>
      kind === "assert" &&
      /Expected function to throw|but was "RangeError"/.test(headline),
    spins: true,
  },
  "dns-name-limits": {
    sentence:
      "A label has 1 to 63 bytes, and a name at most 255 with all its length bytes; your program takes others.",
    fits: accepted,
  },
  "dns-reads-past-end": {
    sentence:
      "The message breaks off, and your program reads on behind its end as if more had come.",
    fits: (evidence) =>
      accepted(evidence) ||
      /but was "(RangeError|TypeError)"/.test(evidence.headline),
  },
  "dns-cut-record": {
    sentence:
      "What did not fit was cut off, and the counts in the header still promise it.",
    fits: ({ headline }) => headline.includes("are no whole message"),
  },
  "dns-udp-size": {
    sentence:
      "The answer is longer than it may be: whoever asks over UDP has room for so many bytes, and no more.",
    fits: ({ headline }) => /bytes were allowed, and \d+ came/.test(headline),
  },
  "udp-amplification": {
    sentence:
      "A small question, and a large answer to whoever is said to have asked: with a forged sender it hits a stranger.",
    fits: ({ headline }) =>
      /(1232|512) bytes were allowed, and \d+ came/.test(headline) ||
      /ANY got records of [2-9]/.test(headline),
  },
  "dns-case": {
    sentence:
      "DNS names ignore case, and an answer repeats the question letter by letter; your program knows one spelling.",
    fits: (evidence) => {
      const { actual, expected } = compared(evidence);
      return expected !== "" &&
        (actual.toLowerCase() === expected.toLowerCase() ||
          /REFUSED|NXDOMAIN|nothing/.test(actual));
    },
  },
  "dns-suffix": {
    sentence:
      "This name ends in the same letters, and in another label; your program takes it for one of its zone.",
    fits: ({ headline }) => headline.includes('of "notexample.test"'),
  },
  "dns-nodata-nxdomain": {
    sentence:
      "There are two kinds of no: NXDOMAIN denies a name with all its types, NOERROR without answers only this type.",
    fits: (evidence) => {
      const { actual, expected } = compared(evidence);
      const both = `${expected} ${actual}`;
      return /^(NOERROR\S+ nothing.* NXDOMAIN|NXDOMAIN.* NOERROR)/.test(both);
    },
  },
  "dns-no-soa": {
    sentence:
      "A no is remembered, too; how long, the SOA record of the zone says, and your answer comes without it.",
    fits: (evidence) => {
      const { actual, expected } = compared(evidence);
      return `${actual}, SOA` === expected;
    },
  },
  "dns-alias": {
    sentence:
      "The name is an alias: its CNAME record answers a question of any type, and so does what it leads to.",
    fits: (evidence) => compared(evidence).expected.includes("CNAME"),
  },
  "dns-alias-circle": {
    sentence:
      "An alias leads to another, and that one leads back; your program goes round with them.",
    fits: ({ kind, error, headline }) =>
      kind === "threw" && error instanceof RangeError ||
      headline.includes("repeats what it has said"),
    spins: true,
  },
  "dns-opcode": {
    sentence:
      "The opcode wants something else than to look up a name; your program treats it like any question.",
    fits: (evidence) => compared(evidence).expected.startsWith("NOTIMP"),
  },
  "dns-question-count": {
    sentence:
      "A query asks one thing; this one asks nothing, or two, and your program takes the first, or trips over it.",
    fits: (evidence) =>
      evidence.kind === "threw" && evidence.error instanceof TypeError ||
      compared(evidence).expected.startsWith("FORMERR"),
  },
  "dns-pointer-bits": {
    sentence:
      "A pointer begins with two bits that are set; your program takes a length with one of them for a pointer.",
    fits: accepted,
  },
  "dns-limit-on-text": {
    sentence:
      "The limits count the bytes of a packet; your program counts the letters of its text, where one byte can take four.",
    fits: refused,
  },
  "dns-opt-cut": {
    sentence:
      "OPT was left out with the records that did not fit; it is about the whole message, and stays.",
    fits: ({ headline }) => headline.includes("OPT was left out"),
  },
  "dns-half-label": {
    sentence:
      "A name is there if another ends in it, label by label; your program compares letters, where ww is not www.",
    fits: ({ headline }) => headline.includes('of "ww.example.test"'),
  },
  "dns-alias-to-nothing": {
    sentence:
      "The alias leads to a name that is not there; rcode and SOA speak of that name, and yours do not.",
    fits: ({ headline }) => headline.includes('of "lost.example.test"'),
  },
};

/** Whether decoding threw what is thrown at packets that are no messages. */
function refused({ kind, error }: Evidence): boolean {
  return kind === "threw" && error instanceof Error &&
    error.name === "FormatError";
}

/** Whether a call that should have thrown returned. */
function accepted({ kind, headline }: Evidence): boolean {
  return kind === "assert" && /^Expected function to throw/.test(headline);
}
