import type { Evidence } from "../evidence.ts";
import type { Event, Recording } from "../recording.ts";
import { says } from "./headlines.ts";
import { type Catalogue, failure, leaves } from "./mistake.ts";
import { total } from "./traffic.ts";

/** Mistakes of programs that stand between two others. */
export const proxies: Catalogue = {
  "one-direction-first": {
    sentence:
      "Your program carries one direction to its end before it begins with the other; meanwhile nobody reads what comes back.",
    fits: ({ kind, who, recording }) =>
      kind === "silence" &&
      sends(recording).some((sent) =>
        sent.who !== who && !isRead(recording, sent.who)
      ),
  },
  "connect-in-accept-loop": {
    sentence:
      "Your program waits for a connect() inside the accept loop, and until that is over it lets nobody in.",
    fits: ({ kind, recording }) =>
      ["different", "silence"].includes(kind) && waitedToBeLetIn(recording),
  },
  "other-side-left-open": {
    sentence:
      "One side of your proxy is over, and the connection to the other side stays open: there are always two to close.",
    fits: (evidence) =>
      (leaves("connection")(evidence) || isKept(evidence)) &&
      otherIsOver(evidence),
  },
  "socks-one-read": {
    sentence:
      "A greeting, a request or a reply can come in pieces; your program has not put this one together.",
    fits: (evidence) =>
      failure(evidence) &&
      (!evidence.used || actsAmid(evidence.recording) || isLost(evidence)),
  },
  "socks-methods": {
    sentence:
      "A greeting says how many methods it has; your program has looked at fewer, or has read another number of bytes.",
    fits: (evidence) =>
      failure(evidence) && !hasChosen(evidence) &&
      sends(evidence.recording).some(({ bytes }) =>
        bytes?.[0] === 5 && bytes[1] !== 1
      ),
  },
  "socks-login-optional": {
    sentence:
      "Your program has a password to ask for, and lets in whoever offers to come without one.",
    fits: ({ kind, expected, received }) =>
      kind === "different" && expected?.[0] === 5 && expected[1] !== 0 &&
      received?.[0] === 5 && received[1] === 0,
  },
  "socks-serves-after-no": {
    sentence:
      "Your program has told this client no, and goes on with it: the answer of greet() decides whether the visit does.",
    fits: ({ kind, who, recording }) =>
      kind === "silence" && who !== undefined && wasToldNo(recording, who) &&
      recording.waiting.some((call) =>
        call.side === "program" && call.kind === "read" && call.who === who
      ),
  },
  "socks-local-dns": {
    sentence:
      "A request may hold a name: it travels as it is, and nobody but the proxy makes an address of it.",
    fits: (evidence) =>
      failure(evidence) &&
      (asksByName(evidence) || hasNotAsked(evidence) ||
        lastRequest(evidence.recording)?.[3] === 3),
  },
  "socks-early-data": {
    sentence:
      "One read brought more than the message it was for, and what was behind it is lost; it is for whoever comes next.",
    fits: (evidence) =>
      failure(evidence) &&
      (evidence.headline.endsWith("bytes behind the request") ||
        isSwallowed(evidence) || hasReadAhead(evidence.recording)),
  },
  "socks-reply-length": {
    sentence:
      "A reply is as long as the address in it; your program has read another number of bytes, and the rest is in the way.",
    fits: (evidence) =>
      failure(evidence) &&
      sends(evidence.recording).some(({ bytes }) => bytes && isLong(bytes)),
  },
  "socks-no-reply": {
    sentence:
      "Your program could not do what it was asked for, and hung up; SOCKS has a reply for that, and the client waits for it.",
    fits: ({ kind, who, expected, received, recording }) =>
      (kind === "end" || kind === "reset") && expected?.[0] === 5 &&
      received?.length === 0 &&
      recording.program("close").some((call) => call.who === who),
  },
  "open-proxy": {
    sentence:
      "Your program goes wherever a stranger says: it connected to an address that the rule had not allowed.",
    fits: (evidence) =>
      ["different", "silence", "end"].includes(evidence.kind) &&
        evidence.expected?.[0] === 5 && evidence.expected[1] === 2 &&
        evidence.recording.program("connect").length > 0 ||
      says(evidence, /forbidden, was connected to/),
  },
  "resolved-twice": {
    sentence:
      "Your program finds out twice what the name stands for, and may hear two answers; the rule has to judge the one that is connected to.",
    fits: (evidence) =>
      says(evidence, /resolve\(\) was asked again/) ||
      says(evidence, /reply for mallory/) &&
        evidence.recording.program("connect").some(({ text }) =>
          text.includes("mallory.test")
        ),
  },
};

/** What the cast has sent. */
function sends(recording: Recording): Event[] {
  return recording.events.filter(({ side, kind }) =>
    side === "cast" && kind === "send"
  );
}

/** Whether the program has read from `who`, or waits to. */
function isRead(recording: Recording, who: string): boolean {
  const calls = [...recording.program(), ...recording.waiting];
  return calls.some((call) => call.kind === "read" && call.who === who);
}

