import type { Mistake } from "./course_files.ts";
import { type Network, runLesson } from "./lesson_run.ts";

/**
 * What is wrong with a wrong program: nothing, if the first check that fails
 * on it has the diagnosis which its first line names.
 */
export async function brokenMistake(
  number: string,
  mistake: Mistake,
  root: URL,
): Promise<string[]> {
  const { id, expect, network, run, program } = mistake;
  if (expect !== id) {
    return [`${id}.ts does not begin with "// expect: ${id}"`];
  }
  if (network !== undefined && !isNetwork(network)) {
    return [`${id}.ts names the network "${network}", and there is none`];
  }
  if (run !== undefined) return brokenProof(mistake, run);
  const { passed, failure, told } = await runLesson(number, {
    program,
    root,
    failFast: true,
    ...(network && { network }),
    // Without it, only the simulated network is there.
    permission: network === "loopback",
  });
  if (passed) return [`${id}.ts passes all checks:\n${told}`];
  const got = failure?.diagnosis?.id ?? "none";
  return got === id ? [] : [`${id}.ts gets the diagnosis ${got}:\n${told}`];
}

/**
 * The mistakes that a lesson's checks may reveal, and that no program of any
 * lesson makes: a diagnosis that nobody has ever seen is a guess. `excused` is
 * the text of mistakes/README.md, where ids in backticks have their reasons.
 */
export function unprovoked(
  checks: string,
  shown: ReadonlySet<string>,
  excused: string,
): string[] {
  const revealed = [...checks.matchAll(/reveals: \[([^\]]*)\]/g)]
    .flatMap(([, ids]) => [...ids!.matchAll(/"([^"]+)"/g)])
    .map(([, id]) => id!);
  return [...new Set(revealed)]
    .filter((id) => !shown.has(id) && !excused.includes(`\`${id}\``));
}

/** A mistake that a check cannot see has a test of its own, beside it. */
function brokenProof({ id, program }: Mistake, run: string): string[] {
  if (run !== `${id}_test.ts`) {
    return [`${id}.ts says "// run: ${run}"; say "// run: ${id}_test.ts"`];
  }
  const source = Deno.readTextFileSync(new URL(run, program));
  return /^Deno\.test\(/m.test(source) ? [] : [`${run} tests nothing`];
}

function isNetwork(name: string): name is Network {
  return name === "simulated" || name === "loopback";
}
