import type { Evidence } from "../evidence.ts";
import type { Recording } from "../recording.ts";
import { type Catalogue, leaves } from "./mistake.ts";
import { compared } from "./tables.ts";
import { isReading } from "./traffic.ts";

/** Mistakes about many connections at once, and about counting what they met. */
export const crowds: Catalogue = {
  "percentile-off-by-one": {
    sentence:
      "The value next to it, or none at all: look at how the rank is rounded, and at where counting begins.",
    fits: (evidence) => {
      const { actual, expected } = compared(evidence);
      const [got = NaN, due = NaN] = [actual, expected].map(Number);
      const of = percentileOf(evidence);
      return of !== "none" && (actual.includes("undefined") ||
        of !== undefined && Math.abs(got - due) === step(evidence));
    },
  },
  "percentile-between": {
    sentence:
      "This value lies between two that were measured: nobody has waited so long.",
    fits: (evidence) => {
      const got = Number(compared(evidence).actual);
      return percentileOf(evidence) !== undefined &&
        Number.isFinite(got) && got % step(evidence) !== 0;
    },
  },
  "sorted-as-text": {
    sentence:
      "The times were not in order of size when they were counted; sort() alone compares numbers as if they were words.",
    fits: (evidence) => {
      const { p50, p99, max } = times(evidence).got;
      return p50 > p99 || p99 > max;
    },
  },
  "coordinated-omission": {
    sentence:
      "A message was due and its clock stood still: what holds your program up before it sends is in no number.",
    fits: (evidence) => {
      const { got, due } = times(evidence);
      return got.p50 <= got.p99 && got.p99 <= got.max &&
        (got.p50 < due.p50 || got.max < due.max);
    },
  },
  "messages-too-soon": {
    sentence:
      "A message left before it was due; whoever sends as soon as the last answer is there puts another load on the server.",
    fits: ({ kind, headline }) => {
      const [, came, due] =
        headline.match(/^message \d+ came after (\d+) ms, .* (\d+) ms$/) ?? [];
      return kind === "assert" && Number(came) < Number(due);
    },
  },
  "sleep-sync": {
    sentence:
      "Your program waited for a time, and not for the answer; what comes after that is lost.",
    fits: ({ kind, recording }) =>
      ["closed", "assert", "end"].includes(kind) &&
      recording.program("read").some(({ error }) =>
        error instanceof Deno.errors.Interrupted ||
        error instanceof Deno.errors.BadResource
      ),
  },
  "one-after-another": {
    sentence:
      "The next connection is made when the last one is done, so your crowd is never more than one.",
    fits: ({ kind, headline, recording }) =>
      kind === "silence" && headline.includes("expected a connection") &&
      isReading(recording),
  },
  "never-at-once": {
    sentence:
      "A connection leaves before the last one has come; so many are never there at once.",
    fits: ({ kind, recording }) =>
      ["end", "reset", "closed"].includes(kind) &&
      recording.program("close").length > 0,
  },
  "ramp-ignored": {
    sentence:
      "The crowd comes faster than it was told to, and the server meets a rush that nobody wanted to measure.",
    fits: (evidence) => arrival(evidence).came < arrival(evidence).planned,
  },
  "ramp-drifts": {
    sentence:
      "Each pause begins when the last one has ended, and is a little too long; in a crowd, that adds up.",
    fits: (evidence) => arrival(evidence).came > arrival(evidence).planned,
  },
  "unchecked-echo": {
    sentence:
      "Other bytes came back than were sent, and your program counted them as an answer.",
    fits: (evidence) => {
      const { actual, expected } = compared(evidence);
      const got = Number(actual.match(/answered: (\d+)/)?.[1]);
      const due = Number(expected.match(/answered: (\d+)/)?.[1]);
      return got > due && expected.includes("InvalidData") &&
        !evidence.recording.sharing; // Then it may have compared others.
    },
  },
  "lost-errors": {
    sentence:
      "Connections have failed, and the report says less than that; a test that hides them finds every server fast.",
    fits: (evidence) => {
      const { actual, expected } = compared(evidence);
      return failures(actual) < failures(expected);
    },
  },
  "one-error-ends-all": {
    sentence:
      "One connection has failed, and what all the others have met is lost with it.",
    fits: ({ kind, recording }) =>
      ["threw", "crash", "closed"].includes(kind) &&
      recording.program().some(({ error }) => error !== undefined),
  },
  "ephemeral-ports": {
    sentence:
      "All connections go to one destination, and for that the kernel has some 28,000 local ports, then none.",
    fits: ({ kind, recording }) => {
      const to = recording.program("connect").map(({ text }) => text);
      return kind === "silence" && to.length > 1 && new Set(to).size === 1;
    },
  },
  "ends-with-open-sockets": {
    sentence:
      "Your program says that it has stopped, and has left connections open; the server goes on serving them.",
    fits: (evidence) =>
      leaves("connection")(evidence) ||
      evidence.kind === "silence" &&
        evidence.recording.program().some(({ kind, text }) =>
          ["return", "throw"].includes(kind) && text.startsWith("loadTest()")
        ),
  },
  "abort-goes-on": {
    sentence:
      "The signal has aborted, and your program goes on with what it had planned or begun; not all of it has been told.",
    fits: ({ kind, headline }) =>
      kind === "assert" &&
      /^(after the abort|aborted before it began,) it went on/.test(headline),
  },
  "short-queue": {
    sentence:
      "More came at once than the queue of the listener holds; the kernel drops them, and they try again a second later.",
    fits: ({ kind, headline }) =>
      kind === "assert" && /had to wait for \d+ ms outside$/.test(headline),
  },
  "big-buffer-per-conn": {
    sentence:
      "Each client that says nothing holds a large buffer ready; ten thousand of them hold hundreds of megabytes.",
    fits: ({ kind, headline }) =>
      kind === "assert" && headline.endsWith("bytes of buffers"),
  },
  "pause-lets-nobody-in": {
    sentence:
      "Your program paused and let nobody in: it went on before anybody asked the kernel whether a socket has something.",
    fits: ({ kind, headline, recording }) =>
      kind === "assert" && /job, done in (?!1 )\d+ pieces/.test(headline) &&
      !isHeard(recording),
  },
  "cpu-blocks-loop": {
    sentence:
      "One request held the only thread for a long time, and everybody else had to wait.",
    fits: ({ kind, headline }) =>
      kind === "assert" &&
      /job, done in 1 piece|^bob has waited/.test(headline),
  },
  "lock-kept": {
    sentence:
      "Since one client's job has failed, the others get no answer: what the end of a job sets free, this end has not.",
    fits: (evidence) =>
      evidence.kind === "silence" && isLeftUnanswered(evidence),
  },
  "pauses-outlast-work": {
    sentence:
      "Your program spends more time on its pauses than on the work between them; each takes a millisecond at the least.",
    fits: ({ kind, headline }) =>
      kind === "assert" &&
      /^ann's job .+ in (?!1 )\d+ pieces, has taken/.test(headline),
  },
};

