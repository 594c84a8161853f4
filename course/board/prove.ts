import type { Context } from "hono";
import { Limit } from "./limits.ts";
import type { Refused } from "./refused.ts";
import { address, type Env } from "./requests.ts";

/** Wrong codes, keys and tokens, for each address. */
const TRIES = { burst: 20, perSecond: 1 / 3 };

/** Lets by whoever is right, and throws `no` at the others. */
export type Prove = (c: Context<Env>, proof: {
  readonly right: () => boolean;
  readonly no: Refused;
  readonly guessable?: boolean;
}) => void;

/**
 * Counts who is wrong, by the address at the other end. A code of four digits
 * can be guessed, so who has guessed too often is not let by even if it is
 * right; a word of 128 bits cannot, and nobody is kept out for a neighbour.
 */
export function prover(now: () => number): Prove {
  const tries = new Limit(TRIES, now);
  return (c, { right, no, guessable = false }) => {
    if (guessable) tries.check(address(c));
    if (right()) return;
    tries.take(address(c));
    throw no;
  };
}
