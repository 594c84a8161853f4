import { Child } from "./child.ts";
import type { BoardNews } from "./join/board_link.ts";
import type { Course } from "./lesson.ts";
import type { TypeProblem } from "./types.ts";
import type { Verdict } from "./verdict.ts";

/** What the page in the browser shows. Each one replaces the one before. */
export interface PageState {
  /** The id of the lesson that the learner is at. */
  readonly lesson: string;
  /** Whether its checks are running now; what they said last still stands. */
  readonly checking: boolean;
  /** What their last run showed; as text, it has no dates. */
  readonly verdict?: Omit<Verdict, "at">;
  /** What the type checker said after that run. */
  readonly types?: readonly TypeProblem[];
  /** The ids of the lessons that have passed. */
  readonly passed: readonly string[];
  /** What the workshop's board says, for those who have joined one. */
  readonly board?: BoardNews;
}

/** What comes back from the page, a line of JSON each. */
export type PageWord =
  /** It can be reached now. */
  | { readonly address: string }
  /** Somebody wants to start this lesson. */
  | { readonly start: string };

/** Who wants to know what the page says. */
export interface PageOptions {
  readonly onWord: (word: PageWord) => void;
  /** Called when it has ended by itself, with what it complained about. */
  readonly onEnd: (complaint: string) => void;
}

/**
 * The page in the browser, a process of its own: whatever it loads makes no
 * verdict slower, and what faces a browser may neither write nor run anything.
 * It lives until it is disposed of, or this process ends.
 */
export class PageProcess implements Disposable {
  readonly #child: Child;
  #input!: ReadableStreamDefaultController<Uint8Array>;
  /** The latest state, while the page is still busy with an earlier one. */
  #next: PageState | undefined;
  #gone = false;

  /** Starts it. Nothing is shown until `show()`. */
  constructor(course: Course, { onWord, onEnd }: PageOptions) {
    const input = new ReadableStream<Uint8Array>({
      start: (controller) => void (this.#input = controller),
      pull: () => this.#send(),
    }, { highWaterMark: 1 });
    const lines = new Lines((line) => onWord(JSON.parse(line)));
    let complaint = "";
    this.#child = new Child(
      ["run", "--quiet", "--no-prompt", "-P=page", "course/page/main.ts"],
      {
        cwd: course.root,
        input,
        take: (text, stream) => {
          if (stream === "stdout") lines.push(text);
          else complaint += text;
        },
      },
    );
    this.#child.ended.then(() => {
      if (this.#gone) return;
      this.#gone = true;
      onEnd(complaint.trim());
    });
  }

  /** Shows `state`, if the page is still there. */
  show(state: PageState): void {
    if (this.#gone) return;
    this.#next = state;
    if (this.#input.desiredSize! > 0) this.#send();
  }

  /** Ends it. Twice is fine. */
  [Symbol.dispose](): void {
    this.#gone = true;
    this.#child.kill("unwanted");
  }

  /** What came between is never shown: only the latest state counts. */
  #send(): void {
    if (this.#next === undefined || this.#gone) return;
    const line = JSON.stringify(this.#next) + "\n";
    this.#next = undefined;
    this.#input.enqueue(new TextEncoder().encode(line));
  }
}

/** Puts pieces of text together to lines. */
class Lines {
  readonly #take: (line: string) => void;
  #rest = "";

  constructor(take: (line: string) => void) {
    this.#take = take;
  }

  push(text: string): void {
    const whole = (this.#rest + text).split("\n");
    this.#rest = whole.pop()!;
    whole.forEach(this.#take);
  }
}
