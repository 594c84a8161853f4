// Every lesson keeps its promises: its starter fails and says why, and its
// solution passes on both networks. What is promised stands in
// lesson_promises.ts, and the test beside it breaks each one on purpose.
import { assert } from "@std/assert";
import { findLessons, halfLessons, HOUSE } from "./course_files.ts";
import {
  brokenCommand,
  brokenShape,
  brokenSolution,
  brokenStarter,
  strayExtras,
} from "./lesson_promises.ts";
import { assertKept } from "./kept.ts";

const lessons = findLessons();

Deno.test("the course has lessons, and nothing belongs to none", () => {
  assert(lessons.length > 0, "Cannot find a lesson: lessons/ has no folder NN");
  assertKept(halfLessons());
  assertKept(strayExtras(lessons, HOUSE));
});

Deno.test("all starters fail under the plain command", async () => {
  assertKept(await brokenCommand(lessons));
});

for (const lesson of lessons) {
  Deno.test(`lesson ${lesson.number} has its files, and a solution to match`, () => {
    assertKept(brokenShape(lesson));
  });

  Deno.test(`lesson ${lesson.number}: the starter fails, and says why`, async () => {
    assertKept(await brokenStarter(lesson));
  });

  Deno.test(`lesson ${lesson.number}: the solution passes on both networks`, async () => {
    assertKept(await brokenSolution(lesson));
  });
}
