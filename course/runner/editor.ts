import { launch } from "./launch.ts";
import type { Course, Lesson } from "./lesson.ts";
import { HERE, type Surroundings } from "./platform.ts";

// They draw in the terminal that they are started from, and the runner has it.
const TERMINAL_EDITORS = new Set(
  "vi vim nvim nano pico emacs ed hx helix micro joe mg ne kak mcedit".split(
    " ",
  ),
);

/** The editor that the key o opens. */
export interface Editor {
  readonly command: readonly string[];
  /** Without its folder: "vim". */
  readonly name: string;
  /** Whether the learner has named it. */
  readonly chosen: boolean;
  /** Whether it needs a terminal, so that it cannot be opened from this one. */
  readonly inTerminal: boolean;
}

/** `$VISUAL`, `$EDITOR` or VS Code. */
export function editorOf({ env }: Surroundings): Editor {
  const wish = env("VISUAL")?.trim() || env("EDITOR")?.trim();
  const command = (wish || "code").split(/\s+/);
  const name = command[0]!.split(/[/\\]/).at(-1)!.replace(/\.exe$/i, "");
  const inTerminal = TERMINAL_EDITORS.has(name);
  return { command, name, chosen: Boolean(wish), inTerminal };
}

/**
 * Opens the learner's file in their editor and does not wait for it.
 *
 * @returns One sentence: what was opened, or why not and what to do.
 */
export function openInEditor({ root }: Course, lesson: Lesson): string {
  const file = `lessons/${lesson.id}/${lesson.starter}`;
  const { command, name, chosen, inTerminal } = editorOf(HERE);
  if (inTerminal) {
    return `${name} needs a terminal of its own. In another one: ${name} ${file}`;
  }
  const trouble = launch([...command, file], { cwd: root });
  if (trouble === undefined) return `${file} opens in ${name}.`;
  if (chosen) return `Cannot open ${file}: ${trouble}.`;
  return `Open ${file} in your editor. To have a key for it, set VISUAL.`;
}
