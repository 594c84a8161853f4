import type { Course, Lesson } from "../lesson.ts";
import { plain } from "../text.ts";
import type { Verdict } from "../verdict.ts";
import { BoardProcess } from "./board_process.ts";
import { leave, remember } from "./membership.ts";
import { standingOf } from "./standing.ts";
import type { News, Start, Word } from "./words.ts";

/** How the board stands with this learner, for the screen. */
export interface BoardNews {
  /** Whether the board has been heard of lately. */
  readonly here: boolean;
  readonly note: string | null;
  /** Whole minutes, rounded up; 0 when the time is up. */
  readonly minutesLeft: number | null;
  readonly open: string | null;
}

/** What a link to a board needs from whom it belongs to. */
export interface LinkOptions {
  /** Shows what is new; undefined once the board has refused. */
  readonly show: (news: BoardNews | undefined) => void;
  /** Tells the learner one sentence. */
  readonly tell: (notice: string) => void;
}

/** Where somebody is. */
interface Seen {
  readonly lesson: Lesson;
  readonly verdict?: Verdict | undefined;
  readonly passed: ReadonlySet<string>;
}

/** How often the minutes are counted. */
const TICK_MS = 5_000;

const ENDED =
  "The board hears of you no more: what speaks with it has ended. " +
  "To be back, start deno task learn again.";

/** The board of the workshop that one runner has joined. */
export class BoardLink implements Disposable {
  readonly #course: Course;
  readonly #start: Start;
  readonly #options: LinkOptions;
  #process: BoardProcess | undefined;
  #seen: Seen | undefined;
  #news: News = { note: null, timerMs: null, open: null };
  #here = false;
  /** When the timer ends, by this process's own clock. */
  #ends: number | undefined;
  #shown = "";
  #tick: ReturnType<typeof setInterval> | undefined;

  /** Starts nothing yet. */
  constructor(course: Course, start: Start, options: LinkOptions) {
    this.#course = course;
    this.#start = start;
    this.#options = options;
  }

  /** Tells the board where the learner is, if that is another place now. */
  see({ lesson, verdict, passed }: Seen): void {
    const before = this.#seen;
    const same = before?.lesson === lesson && before.verdict === verdict &&
      before.passed === passed;
    if (same) return;
    this.#seen = { lesson, verdict, passed };
    // Not before the first verdict is out: starting takes time.
    if (!this.#process && !verdict) return;
    this.#process ??= this.#join();
    this.#process.show(standingOf(this.#seen));
  }

  /** Leaves the board as it is, until the next time. */
  [Symbol.dispose](): void {
    clearInterval(this.#tick);
    this.#process?.[Symbol.dispose]();
  }

  #join(): BoardProcess {
    this.#tick = setInterval(() => this.#show(), TICK_MS);
    return new BoardProcess(this.#course, this.#start, {
      onWord: (word) => this.#take(word),
      onEnd: () => {
        // The timer of the workshop goes on all the same.
        this.#here = false;
        this.#show();
        this.#options.tell(ENDED);
      },
    });
  }

  #take(word: Word): void {
    const { address } = this.#start;
    if ("joined" in word) {
      const joined = Date.now();
      const name = plain(word.joined.name);
      const { token } = word.joined;
      remember(this.#course.root, { address, name, token, joined });
      this.#options.tell(`You have joined the workshop as ${name}.`);
    } else if ("refused" in word) {
      // A token that is good no more would be refused each time.
      if (this.#start.code === undefined) leave(this.#course.root);
      // Its end, and the time that is left, are no news any more.
      this[Symbol.dispose]();
      this.#options.show(undefined);
      return this.#options.tell(
        `The board at ${address} says: ${plain(word.refused)}`,
      );
    } else if ("lost" in word) {
      this.#here = false;
    } else {
      const { timerMs } = this.#news = word.news;
      this.#here = true;
      this.#ends = timerMs === null ? undefined : performance.now() + timerMs;
    }
    this.#show();
  }

  #show(): void {
    const { open } = this.#news;
    const note = this.#news.note && plain(this.#news.note);
    const left = this.#ends === undefined
      ? null
      : Math.max(0, Math.ceil((this.#ends - performance.now()) / 60_000));
    const news = { here: this.#here, note, minutesLeft: left, open };
    if (JSON.stringify(news) === this.#shown) return;
    this.#shown = JSON.stringify(news);
    this.#options.show(news);
  }
}
