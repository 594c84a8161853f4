import { examine, type Finding } from "./doctor.ts";
import { openInEditor } from "./editor.ts";
import { hintsFor } from "./hint.ts";
import { leave } from "./join/membership.ts";
import { type Course, hintsText, type Lesson, lessonAfter } from "./lesson.ts";
import type { Progress } from "./progress.ts";
import { reset } from "./reset.ts";
import { run } from "./run.ts";
import { compare } from "./solution.ts";
import { thisSystem } from "./system.ts";
import { complain, print } from "./terminal.ts";
import { wrap } from "./text.ts";
import { UsageError } from "./usage.ts";

/** Prints a hint for the check that fails now. The answer is the exit code. */
export async function printHint(
  course: Course,
  lesson: Lesson,
  step = "1",
): Promise<number> {
  if (!/^[1-3]$/.test(step)) {
    throw new UsageError(
      `Cannot show hint "${step}": there are hints 1, 2 and 3.`,
    );
  }
  const verdict = await run(course, lesson);
  if (verdict?.passed) {
    print(`lesson ${lesson.id} passes: there is nothing to hint at.\n`);
    return 0;
  }
  const markdown = hintsText(course, lesson);
  const hints = hintsFor(markdown, verdict?.problem?.diagnosis?.id);
  const hint = hints?.steps[Number(step) - 1];
  if (!hint) return refuse(`There is no hint ${step} for this.`);
  print(`Hint ${step} of ${hints.steps.length} · ${hints.id}\n\n${hint}\n`);
  return 0;
}

/** Prints the list of lessons. */
export function printList({ lessons }: Course, progress: Progress): number {
  const { passed, current, notice } = progress;
  if (notice) complain(`${notice}\n`);
  let part: string | undefined;
  for (const { id, title, entry } of lessons) {
    if (entry && entry.part !== part) print(`${part = entry.part}\n`);
    const mark = passed.has(id) ? "✓" : id === current ? "▸" : " ";
    print(`  ${mark} ${id}  ${title}\n`);
  }
  print(`${passed.size} of ${lessons.length} lessons pass\n`);
  return 0;
}

/** Puts the original of a lesson back. */
export function resetLesson(course: Course, lesson: Lesson): number {
  print(reset(course, lesson).said + "\n");
  return 0;
}

/** Opens a lesson in the editor. */
export function openLesson(course: Course, lesson: Lesson): number {
  print(openInEditor(course, lesson) + "\n");
  return 0;
}

/** Prints the solution against the learner's file, if the lesson passes. */
export async function printSolution(
  course: Course,
  progress: Progress,
  lesson: Lesson,
): Promise<number> {
  const { id } = lesson;
  const passes = progress.passed.has(id) || (await run(course, lesson))?.passed;
  if (!passes) {
    return refuse(
      `The solution shows once lesson ${id} passes. A hint: deno task learn hint`,
    );
  }
  const lines = compare(course, lesson);
  if (!lines) return refuse(`There is no solution of lesson ${id} here.`);
  print(lines.map(({ mark, text }) => `${mark} ${text}\n`).join(""));
  return 0;
}

/** Goes back to the workshop's board no more. */
export function leaveBoard({ root }: Course): number {
  print(leave(root) ? "You have left the board.\n" : "No board is joined.\n");
  return 0;
}

/** The lesson that follows the current one, or why it is not its turn yet. */
export function nextLesson(
  course: Course,
  progress: Progress,
  current: Lesson,
): Lesson | string {
  const next = lessonAfter(course, current);
  if (!progress.passed.has(current.id)) {
    const goOn = next
      ? ` To go on all the same, name the next one: deno task learn ${next.id}`
      : "";
    return `Lesson ${current.id} does not pass yet.${goOn}`;
  }
  return next ?? "This was the last lesson.";
}

/** Prints what there is to say of this machine. The answer is the exit code. */
export async function printHealth(
  course: Course,
  json: boolean,
): Promise<number> {
  let ill = 0;
  for await (const finding of examine(thisSystem(), course)) {
    if (!finding.well) ill++;
    print(json ? JSON.stringify(finding) + "\n" : healthLines(finding));
  }
  return ill === 0 ? 0 : 1;
}

/** One finding, in lines of 80 columns. */
export function healthLines({ subject, well, found, advice }: Finding): string {
  const mark = well ? "✓" : "✗";
  const [first, ...rest] = wrap(found, 58);
  const told = wrap(advice ?? "", 58).filter(Boolean);
  const more = [...rest, ...told].map((line) => `${" ".repeat(20)}${line}\n`);
  return `  ${mark} ${subject.padEnd(15)} ${first}\n${more.join("")}`;
}

/** Says why not, on the error stream. The answer is the exit code. */
export function refuse(why: string): number {
  complain(why + "\n");
  return 1;
}
