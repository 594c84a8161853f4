import { assertEquals } from "@std/assert";
import { keys, keysIn } from "./keys.ts";
import type { Lesson } from "./lesson.ts";
import { press } from "./press.ts";
import type { Verdict } from "./verdict.ts";
import { firstView, type View } from "./view.ts";

const LESSONS: Lesson[] = ["01", "02", "03"].map((id) => ({
  id,
  title: `Lesson ${id}`,
  starter: "echo.ts",
  path: `/course/lessons/${id}/echo.ts`,
}));

function view(change: Partial<View> = {}): View {
  return { ...firstView(LESSONS, LESSONS[0]!, new Set()), ...change };
}

function verdict(passed: boolean): Verdict {
  return { passed, checks: [], ms: 90, at: new Date() };
}

/** What is wished for after each of the keys in turn. */
function wishes(start: View, typed: string) {
  let now = start;
  return typed.split(" ").map((key) => {
    const { view, wish } = press(now, key);
    now = view;
    return wish?.do;
  });
}

Deno.test("keys() names what a terminal sends", () => {
  assertEquals(keys("h\u001b[Aq"), ["h", "up", "q"]);
  assertEquals(keys("\u001bOB\r\u007f\u0003"), [
    "down",
    "enter",
    "backspace",
    "ctrl-c",
  ]);
  assertEquals(keys("\u001b"), ["escape"]);
  assertEquals(keys("ä日"), ["ä", "日"]);
});

Deno.test("keys() leaves out what means nothing, whole", () => {
  assertEquals(keys("\u001b[15~\u001b[1;5C\u0001h"), ["h"]);
});

Deno.test("keysIn() puts together a sequence that was cut", async () => {
  for (
    const pieces of [
      ["\u001b", "[A", "h"],
      ["\u001b[", "A", "h"],
      ["\u001bO", "Ah"],
      ["\u001b[1;", "5C", "\u001b[A", "h"],
    ]
  ) {
    const typed = ReadableStream.from(pieces).values();
    assertEquals(await Array.fromAsync(keysIn(typed)), ["up", "h"]);
  }
});

Deno.test("keysIn() takes Escape for itself once nothing follows", async () => {
  async function* typed() {
    yield "h\u001b";
    await new Promise((resolve) => setTimeout(resolve, 200));
    yield "[";
  }

  assertEquals(await Array.fromAsync(keysIn(typed())), ["h", "escape", "["]);
});

Deno.test("press() offers the next lesson only while this one passes", () => {
  const passing = view({ verdict: verdict(true) });

  assertEquals(press(passing, "n").wish, { do: "start", lesson: LESSONS[1]! });
  assertEquals(wishes(view({ verdict: verdict(false) }), "n"), [undefined]);
  assertEquals(wishes(view(), "n"), [undefined]);
  assertEquals(wishes({ ...passing, checking: true }, "n"), [undefined]);
  assertEquals(wishes({ ...passing, lesson: LESSONS[2]! }, "n"), [undefined]);
});

Deno.test("press() shows the solution only after passing", () => {
  assertEquals(wishes(view({ verdict: verdict(true) }), "s"), ["solution"]);
  assertEquals(wishes(view({ verdict: verdict(false) }), "s"), [undefined]);
});

Deno.test("press() asks once before a reset", () => {
  assertEquals(wishes(view(), "r y"), [undefined, "reset"]);
  assertEquals(wishes(view(), "r n"), [undefined, undefined]);
  assertEquals(press(view(), "r").view.page.name, "reset");
});

Deno.test("press() moves in the list and starts what the cursor is on", () => {
  const list = press(view(), "l").view;
  const down = press(press(list, "down").view, "down").view;

  assertEquals(press(down, "enter").wish, { do: "start", lesson: LESSONS[2]! });
  assertEquals(wishes(list, "down down down up enter"), [
    undefined,
    undefined,
    undefined,
    undefined,
    "start",
  ]);
});

Deno.test("press() finds a lesson by its letters", () => {
  let now = press(view(), "l").view;
  for (const key of ["/", "0", "2"]) now = press(now, key).view;

  assertEquals(press(now, "enter").wish, { do: "start", lesson: LESSONS[1]! });
  assertEquals(press(now, "q").wish, undefined, "q is a letter here");
  assertEquals(press(now, "escape").view.page.name, "list");
});

Deno.test("press() goes through the hints and back", () => {
  const hints = { id: "lesson", steps: ["one", "two"] };
  const first = view({ page: { name: "hint", hints, step: 0 } });
  const second = press(first, "h").view;

  assertEquals(second.page, { name: "hint", hints, step: 1 });
  assertEquals(press(second, "h").view.page.name, "lesson");
  assertEquals(press(first, "x").view.page.name, "lesson");
});

Deno.test("press() quits on q, and on Ctrl-C from anywhere", () => {
  assertEquals(wishes(view(), "q"), ["quit"]);
  assertEquals(wishes(view(), "l ctrl-c"), [undefined, "quit"]);
});

Deno.test("press() says which lesson comes later in a workshop, and lets the list start it", () => {
  const board = { here: true, note: null, minutesLeft: null, open: "01" };
  const passing = view({ verdict: verdict(true), board });
  const { view: told, wish } = press(passing, "n");

  assertEquals(wish, undefined);
  assertEquals(
    told.notice,
    "Lesson 02 comes later: the workshop is open up to 01. " +
      "(The list has it all the same.)",
  );
  const further = { ...passing, board: { ...board, open: "02" } };
  assertEquals(press(further, "n").wish, { do: "start", lesson: LESSONS[1]! });
  assertEquals(wishes(passing, "l down enter").at(-1), "start");
});
