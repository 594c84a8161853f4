import { Board, Lost, Unwanted } from "./board.ts";
import type { Standing, Start, Word } from "./words.ts";

/** Saves may come faster; the board hears of the latest. */
const PACE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;
/** What answers take on their way makes a timer seem to move. */
const SAME_TIMER_MS = 2_000;

/**
 * Keeps a board up to date with the latest standing, for as long as this
 * process lives: joins, reports each change, and says again and again where the
 * learner is. A board that is gone is asked again after 1, 2, 4, … seconds;
 * what happened meanwhile is in the next report.
 */
export class Reporting {
  readonly #board: Board;
  readonly #say: (word: Word) => void;
  #start: Start;
  #latest: { standing: Standing; since: number } | undefined;
  #changed = Promise.withResolvers<void>();
  #joined = false;
  #said = "";
  #ends = 0;

  /** `say` takes what the runner should know. */
  constructor(start: Start, say: (word: Word) => void) {
    this.#start = start;
    this.#say = say;
    this.#board = new Board(start.address);
    // Who has only a token is back with the first report.
    this.#joined = start.code === undefined;
  }

  /** Takes over where the learner is now. */
  show(standing: Standing): void {
    const before = this.#latest;
    const same = before?.standing.lesson === standing.lesson &&
      before.standing.status === standing.status &&
      before.standing.check === standing.check;
    const since = same ? before!.since : performance.now();
    this.#latest = { standing, since };
    this.#changed.resolve();
  }

  /** Runs until the board does not want this learner. */
  async run(): Promise<void> {
    for (let failures = 0;;) {
      let pause: number;
      try {
        pause = await this.#turn();
        failures = 0;
      } catch (error) {
        if (error instanceof Unwanted) {
          return this.#say({ refused: error.message });
        }
        if (!(error instanceof Lost)) throw error;
        this.#sayOnce({ lost: error.message });
        // Thirty runners that all lost the same board come back one by one.
        const longest = Math.min(LONGEST_PAUSE_MS, 1_000 * 2 ** failures++);
        pause = longest * (0.5 + Math.random() / 2);
        await sleep(pause);
        continue;
      }
      await sleep(PACE_MS);
      await Promise.race([sleep(pause - PACE_MS), this.#changed.promise]);
    }
  }

  /** Joins if need be, and reports. The answer is when to speak again. */
  async #turn(): Promise<number> {
    if (!this.#joined) {
      const joined = await this.#board.join(this.#start);
      this.#start = { ...this.#start, ...joined };
      this.#joined = true;
      this.#say({ joined });
    }
    this.#changed = Promise.withResolvers();
    if (!this.#latest) return LONGEST_PAUSE_MS;
    const { standing, since } = this.#latest;
    const forMs = Math.min(86_400_000, Math.round(performance.now() - since));
    const { news, againMs } = await this.#board.report(
      { ...standing, forMs },
      this.#start.token!,
    );
    this.#sayOnce({ news });
    return againMs;
  }

  /** Nothing that the runner knows already; a timer counts by itself. */
  #sayOnce(word: Word): void {
    let known = JSON.stringify(word);
    if ("news" in word && word.news.timerMs !== null) {
      const ends = performance.now() + word.news.timerMs;
      const moved = Math.abs(ends - this.#ends) > SAME_TIMER_MS;
      if (moved || word.news.timerMs === 0) this.#ends = ends;
      const timerMs = word.news.timerMs === 0 ? 0 : this.#ends;
      known = JSON.stringify({ ...word.news, timerMs });
    }
    if (known === this.#said) return;
    this.#said = known;
    this.#say(word);
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}
