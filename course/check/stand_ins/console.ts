import { Place } from "../place.ts";
import type { World } from "./world.ts";

/**
 * Functions that stand in for those of `console`: what the program prints
 * becomes a part of the recording, at its time and with its line.
 */
export function recordingConsole(world: World): Record<string, unknown> {
  const print = (...args: unknown[]) => {
    const words = args.map((arg) =>
      typeof arg === "string" ? arg : Deno.inspect(arg)
    );
    world.recording.note({
      side: "program",
      who: "",
      kind: "print",
      text: `prints ${JSON.stringify(words.join(" "))}`,
      place: Place.here(),
    });
  };
  const names = ["log", "info", "debug", "warn", "error"];
  return Object.fromEntries(names.map((name) => [name, print]));
}
