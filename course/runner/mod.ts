/**
 * The runner's door: what the page may use of it. A course and its lessons,
 * what has passed, and a run of one lesson's checks.
 *
 * @module
 */
export { type Afterwards, afterwards } from "./prose.ts";
export { Checker, type Listener } from "./checker.ts";
export { killChildren } from "./child.ts";
export type { Entry } from "./contents.ts";
export { type Hints, hintsFor } from "./hint.ts";
export {
  type Course,
  findLesson,
  type Lesson,
  lessonAfter,
  openCourse,
} from "./lesson.ts";
export type { Limits } from "./limits.ts";
export type { Problem } from "./problem.ts";
export { Progress } from "./progress.ts";
export type { Diagnosis, RecordedEvent } from "./report.ts";
export type { RunOptions } from "./attempt.ts";
export { run } from "./run.ts";
export { compare, type DiffLine } from "./solution.ts";
export type { TypeProblem } from "./types.ts";
export type { CheckResult, Verdict } from "./verdict.ts";
