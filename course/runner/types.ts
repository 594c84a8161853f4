import { Child } from "./child.ts";
import type { Course, Lesson } from "./lesson.ts";
import { plain } from "./text.ts";
import { shorten } from "./trouble.ts";

/** One thing that the type checker has to say about the learner's file. */
export interface TypeProblem {
  /** "echo.ts:14:9" */
  readonly at: string;
  /** What the type checker says, on one line. */
  readonly message: string;
}

/**
 * Checks the types of the learner's file. It takes far longer than the checks,
 * so it runs beside or after them. Undefined if it was called off.
 */
export async function checkTypes(
  course: Course,
  lesson: Lesson,
  signal?: AbortSignal,
): Promise<TypeProblem[] | undefined> {
  let said = "";
  const child = new Child(["check", `lessons/${lesson.id}/${lesson.starter}`], {
    cwd: course.root,
    ...(signal && { signal }),
    take: (text) => said += text,
  });
  await child.say();
  const { ending } = await child.ended;
  return ending === "exit" ? typeProblems(said, course.root) : undefined;
}

/** Reads what `deno check` prints; it knows no other format. */
export function typeProblems(output: string, root: string): TypeProblem[] {
  const blocks = shorten(plain(output), root).split(/^(?=TS\d+ \[ERROR\]: )/m);
  return blocks.flatMap((block) => {
    const said = /^TS\d+ \[ERROR\]: ([^]*?)\n\s+at (\S+:\d+:\d+)/.exec(block);
    if (!said) return [];
    const lines = said[1]!.split("\n");
    const marks = lines.findIndex((line) => /^\s*[\^~]+\s*$/.test(line));
    const kept = marks < 0 ? lines : lines.slice(0, marks - 1);
    const message = kept.map((line) => line.trim()).join(" ");
    return [{ at: said[2]!, message }];
  });
}
