import { assertEquals } from "@std/assert";
import { stripAnsiCode } from "@std/fmt/colors";
import { boardLines } from "./board_lines.ts";
import type { BoardNews } from "./join/board_link.ts";

const NOTHING = { here: true, note: null, minutesLeft: null, open: null };

function lines(change: Partial<BoardNews>, columns = 60): string[] {
  return boardLines({ ...NOTHING, ...change }, columns).map(stripAnsiCode);
}

Deno.test("boardLines() has the note first, then the time and how far it is open", () => {
  assertEquals(
    lines({ note: "Look at accept()", minutesLeft: 42, open: "04" }),
    [" Board: Look at accept()", " 42 min left · open up to 04", ""],
  );
  assertEquals(lines({ minutesLeft: 0 }), [" Board: the time is up", ""]);
});

Deno.test("boardLines() is silent where there is nothing to say", () => {
  assertEquals(lines({}), []);
  assertEquals(boardLines(undefined, 80), []);
});

Deno.test("boardLines() says that one can go on without the board", () => {
  assertEquals(lines({ here: false, open: "04" }), [
    " Board: open up to 04 · the board is out of reach, go on",
    "",
  ]);
});
