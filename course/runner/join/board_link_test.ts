import { assertEquals } from "@std/assert";
import { TestCourse } from "../test_course.ts";
import { AT } from "../test_view.ts";
import { BoardLink } from "./board_link.ts";

/** What a learner sees of a board with which `program` speaks. */
async function seen(program: string, sentences: number): Promise<unknown[]> {
  using course = new TestCourse();
  course.write("course/runner/join/main.ts", program);
  const seen: unknown[] = [];
  const told = Promise.withResolvers<void>();
  const start = { address: "127.0.0.1:1", name: "Ada", token: "t-1" };
  using link = new BoardLink(course.open(), start, {
    show: (news) => seen.push(news && [news.here, news.open]),
    tell: (notice) => {
      seen.push(notice);
      if (--sentences === 0) told.resolve();
    },
  });
  const [lesson] = course.open().lessons;
  const verdict = { passed: false, checks: [], ms: 90, at: AT };
  link.see({ lesson: lesson!, verdict, passed: new Set() });
  await told.promise;
  // What the end of the process would say is said by then.
  await new Promise((resolve) => setTimeout(resolve, 100));
  return seen;
}

function says(...words: unknown[]): string {
  return words.map((word) => `console.log('${JSON.stringify(word)}');\n`)
    .join("");
}

const NEWS = { news: { note: null, timerMs: null, open: "02" } };

Deno.test("BoardLink says that the process which speaks with the board has ended", async () => {
  assertEquals(await seen(says(NEWS), 1), [
    [true, "02"],
    [false, "02"],
    "The board hears of you no more: what speaks with it has ended. " +
    "To be back, start deno task learn again.",
  ]);
});

Deno.test("BoardLink says nothing more once the board has refused", async () => {
  assertEquals(await seen(says(NEWS, { refused: "Not you." }), 1), [
    [true, "02"],
    undefined,
    "The board at 127.0.0.1:1 says: Not you.",
  ]);
});
