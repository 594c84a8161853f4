import { bold, red } from "@std/fmt/colors";
import type { Problem } from "./problem.ts";
import { width, wrap } from "./text.ts";

/** What the heading, the list of checks and the keys take of a window. */
const FURNITURE = 10;

/**
 * A failure's explanation for the screen: its first paragraph and the sentence
 * of the diagnosis stand out, and lines that are too long are broken. In a
 * window of so few `rows` that its end would not show, the sentence comes
 * before the recording.
 */
export function problemLines(
  problem: Problem,
  columns: number,
  rows = Infinity,
): string[] {
  const whole = problem.text.replace(/^\n+|\s+$/g, "");
  const tight = whole.split("\n").length > rows - FURNITURE;
  const id = tight ? problem.diagnosis?.id : undefined;
  const text = id === undefined ? whole : sentenceFirst(whole, id);
  const lines = text.split("\n").flatMap((line) => fit(line, columns));
  return emphasise(lines, problem.diagnosis?.sentence);
}

/** Moves the paragraph that names the mistake behind the first one. */
function sentenceFirst(text: string, id: string): string {
  const [head = "", ...rest] = text.split("\n\n");
  const named = rest.filter((paragraph) => paragraph.endsWith(id));
  const others = rest.filter((paragraph) => !paragraph.endsWith(id));
  return [head, ...named, ...others].join("\n\n");
}

/** The text is written for 80 columns and has no margin of its own. */
function fit(line: string, columns: number): string[] {
  const indent = line.length - line.trimStart().length;
  const begun = indent === 0 && line !== "" ? ` ${line}` : line;
  const room = indent === 0 ? columns - 1 : columns;
  const squeezed = squeeze(begun, width(begun) - room);
  return wrap(squeezed, columns, " ".repeat(Math.max(1, indent)));
}

/** Takes `excess` columns out of the gap before what stands at the right edge. */
function squeeze(line: string, excess: number): string {
  const gap = / {3,}(?=\S)(?!.* {3})/.exec(line.trimEnd());
  if (excess <= 0 || !gap || gap.index === 0) return line;
  const kept = Math.max(2, gap[0].length - excess);
  const end = gap.index + gap[0].length;
  return line.slice(0, gap.index) + " ".repeat(kept) + line.slice(end);
}

function emphasise(lines: string[], sentence: string | undefined): string[] {
  const blank = lines.indexOf("");
  const end = blank < 0 ? Math.min(1, lines.length) : blank;
  const head = lines.slice(0, end).map(red);
  return [...head, ...strengthen(lines.slice(end), sentence)];
}

/** The sentence may stand on several lines, with other words after it. */
function strengthen(lines: string[], sentence: string | undefined): string[] {
  const words = sentence?.trim().split(/\s+/).map((word) =>
    RegExp.escape(word)
  );
  const text = lines.join("\n");
  const found = words && new RegExp(words.join("\\s+")).exec(text);
  if (!found) return lines;
  const strong = found[0].split("\n").map(boldWords).join("\n");
  const end = found.index + found[0].length;
  return (text.slice(0, found.index) + strong + text.slice(end)).split("\n");
}

function boldWords(line: string): string {
  const words = line.trimStart();
  return line.slice(0, line.length - words.length) + (words && bold(words));
}
