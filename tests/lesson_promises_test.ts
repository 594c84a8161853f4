// The promises about lessons, broken on purpose, one at a time: a made-up
// course keeps them all, and each change to it must be noticed.
import { assertEquals, assertStringIncludes } from "@std/assert";
import {
  findLesson,
  findLessons,
  halfLessons,
  type LessonFiles,
} from "./course_files.ts";
import {
  brokenCommand,
  brokenShape,
  brokenSolution,
  brokenStarter,
  strayExtras,
} from "./lesson_promises.ts";
import { edited, type Files, withCourse } from "./made_up_course.ts";

const STARTER = "lessons/01/double.ts";
const SOLUTION = "solutions/01/double.ts";
const CHECKS = "lessons/01/double_test.ts";

/** A change to the made-up course, and the complaint that it deserves. */
type Trespasses = Record<string, [Files, string]>;

type Promised = (
  lesson: LessonFiles,
  root: URL,
) => string[] | Promise<string[]>;

const shape: Trespasses = {
  "a fifth file": [
    { "lessons/01/notes.md": "" },
    "lessons/01/ holds README.md,double.ts,double_test.ts,hints.md,notes.md",
  ],
  "no hints": [{ "lessons/01/hints.md": null }, "and not README.md"],
  "no solution": [{ [SOLUTION]: null }, "solutions/01/ holds "],
  "another header": [
    edited(SOLUTION, "solved: doubling", "solved: twice"),
    'the solution does not begin with "// Lesson 01, solved: doubling."',
  ],
  "another number in the header": [
    edited(STARTER, "Lesson 01", "Lesson 02"),
    'the starter does not begin with "// Lesson 01: …"',
  ],
  "a starter without a TODO": [
    edited(STARTER, "TODO:", "Hm."),
    "the starter marks no place",
  ],
  "a solution with a TODO": [
    edited(SOLUTION, "  return", "  // TODO: more\n  return"),
    "the solution says TODO",
  ],
  "a solution that exports more": [
    edited(SOLUTION, "export", "export const more = 1;\nexport"),
    "starter and solution export different names",
  ],
};

const rooms: Trespasses = {
  "a solution to no lesson": [{ "solutions/09/x.ts": "" }, "solutions/09/"],
  "mistakes of no lesson": [
    { "tests/mistakes/09/x.ts": "" },
    "tests/mistakes/09/",
  ],
};

const starter: Trespasses = {
  "a starter that is right": [
    edited(STARTER, "return n;", "return n + n;"),
    "the starter passes without permission",
  ],
  "a failure without a diagnosis": [
    edited("check.ts", "diagnosis: { id },", ""),
    "the failure has no diagnosis",
  ],
  "a starter that ends early": [
    edited(STARTER, "export", "Deno.exit(0);\nexport"),
    "the failure has no diagnosis",
  ],
};

const command: Trespasses = {
  "a starter that even the plain command passes": [
    edited(STARTER, "return n;", "return n + n;"),
    '"deno test lessons" ends with 0',
  ],
  "a starter with wrong types": [
    edited(STARTER, "return n;", 'return "n";'),
    '"deno test lessons" tells of no failure in lesson 01',
  ],
};

const solution: Trespasses = {
  "a solution that is wrong": [
    edited(SOLUTION, "2 * n", "3 * n"),
    "the solution fails without permission",
  ],
  "a solution that ends early": [
    edited(SOLUTION, "export", "Deno.exit(0);\nexport"),
    "the solution fails with permission",
  ],
  "a solution that warns": [
    edited(SOLUTION, "export", "console.warn('Warning: old');\nexport"),
    "the solution warns",
  ],
  "a check for one network only": [
    edited("check.ts", '["simulated", "loopback"]', '["loopback"]'),
    "with permission, the checks use only: loopback",
  ],
  "a check that is ignored": [
    edited("check.ts", '? "passed"', '? (real ? "ignored" : "passed")'),
    "with permission, checks are ignored: double() keeps zero,double() doubles",
  ],
  "a slow check": [
    edited("check.ts", "ms: 1,", "ms: 30_100,"),
    "more than 300 ms: double() keeps zero (30100 ms),double() doubles (30100 ms)",
  ],
  "a check named for nothing": [
    edited(CHECKS, "double() keeps", "It keeps"),
    "names of checks do not begin with an exported symbol: It keeps zero",
  ],
};

/** Registers a test for each trespass, and one for the course without any. */
function testPromise(name: string, promised: Promised, all: Trespasses) {
  Deno.test(`${name} finds nothing where nothing is broken`, () =>
    withCourse({}, async (root) => {
      assertEquals(await promised(findLesson("01", root), root), []);
    }));

  for (const [what, [changes, complaint]] of Object.entries(all)) {
    Deno.test(`${name} notices ${what}`, () =>
      withCourse(changes, async (root) => {
        const complaints = await promised(findLesson("01", root), root);
        assertStringIncludes(complaints.join("\n"), complaint);
      }));
  }
}

testPromise("brokenShape()", brokenShape, shape);
testPromise("brokenStarter()", brokenStarter, starter);
testPromise(
  "brokenCommand()",
  (lesson, root) => brokenCommand([lesson], root),
  command,
);
testPromise("brokenSolution()", brokenSolution, solution);
testPromise(
  "strayExtras()",
  (_, root) => strayExtras(findLessons(root), root),
  rooms,
);

Deno.test("halfLessons() names a folder without a starter, and only that", () =>
  withCourse(
    { "lessons/02/x_test.ts": "", "lessons/README.md": "" },
    (root) => {
      const [half, ...more] = halfLessons(root);

      assertStringIncludes(
        half!,
        'lesson 02: its folder has the modules "x_test.ts"',
      );
      assertEquals(more, []);
      assertEquals(findLessons(root).map(({ number }) => number), ["01"]);
    },
  ));
