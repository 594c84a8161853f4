import { bold, dim, green, stripAnsiCode } from "@std/fmt/colors";
import { allPage } from "./all_page.ts";
import { lessonPage } from "./lesson_page.ts";
import { listPage } from "./list_page.ts";
import { hintPage, resetPage, solutionPage } from "./pages.ts";
import type { Size } from "./terminal.ts";
import { clip, spread, width } from "./text.ts";
import type { View } from "./view.ts";

/** A page before it is fitted to the window. */
export interface Content {
  readonly body: readonly string[];
  /** The keys that mean something here, with what they do. */
  readonly keys: ReadonlyArray<readonly [key: string, does: string]>;
  /** The line of the body that must be visible. */
  readonly focus?: number;
}

/** What a window is like. */
export interface Look extends Size {
  /** Whether colour and bold may add to the words. */
  readonly color: boolean;
}

// Longer lines are hard to read, however wide the window is.
const WIDEST = 100;

/**
 * The screen for `view`, line by line, never more or longer than the window.
 * The heading and the keys always show; a body that is too long scrolls.
 */
export function screen(view: View, look: Look): string[] {
  const { columns, top, content, bottom, room } = layout(view, look);
  const lines = [...top, ...windowOf(content, view.scroll, room), ...bottom];
  const fitted = lines.slice(0, look.rows).map((line) => cut(line, columns));
  return look.color ? fitted : fitted.map(stripAnsiCode);
}

/** How far the body of `view` can be scrolled. */
export function deepest(view: View, look: Look): number {
  const { content, room } = layout(view, look);
  return Math.max(0, content.body.length - (room - 1));
}

function layout(view: View, look: Look) {
  const columns = Math.max(20, Math.min(look.columns, WIDEST));
  const content = contentOf(view, columns, look.rows);
  const top = heading(view, columns);
  const bottom = ["", ...legend(content.keys, columns)];
  const room = Math.max(3, look.rows - top.length - bottom.length);
  return { columns, top, content, bottom, room };
}

function contentOf(view: View, columns: number, rows: number): Content {
  switch (view.page.name) {
    case "lesson":
      return lessonPage(view, columns, rows);
    case "hint":
      return hintPage(view.page, view.verdict?.problem, columns);
    case "list":
      return listPage(view, view.page, columns);
    case "reset":
      return resetPage(view.lesson, columns);
    case "solution":
      return solutionPage(view.lesson, view.page.lines, columns);
    case "all":
      return allPage(view, view.page, columns);
  }
}

function heading(view: View, columns: number): string[] {
  const { id, title } = view.lesson;
  const course = bold("Sockets by Hand");
  const lesson = `${id} · ${title}`;
  const done = `${view.passed.size} of ${view.lessons.length}`;
  const right = `${lesson}     ${done} ${boxes(view)}`;
  const room = columns - 1 - width(right);
  if (room >= 17) return spread(` ${course}`, right, columns - 1).concat("");
  return [` ${clip(lesson, columns - width(done) - 4)}  ${done}`, ""];
}

/** A box for each lesson of this part of the course, full if it has passed. */
function boxes({ lesson, lessons, passed }: View): string {
  const part = lesson.entry?.part;
  if (part === undefined) return "";
  return lessons
    .filter(({ entry }) => entry?.part === part)
    .map(({ id }) => passed.has(id) ? green("▪") : "▫")
    .join("");
}

/** A key and what it does stay on one line. */
function legend(keys: Content["keys"], columns: number): string[] {
  const lines: string[] = [];
  for (const [key, does] of keys) {
    const part = `${bold(key)} ${does}`;
    const line = `${lines.at(-1)}   ${part}`;
    if (lines.length > 0 && width(line) < columns) {
      lines[lines.length - 1] = line;
    } else lines.push(` ${part}`);
  }
  return lines;
}

/** The part of the body that shows, with a mark where there is more. */
function windowOf(
  { body, focus }: Content,
  scroll: number,
  room: number,
): string[] {
  if (body.length <= room) return [...body];
  const wanted = focus === undefined ? scroll : focus - Math.floor(room / 2);
  const last = body.length - (room - 1);
  const first = Math.max(0, Math.min(wanted, last));
  const shown = body.slice(first, first + room - 1);
  const below = body.length - first - shown.length;
  const lines = below === 1 ? "line" : "lines";
  const mark = below > 0 ? ` ↓ ${below} more ${lines} (↑ ↓ PgUp PgDn)` : " ↑";
  return [...shown, dim(mark)];
}

/** A guard: no line may be longer than the window, or it would wrap. */
function cut(line: string, columns: number): string {
  return width(line) <= columns ? line : clip(stripAnsiCode(line), columns);
}
