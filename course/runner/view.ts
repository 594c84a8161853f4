import type { Hints } from "./hint.ts";
import type { BoardNews } from "./join/board_link.ts";
import type { Lesson } from "./lesson.ts";
import type { Afterwards } from "./prose.ts";
import type { DiffLine } from "./solution.ts";
import type { TypeProblem } from "./types.ts";
import type { Verdict } from "./verdict.ts";

/** Everything that the screen shows. The screen is a function of it. */
export interface View {
  readonly lessons: readonly Lesson[];
  readonly lesson: Lesson;
  /** The ids of the lessons that have passed. */
  readonly passed: ReadonlySet<string>;
  readonly page: Page;
  /** Whether the checks are running now. */
  readonly checking: boolean;
  /** What the last run of this lesson showed. */
  readonly verdict?: Verdict | undefined;
  /** What the type checker said after that run. */
  readonly types?: readonly TypeProblem[] | undefined;
  /** What the lesson offers once it passes. */
  readonly afterwards?: Afterwards;
  /** Whether all checks are listed. */
  readonly unfolded: boolean;
  /** How many lines of the body are above the screen. */
  readonly scroll: number;
  /** What the workshop's board says, for those who have joined one. */
  readonly board?: BoardNews | undefined;
  /** One sentence about what was just done, or could not be. */
  readonly notice?: string | undefined;
}

/** What the screen is for at the moment. */
export type Page =
  | { readonly name: "lesson" }
  | { readonly name: "hint"; readonly hints: Hints; readonly step: number }
  | ListPage
  | { readonly name: "reset" }
  | { readonly name: "solution"; readonly lines: readonly DiffLine[] }
  | { readonly name: "all"; readonly results: Results; readonly done: boolean };

/** The list of lessons, one of which the cursor is on. */
export interface ListPage {
  readonly name: "list";
  readonly cursor: number;
  /** What is being looked for, while it is. */
  readonly find?: string | undefined;
}

/** How many checks of a lesson passed, by the lesson's id. */
export type Results = ReadonlyMap<
  string,
  { readonly passed: boolean; readonly good: number; readonly checks: number }
>;

/** A lesson as it is first shown. */
export function firstView(
  lessons: readonly Lesson[],
  lesson: Lesson,
  passed: ReadonlySet<string>,
): View {
  const page = { name: "lesson" } as const;
  const still = { checking: false, unfolded: false, scroll: 0 };
  return { lessons, lesson, passed, page, ...still };
}

/** Leads back to the lesson, at its top. */
export function backToLesson(view: View): View {
  return { ...view, page: { name: "lesson" }, scroll: 0, notice: undefined };
}

/** The lessons that a list shows: all, or those that have what is looked for. */
export function listed({ lessons }: View, { find }: ListPage): Lesson[] {
  const wanted = (find ?? "").toLowerCase();
  return lessons.filter(({ id, title, starter, entry }) =>
    [id, title, starter, entry?.builds, entry?.client, entry?.part]
      .join(" ").toLowerCase().includes(wanted)
  );
}
