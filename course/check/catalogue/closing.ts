import type { Evidence } from "../evidence.ts";
import type { Recording } from "../recording.ts";
import { type Catalogue, failure, leaves } from "./mistake.ts";
import { compared } from "./tables.ts";
import {
  closedByStream,
  closedListener,
  gaveEnd,
  neverClosed,
} from "./traffic.ts";

/** Mistakes about closing. */
export const closing: Catalogue = {
  "leaked-conn": {
    sentence:
      "The other side has ended, or will, and yours stays open: one more socket for each connection, until there are too many.",
    fits: (evidence) =>
      leaves("connection")(evidence) ||
      evidence.kind === "silence" && neverHungUp(evidence),
  },
  "leak-on-error-path": {
    sentence:
      "You close a connection when all goes well; on this one something failed, and it stays open.",
    fits: (evidence) =>
      (leaves("connection")(evidence) ||
        evidence.headline.endsWith("your program keeps it open")) &&
      openAfterError(evidence),
  },
  "try-begins-too-late": {
    sentence:
      "Your program closes the connection however the reading ends; here a write failed before that, and it stays open.",
    fits: (evidence) =>
      leaves("connection")(evidence) &&
      evidence.recording.program("write").some(({ error }) => error),
  },
  "close-instead-of-closewrite": {
    sentence:
      "Your program closed both directions of the connection when only one was over, and then still needed the other.",
    fits: (evidence) => usedAfterClosing(evidence),
  },
  "reset-is-clean-eof": {
    sentence:
      "Your program took a reset for an orderly end; what came before it is only a part.",
    fits: (evidence) =>
      failure(evidence) &&
      (evidence.kind !== "silence" || isNotAskedAgain(evidence)) &&
      !gaveUpInstead(evidence) && !saidOtherwise(evidence) &&
      !toldOfReset(evidence.recording) &&
      !(evidence.error instanceof Deno.errors.ConnectionReset) &&
      evidence.recording.program("read").some(({ error, who }) =>
        error instanceof Deno.errors.ConnectionReset &&
        // What another client hears has other reasons.
        (evidence.kind !== "different" || who === (evidence.who ?? who))
      ),
  },
  "end-after-error": {
    sentence:
      "One side had failed, and your program ended the other all the same; whoever reads there takes a part for the whole.",
    fits: ({ kind, recording }) => kind === "end" && toldOfReset(recording),
  },
  "reply-after-readable": {
    sentence:
      "At its end the stream `readable` closed the whole connection, and what was still to go out on it has no way left.",
    fits: (evidence) =>
      failsByClosing(evidence) &&
      closedByStream(evidence.recording, "readable"),
  },
  "writer-close-kills-read": {
    sentence:
      "Closing the stream `writable` closed the whole connection; what the peer still has to say cannot be read.",
    fits: (evidence) =>
      failsByClosing(evidence) &&
      closedByStream(evidence.recording, "writable"),
  },
  "close-with-unread": {
    sentence:
      "Your program closed while input lay unread: the kernel answered with RST, and output that was on its way is lost.",
    fits: ({ kind, who = "", recording }) =>
      kind === "reset" && !neverClosed(recording).includes(who),
  },
  "expects-reset-on-close": {
    sentence:
      "A peer that closes shows as null, again and again; your program reads on and waits for a ConnectionReset.",
    fits: ({ recording }) => {
      const last = recording.program("read").at(-1);
      return recording.loop !== undefined && last !== undefined &&
        gaveEnd(last);
    },
  },
  "double-close": {
    sentence:
      "Your program closes what is closed already; two places think that they own it.",
    fits: ({ error, recording }) =>
      error instanceof Deno.errors.BadResource &&
      recording.program("close").length > 0 &&
      recording.program().every((call) =>
        call.error !== error || ["throw", "crash", "close"].includes(call.kind)
      ),
  },
  "no-drain-on-shutdown": {
    sentence:
      "Your program was told to end, and hung up in the middle of an answer; whoever asked has nothing, or a part.",
    fits: ({ kind, headline, recording }) =>
      closedListener(recording) &&
      (["end", "reset", "closed"].includes(kind) ||
        kind === "assert" && hungUp(recording) &&
          !/^it took|was not told/.test(headline)),
  },
  "shutdown-waits-forever": {
    sentence:
      "Your program was told to end, and it waits for someone who may never do anything again.",
    fits: ({ kind, headline, recording }) =>
      closedListener(recording) &&
      (["silence", "unfinished"].includes(kind) && !returned(recording) ||
        kind === "assert" && headline.startsWith("it took")),
  },
  "halfclose-not-forwarded": {
    sentence:
      "One side has ended, and your program has not told the other, which waits for more.",
    fits: ({ kind, who = "", recording }) =>
      kind === "silence" && neverEnded(recording, who) &&
      recording.program("read").some((e) => e.who !== who && gaveEnd(e)),
  },
  "who-closes-first": {
    sentence:
      "Your program waits for the peer's end before it ends its own sending, and the peer waits for the same of you.",
    fits: (evidence) => failure(evidence) && waitedFirst(evidence.recording),
  },
};

