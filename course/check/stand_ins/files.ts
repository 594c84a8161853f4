import { Place } from "../place.ts";
import type { SimulatedFiles } from "../simulated/files.ts";
import type { World } from "./world.ts";

/** The calls of `Deno` that the simulated folder has: for sockets and texts. */
export const FILE_CALLS = [
  "lstat",
  "stat",
  "remove",
  "rename",
  "chmod",
  "readTextFile",
  "writeTextFile",
] as const;

type Call = (...args: unknown[]) => unknown;

/**
 * Stand-ins for those calls and their `…Sync` twins. Paths in the simulated
 * folder are looked up there; all others pass.
 */
export function fileFunctions(
  files: SimulatedFiles,
  world: World,
): Record<string, Call> {
  const functions: Record<string, Call> = {};
  for (const name of FILE_CALLS) {
    const simulated = (...args: unknown[]) => {
      if (name === "remove") noteRemoval(world, String(args[0]));
      const method = name === "stat" ? "lstat" : name;
      return (files[method] as Call).apply(files, args);
    };
    const original = Deno[name] as Call;
    const originalSync = Deno[`${name}Sync`] as Call;
    functions[name] = (...args) =>
      files.has(args[0])
        ? Promise.try(simulated, ...args)
        : original.apply(Deno, args);
    functions[`${name}Sync`] = (...args) =>
      files.has(args[0]) ? simulated(...args) : originalSync.apply(Deno, args);
  }
  return functions;
}

function noteRemoval(world: World, path: string) {
  world.recording.note({
    side: "program",
    who: "",
    kind: "remove",
    text: `remove() of ${path}`,
    place: Place.here(),
  });
}
