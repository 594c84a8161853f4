// The promises about wrong programs and about other right ones, broken on
// purpose: the made-up course has one of each, and each change is noticed.
import { assertEquals, assertStringIncludes } from "@std/assert";
import { brokenAlternative } from "./alternative_promises.ts";
import { findLesson } from "./course_files.ts";
import { edited, type Files, withCourse } from "./made_up_course.ts";
import { brokenMistake, unprovoked } from "./mistake_promises.ts";

const MISTAKE = "tests/mistakes/01/not-zero.ts";
const ALTERNATIVE = "tests/alternatives/01/sum.ts";

/** What is broken about the programs of a course changed so. */
function broken(changes: Files): Promise<string[]> {
  return withCourse(changes, async (root) => {
    const { mistakes, alternatives } = findLesson("01", root);
    const complaints = [
      ...mistakes.map((mistake) => brokenMistake("01", mistake, root)),
      ...alternatives.map((program) => brokenAlternative("01", program, root)),
    ];
    return (await Promise.all(complaints)).flat();
  });
}

Deno.test("programs that keep their promises have nothing broken", async () => {
  assertEquals(await broken({}), []);
});

const trespasses: Record<string, [Files, string]> = {
  "a mistake with another diagnosis": [
    edited(MISTAKE, "2 * n + 1", "3 * n"),
    "not-zero.ts gets the diagnosis not-doubled",
  ],
  "a mistake that is none": [
    edited(MISTAKE, "2 * n + 1", "2 * n"),
    "not-zero.ts passes all checks",
  ],
  "a mistake that expects another": [
    edited(MISTAKE, "not-zero", "not-one"),
    'not-zero.ts does not begin with "// expect: not-zero"',
  ],
  "a mistake on no network": [
    edited(MISTAKE, "not-zero", "not-zero\n// network: mars"),
    'not-zero.ts names the network "mars"',
  ],
  "a mistake whose proof tests nothing": [
    {
      ...edited(MISTAKE, "not-zero", "not-zero\n// run: not-zero_test.ts"),
      "tests/mistakes/01/not-zero_test.ts": "// Later.",
    },
    "not-zero_test.ts tests nothing",
  ],
  "an alternative that is wrong": [
    edited(ALTERNATIVE, "n + n", "n + 1"),
    "it fails",
  ],
  "an alternative without a style": [
    edited(ALTERNATIVE, "style: ", ""),
    'it does not begin with "// style: …"',
  ],
  "an alternative that is not on both networks": [
    edited(ALTERNATIVE, "a sum", "a sum\n// network: simulated"),
    'its network is "simulated"',
  ],
};

for (const [what, [changes, complaint]] of Object.entries(trespasses)) {
  Deno.test(`the harness notices ${what}`, async () => {
    assertStringIncludes((await broken(changes)).join("\n"), complaint);
  });
}

Deno.test("unprovoked() names what is neither shown nor excused", () => {
  const checks = `check("a", { reveals: ["shown", "excused"] });
    check("b", { seed: 1, reveals: [
      "guessed",
    ] });`;
  const shown = new Set(["shown", "another"]);

  const found = unprovoked(checks, shown, "| `excused` | It cannot be seen. |");

  assertEquals(found, ["guessed"]);
});
