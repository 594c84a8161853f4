import type { Place } from "./place.ts";

/** A failed check, as Deno's reporter prints it: the explanation, and where. */
export class Failed extends Error {
  // Deno prints the name before the message; the message begins by itself.
  override name = "";

  /** The stack holds the lines of the test that lead to `place`, no others. */
  constructor(text: string, place: Place | undefined) {
    super(`${text}\n`);
    const frames = place?.frames ?? [];
    const stack = ["Failed", ...frames].join("\n");
    Object.defineProperty(this, "stack", { value: stack });
  }
}
