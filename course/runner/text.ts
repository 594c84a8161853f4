import { stripAnsiCode } from "@std/fmt/colors";
import stringWidth from "string-width";

// Everything that could move the cursor, ring the bell or turn the writing
// direction around: C0 but for newline and tab, DEL, C1, and the bidi controls.
const CONTROLS =
  // deno-lint-ignore no-control-regex -- These are what it removes.
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/**
 * Text that a terminal shows as it is: without escape sequences and control
 * characters, with spaces for tabs. What a learner's program prints goes
 * through here before it meets the screen.
 */
export function plain(text: string): string {
  return stripAnsiCode(text)
    .replaceAll("\r\n", "\n")
    .replace(CONTROLS, "")
    .replaceAll("\t", "  ");
}

/** How many columns a terminal gives `text`; escape sequences have none. */
export function width(text: string): number {
  return stringWidth(text);
}

/** `text` with spaces up to `columns`. Longer text stays as it is. */
export function pad(text: string, columns: number): string {
  return text + " ".repeat(Math.max(0, columns - width(text)));
}

/** `text`, or as much of it as fits `columns`, the cut marked by "…". */
export function clip(text: string, columns: number): string {
  if (width(text) <= columns) return text;
  return head(text, columns - 1) + "…";
}

/** Breaks one line between words; later lines begin with `indent`. */
export function wrap(line: string, columns: number, indent = ""): string[] {
  const lines: string[] = [];
  let rest = line;
  while (width(rest) > columns) {
    const room = head(rest, columns);
    const margin = rest.length - rest.trimStart().length;
    const space = room.lastIndexOf(" ");
    const at = space > Math.max(margin, indent.length) ? space : room.length;
    // A window narrower than the indent still has to get on.
    if (at <= indent.length) break;
    lines.push(rest.slice(0, at).trimEnd());
    rest = indent + rest.slice(at).trimStart();
  }
  return [...lines, rest];
}

/** `left` and `right` at the two edges, on two lines if one is too short. */
export function spread(left: string, right: string, columns: number): string[] {
  const gap = columns - width(left) - width(right);
  if (right === "") return [left];
  if (gap >= 2) return [left + " ".repeat(gap) + right];
  return [left, " ".repeat(Math.max(1, columns - width(right))) + right];
}

function head(text: string, columns: number): string {
  let end = 0;
  let used = 0;
  for (const char of text) {
    used += width(char);
    if (used > columns) break;
    end += char.length;
  }
  return text.slice(0, end);
}
