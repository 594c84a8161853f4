import type { Evidence } from "../evidence.ts";
import { Place } from "../place.ts";
import type { Recording } from "../recording.ts";
import {
  cameTwice,
  hearsThemselves,
  isNotInside,
  letGoOfReader,
  missesGoodbye,
  waitsForAnother,
  wasPassedOver,
} from "./chat.ts";
import { says } from "./headlines.ts";
import { type Catalogue, failure, loops, whenever } from "./mistake.ts";
import { stoppedAccepting } from "./serving.ts";
import { compared } from "./tables.ts";
import { cameFromOthers, isReading } from "./traffic.ts";

/** Mistakes about accepting. */
export const accepting: Catalogue = {
  "await-in-accept-loop": {
    sentence:
      "You wait for one client's whole conversation inside the accept loop, so nobody else is let in until it ends.",
    fits: (evidence) => evidence.kind === "silence" && waitsElsewhere(evidence),
  },
  "served-in-turn": {
    sentence:
      "Your program has let this client in, and does not talk to it before another one's conversation is over.",
    fits: ({ kind, who = "", recording }) =>
      kind === "silence" && isReading(recording) &&
      recording.program("accept").some(({ text }) =>
        text === `accept() → ${who}`
      ) &&
      [...recording.program(), ...recording.waiting].every((call) =>
        call.side !== "program" || call.who !== who
      ),
  },
  "one-writer-for-all": {
    sentence:
      "Your program has read what this client sent, and keeps the answer until another client takes its own.",
    fits: (evidence) =>
      waitsForAnother(evidence) &&
      evidence.recording.program("read").some(({ who, size = 0 }) =>
        who === evidence.who && size > 0
      ),
  },
  "handler-rejection-kills-server": {
    sentence:
      "An error in the conversation with one client ended the server for all the others.",
    fits: (evidence) =>
      whenever("crash")(evidence) &&
        (vanished(evidence) || brokeOff(evidence) || gotNowhere(evidence)) ||
      stoppedAccepting(evidence),
  },
  "accept-busy-loop": {
    sentence:
      "accept() fails, and your program calls it again at once, and again: a loop that takes the processor and gains nothing.",
    fits: (evidence) =>
      loops("accept")(evidence) ||
      says(evidence, /after 0 ms accept\(\) was called again/),
  },
  "accept-error-kills-server": {
    sentence:
      "accept() failed once, and your program has stopped accepting for ever; whoever waits, or comes next, is never let in.",
    fits: ({ kind, error, recording }) =>
      ["crash", "threw", "silence", "refused", "end", "reset"].includes(kind) &&
      (failsAlone(error) || failsAlone(lastAccept(recording)?.error)),
  },
  "gone-still-counted": {
    sentence:
      "A client was told that there is no room, although another had left: your program still counts whoever is gone.",
    fits: isTurnedAway,
  },
  "unlimited-clients": {
    sentence:
      "Your program takes in whoever comes; with enough clients it runs out of files, or of memory.",
    fits: isLetIn,
  },
  "host-over-limit": {
    sentence:
      "Your program has let in one client too many from this address; one host may not take the places of all others.",
    fits: isLetIn,
  },
  "refused-kept-open": {
    sentence:
      "Your program has refused these clients, and keeps their connections; each one costs a file, however many come.",
    fits: (evidence) =>
      says(evidence, /refused clients still have a connection/),
  },
  "fd-limit": {
    sentence:
      "Each connection is a file descriptor; the system has a limit for them, `ulimit -n`, and your program has not reckoned with it.",
    fits: (evidence) =>
      isLetIn(evidence) ||
      ["threw", "crash"].includes(evidence.kind) && outOfFiles(evidence.error),
  },
  "shared-buffer": {
    sentence:
      "Two connections use one buffer: what came for one lies where another looks for its own.",
    fits: (evidence) =>
      failure(evidence) && cameFromOthers(evidence) ||
      evidence.kind === "assert" && evidence.recording.sharing,
  },
  "global-session": {
    sentence:
      "What one client told your program is in another client's answer; they share what should be each one's own.",
    fits: ({ kind, recording }) =>
      ["different", "extra", "assert"].includes(kind) &&
      new Set(recording.program("accept").map(({ text }) => text)).size > 1,
  },
  "await-between-check-and-set": {
    sentence:
      "The name was free when your program looked, and taken when it went in: something else ran in between.",
    fits: (evidence) => failure(evidence) && cameTwice(evidence),
  },
  "announce-before-join": {
    sentence:
      "A client that has not said its name yet is treated as if it were in the room already.",
    fits: isNotInside,
  },
  "no-leave-on-error": {
    sentence:
      "Somebody is gone without a goodbye, and your program has not told those who are left.",
    fits: (evidence) => failure(evidence) && missesGoodbye(evidence),
  },
  "mutate-while-iterating": {
    sentence:
      "The list of members changes while your program walks along it, so the walk steps over somebody.",
    fits: (evidence) => failure(evidence) && wasPassedOver(evidence),
  },
  "echo-to-sender": {
    sentence:
      "What somebody says goes to everybody, and comes back to the one who said it.",
    fits: (evidence) => failure(evidence) && hearsThemselves(evidence),
  },
  "slow-client-blocks-broadcast": {
    sentence:
      "Your program waits until one client reads, and all the others wait with it.",
    fits: waitsForAnother,
  },
  "unbounded-outbox": {
    sentence:
      "Somebody takes too little, or nothing, and your program goes on all the same; what is too much for them fills its memory, or is lost.",
    fits: (evidence) =>
      evidence.kind === "silence" &&
        (missesGoodbye(evidence) || tookMuchAtLast(evidence)) ||
      evidence.kind === "assert" &&
        /\bin memory\b/.test(evidence.headline),
  },
  "sent-still-counts": {
    sentence:
      "Nothing waited for this client any more, and it was let go all the same: what has gone out waits no longer.",
    fits: letGoOfReader,
  },
  "sanitizers-on": {
    sentence:
      "A test that leaks its sockets passes: in Deno 2.9 the sanitizers are off unless they are asked for.",
    fits: failure,
  },
};

