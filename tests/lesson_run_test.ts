import { assert, assertEquals } from "@std/assert";
import { readReport, runLesson } from "./lesson_run.ts";
import { edited, madeUp, withCourse } from "./made_up_course.ts";

const STARTER = "lessons/01/double.ts";
const SOLUTION = "solutions/01/double.ts";

Deno.test("runLesson() leaves the starter as it is", () =>
  withCourse({}, async (root) => {
    const program = new URL(SOLUTION, root);

    const run = await runLesson("01", { program, root });

    assert(run.passed, run.output);
    const now = await Deno.readTextFile(new URL(STARTER, root));
    assertEquals(now, madeUp(STARTER));
  }));

Deno.test("runLesson() ends a program that never does", () =>
  withCourse(
    edited(STARTER, "export", "while (true) {}\nexport"),
    async (root) => {
      const run = await runLesson("01", { root, limitMs: 500 });

      assert(!run.passed);
      assertEquals(run.checks, []);
    },
  ));

Deno.test("readReport() believes only lines that begin with the nonce", () => {
  const output = [
    '\u001ereal {"plan":["a","b","d"]}',
    "d ... ignored (0ms)",
    '\u001efake {"end":"b","status":"passed","ms":1,"networks":[]}',
    'said \u001ereal {"end":"b","status":"passed","ms":1,"networks":[]}',
    '\u001ereal {"end":"a","status":"passed","ms":1,"networks":[]}',
    '\u001ereal {"stuck":"c","text":"A loop."}',
  ].join("\n");

  const statuses = readReport(output, "real").map(({ status }) => status);

  assertEquals(statuses, ["passed", "missing", "ignored", "stuck"]);
});
