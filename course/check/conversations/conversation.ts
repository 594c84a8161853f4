import { Random } from "../stand_ins/random.ts";
import { listening } from "./listening.ts";
import { datagrams } from "./datagrams.ts";
import { tcp, withResets } from "./tcp.ts";
import type { Network } from "../network.ts";
import { Log } from "./log.ts";

/** What a conversation needs beside a network and chance. */
export interface Room {
  readonly network: Network;
  readonly random: Random;
  readonly log: Log;
}

const KINDS = { tcp, withResets, datagrams, listening };

/**
 * Plays the conversation that `seed` stands for, and returns what its calls
 * came to, a line for each. The same seed makes the same calls on any network;
 * `arrived()` waits until what is under way has arrived there.
 */
export async function converse(
  seed: number,
  network: Network,
  arrived: () => Promise<void>,
): Promise<string[]> {
  const random = new Random(seed);
  const names = Object.keys(KINDS) as (keyof typeof KINDS)[];
  const kind = names[random.below(names.length)]!;
  const log = new Log(arrived);
  log.lines.push(kind);
  await KINDS[kind]({ network, random, log });
  return log.lines;
}
