import type { Evidence } from "../evidence.ts";
import { isServed } from "./http.ts";
import type { Catalogue } from "./mistake.ts";

/** Mistakes about the bodies of HTTP, and about where they end. */
export const httpBodies: Catalogue = {
  "http-cl-te": {
    sentence:
      "A length and chunks both tell where the body ends, and your program took one of them; another reader takes the other, and finds other requests.",
    fits: (evidence) =>
      letIn(evidence, /content-length/i) &&
      letIn(evidence, /transfer-encoding/i),
  },
  "http-dup-length": {
    sentence:
      "The length came twice, and your program took one of them; another reader of the same bytes may take the other.",
    fits: (evidence) =>
      letIn(evidence, /content-length.*content-length|\d, \d/),
  },
  "http-lenient-number": {
    sentence:
      "Your program lets pass what is no number in HTTP, where digits count and nothing beside them; another reader may see another number there.",
    fits: (evidence) =>
      letIn(evidence) || isServed(evidence) ||
      evidence.kind === "crash" && evidence.error instanceof RangeError,
  },
  "http-length-rounds": {
    sentence:
      "From 2^53 on not every integer is a number in JavaScript; your program took one nearby, and ends the body elsewhere.",
    fits: (evidence) => letIn(evidence, /\d{16}/),
  },
  "http-te-variants": {
    sentence:
      "Your program lets pass a transfer coding that is not chunked alone; another reader decodes it, or does not, and ends the body elsewhere.",
    fits: (evidence) => letIn(evidence, /transfer-encoding/i),
  },
  "http-10-chunked": {
    sentence:
      "HTTP/1.0 has no transfer codings; a proxy of that age passes the field on unread, and ends the body elsewhere than your program.",
    fits: (evidence) => letIn(evidence, /HTTP\/1\.0/),
  },
  "http-space-colon": {
    sentence:
      "Your program finds a field in a line that is none; another reader finds another one there, or none at all.",
    fits: (evidence) => letIn(evidence),
  },
  "http-control-character": {
    sentence:
      "There is a control character in this field; some readers end a line there, or leave it out, and your program lets it pass.",
    fits: (evidence) => letIn(evidence),
  },
  "http-trims-more": {
    sentence:
      "Your program takes more than spaces and tabs away from a value; what is left is a number, or a name, to nobody else.",
    fits: ({ kind, expected, received }) =>
      kind === "different" && received !== undefined &&
      !!expected?.includes(NO_BREAK_SPACE) &&
      !received.includes(NO_BREAK_SPACE),
  },
  "http-chunk-parse": {
    sentence:
      "Your program loses its place between sizes and data: this body follows the rules, and it reads another one, or none.",
    fits: ({ kind, error }) =>
      ["different", "silence"].includes(kind) ||
      kind === "threw" && isAboutRequests(error),
  },
  "http-trailers-unread": {
    sentence:
      "Fields may follow the last chunk, up to an empty line; your program stops before it has read them all.",
    fits: ({ kind, expected, received }) =>
      kind === "different" && text(expected).startsWith("GET ") &&
      /^$|:/.test(text(received)),
  },
  "http-extension-unchecked": {
    sentence:
      "What stands behind a size is an extension, or an error; here it is an error, and your program lets it pass.",
    fits: (evidence) => letIn(evidence),
  },
  "http-chunk-crlf": {
    sentence:
      "Your program passes over what stands behind a chunk without a look; it is no CRLF, so others see other chunks.",
    fits: (evidence) => letIn(evidence),
  },
  "http-chunks-uncounted": {
    sentence:
      "Each of these chunks is within the limit, and all of them together are not; your program looks at each alone.",
    fits: (evidence) => letIn(evidence) || evidence.kind === "silence",
  },
  "http-trailer-unchecked": {
    sentence:
      "Behind the last chunk your program lets pass what it should not: each line there is a field, and there is a limit for all of them.",
    fits: (evidence) => letIn(evidence) || evidence.kind === "silence",
  },
  "http-chunk-decimal": {
    sentence:
      "Your program writes the size of a chunk in decimal digits; who reads it takes them for hexadecimal ones, and waits for more.",
    fits: isDecimal,
  },
  "http-empty-chunk": {
    sentence:
      "A chunk without data is the last one; your program had nothing to write, and has ended the body with it.",
    fits: ({ kind, expected, received }) =>
      kind === "different" &&
      text(received).includes("0\r\n\r\n") &&
      !text(expected).includes("0\r\n\r\n"),
  },
  "http-no-last-chunk": {
    sentence:
      "Your program ends a body without the last chunk, or with a part of it; whoever reads it waits for more.",
    fits: ({ kind, received }) =>
      kind === "different" &&
      !/^0\r\n([^]*\r\n)?\r\n$/.test(text(received)),
  },
  "http-unread-body": {
    sentence:
      "What was left of one body became your next request, and whoever sent the body has written it.",
    fits: ({ kind, headline, error, ...evidence }) =>
      kind === "assert" && headline.includes("/smuggled") ||
      kind === "different" && stoodBefore(evidence) ||
      kind === "threw" && isRefusal(error),
  },
  "http-reads-on": {
    sentence:
      "After a request that it cannot read your program looks for the next one; only whoever wrote these bytes knows what it will find.",
    fits: ({ kind, headline }) =>
      kind === "silence" || kind === "extra" ||
      kind === "assert" && /was run, behind|with \d+, \d/.test(headline),
  },
};

const NO_BREAK_SPACE = 0xa0;

/** Whether a call should have failed, and gave a result; of what, it is said. */
function letIn({ kind, headline }: Evidence, what = /^/): boolean {
  return kind === "assert" && /^Expected function to/.test(headline) &&
    what.test(headline);
}

/** Whether what was expected has come, with something in front of it. */
function stoodBefore({ expected, received }: Partial<Evidence>): boolean {
  return text(received) !== text(expected) &&
    text(received).endsWith(text(expected));
}

/** Whether the program has refused a request with this. */
function isAboutRequests(error: unknown): boolean {
  return error instanceof Deno.errors.UnexpectedEof ||
    error instanceof RangeError || isRefusal(error);
}

/** Whether the program has made this error to say no with a status. */
function isRefusal(error: unknown): boolean {
  return error instanceof Error && error.constructor.name === "HttpError";
}

/** Whether a size is right in decimal, and should be hexadecimal. */
function isDecimal({ kind, expected, received }: Evidence): boolean {
  if (kind !== "different") return false;
  const wanted = text(expected).split("\r\n");
  const came = text(received).split("\r\n");
  const at = wanted.findIndex((line, i) => line !== came[i]);
  return at >= 0 && came[at] === String(parseInt(wanted[at]!, 16));
}

function text(bytes: Uint8Array = new Uint8Array()): string {
  return new TextDecoder("latin1").decode(bytes);
}
