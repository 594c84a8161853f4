/**
 * Plays random conversations on the simulated network and on the kernel, and
 * shows where they differ. Each difference is a place where the simulation is
 * wrong, and becomes a promise in `promises/`.
 *
 * By hand: `deno run -q -P=house course/check/conversations/compare.ts 10000`,
 * and a first seed if it is not to be 1.
 *
 * @module
 */
import { Clock } from "../clock.ts";
import { LoopbackNetwork } from "../loopback.ts";
import { real, realSleep, turn } from "../real.ts";
import { SimulatedNetwork } from "../simulated/network.ts";
import { converse } from "./conversation.ts";

/** One conversation that went differently. */
export interface Difference {
  readonly seed: number;
  readonly kernel: string[];
  readonly simulated: string[];
}

/** How many conversations are under way on the kernel at a time. */
const AT_ONCE = 40;

/** How long each step may take to arrive, one try after the other. */
const PATIENCE_MS = [2, 15, 100, 1_000];

/** Plays `count` conversations, and returns those that differ. */
export async function differences(
  first: number,
  count: number,
): Promise<Difference[]> {
  const found: Difference[] = [];
  let next = first;
  const worker = async () => {
    while (next < first + count) {
      const difference = await compare(next++);
      if (difference) found.push(difference);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return found.sort((a, b) => a.seed - b.seed);
}

/** What is different about the conversation of `seed`, if anything is. */
export async function compare(seed: number): Promise<Difference | undefined> {
  const simulated = await converse(
    seed,
    new SimulatedNetwork(new Clock()),
    turns,
  );
  // How long the kernel takes nobody knows. A difference that goes away with
  // more time was none.
  for (const ms of PATIENCE_MS) {
    const kernel = await converse(
      seed,
      new LoopbackNetwork(),
      () => realSleep(ms),
    );
    if (String(kernel) === String(simulated)) return undefined;
    if (ms === PATIENCE_MS.at(-1)) return { seed, kernel, simulated };
  }
}

async function turns() {
  for (let i = 0; i < 3; i++) await turn();
}

/** The two columns of a difference, up to the first step that differs. */
export function shown({ seed, kernel, simulated }: Difference): string {
  const at = kernel.findIndex((line, i) => line !== simulated[i]);
  return [
    `seed ${seed}`,
    ...kernel.slice(0, at).map((line) => `    ${line}`),
    `  kernel     ${kernel[at]}`,
    `  simulated  ${simulated[at]}`,
  ].join("\n");
}

if (import.meta.main) {
  const [count, first] = [
    Number(Deno.args[0] ?? 1_000),
    Number(Deno.args[1] ?? 1),
  ];
  const found = await differences(first, count);
  for (const difference of found.slice(0, 20)) real.log(shown(difference));
  real.log(`${count - found.length} of ${count} conversations are the same`);
  Deno.exit(found.length === 0 ? 0 : 1);
}
