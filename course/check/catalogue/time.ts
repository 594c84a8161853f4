import {
  cameTwice,
  cameUnderAnotherId,
  changedId,
  lastHasId,
} from "./letters.ts";
import type { Evidence } from "../evidence.ts";
import type { Recording, Waiting } from "../recording.ts";
import { type Catalogue, leaves } from "./mistake.ts";
import { compared } from "./tables.ts";
import { requests } from "./traffic.ts";

/** Mistakes about time. */
export const time: Catalogue = {
  "no-deadline": {
    sentence:
      "The other side is silent, and your program waits for it without an end.",
    fits: ({ kind, headline, recording }) =>
      kind === "silence" && !recording.unheard ||
      kind === "unfinished" &&
        recording.waiting.some(({ kind }) => kind === "handshake") ||
      kind === "assert" && headline.includes("after its deadline"),
  },
  "connect-goes-on": {
    sentence:
      "Your program stopped waiting and the kernel did not: it knocked again and got in.",
    fits: (evidence) =>
      compared(evidence).actual === "the connect went on" ||
      leaves("connection")(evidence) && gotInLast(evidence),
  },
  "udp-retry-double-effect": {
    sentence:
      "The same request came twice; the second time it must get the first answer again, not a new one.",
    fits: ({ kind, recording }) => {
      const { last, repeated } = requests(recording);
      return kind === "different" &&
        (cameTwice(recording) ||
          repeated !== undefined && last?.text === repeated.text);
    },
  },
  "new-id-per-retry": {
    sentence:
      "Your program asks again under a new id; now nobody can tell a repeated question from a new one, or match a late answer.",
    fits: ({ recording }) => changedId(recording),
  },
  "stale-reply": {
    sentence:
      "This answer carries the id of another request, and your program took it for the answer to this one.",
    fits: (evidence) =>
      evidence.kind === "different" &&
      (cameUnderAnotherId(evidence) ||
        lastHasId(evidence.recording) === false),
  },
  "timer-leak": {
    sentence:
      "The work is done, and the timer that watched over it runs on; the process cannot end before it rings.",
    fits: leaves("timer"),
  },
  "polls-for-room": {
    sentence:
      "Your program asks again and again whether there is room; it is awake all the time, and nothing has changed. The end of a write can wake whoever waits.",
    fits: ({ kind, headline }) =>
      kind === "assert" && headline.includes("was woken by timers"),
  },
  "timeout-without-close": {
    sentence:
      "Your program gave up and kept the connection; what arrives late is taken for the answer to the next question.",
    fits: (evidence) => keepsAfterTimeout(evidence),
  },
  "race-steals-bytes": {
    sentence:
      "The read that your program gave up on was still waiting, and it took the bytes that came next.",
    fits: ({ kind, error, recording }) =>
      (["silence", "different"].includes(kind) || isTimeOut(error)) &&
      recording.program("read").some(({ size = 0 }) => size > 0),
  },
  "two-readers": {
    sentence:
      "Two reads wait on one connection; each byte goes to one of them, and neither gets the whole message.",
    fits: ({ recording }) => {
      const ended = recording.program("read").filter(({ error }) =>
        error instanceof Deno.errors.Interrupted
      );
      return waitingReads(recording).length + ended.length > 1;
    },
  },
  "per-read-only": {
    sentence:
      "Every byte starts your clock again; whoever sends one in time, now and then, holds the connection for ever.",
    fits: ({ kind, headline, error, recording }) =>
      kind === "assert" && waitedSince(headline, recording) ||
      error instanceof Deno.errors.UnexpectedEof,
  },
  "idle-vs-total": {
    sentence:
      "The other side was never idle for long, and your program gave up on it; its clock runs from something earlier.",
    fits: ({ kind, error, headline, recording }) =>
      /gave up .* after news/.test(headline) ||
      (isTimeOut(error) ||
          ["closed", "end"].includes(kind) &&
            recording.program("close").length > 0) &&
        recording.program("read").some(({ size = 0 }) => size > 0) ||
      gaveUpOnReader(recording),
  },
  "abort-after-connect": {
    sentence:
      "The signal aborted, and your program waits on; the signal of a connect ends the connecting, and no read or write after it.",
    fits: ({ kind, recording }) =>
      kind === "silence" && waitingReads(recording).length > 0 ||
      recording.program("throw").some(({ error }) => isTimeOut(error)),
  },
  "abort-listener-leak": {
    sentence:
      "Something that is over still listens to the signal; the signal outlives it, and keeps all that it holds.",
    fits: ({ kind, headline }) =>
      kind === "assert" && /\blisteners\b/.test(headline),
  },
  "late-timer-closes-next": {
    sentence:
      "A timer of something that had ended well rang later, and closed the connection under what came next.",
    fits: ({ kind, recording }) =>
      ["threw", "silence", "end", "closed"].includes(kind) &&
      closedLater(recording),
  },
  "retry-at-once": {
    sentence:
      "Your program tries again and again with hardly a pause; what has just failed has had no time to get well.",
    fits: ({ kind, recording }) => {
      const [first, ...more] = recording.program("connect");
      const last = more.at(-1);
      return kind === "assert" && more.length > 1 &&
        last!.at - first!.at < 100;
    },
  },
  "no-jitter": {
    sentence:
      "All clients that failed at one moment come back at one moment, and meet a server that is just getting up.",
    fits: ({ kind, recording }) => {
      const times = recording.program("connect").map(({ at }) => at);
      const later = new Set(times.filter((at) => at > times[0]!));
      return kind === "assert" && times.length > 2 && later.size === 1;
    },
  },
  "retry-everything": {
    sentence:
      "Your program tries again after an error that no waiting will change, such as a permission that is missing.",
    fits: ({ kind, recording }) =>
      kind === "assert" &&
      recording.program("connect").filter(({ error }) =>
          error instanceof Deno.errors.NotCapable
        ).length > 1,
  },
  "retry-non-idempotent": {
    sentence:
      "The first attempt may have worked, although its answer is lost; your program sent again what must be done once.",
    fits: ({ kind, headline, recording }) =>
      (kind === "assert" || kind === "threw") &&
      !headline.startsWith("Values are not equal") &&
      recording.program("connect").length > 1 &&
      recording.program("write").length > 1,
  },
};