/** Of what a percentile is wrong: "1 to 100", "four", "none" … */
function percentileOf({ headline }: Evidence): string | undefined {
  return headline.match(/: p\d+ of (.+)/)?.[1];
}

/** How far apart the values of that are. */
function step(evidence: Evidence): number {
  return percentileOf(evidence) === "four" ? 10 : 1;
}

/** The times that a report gives, and those that it should give. */
function times({ kind, headline }: Evidence) {
  const [, got = "", due = ""] = headline.match(
    /^p50, p99 and max (?:of .+ )?are (.+) ms, and should be (.+) ms$/,
  ) ?? [];
  const read = (text: string) => {
    const [p50 = NaN, p99 = NaN, max = NaN] = kind === "assert"
      ? text.split(", ").map(Number)
      : [];
    return { p50, p99, max };
  };
  return { got: read(got), due: read(due) };
}

/** Whether bob's last words were read before ann had her answer. */
function isHeard(recording: Recording): boolean {
  const calls = recording.program();
  const heard = calls.findLastIndex(({ kind, who, size = 0 }) =>
    kind === "read" && who === "bob" && size > 0
  );
  const answer = calls.findIndex(({ kind, who }) =>
    kind === "write" && who === "ann"
  );
  return heard >= 0 && (answer < 0 || heard < answer);
}

/** Whether `who` was heard, and the program is not waiting for more of it. */
function isLeftUnanswered({ who, recording }: Evidence): boolean {
  const heard = recording.program("read").some((read) => read.who === who);
  return heard &&
    recording.waiting.every((call) =>
      call.side !== "program" || call.who !== who
    );
}

/** When a client came, and when it was to come. */
function arrival({ kind, headline }: Evidence) {
  const [, came = NaN, planned = NaN] = headline.match(
    /came after (\d+) ms, and was to come after (\d+) ms$/,
  )?.map(Number) ?? [];
  return kind === "assert" ? { came, planned } : { came: NaN, planned: NaN };
}

/** How many failures the lines of a report count, whatever it calls them. */
function failures(lines: string): number {
  const counts = lines.matchAll(
    /^(?!connected|answered|p\d|max).*: (\d+),?$/gm,
  );
  return counts.reduce((sum, [, n]) => sum + Number(n), 0);
}