/** Whether a client was let in later than it came. */
function waitedToBeLetIn({ events }: Recording): boolean {
  return events.some((accept) =>
    accept.kind === "accept" && accept.side === "program" &&
    events.some(({ kind, side, who, at }) =>
      kind === "connect" && side === "cast" && at < accept.at &&
      accept.text === `accept() → ${who}`
    )
  );
}

/**
 * Whether somebody waits for the end of a connection that the program has not
 * closed, or the program itself waits on one.
 */
function isKept({ kind, who, expected, recording }: Evidence): boolean {
  const { waiting } = recording;
  const kept = who ?? waiting.find(({ kind }) => kind === "read")?.who;
  return kind === "silence" && expected === undefined && kept !== undefined &&
    isMet(recording, kept) &&
    recording.program("close").every((call) => call.who !== kept);
}

/** Whether the program has, or had, a connection with `who`. */
function isMet(recording: Recording, who: string): boolean {
  return recording.waiting.some((call) =>
    call.side === "program" && call.kind === "read" && call.who === who
  ) || recording.program().some((call) =>
    call.error === undefined &&
    (call.who === who || call.text === `accept() → ${who}`)
  );
}

/** Whether another peer was closed, or a call to it has failed. */
function otherIsOver({ who, recording }: Evidence): boolean {
  return recording.program().some((call) =>
    call.who !== "" && call.who !== who &&
    (call.kind === "close" || call.error !== undefined)
  );
}

/** What the cast sent in pieces: each, and the one that followed at once. */
function pieces(events: readonly Event[]): [Event, Event][] {
  const cast = events.filter(({ side }) => side === "cast");
  return cast.flatMap((event, i): [Event, Event][] => {
    const next = cast.slice(i + 1).find(({ who }) => who === event.who);
    return event.kind === "send" && next?.kind === "send"
      ? [[event, next]]
      : [];
  });
}

/** Whether the program drew a conclusion between two pieces of a message. */
function actsAmid({ events }: Recording): boolean {
  const kinds = ["write", "close", "closeWrite", "return", "throw"];
  return pieces(events).some(([one, next]) =>
    events.slice(events.indexOf(one), events.indexOf(next)).some((event) =>
      event.side === "program" && kinds.includes(event.kind) &&
      (event.who === "" || event.who === one.who)
    )
  );
}

/** Whether a message came in pieces, and the program has no answer to it. */
function isLost({ kind, received, recording }: Evidence): boolean {
  return kind === "silence" && !received?.length &&
    pieces(recording.events).length > 0;
}

/** Whether the program has chosen a method that fits, or is past that. */
function hasChosen({ kind, received }: Evidence): boolean {
  const [version, method] = received ?? [];
  return kind === "different" &&
    (version === 1 || version === 5 && (method === 0 || method === 2));
}

/** Whether the last that `who` heard is that no method fits, or no password. */
function wasToldNo(recording: Recording, who: string): boolean {
  const writes = recording.program("write").filter((call) => call.who === who);
  const [version, answer] = writes.at(-1)?.bytes ?? [];
  return version === 5 && answer === 0xff || version === 1 && answer !== 0;
}

/** The client was to send a name, and sends something else. */
function asksByName({ kind, expected, received }: Evidence): boolean {
  return kind === "different" && isRequest(expected) && expected[3] === 3 &&
    received?.[3] !== 3;
}

/** The client has failed, and had not asked its proxy yet. */
function hasNotAsked({ kind, recording }: Evidence): boolean {
  const wrote = recording.program("write").some(({ bytes }) =>
    isRequest(bytes)
  );
  const calls = recording.program();
  return (kind === "end" || kind === "silence" || kind === "threw") &&
    calls[0]?.kind === "connect" && !wrote;
}

/** The latest request that was sent, or read from a script. */
function lastRequest(recording: Recording): Uint8Array | undefined {
  const read = recording.program("read");
  return [...sends(recording), ...read].map(({ bytes }) => bytes)
    .findLast(isRequest);
}

function isRequest(bytes: Uint8Array | undefined): bytes is Uint8Array {
  return bytes !== undefined && bytes.length > 3 &&
    bytes[0] === 5 && bytes[1] === 1 && bytes[2] === 0;
}

/** What is missing has been read, and was not passed on. */
function isSwallowed({ expected, recording }: Evidence): boolean {
  if (expected === undefined) return false;
  const holds = ({ bytes }: Event) => bytes && includes(bytes, expected);
  return recording.program("read").some(holds) &&
    !recording.program("write").some(holds);
}

function includes(bytes: Uint8Array, part: Uint8Array): boolean {
  return bytes.some((_, at) => part.every((byte, i) => bytes[at + i] === byte));
}

/** The program waits for more from somebody who has sent it all, and at once. */
function hasReadAhead(recording: Recording): boolean {
  return recording.waiting.some(({ side, kind, who }) => {
    const sent = sends(recording).filter((event) => event.who === who);
    const read = recording.program("read").filter((call) => call.who === who);
    return side === "program" && kind === "read" && sent.length === 1 &&
      total(read) === total(sent);
  });
}

/** Whether these are a reply whose address is not IPv4. */
function isLong(bytes: Uint8Array): boolean {
  return bytes[0] === 5 && bytes[1] === 0 && bytes.length > 3 && bytes[3] !== 1;
}
