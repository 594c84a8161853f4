import { Attempt, type Network } from "./attempt.ts";
import type { Course, Lesson } from "./lesson.ts";

const NETWORKS: readonly Network[] = ["simulated", "loopback"];

/**
 * Two processes, one for each network, that have loaded everything but the
 * lesson's own files and wait for the next save.
 *
 * They hold some 70 MB each. When the runner dies, whatever it dies of, the end
 * of their standard input ends them.
 */
export class Standby implements Disposable {
  readonly #course: Course;
  readonly #waiting = new Map<Network, Attempt>();
  #lesson: Lesson | undefined;

  /** Nothing waits until `prepare()`. */
  constructor(course: Course) {
    this.#course = course;
  }

  /** Lets processes stand by for `lesson`, and sends others home. */
  prepare(lesson: Lesson): void {
    if (this.#lesson?.id !== lesson.id) this[Symbol.dispose]();
    this.#lesson = lesson;
    for (const network of NETWORKS) {
      if (this.#waiting.get(network)?.over === false) continue;
      const attempt = new Attempt(this.#course, lesson, {
        network,
        warm: true,
      });
      this.#waiting.set(network, attempt);
    }
  }

  /** One that waits for `lesson`, if there is one. It is the caller's now. */
  take(lesson: Lesson, network: Network): Attempt | undefined {
    const attempt = this.#waiting.get(network);
    if (this.#lesson?.id !== lesson.id || attempt?.over) return undefined;
    this.#waiting.delete(network);
    return attempt;
  }

  /** Sends home whoever waits. */
  [Symbol.dispose](): void {
    for (const attempt of this.#waiting.values()) attempt.stop();
    this.#waiting.clear();
  }
}
