import { firstDifference } from "../bytes.ts";
import type { Evidence } from "../evidence.ts";
import type { Event, Recording } from "../recording.ts";
import { isMixed } from "./chat.ts";
import { type Catalogue, failure, whenever } from "./mistake.ts";
import { compared } from "./tables.ts";
import {
  cutShort,
  gaveEnd,
  offered,
  partialWrites,
  total,
  wasNotRepeated,
} from "./traffic.ts";

/** Mistakes about writing. */
export const writing: Catalogue = {
  "ignore-write-count": {
    sentence:
      "A write took a part of the bytes and said how many; your program never sent the rest.",
    fits: (evidence) =>
      failure(evidence) && !startsAgain(evidence.recording) &&
      !isMixed(evidence) &&
      partialWrites(evidence.recording).some(({ write, next }) =>
        next === undefined
          ? !isWriting(evidence.recording, write.who)
          : !next.error && !sentRest(evidence.recording, write)
      ),
  },
  "writeall-from-start": {
    sentence:
      "After a write that took a part, your program sends from the beginning again; those bytes are on the wire twice.",
    fits: (evidence) => failure(evidence) && startsAgain(evidence.recording),
  },
  "write-count-not-added": {
    sentence:
      "Your program goes on behind the bytes of its last write alone; all the writes before it count as well.",
    fits: (evidence) => failure(evidence) && forgetsEarlier(evidence),
  },
  "write-error-swallowed": {
    sentence:
      "A write failed, and your program ended as if all was well; whoever called it takes the data for sent.",
    fits: ({ kind, headline, recording }) =>
      kind === "assert" && /^Expected function to reject/.test(headline) &&
      recording.program("write").some(({ error }) => error),
  },
  "closewrite-too-early": {
    sentence:
      "Your program ended its sending before it had sent anything; every write after that fails.",
    fits: ({ recording }) => endedFirst(recording),
  },
  "returns-before-written": {
    sentence:
      "Your function returned while its write was still going on; whoever called it takes the bytes for sent.",
    fits: ({ kind, recording }) =>
      kind === "different" &&
      recording.waiting.some(({ side, kind }) =>
        side === "program" && kind === "write"
      ),
  },
  "interleaved-writers": {
    sentence:
      "Two writes go out on one connection at once, and the pieces of one message stand between those of another.",
    fits: (evidence) => isMixed(evidence) && !startsAgain(evidence.recording),
  },
  "unawaited-write": {
    sentence:
      "Nobody waited for a write, so nobody caught its error: it would have ended the process, and every client with it.",
    fits: (evidence) => whenever("crash")(evidence) && ranAlone(evidence),
  },
  "mutual-write-deadlock": {
    sentence:
      "Your program writes and does not read, and so does its peer; the buffers are full, and each waits for the other.",
    fits: ({ kind, recording: { waiting } }) =>
      kind === "silence" &&
      waiting.some((write) =>
        write.side === "program" && write.kind === "write" &&
        !waiting.some(({ side, kind, who }) =>
          side === "program" && kind === "read" && who === write.who
        )
      ),
  },
  "exit-before-flush": {
    sentence:
      "Your program closed a connection, or ended, while a write still waited for room; what that write held never left.",
    fits: ({ kind, recording }) =>
      kind === "exit" ||
      recording.program("write").some(({ error }) =>
        error instanceof Deno.errors.Interrupted
      ),
  },
  "first-write-should-fail": {
    sentence:
      "The first write to a peer that has left succeeds; the error comes with a later one, where your program no longer expects it.",
    fits: ({ error, recording }) => {
      const writes = recording.program("write");
      const failed = writes.find((write) => write.error === error);
      return error instanceof Deno.errors.BrokenPipe &&
        writes.some(({ who, size = 0 }) => who === failed?.who && size > 0);
    },
  },
  "write-means-delivered": {
    sentence:
      "Your program takes what it has written for delivered; a write says that the kernel has the bytes, and nothing of the peer.",
    fits: (evidence) => {
      const { kind, headline, error, recording } = evidence;
      return error === undefined && wasNotRepeated(evidence) ||
        kind === "assert" && !/ took \d+ ms/.test(headline) &&
          compared(evidence).actual !== "reset" &&
          !recording.program("read").some(gaveEnd);
    },
  },
  "forgot-terminator": {
    sentence:
      "Your program has sent its message, and nothing that marks the end of it; the peer waits for more.",
    fits: (evidence) => {
      const { kind, headline, expected } = evidence;
      if (kind === "assert") return headline.includes("no empty line");
      // Somebody who expected bytes and got none is missing the message itself.
      return kind === "silence" && (expected === undefined ||
        cutShort(evidence) && evidence.received!.length > 0);
    },
  },
};