/** Whether the program listens to a client that it should have refused. */
function isLetIn(evidence: Evidence): boolean {
  const { kind, who, recording } = evidence;
  const calls = [...recording.program(), ...recording.waiting];
  if (says(evidence, /\bthe answer to cat\b/)) {
    return compared(evidence).actual === "200";
  }
  return ["silence", "end"].includes(kind) &&
    calls.some((call) => call.kind === "read" && call.who === who) &&
    !isHungUpOn(recording, who) && !refusesSomebody(recording);
}

/** Whether the program told anybody that there is no room. */
function refusesSomebody(recording: Recording): boolean {
  return recording.program("write").some(({ text }) => text.includes('"busy'));
}

/** Whether the program hung up on `who` as soon as it had accepted. */
function isHungUpOn(recording: Recording, who?: string): boolean {
  const calls = recording.program();
  const came = calls.find(({ text }) => text === `accept() → ${who}`);
  const left = calls.find((call) =>
    call.who === who && ["closeWrite", "close"].includes(call.kind)
  );
  return came !== undefined && left !== undefined && left.at - came.at < 5;
}

/** Whether somebody is told "busy" after somebody else, who was served, left. */
function isTurnedAway({ kind, who, received, recording }: Evidence): boolean {
  const said = new TextDecoder().decode(received);
  return kind === "different" && said.startsWith("busy") &&
    recording.events.some((event) =>
      event.side === "cast" && event.who !== who &&
      ["closeWrite", "close", "reset"].includes(event.kind)
    );
}

/** Whether somebody waits for an end, and got a megabyte and more instead. */
function tookMuchAtLast({ expected, received }: Evidence): boolean {
  return expected === undefined && (received?.length ?? 0) > 2 ** 20;
}

/** The latest accept() that has returned or failed. */
function lastAccept(recording: Recording) {
  return recording.program("accept").at(-1);
}

/** Whether a call failed because the process may open no more files. */
function outOfFiles(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EMFILE";
}

/** Whether accept() failed in a way that says nothing about the next one. */
function failsAlone(error: unknown): boolean {
  return outOfFiles(error) || error instanceof Deno.errors.NotConnected;
}

/** Whether the program reads from another client and has not let `who` in. */
function waitsElsewhere({ who = "", recording }: Evidence): boolean {
  const calls = recording.program();
  return calls.every((call) => call.text !== `accept() → ${who}`) &&
    recording.waiting.some(({ side, kind }) =>
      side === "program" && kind === "read"
    );
}

/** Whether the error is how a client that vanished, or was put out, looks. */
function vanished({ error, recording }: Evidence): boolean {
  const { BrokenPipe, ConnectionReset, Interrupted } = Deno.errors;
  return recording.program().some((event) => event.error === error) &&
    [BrokenPipe, ConnectionReset, Interrupted].some((Reason) =>
      error instanceof Reason
    );
}

/** Whether the program gave up on what a client sent, or its handler did. */
function brokeOff({ error }: Evidence): boolean {
  const { InvalidData, UnexpectedEof } = Deno.errors;
  return error instanceof InvalidData || error instanceof UnexpectedEof ||
    error instanceof Error &&
      (error.name === "FormatError" || Place.of(error).inTest);
}

/** Whether the program could not connect to where a client wanted to go. */
function gotNowhere({ error, recording }: Evidence): boolean {
  return recording.program("accept").length > 0 &&
    (error instanceof Error && error.name === "SocksError" ||
      error !== undefined &&
        recording.program("connect").some((call) => call.error === error));
}
