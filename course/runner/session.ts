import { openInBrowser } from "./browser.ts";
import { Checker } from "./checker.ts";
import { openInEditor } from "./editor.ts";
import { hintsFor } from "./hint.ts";
import { BoardLink } from "./join/board_link.ts";
import type { Start } from "./join/words.ts";
import { type Course, hintsText, type Lesson, text } from "./lesson.ts";
import { PageWindow } from "./page_window.ts";
import { press, type Wish } from "./press.ts";
import type { Progress } from "./progress.ts";
import { afterwards } from "./prose.ts";
import { reset } from "./reset.ts";
import { run } from "./run.ts";
import { deepest, screen } from "./screen.ts";
import { compare } from "./solution.ts";
import { print, type Terminal } from "./terminal.ts";
import { backToLesson, firstView, type View } from "./view.ts";
import { Watcher } from "./watch.ts";

/** How a session begins. */
export interface SessionOptions {
  readonly lesson: Lesson;
  /** Where it is drawn. Without one, the page alone shows it. */
  readonly terminal?: Terminal;
  /** Whether the page opens at once. */
  readonly page: boolean;
  /** The board of a workshop, if one is joined. */
  readonly board?: Start | undefined;
}

/**
 * `deno task learn` with a person in front of it: keys, saves and verdicts come
 * in, each changes the view, and the view is drawn.
 */
export class Session {
  readonly #course: Course;
  readonly #progress: Progress;
  readonly #terminal: Terminal | undefined;
  readonly #opensPage: boolean;
  readonly #page: PageWindow;
  readonly #checker: Checker;
  readonly #board: BoardLink | undefined;
  #view: View;
  #watcher: Watcher | undefined;
  #all: AbortController | undefined;
  #over = false;
  /** Whether the next save is a reset's, and the notice tells of it. */
  #resetting = false;

