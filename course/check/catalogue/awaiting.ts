import type { Recording } from "../recording.ts";
import type { Catalogue } from "./mistake.ts";

/** Mistakes about promises that nobody waits for. */
export const awaiting: Catalogue = {
  "return-without-await": {
    sentence:
      "Your function closed the connection as it ended, while a read was still going: nothing in the function waited for it.",
    fits: ({ recording }) => closedUnderRead(recording),
  },
  "returns-before-clients": {
    sentence:
      "The listener closed, and your program returned with a client still inside; it does not wait for every conversation.",
    fits: ({ kind, recording }) =>
      kind === "assert" &&
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
