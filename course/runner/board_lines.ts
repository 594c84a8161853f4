import { bold, dim } from "@std/fmt/colors";
import type { BoardNews } from "./join/board_link.ts";
import { wrap } from "./text.ts";

/** What the workshop's board says: the note, the time, how far it is open. */
export function boardLines(
  news: BoardNews | undefined,
  columns: number,
): string[] {
  if (!news) return [];
  const { here, note, minutesLeft, open } = news;
  const facts = [
    minutesLeft !== null &&
    (minutesLeft === 0 ? "the time is up" : `${minutesLeft} min left`),
    open !== null && `open up to ${open}`,
    !here && "the board is out of reach, go on",
  ].filter((fact) => fact !== false);
  const lines = note ? wrap(` Board: ${note}`, columns - 1, " ").map(bold) : [];
  if (facts.length > 0) {
    const line = `${note ? " " : " Board: "}${facts.join(" · ")}`;
    lines.push(...wrap(line, columns - 1, " ").map(dim));
  }
  return lines.length === 0 ? [] : [...lines, ""];
}
