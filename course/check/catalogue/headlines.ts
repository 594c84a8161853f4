// What recognizers ask about the words of a failure.
import type { Evidence } from "../evidence.ts";

/** Whether an assertion of the check speaks of this. */
export function says({ kind, headline }: Evidence, what: RegExp): boolean {
  return kind === "assert" && what.test(headline);
}

/** Whether the call that the check names so does not return. */
export function hangs({ kind, headline }: Evidence, call: string): boolean {
  return kind === "silence" && headline.startsWith(`${call} does not`);
}