  /** Prepares to begin with `lesson`. */
  constructor(course: Course, progress: Progress, options: SessionOptions) {
    const { lesson, terminal, page } = options;
    this.#course = course;
    this.#progress = progress;
    this.#terminal = terminal;
    this.#opensPage = page;
    this.#view = firstView(course.lessons, lesson, progress.passed);
    this.#board = options.board && new BoardLink(course, options.board, {
      show: (board) => this.#show({ board }),
      tell: (notice) => this.#show({ notice }),
    });
    this.#page = new PageWindow(course, {
      open: terminal ? openInBrowser : (address) => `The page is at ${address}`,
      tell: (notice) => this.#show({ notice }),
      start: (lesson) => this.#start(lesson),
    });
    this.#checker = new Checker(course, {
      onVerdict: (verdict) => {
        if (verdict.passed) progress.markPassed(this.#view.lesson.id);
        const { passed } = progress;
        // A hint, or a comparison, speaks of the verdict before this one.
        const { name } = this.#view.page;
        const old = name === "hint" || name === "solution";
        if (old) this.#view = backToLesson(this.#view);
        const scroll = old || name === "lesson" ? 0 : this.#view.scroll;
        const types = undefined;
        this.#show({ checking: false, verdict, passed, types, scroll });
      },
      onTypes: (types) => this.#show({ types }),
    });
  }

  /** Runs until the learner quits, or the terminal goes away. */
  async run(): Promise<void> {
    this.#start(this.#view.lesson);
    this.#show({ notice: this.#progress.notice });
    if (this.#opensPage) this.#page.open(this.#view);
    // Without a terminal there are no keys, now or ever.
    const keys = this.#terminal?.keys() ?? new ReadableStream<string>();
    for await (const key of keys) {
      const { view, wish } = press(this.#view, key);
      // Whatever key it is, nobody looks at all lessons any longer.
      if (view.page.name !== "all") this.#all?.abort();
      const scroll = Math.min(view.scroll, deepest(view, this.#look));
      this.#show({ ...view, scroll });
      if (wish?.do === "quit") break;
      if (wish) this.#grant(wish);
    }
    this.#over = true;
    this.#all?.abort();
    this.#checker[Symbol.dispose]();
    this.#watcher?.[Symbol.dispose]();
    this.#page[Symbol.dispose]();
    this.#board?.[Symbol.dispose]();
  }

  /** One sentence to leave behind on the learner's own screen. */
  get farewell(): string {
    const { lesson, verdict } = this.#view;
    const good = verdict?.checks.filter(({ status }) => status === "passed");
    const sum = verdict && verdict.checks.length > 0
      ? `: ${good?.length} of ${verdict.checks.length} checks pass`
      : "";
    return `lesson ${lesson.id} ${lesson.title}${sum}\n`;
  }

  /** Draws again, for a window that has another size now. */
  redraw(): void {
    this.#terminal?.forget();
    this.#show({});
  }

  #show(change: Partial<View>): void {
    this.#view = { ...this.#view, ...change };
    this.#page.show(this.#view);
    if (this.#terminal) this.#terminal.draw(screen(this.#view, this.#look));
    else if (change.notice) print(change.notice + "\n");
    // What the learner waits for is on the screen; the board comes after it.
    this.#board?.see(this.#view);
  }

  get #look() {
    const size = this.#terminal?.size ?? { columns: 80, rows: 24 };
    return { ...size, color: !Deno.noColor };
  }

  #start(lesson: Lesson): void {
    const { root, lessons } = this.#course;
    const folder = `${root}/lessons/${lesson.id}`;
    // On the page a lesson can be started whatever the screen is for.
    this.#all?.abort();
    this.#progress.setCurrent(lesson.id);
    this.#view = {
      ...firstView(lessons, lesson, this.#progress.passed),
      board: this.#view.board,
      afterwards: afterwards(text(`${folder}/README.md`) ?? ""),
    };
    this.#watcher?.[Symbol.dispose]();
    this.#watcher = new Watcher(folder, {
      onSave: () => this.#saved(),
      onPolling: () =>
        this.#show({
          notice: "No file events arrive here, so the file is looked at five " +
            "times a second.",
        }),
    });
    this.#watcher.prove(`${root}/.course`);
    this.#check();
  }

  #saved(): void {
    // What was said of the file before holds no more.
    if (!this.#resetting) this.#view = { ...this.#view, notice: undefined };
    this.#resetting = false;
    this.#check();
  }

  #check(): void {
    const { page } = this.#view;
    if (this.#over) return;
    // The checks of one lesson beside those of all would slow down both.
    if (page.name === "all" && !page.done) return;
    this.#show({ checking: true });
    this.#checker.check(this.#view.lesson);
  }

  #grant(wish: Wish): void {
    const { lesson } = this.#view;
    switch (wish.do) {
      case "start":
        return this.#start(wish.lesson);
      case "hint":
        return this.#hint();
      case "open":
        return this.#show({ notice: openInEditor(this.#course, lesson) });
      case "reset":
        return this.#reset();
      case "solution":
        return this.#compare();
      case "page":
        return this.#page.open(this.#view);
      case "all":
        this.#checkAll();
    }
  }

  #reset(): void {
    const { lesson } = this.#view;
    const before = text(lesson.path);
    const { said } = reset(this.#course, lesson);
    this.#resetting = text(lesson.path) !== before;
    this.#show({ notice: said });
  }

  #hint(): void {
    const { lesson, verdict } = this.#view;
    const markdown = hintsText(this.#course, lesson);
    const hints = hintsFor(markdown, verdict?.problem?.diagnosis?.id);
    if (hints) return this.#show({ page: { name: "hint", hints, step: 0 } });
    this.#show({ notice: "There is no hint for this." });
  }

  #compare(): void {
    const lines = compare(this.#course, this.#view.lesson);
    if (lines) {
      return this.#show({ page: { name: "solution", lines }, scroll: 0 });
    }
    this.#show({ notice: "There is no solution to compare with." });
  }

  async #checkAll(): Promise<void> {
    this.#checker.stop();
    const { signal } = this.#all = new AbortController();
    const results = new Map();
    const page = { name: "all", results, done: false } as const;
    this.#show({ page, checking: false, scroll: 0 });
    for (const lesson of this.#course.lessons) {
      const verdict = await run(this.#course, lesson, { signal });
      if (!verdict || signal.aborted) break;
      const { passed, checks } = verdict;
      const good = checks.filter(({ status }) => status === "passed").length;
      results.set(lesson.id, { passed, good, checks: checks.length });
      if (passed) this.#progress.markPassed(lesson.id);
      this.#show({ passed: this.#progress.passed });
    }
    if (!signal.aborted) {
      this.#show({ page: { name: "all", results, done: true } });
    }
    // A save meanwhile has had no run of its own; a lesson just started has.
    if (!this.#view.checking) this.#check();
  }
}
