import type { Course, Lesson } from "./lesson.ts";

// They draw in the terminal that they are started from, and the runner has it.
const TERMINAL_EDITORS = new Set(
  "vi vim nvim nano pico emacs ed hx helix micro joe mg ne kak mcedit".split(
    " ",
  ),
);

/**
 * Opens the learner's file in `$VISUAL`, `$EDITOR` or VS Code and does not wait
 * for it.
 *
 * @returns One sentence: what was opened, or why not and what to do.
 */
export function openInEditor(course: Course, lesson: Lesson): string {
  const file = `lessons/${lesson.id}/${lesson.starter}`;
  const wish = Deno.env.get("VISUAL") || Deno.env.get("EDITOR") ||
    undefined;
  const [program = "", ...args] = wish?.trim().split(/\s+/) ?? ["code"];
  const name = program.split(/[/\\]/).at(-1)!.replace(/\.exe$/i, "");
  if (TERMINAL_EDITORS.has(name)) {
    return `${name} needs a terminal of its own. In another one: ${name} ${file}`;
  }
  try {
    const child = new Deno.Command(program, {
      args: [...args, file],
      cwd: course.root,
      stdin: "null",
      stdout: "null",
      stderr: "null",
      detached: true,
    }).spawn();
    child.unref();
    return `${file} opens in ${name}.`;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    if (wish) return `Cannot open ${file}: there is no program "${program}".`;
    return `Open ${file} in your editor. To have a key for it, set VISUAL.`;
  }
}
