import type { Course, Lesson } from "./lesson.ts";
import { run } from "./run.ts";
import { Standby } from "./standby.ts";
import { checkTypes, type TypeProblem } from "./types.ts";
import type { Verdict } from "./verdict.ts";

/** Who wants to know what comes of a save. */
export interface Listener {
  /** Called as soon as the checks have ended. */
  onVerdict(verdict: Verdict): void;
  /** Called later, if no other save comes first. */
  onTypes(types: TypeProblem[]): void;
}

/**
 * Checks one lesson at a time, always for the latest save: whatever still runs
 * for an earlier one is ended first.
 */
export class Checker implements Disposable {
  readonly #course: Course;
  readonly #listener: Listener;
  readonly #standby: Standby;
  #current = new AbortController();

  /** Nothing runs until `check()`. */
  constructor(course: Course, listener: Listener) {
    this.#course = course;
    this.#listener = listener;
    this.#standby = new Standby(course);
  }

  /** Runs the checks, and the type check once their verdict is out. */
  async check(lesson: Lesson): Promise<void> {
    this.stop();
    const { signal } = this.#current = new AbortController();
    const standby = this.#standby;
    const verdict = await run(this.#course, lesson, { signal, standby });
    if (signal.aborted) return;
    if (verdict) this.#listener.onVerdict(verdict);
    // The next save finds somebody waiting, however this one went.
    standby.prepare(lesson);
    if (verdict === undefined) return;
    // What does not load says so already, and louder.
    if (verdict.problem?.loading) return;
    const types = await checkTypes(this.#course, lesson, signal);
    if (types && !signal.aborted) this.#listener.onTypes(types);
  }

  /** Ends what runs. */
  stop(): void {
    this.#current.abort();
  }

  /** Ends what runs, and what stands by. */
  [Symbol.dispose](): void {
    this.stop();
    this.#standby[Symbol.dispose]();
  }
}
