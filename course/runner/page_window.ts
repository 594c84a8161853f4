import type { Course, Lesson } from "./lesson.ts";
import { PageProcess, type PageState } from "./page_process.ts";
import type { View } from "./view.ts";

/** What a window on the page needs from the session that it belongs to. */
export interface WindowOptions {
  /** Shows an address to the learner; the answer is one sentence about it. */
  readonly open: (address: string) => string;
  /** Tells the learner one sentence. */
  readonly tell: (notice: string) => void;
  /** Starts a lesson that was chosen on the page. */
  readonly start: (lesson: Lesson) => void;
}

/** The page of one session: it shows what the screen shows, once asked for. */
export class PageWindow implements Disposable {
  readonly #course: Course;
  readonly #options: WindowOptions;
  #process: PageProcess | undefined;
  #address: string | undefined;
  #shown: View | undefined;

  /** Starts nothing yet. */
  constructor(course: Course, options: WindowOptions) {
    this.#course = course;
    this.#options = options;
  }

  /** Opens the page, and starts it if it is not there. */
  open(view: View): void {
    if (this.#address) {
      return this.#options.tell(this.#options.open(this.#address));
    }
    this.#options.tell("The page is about to open.");
    this.#process ??= new PageProcess(this.#course, {
      onWord: (word) => {
        if ("start" in word) return this.#start(word.start);
        this.#address = word.address;
        this.#options.tell(this.#options.open(word.address));
      },
      onEnd: (complaint) => {
        this.#process = this.#address = undefined;
        const why = complaint.split("\n").slice(0, 3).join(" ");
        this.#options.tell(`The page has ended. ${why}`.trim());
      },
    });
    this.#process.show(state(view));
  }

  /** Shows `view`, if the page is open and would look different. */
  show(view: View): void {
    const before = this.#shown;
    this.#shown = view;
    const same = before?.lesson === view.lesson &&
      before.checking === view.checking && before.verdict === view.verdict &&
      before.types === view.types && before.passed === view.passed &&
      before.board === view.board;
    if (!same) this.#process?.show(state(view));
  }

  /** Ends the page. */
  [Symbol.dispose](): void {
    this.#process?.[Symbol.dispose]();
  }

  #start(id: string): void {
    const lesson = this.#course.lessons.find((lesson) => lesson.id === id);
    if (lesson) this.#options.start(lesson);
  }
}

function state(view: View): PageState {
  const { lesson, checking, verdict, types, passed, board } = view;
  const state = {
    lesson: lesson.id,
    checking,
    passed: [...passed],
    ...(board && { board }),
  };
  // Just after a save there is no time to tell a long recording again.
  if (checking) return state;
  return { ...state, ...(verdict && { verdict }), ...(types && { types }) };
}