/**
 * Whether a clock may have begun with the last byte. An assertion that names
 * its clock, as in "drainMs: 1000", says how long it had to run after that: not
 * less, and not so much more that it was another clock which rang.
 */
function waitedSince(headline: string, recording: Recording): boolean {
  const clock = headline.match(/took (\d+) ms.*Ms: (\d+)$/);
  if (clock === null) return !headline.startsWith("Values are not equal");
  const [took, ms] = [Number(clock[1]), Number(clock[2])];
  const lastByte = recording.events.findLast(({ side, kind }) =>
    side === "cast" && kind === "send"
  );
  const rang = recording.program("close").at(-1)?.at ?? took;
  const waited = Math.round(rang - (lastByte?.at ?? 0));
  return waited >= ms && waited < 2 * ms;
}

/** The program's reads that have not returned. */
function waitingReads({ waiting }: Recording): Waiting[] {
  return waiting.filter(({ side, kind }) =>
    side === "program" && kind === "read"
  );
}

function isTimeOut(error: unknown): boolean {
  return error instanceof Deno.errors.TimedOut;
}

/** Whether a program that only wrote threw TimedOut while somebody read on. */
function gaveUpOnReader(recording: Recording): boolean {
  const took = recording.events.some(({ side, kind }) =>
    side === "cast" && kind === "receive"
  );
  const threw = recording.program("throw").some(({ error }) =>
    isTimeOut(error)
  );
  return took && threw && recording.program("read").length === 0;
}

/** Whether a connection stayed open on which the program waited in vain. */
function keepsAfterTimeout({ kind, who, recording }: Evidence): boolean {
  const closed = recording.program("close").length > 0;
  return !closed && ["silence", "leak", "assert"].includes(kind) &&
    (kind !== "silence" || who !== undefined && !isMissed(recording)) &&
    waitingReads(recording).length > 0;
}

/** Whether somebody misses a connection that the program should make. */
function isMissed(recording: Recording): boolean {
  return recording.waiting.some(({ side, kind }) =>
    side === "cast" && kind === "accept"
  );
}

/** Whether the program got in somewhere after all that it had to say. */
function gotInLast({ recording }: Evidence): boolean {
  const calls = recording.program().map(({ kind }) => kind).join(" ");
  return /write(?!.*write).*connect/.test(calls);
}

/** Whether the program closed something when nobody had just done anything. */
function closedLater({ events }: Recording): boolean {
  let latest = -Infinity;
  return events.some(({ side, kind, at }) => {
    if (side === "cast") latest = at;
    return side === "program" && kind === "close" && at - latest >= 1;
  });
}
