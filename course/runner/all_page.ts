import { bold, dim, red } from "@std/fmt/colors";
import { lessonLine } from "./list_page.ts";
import type { Content } from "./screen.ts";
import { clip, pad } from "./text.ts";
import type { Results, View } from "./view.ts";

/** All lessons with how far each one comes, while they are checked. */
export function allPage(
  view: View,
  { results, done }: { results: Results; done: boolean },
  columns: number,
): Content {
  const rows = view.lessons.map((lesson) => {
    const result = results.get(lesson.id);
    const said = result === undefined
      ? dim("…")
      : result.passed
      ? result.checks === 1 ? "1 check passes" : `${result.checks} checks pass`
      : red(`${result.good} of ${result.checks} checks pass`);
    // Too narrow for the columns of the list, so that it has the title alone.
    const narrow = Math.min(59, Math.max(24, columns - 26));
    const line = lessonLine(lesson, result?.passed ?? false, narrow);
    return pad(line, columns - 25) + said;
  });
  const passing = [...results.values()].filter(({ passed }) => passed).length;
  const sum = ` ${passing} of ${results.size} lessons pass`;
  const head = done ? bold(sum) : `${sum}, ${rows.length - results.size} to go`;
  const keys = [["any key", done ? "back" : "stop and go back"]] as const;
  return {
    body: [clip(head, columns), "", ...rows],
    keys,
    ...focus(view, results, done),
  };
}

function focus(view: View, results: Results, done: boolean) {
  return done || view.scroll > 0 ? {} : { focus: results.size + 2 };
}
