import { Checker } from "./checker.ts";
import { BoardLink } from "./join/board_link.ts";
import type { Start } from "./join/words.ts";
import type { Course, Lesson } from "./lesson.ts";
import { jsonText, plainText } from "./plain_text.ts";
import type { Progress } from "./progress.ts";
import { run } from "./run.ts";
import { print } from "./terminal.ts";
import { checkTypes } from "./types.ts";
import { Watcher } from "./watch.ts";

/** Checks a lesson once and prints what came of it. The answer is whether it passes. */
export async function checkOnce(
  course: Course,
  progress: Progress,
  { lesson, json }: { lesson: Lesson; json: boolean },
): Promise<boolean> {
  const [verdict, types] = await Promise.all([
    run(course, lesson),
    checkTypes(course, lesson),
  ]);
  // Only a signal calls a run off, and there is none.
  if (verdict === undefined || types === undefined) return false;
  if (verdict.passed) progress.markPassed(lesson.id);
  const form = json ? jsonText : plainText;
  print(form(lesson, verdict, verdict.problem?.loading ? [] : types));
  return verdict.passed;
}

/**
 * Prints one line of JSON for each run, from now on and at each save, until the
 * process is ended. Types have a line of their own, after the run's; so has
 * what the board of a workshop says.
 */
export async function checkForever(
  course: Course,
  progress: Progress,
  { lesson, board }: { lesson: Lesson; board?: Start | undefined },
): Promise<never> {
  const link = board && new BoardLink(course, board, {
    show: (board) => print(JSON.stringify({ board }) + "\n"),
    tell: (notice) => print(JSON.stringify({ notice }) + "\n"),
  });
  const checker = new Checker(course, {
    onVerdict(verdict) {
      print(jsonText(lesson, verdict, null));
      if (verdict.passed) progress.markPassed(lesson.id);
      link?.see({ lesson, verdict, passed: progress.passed });
    },
    onTypes: (types) =>
      print(JSON.stringify({ lesson: lesson.id, types }) + "\n"),
  });
  const watcher = new Watcher(`${course.root}/lessons/${lesson.id}`, {
    onSave: () => checker.check(lesson),
  });
  await Promise.all([
    watcher.prove(`${course.root}/.course`),
    checker.check(lesson),
  ]);
  return await new Promise<never>(() => {});
}

/** Checks every lesson in turn, a line for each. The answer is whether all pass. */
export async function checkAll(
  course: Course,
  progress: Progress,
  json: boolean,
): Promise<boolean> {
  let all = true;
  for (const lesson of course.lessons) {
    const verdict = await run(course, lesson);
    if (verdict === undefined) return false;
    if (verdict.passed) progress.markPassed(lesson.id);
    else all = false;
    print(
      json ? jsonText(lesson, verdict, null) : line(lesson, verdict.passed),
    );
  }
  return all;
}

function line({ id, title }: Lesson, passed: boolean): string {
  return `${passed ? "pass" : "FAIL"}  ${id}  ${title}\n`;
}
