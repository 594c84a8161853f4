import { Refused } from "./refused.ts";

/** How much of something one may have. */
export interface Rate {
  /** So much at once, after a pause. */
  readonly burst: number;
  /** So much in each second, for ever. */
  readonly perSecond: number;
}

/** More than this many are not kept apart; that many are no workshop. */
const MOST_KNOWN = 10_000;

/**
 * Keeps each one who asks to a rate, by the token bucket: a bucket holds
 * `burst` tokens and fills at `perSecond`; who asks takes one, or is refused.
 */
export class Limit {
  readonly #rate: Rate;
  readonly #now: () => number;
  readonly #buckets = new Map<string, { tokens: number; at: number }>();

  /** `now` is the time in milliseconds, for tests. */
  constructor(rate: Rate, now: () => number = Date.now) {
    this.#rate = rate;
    this.#now = now;
  }

  /** @throws {Refused} with 429, if `who` has had enough for now. */
  take(who: string): void {
    this.check(who);
    this.#bucket(who).tokens--;
  }

  /** Refuses as `take()` does, and takes nothing. */
  check(who: string): void {
    const { tokens } = this.#bucket(who);
    if (tokens >= 1) return;
    const seconds = Math.ceil((1 - tokens) / this.#rate.perSecond);
    throw new Refused(
      429,
      `That is too much at once. Try again in ${seconds} s.`,
      { "Retry-After": String(seconds) },
    );
  }

  #bucket(who: string) {
    const { burst, perSecond } = this.#rate;
    const now = this.#now();
    const bucket = this.#buckets.get(who) ?? { tokens: burst, at: now };
    // A clock that is set back takes nothing away.
    const filled = Math.max(0, now - bucket.at) / 1_000 * perSecond;
    bucket.tokens = Math.min(burst, bucket.tokens + filled);
    bucket.at = now;
    // Put at the end: the first one is the one that was quiet for longest.
    this.#buckets.delete(who);
    this.#buckets.set(who, bucket);
    if (this.#buckets.size > MOST_KNOWN) {
      this.#buckets.delete(this.#buckets.keys().next().value!);
    }
    return bucket;
  }
}