/** Whether a failure, or a crash, may come of a close. */
function failsByClosing(evidence: Evidence): boolean {
  return failure(evidence) ||
    evidence.error instanceof Deno.errors.BadResource;
}

/** Whether the program has told its caller of the reset. */
function toldOfReset(recording: Recording): boolean {
  return recording.program("throw").some(({ error }) =>
    error instanceof Deno.errors.ConnectionReset
  );
}

/** Whether the program has closed a connection. */
function hungUp(recording: Recording): boolean {
  return recording.program("close").some(({ who }) => who !== "");
}

/** Whether the program's function has returned: it waits for nobody. */
function returned(recording: Recording): boolean {
  return recording.program("return").length > 0;
}

/** Whether the program has not ended its sending to `who`, in either way. */
function neverEnded(recording: Recording, who: string): boolean {
  return recording.program().every((call) =>
    call.who !== who || call.kind !== "closeWrite" && call.kind !== "close"
  );
}

/** Whether the program waited for an end while it kept back its own. */
function waitedFirst(recording: Recording): boolean {
  const calls = recording.program();
  const own = calls.findIndex(({ kind }) => kind === "closeWrite");
  const waited = (call: { kind: string; error?: unknown }) =>
    call.kind === "read" && call.error instanceof Deno.errors.Interrupted;
  const before = own < 0 ? calls : calls.slice(0, own);
  return before.some((call) => waited(call) || gaveEnd(call)) ||
    own < 0 &&
      recording.waiting.some(({ side, kind }) =>
        side === "program" && kind === "read"
      );
}

/** Whether the program has read the end of `who`, and not closed. */
function neverHungUp({ who = "", recording }: Evidence): boolean {
  return neverClosed(recording).includes(who) &&
    recording.program("read").some((e) => e.who === who && gaveEnd(e));
}

/** Whether a connection has not been closed after a call on it, or all, failed. */
function openAfterError({ recording }: Evidence): boolean {
  const open = neverClosed(recording);
  return recording.program().some(({ kind, error, who }) =>
    error !== undefined && (open.includes(who) || kind === "throw")
  );
}

/** Whether a call failed because the program had closed the connection. */
function usedAfterClosing({ recording }: Evidence): boolean {
  const { BadResource, Interrupted } = Deno.errors;
  const calls = recording.program();
  return calls.some(({ kind, who }, i) =>
    kind === "close" &&
    calls.slice(i + 1).some((call) =>
      call.who === who && call.kind !== "close" &&
      (call.error instanceof BadResource || call.error instanceof Interrupted)
    )
  );
}

/** Whether the program took a reset for something that is no end, either. */
function gaveUpInstead(evidence: Evidence): boolean {
  return compared(evidence).actual === "gave-up";
}

/** The program has thrown, and something else than the reset. */
function saidOtherwise({ headline }: Evidence): boolean {
  return /^Expected error to be instance of/.test(headline);
}

/** Somebody waits for the program to come back with its request. */
function isNotAskedAgain({ recording }: Evidence): boolean {
  return recording.waiting.some(({ side, kind }) =>
    side === "cast" && kind === "accept"
  );
}
