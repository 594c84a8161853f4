/**
 * The runner's door: what the page may use of it. A course and its lessons,
 * what the session shows of them, and the words that it has for people.
 *
 * @module
 */
export { type Afterwards, afterwards } from "./prose.ts";
export type { Entry } from "./contents.ts";
export { type Hints, hintsFor } from "./hint.ts";
export {
  type Course,
  findLesson,
  hintsText,
  type Lesson,
  lessonAfter,
  openCourse,
  text,
} from "./lesson.ts";
export type { BoardNews } from "./join/board_link.ts";
export { networks } from "./lesson_page.ts";
export type { Problem } from "./problem.ts";
export type { PageState, PageWord } from "./page_process.ts";
export type { Diagnosis, Loop, RecordedEvent, WaitingCall } from "./report.ts";
export { compare, type DiffLine, folded } from "./solution.ts";
export { clip, plain, width } from "./text.ts";
export type { TypeProblem } from "./types.ts";
export type { CheckResult, Verdict } from "./verdict.ts";
