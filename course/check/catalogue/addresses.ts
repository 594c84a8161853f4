import type { Evidence } from "../evidence.ts";
import type { Recording, Waiting } from "../recording.ts";
import { type Catalogue, failure } from "./mistake.ts";
import { acceptsTheQueue } from "./tables.ts";

/** Mistakes about addresses. */
export const addresses: Catalogue = {
  "hard-coded-port": {
    sentence:
      "Your program asks for a port that it has chosen itself, and a server of yours, started a moment ago, has it.",
    fits: ({ error }) => error instanceof Deno.errors.AddrInUse,
  },
  "bind-localhost-only": {
    sentence:
      "Your program listens on 127.0.0.1 alone; at any other address of the machine it cannot be reached.",
    fits: ({ kind, headline }) =>
      kind === "refused" && !headline.includes(" 127.0.0.1:"),
  },
  "bind-everything": {
    sentence:
      "Your program listens on every address of this machine; whoever shares a network with it can connect.",
    fits: ({ kind, error }) =>
      kind === "admitted" ||
      error instanceof Deno.errors.NotCapable &&
        error.message.includes('"0.0.0.0'),
  },
  "zero-is-v6-too": {
    sentence:
      "Your program listens on 0.0.0.0, which is every address of IPv4; a client that comes over IPv6 is refused.",
    fits: ({ kind, headline }) =>
      kind === "refused" && headline.includes("::1"),
  },
  "localhost-is-127": {
    sentence:
      "Your program takes localhost for 127.0.0.1; it is a name, and often it means ::1, where another server may listen.",
    fits: (evidence) =>
      evidence.kind === "assert" && evidence.headline.includes("localhost") ||
      (evidence.error instanceof Deno.errors.ConnectionRefused ||
          evidence.error instanceof AggregateError) &&
        goesElsewhere(evidence),
  },
  "v4-mapped-acl": {
    sentence:
      "On a listener for both families an IPv4 client shows up as ::ffff: and its address; your program takes it for a stranger.",
    fits: ({ kind, headline }) =>
      kind === "assert" && /::ffff:.*(is 127|are the same)/i.test(headline),
  },
  "split-on-colon": {
    sentence:
      "Your program cuts at a colon, and IPv6 addresses are full of them; what it takes for the port is a part of the address.",
    fits: ({ kind, headline }) =>
      kind === "assert" && cutsInside(headline) ||
      // What refuses bare IPv6, or a zone, need not have cut anything.
      kind === "threw" && /\[[\da-f:]+\]:\d/i.test(headline),
  },
  "first-address-only": {
    sentence:
      "A name stands for several addresses, and your program tries the first alone; another one would have answered.",
    fits: (evidence) =>
      failure(evidence) && tries(evidence) <= 1 && !isBug(evidence) &&
      !hadNoTime(evidence), // Then the first was not the only one.
  },
  "all-addresses-at-once": {
    sentence:
      "Your program knocks at all addresses in one moment; the best has no lead, and each server but one is troubled for nothing.",
    fits: (evidence) => hadNoTime(evidence) && tries(evidence) > 1,
  },
  "gives-up-on-the-slow": {
    sentence:
      "Your program gave up on an address that was only slow; beside the next one it could have gone on.",
    fits: ({ kind, recording }) =>
      kind === "threw" &&
      (isConnecting(recording) ||
        recording.program("connect").some(({ error }) =>
          error instanceof DOMException
        )),
  },
  "stale-unix-socket": {
    sentence:
      "A server that crashes leaves its socket's file behind, and your program cannot listen until somebody removes it.",
    fits: ({ error, recording }) =>
      error instanceof Deno.errors.AddrInUse &&
      recording.program("remove").length === 0,
  },
  "any-error-means-dead": {
    sentence:
      "Your program took an error for the death of a server; it was no refusal, and only a refusal says that nobody listens.",
    fits: ({ recording }) => removesUnrefused(recording),
  },
  "connected-means-accepted": {
    sentence:
      "A client is connected, and may have sent, before your program accepts it; yours does not reckon with that.",
    fits: (evidence) =>
      ["end", "reset", "closed"].includes(evidence.kind) &&
        !heard(evidence) || acceptsTheQueue(evidence),
  },
  "node-sockets": {
    sentence:
      "Your program uses Node's sockets; the simulated network stands behind Deno.connect(), Deno.listen() and Deno.listenDatagram() alone.",
    fits: ({ network, error }) =>
      network === "simulated" && error instanceof Error &&
      /\(ext:deno_node\/(?:net|dgram|tls|http)/.test(error.stack ?? ""),
  },
  "missing-permission": {
    sentence:
      "Deno refused before the network was asked: NotCapable means a permission is missing.",
    fits: ({ kind, error, recording }) =>
      error instanceof Deno.errors.NotCapable ||
      kind === "assert" &&
        recording.program("connect").some((call) =>
          call.error instanceof Deno.errors.NotCapable
        ),
  },
};

/** Whether the host that was read ends at a colon, and too early. */
function cutsInside(headline: string): boolean {
  const [, text, host, read] =
    headline.match(/^"(.*)" is "(.*)" and .* read "(.*)"/) ?? [];
  if (text === undefined || read === host || read === `[${host}]`) return false;
  const bare = text.replace(/[[\]]/g, "");
  return [text, bare].some((whole) => whole.startsWith(`${read}:`));
}

/** Whether the program went to another address than ::1, or to a name. */
function goesElsewhere({ recording }: Evidence): boolean {
  return recording.program("connect").some(({ text }) => !text.includes("::1"));
}

/** Whether the program has failed at something that no network did to it. */
function isBug({ error }: Evidence): boolean {
  return [TypeError, ReferenceError, URIError].some((Class) =>
    error instanceof Class
  );
}

/** How many connections the program has begun. */
function tries({ recording }: Evidence): number {
  const waiting = recording.waiting.filter(isConnect);
  return recording.program("connect").length + waiting.length;
}

/** Whether the second address was tried in the same moment as the first. */
function hadNoTime({ kind, headline }: Evidence): boolean {
  return kind === "assert" && headline.startsWith("The first address had 0 of");
}

/** Whether a connection has been begun, and neither made nor refused. */
function isConnecting({ waiting }: Recording): boolean {
  return waiting.some(isConnect);
}

function isConnect({ side, kind }: Waiting): boolean {
  return side === "program" && kind === "connect";
}

/** Whether a file was removed right after a connect that was not refused. */
function removesUnrefused(recording: Recording): boolean {
  const calls = recording.program();
  const removed = calls.findIndex(({ kind }) => kind === "remove");
  const asked = calls.slice(0, Math.max(0, removed))
    .findLast(({ kind }) => kind === "connect");
  const { ConnectionRefused, NotFound } = Deno.errors;
  return asked?.error instanceof Error &&
    ![ConnectionRefused, NotFound].some((Class) =>
      asked.error instanceof Class
    );
}

/** Whether the program has read anything from the client that complains. */
function heard({ who, recording }: Evidence): boolean {
  return recording.program("read").some((read) =>
    read.who === who && (read.size ?? 0) > 0
  );
}
