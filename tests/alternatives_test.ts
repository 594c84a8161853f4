// There is more than one right program. Every one in tests/alternatives/
// passes: a check that rejects a correct program is worse than none.
import { findLessons, HOUSE } from "./course_files.ts";
import { brokenAlternative } from "./alternative_promises.ts";
import { assertKept } from "./kept.ts";
import { pooled } from "./pool.ts";

for (const { number, alternatives } of findLessons()) {
  Deno.test(`lesson ${number} accepts other right programs`, async (t) => {
    const broken = await pooled(
      alternatives,
      (program) => brokenAlternative(number, program, HOUSE),
    );

    for (const [index, { pathname }] of alternatives.entries()) {
      const name = pathname.match(/[^/]+$/)![0];
      await t.step(name, () => assertKept(broken[index]!));
    }
  });
}