/** Whether a write begins where only the one before it was counted. */
function forgetsEarlier({ recording }: Evidence): boolean {
  const writes = recording.program("write");
  const whole = writes[0] === undefined ? 0 : offered(writes[0]);
  return writes.some((write, i) => {
    const before = writes.slice(0, i);
    return i > 1 && offered(write) !== whole - total(before) &&
      offered(write) === whole - total(before.slice(-1));
  });
}

/** Whether the program's first write came after it had ended its sending. */
function endedFirst(recording: Recording): boolean {
  const calls = recording.program();
  const ended = calls.findIndex(({ kind }) => kind === "closeWrite");
  const wrote = calls.findIndex(({ kind }) => kind === "write");
  return ended >= 0 && wrote > ended &&
    calls[wrote]!.error instanceof Deno.errors.BrokenPipe;
}

/**
 * Whether what a write left was offered later: not always with the very next
 * write, for a peer may have several connections.
 */
function sentRest(recording: Recording, write: Event): boolean {
  const writes = recording.program("write");
  const rest = offered(write) - write.size!;
  return writes.slice(writes.indexOf(write) + 1).some((other) =>
    other.who === write.who && offered(other) === rest
  );
}

/** Whether a write to `peer` still waits for room. */
function isWriting({ waiting }: Recording, peer: string): boolean {
  return waiting.some(({ side, kind, who }) =>
    side === "program" && kind === "write" && who === peer
  );
}

/** Whether a message is offered whole again, and never what was left of it. */
function startsAgain(recording: Recording): boolean {
  const writes = recording.program("write");
  const pending = recording.waiting.filter(({ side, kind }) =>
    side === "program" && kind === "write"
  );
  return partialWrites(recording).some(({ write, next }) => {
    const rest = offered(write) - write.size!;
    // Writes beside each other may share a buffer that was filled again.
    const alone = pending.filter(({ who }) => who === write.who).length < 2;
    return alone && write.size! > 0 && next?.bytes !== undefined &&
      offered(next) === offered(write) && repeats(write.bytes!, next.bytes) &&
      !writes.some((e) => e.who === write.who && offered(e) === rest);
  });
}

/** Whether two writes begin with the same bytes. */
function repeats(one: Uint8Array, other: Uint8Array): boolean {
  const length = Math.min(one.length, other.length);
  return firstDifference(one.subarray(0, length), other.subarray(0, length)) <
    0;
}

/**
 * Whether the write that failed ran beside another call on its connection: a
 * program that waits for its write makes no other call meanwhile, and has not
 * read the end before.
 */
function ranAlone({ error, recording }: Evidence): boolean {
  const failed = recording.program("write").find((e) => e.error === error);
  if (failed?.error === undefined) return false;
  const others = [
    ...recording.program().filter((e) => gaveEnd(e) || e.error),
    ...recording.waiting.filter(({ side }) => side === "program"),
  ];
  return others.some((call) =>
    call.who === failed.who && (call.kind === "read" ||
      call.kind === "write" && "error" in call && call.error !== error)
  );
}
