import { FOLDER } from "./simulated/files.ts";
import { FILE_CALLS } from "./stand_ins/files.ts";

const calls = FILE_CALLS.map((name) => `${name}()`);

/** What a program may have beside the network: a folder that is none. */
const IN_FOLDER = `and the simulated folder has Deno.${
  calls.slice(0, -1).join(", ")
} and ${calls.at(-1)} alone`;

/**
 * An error in one line: its name and the first line of its message. What the
 * sandbox denies is told as such.
 */
export function described(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const denied = error instanceof Deno.errors.NotCapable;
  if (denied && error.message.startsWith("Requires ")) {
    const [asked] = error.message.split(", run again");
    const why = asked!.includes(`"${FOLDER}/`)
      ? IN_FOLDER
      : "and a lesson may use loopback and nothing else";
    return `NotCapable: ${asked}, ${why}`;
  }
  const [line] = error.message.split("\n");
  return line ? `${error.name}: ${line}` : error.name;
}

/** The name of an error; what else was thrown, as text. */
export function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : String(error);
}
