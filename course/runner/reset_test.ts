import { assertEquals, assertStringIncludes } from "@std/assert";
import { text } from "./lesson.ts";
import { keepStarters, reset } from "./reset.ts";
import { compare } from "./solution.ts";
import { GREET_RIGHT, GREET_WRONG, TestCourse } from "./test_course.ts";

function opened() {
  const made = new TestCourse();
  const course = made.open();
  keepStarters(course);
  return { made, course, lesson: course.lessons[0]! };
}

Deno.test("reset() puts the original back and keeps one's own beside it", () => {
  const { made, course, lesson } = opened();
  using _ = made;

  for (const [mine, number] of [["// one", 1], ["// two", 2]] as const) {
    made.save(mine);
    const { kept } = reset(course, lesson);

    assertEquals(kept, `greet.ts.mine-${number}`);
    assertEquals(text(lesson.path), GREET_WRONG);
  }
  assertEquals(text(`${lesson.path}.mine-1`), "// one");
  assertEquals(text(`${lesson.path}.mine-2`), "// two");
});

Deno.test("reset() leaves a file that Deno neither tests nor formats", async () => {
  const { made, course, lesson } = opened();
  using _ = made;
  made.save("this is (not a program");
  reset(course, lesson);

  for (const args of [["fmt", "--check"], ["lint"]]) {
    const files = await new Deno.Command(Deno.execPath(), {
      args: [...args, "lessons/01"],
      cwd: course.root,
      stderr: "piped",
    }).output();
    const said = new TextDecoder().decode(files.stderr);
    assertEquals(said.includes("mine-1"), false, said);
  }
  assertEquals(course.lessons.length, made.open().lessons.length);
  assertEquals(made.open().lessons[0]!.starter, "greet.ts");
});

Deno.test("reset() restores a file that was deleted", () => {
  const { made, course, lesson } = opened();
  using _ = made;
  Deno.removeSync(lesson.path);

  assertEquals(made.open().lessons[0]!.starter, "greet.ts");
  assertEquals(reset(course, lesson).kept, undefined);
  assertEquals(text(lesson.path), GREET_WRONG);
});

Deno.test("reset() changes nothing that is the original", () => {
  const { made, course, lesson } = opened();
  using _ = made;

  assertStringIncludes(reset(course, lesson).said, "is the original already");
  assertEquals(text(`${lesson.path}.mine-1`), undefined);
});

Deno.test("keepStarters() keeps the first file that it saw", () => {
  const { made, course, lesson } = opened();
  using _ = made;
  made.save("// later");

  keepStarters(course);
  reset(course, lesson);

  assertEquals(text(lesson.path), GREET_WRONG);
});

Deno.test("compare() shows the solution with one's own lines in it", () => {
  const { made, course, lesson } = opened();
  using _ = made;

  assertEquals(compare(course, lesson), [
    { mark: " ", text: "// Lesson 01: a greeting." },
    { mark: " ", text: "export function greet(name: string): string {" },
    { mark: "-", text: '  return "bye " + name;' },
    { mark: "+", text: '  return "hello " + name;' },
    { mark: " ", text: "}" },
  ]);
  made.save(GREET_RIGHT);
  assertEquals(
    compare(course, lesson)?.every(({ mark }) => mark === " "),
    true,
  );
});
