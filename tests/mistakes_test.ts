// Every wrong program in tests/mistakes/ fails, and with the diagnosis that
// its first line names. The grammar of that line stands in mistakes/README.md.
import { findLessons, HOUSE, type Mistake } from "./course_files.ts";
import { brokenMistake, unprovoked } from "./mistake_promises.ts";
import { assertKept } from "./kept.ts";
import { pooled } from "./pool.ts";

const folder = new URL("tests/mistakes/", HOUSE);
const excused = Deno.readTextFileSync(new URL("README.md", folder));

const lessons = findLessons();
const shown = new Set(
  lessons.flatMap(({ mistakes }) => mistakes.map(({ id }) => id)),
);

for (const { number, mistakes, test } of lessons) {
  Deno.test(`lesson ${number} names every mistake that it catches`, async (t) => {
    const prove = (mistake: Mistake) => brokenMistake(number, mistake, HOUSE);
    // All runs first, some at a time; a step for each result then reports it.
    const broken = await pooled(mistakes, prove);

    for (const [index, { id }] of mistakes.entries()) {
      await t.step(id, () => assertKept(broken[index]!));
    }
  });

  Deno.test(`lesson ${number} reveals no mistake that nobody makes`, () => {
    const checks = Deno.readTextFileSync(test);
    const unseen = unprovoked(checks, shown, excused);
    assertKept(unseen.map((id) => `no program makes the mistake ${id}`));
  });
}
