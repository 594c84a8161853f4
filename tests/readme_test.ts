// The picture in README.md is what a learner sees: it is compared with a run.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
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

Deno.test("README.md shows pictures that are there, and small", async () => {
  const readme = await Deno.readTextFile(new URL("README.md", HOUSE));
  const paths = [...readme.matchAll(/src(?:set)?="([^"]+)"/g)]
    .map(([, path]) => path!);

  assertEquals(paths.length, 4);
  for (const path of paths) {
    const { size } = await Deno.stat(new URL(path, HOUSE));
    assert(size < 200_000, `${path} has ${size} bytes`);
  }
});
