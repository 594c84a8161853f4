import type { Evidence } from "../evidence.ts";
import type { Recording } from "../recording.ts";
import { type Catalogue, whenever } from "./mistake.ts";
import { compared } from "./tables.ts";

/** Mistakes about promises that nobody waits for. */
export const awaiting: Catalogue = {
  "missing-await": {
    sentence:
      "A call that takes time gives a promise at once, and what comes later; without `await`, your program goes on with the promise.",
    fits: (evidence) => whenever("unawaited")(evidence) || overtaken(evidence),
  },
  "interrupts-itself": {
    sentence:
      "Your program closed the connection under a read that was waiting; the read ended with Interrupted, and nobody caught it.",
    fits: ({ kind, error, recording }) =>
      ["threw", "crash"].includes(kind) &&
      error instanceof Deno.errors.Interrupted &&
      calledAfterClose("read", error, recording),
  },
  "own-close-misread": {
    sentence:
      "Your own close() ended the read that waited, with Interrupted; your program takes that for something that the peer did.",
    fits: (evidence) =>
      compared(evidence).actual === "reset" &&
      evidence.recording.program("read").some(({ error }) =>
        error instanceof Deno.errors.Interrupted
      ),
  },
  "used-after-close": {
    sentence:
      "Your program has closed this connection, and still reads or writes there: one part of it does not know what another has done.",
    fits: ({ kind, error, recording }) =>
      ["threw", "crash"].includes(kind) &&
      error instanceof Deno.errors.BadResource &&
      ["read", "write"].some((call) =>
        calledAfterClose(call, error, recording)
      ),
  },
  "read-once-then-close": {
    sentence:
      "Your program read once and closed; that read gave bytes, and no end, so the peer was not done.",
    fits: ({ kind, recording }) => {
      if (!["closed", "reset", "assert"].includes(kind)) return false;
      const calls = recording.program();
      const ended = calls.findIndex(({ kind }) => kind === "closeWrite");
      const [read, next] = calls.slice(ended + 1)
        .filter(({ kind }) => ["read", "close"].includes(kind));
      return ended >= 0 && (read?.size ?? 0) > 0 && next?.kind === "close";
    },
  },
  "return-without-await": {
    sentence:
      "Your function closed the connection as it ended, while a read was still going: nothing in the function waited for it.",
    fits: ({ recording }) => closedUnderRead(recording),
  },
  "returns-before-clients": {
    sentence:
      "The listener closed, and your program returned with a client still inside; it does not wait for every conversation.",
    fits: ({ kind, headline, recording }) =>
      kind === "assert" && /\(\) returned while/.test(headline) &&
      recording.program("close").some(({ who }) => who === ""),
  },
};

/** Whether the program closed a connection on which a read of it waited. */
function closedUnderRead(recording: Recording): boolean {
  const calls = recording.program();
  return calls.some(({ kind, who }, i) =>
    kind === "close" &&
    calls.slice(i + 1).some((call) =>
      call.kind === "read" && call.who === who &&
      call.error instanceof Deno.errors.Interrupted
    )
  );
}

/** Whether a call that failed with `error` ended on what the program closed. */
function calledAfterClose(
  kind: string,
  error: unknown,
  recording: Recording,
): boolean {
  const calls = recording.program();
  const at = calls.findIndex((call) =>
    call.kind === kind && call.error === error
  );
  return calls.slice(0, Math.max(0, at)).some((call) =>
    call.kind === "close" && call.who === calls[at]!.who
  );
}

/** Nobody waited for a write: the end of the sending came before it. */
function overtaken({ kind, error, recording }: Evidence): boolean {
  const calls = recording.program();
  const failed = calls.findIndex((call) =>
    call.kind === "write" && call.error === error
  );
  return kind === "crash" && error instanceof Deno.errors.BrokenPipe &&
    calls.slice(0, Math.max(0, failed)).some((call) =>
      call.kind === "closeWrite" && call.who === calls[failed]!.who
    );
}
