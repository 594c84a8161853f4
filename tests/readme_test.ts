// The picture in README.md is what a learner sees: it is compared with a run.
import { assert, assertStringIncludes } from "@std/assert";
import { HOUSE } from "./course_files.ts";
import { runLesson } from "./lesson_run.ts";

Deno.test("README.md shows a failing check as it is", async () => {
  const { checks } = await runLesson("03");
  const failed = checks.find(({ failure }) => failure);
  assert(failed?.failure, "lesson 03's starter has to fail");
  const lines = [`✗ ${failed.name}`, "", ...failed.failure.text.split("\n")];
  const picture = lines.map((line) => ` ${line}`.trimEnd()).join("\n");

  const readme = await Deno.readTextFile(new URL("README.md", HOUSE));
  assertStringIncludes(readme, picture);
});
