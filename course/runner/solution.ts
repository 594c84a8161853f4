import { diffLines } from "diff";
import { type Course, type Lesson, text } from "./lesson.ts";

/** One line of the solution, of one's own program, or of both. */
export interface DiffLine {
  /** Whose line it is: "-" the learner's, "+" the solution's. */
  readonly mark: " " | "-" | "+";
  /** The line itself. */
  readonly text: string;
}

/**
 * The whole solution of a lesson with the learner's own lines in it where they
 * differ: "-" is only in theirs, "+" only in the solution. Undefined if there
 * is no solution to compare with.
 */
export function compare(
  course: Course,
  lesson: Lesson,
): DiffLine[] | undefined {
  const path = `${course.root}/solutions/${lesson.id}/${lesson.starter}`;
  const theirs = text(path);
  if (theirs === undefined) return undefined;
  return diffLines(text(lesson.path) ?? "", theirs).flatMap((change) => {
    const mark = change.added ? "+" : change.removed ? "-" : " ";
    const lines = change.value.replace(/\n$/, "").split("\n");
    return lines.map((text): DiffLine => ({ mark, text }));
  });
}

/** How many equal lines show around a difference. */
const AROUND = 3;

/** Leaves out what is equal and far from every difference; "…" stands for it. */
export function folded(lines: readonly DiffLine[]): DiffLine[] {
  const near = lines.map((_, at) =>
    lines.slice(Math.max(0, at - AROUND), at + AROUND + 1)
      .some(({ mark }) => mark !== " ")
  );
  return lines.flatMap((line, at): DiffLine[] => {
    if (near[at]) return [line];
    return near[at - 1] ? [{ mark: " ", text: "…" }] : [];
  });
}
