import { bold, green, red } from "@std/fmt/colors";
import type { Hints } from "./hint.ts";
import type { Lesson } from "./lesson.ts";
import type { Problem } from "./problem.ts";
import { problemLines } from "./problem_lines.ts";
import type { Content } from "./screen.ts";
import { type DiffLine, folded } from "./solution.ts";
import { plain, wrap } from "./text.ts";

/** One step of the hints, above the failure that it speaks of. */
export function hintPage(
  { hints, step }: { hints: Hints; step: number },
  problem: Problem | undefined,
  columns: number,
): Content {
  const { id, steps } = hints;
  const name = id === "lesson" ? "this lesson" : id;
  const body = [
    bold(` Hint ${step + 1} of ${steps.length} · ${name}`),
    "",
    ...wrap(`   ${steps[step]}`, columns - 3, "   "),
    ...(problem ? ["", ...problemLines(problem, columns)] : []),
  ];
  const back = ["any other key", "back"] as const;
  if (step + 1 >= steps.length) return { body, keys: [["any key", "back"]] };
  return { body, keys: [["h", "next hint"], back] };
}

/** The question before a reset. */
export function resetPage({ id, starter }: Lesson, columns: number): Content {
  const question = ` Put the original of lessons/${id}/${starter} back? ` +
    "Yours stays beside it under another name.";
  const body = wrap(question, columns - 1, " ");
  return { body, keys: [["y", "put it back"], ["any other key", "leave it"]] };
}

/** The solution, with the learner's own lines where they differ. */
export function solutionPage(
  { id, starter }: Lesson,
  lines: readonly DiffLine[],
  columns: number,
): Content {
  const paint = { "-": red, "+": green, " ": (text: string) => text };
  const same = lines.every(({ mark }) => mark === " ");
  const head = same
    ? ` Your lessons/${id}/${starter} is the solution, word for word.`
    : ` solutions/${id}/${starter}: one possibility. - is yours, + is its own.`;
  const body = [
    ...wrap(head, columns - 1, " "),
    "",
    ...folded(lines).flatMap(({ mark, text }) =>
      wrap(` ${mark} ${plain(text)}`, columns - 1, ` ${mark}   `)
        .map(paint[mark])
    ),
  ];
  return { body, keys: [["↑↓", "scroll"], ["any other key", "back"]] };
}
