import { bold, green } from "@std/fmt/colors";
import type { Lesson } from "./lesson.ts";
import type { Content } from "./screen.ts";
import { clip, pad } from "./text.ts";
import { listed, type ListPage, type View } from "./view.ts";

const CLIENT = 14;

/** The table of contents, with a cursor. */
export function listPage(view: View, page: ListPage, columns: number): Content {
  const lessons = listed(view, page);
  const cursor = Math.min(page.cursor, lessons.length - 1);
  const body: string[] = [];
  let focus = 0;
  if (page.find !== undefined) body.push(` Find: ${page.find}▏`, "");
  if (lessons.length === 0) body.push(" No lesson has these letters.");
  let part: string | undefined;
  for (const [index, lesson] of lessons.entries()) {
    if (lesson.entry && lesson.entry.part !== part) {
      part = lesson.entry.part;
      body.push(bold(` ${part}`));
    }
    if (index === cursor) focus = body.length;
    const line = lessonLine(lesson, view.passed.has(lesson.id), columns);
    body.push(index === cursor ? bold(` ▸${line.slice(2)}`) : line);
  }
  const finding = [["enter", "start"], ["esc", "all lessons"]] as const;
  const keys = [
    ["↑↓", "move"],
    ["enter", "start"],
    ["/", "find"],
    ["c", "check all"],
    ["q", "back"],
  ] as const;
  return { body, keys: page.find === undefined ? keys : finding, focus };
}

/** One row of the list; plain text but for the mark. */
export function lessonLine(
  { id, title, entry }: Lesson,
  passed: boolean,
  columns: number,
): string {
  const start = `   ${passed ? green("✓") : " "} ${id}  `;
  const room = columns - 10;
  if (!entry || room < 50) return start + clip(title, room);
  const left = Math.floor((room - CLIENT) * 0.55);
  const right = room - CLIENT - left;
  return start + pad(clip(title, left - 2), left) +
    pad(clip(entry.builds, right - 2), right) + clip(entry.client, CLIENT);
}
