import type { Evidence } from "../evidence.ts";
import { type Catalogue, failure, leaves } from "./mistake.ts";
import { gaveEnd, neverClosed } from "./traffic.ts";

/** Mistakes about closing. */
export const closing: Catalogue = {
  "leaked-conn": {
    sentence:
      "The client has ended, and your side of its connection stays open: one more socket in CLOSE_WAIT for each client.",
    fits: (evidence) =>
      leaves("connection")(evidence) ||
      evidence.kind === "silence" && neverHungUp(evidence),
  },
  "leak-on-error-path": {
    sentence:
      "You close a connection when all goes well; on this one something failed, and it stays open.",
    fits: (evidence) =>
      leaves("connection")(evidence) && openAfterError(evidence),
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
      evidence.recording.program("read").some(({ error }) =>
        error instanceof Deno.errors.ConnectionReset
      ),
  },
};

/** Whether the program has read the end of `who`, and not closed. */
function neverHungUp({ who = "", recording }: Evidence): boolean {
  return neverClosed(recording).includes(who) &&
    recording.program("read").some((e) => e.who === who && gaveEnd(e));
}

/** Whether a connection on which a call failed has not been closed. */
function openAfterError({ recording }: Evidence): boolean {
  const open = neverClosed(recording);
  return recording.program().some(({ error, who }) =>
    error !== undefined && open.includes(who)
  );
}

/** Whether a call failed because the program had closed the connection. */
function usedAfterClosing({ recording }: Evidence): boolean {
  const { BadResource, Interrupted } = Deno.errors;
  const calls = recording.program();
  return calls.some(({ kind, who }, i) =>
    kind === "close" && calls.slice(i + 1).some((call) =>
      call.who === who &&
      (call.error instanceof BadResource || call.error instanceof Interrupted)
    )
  );
}
