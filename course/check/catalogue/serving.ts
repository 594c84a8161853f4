import type { Evidence } from "../evidence.ts";
import type { Recording } from "../recording.ts";
import { type Catalogue, failure } from "./mistake.ts";
import { closedListener } from "./traffic.ts";

/** Mistakes about the loop of a server, and about its end. */
export const serving: Catalogue = {
  "accepts-once": {
    sentence:
      "Your program called accept() once; it gives one client, and the next one waits in the queue.",
    fits: (evidence) =>
      failure(evidence) && !takes(evidence.recording) &&
      evidence.recording.program("accept").length === 1,
  },
  "answers-at-the-end": {
    sentence:
      "Your program has read what came, and reads on before it answers; this client waits for its answer first.",
    fits: ({ kind, who, recording }) =>
      kind === "silence" &&
      recording.program("read").some((e) => e.who === who) &&
      recording.program("write").every((e) => e.who !== who) &&
      recording.waiting.some(({ side, kind, ...call }) =>
        side === "program" && kind === "read" && call.who === who
      ),
  },
  "close-is-not-an-error": {
    sentence:
      "The listener closed while accept() waited for a client: the ordinary end of a server, and yours takes it for a failure.",
    fits: ({ kind, error, recording }) =>
      ["threw", "crash"].includes(kind) && wasClosed(error) &&
      recording.program("accept").some((call) => call.error === error),
  },
  "shutdown-leaves-listener": {
    sentence:
      "shutdown() was called, and the listener is still open: clients come in, and the loop that takes them does not end.",
    fits: ({ kind, headline, left = [], recording }) =>
      !closedListener(recording) &&
      (kind === "admitted" || left.includes("listener") ||
        kind === "silence" && headline.startsWith("shutdown()")),
  },
  "shutdown-not-awaited": {
    sentence:
      "shutdown() had resolved before the accept loop had ended; until then the port may still be taken.",
    fits: ({ error, recording }) =>
      error instanceof Deno.errors.AddrInUse && closedListener(recording),
  },
  "shutdown-before-clients": {
    sentence:
      "shutdown() resolved while a client was still being served; whoever waited for it takes the server for gone.",
    fits: ({ kind, headline }) =>
      kind === "assert" && headline.startsWith("shutdown() resolved"),
  },
};

/** Whether the program waits for a client now. */
function takes({ waiting }: Recording): boolean {
  return waiting.some(({ side, kind }) =>
    side === "program" && kind === "accept"
  );
}

/** Whether a call failed because its socket was closed. */
function wasClosed(error: unknown): boolean {
  const { BadResource, Interrupted } = Deno.errors;
  return error instanceof BadResource || error instanceof Interrupted;
}

/**
 * Whether a client that vanished ended the accept loop, quietly or not: the one
 * that complains is another, and nobody has accepted it.
 */
export function stoppedAccepting(evidence: Evidence): boolean {
  const { kind, who = "", recording } = evidence;
  const { BrokenPipe, ConnectionReset } = Deno.errors;
  const calls = recording.program();
  return ["silence", "refused", "closed", "reset"].includes(kind) &&
    who !== "" && failure(evidence) && !takes(recording) &&
    calls.every(({ text }) => text !== `accept() → ${who}`) &&
    calls.some((call) =>
      (call.kind === "read" || call.kind === "write") &&
      (call.error instanceof ConnectionReset ||
        call.error instanceof BrokenPipe)
    );
}
