// Programs in tests/hostile/ try to get a pass without having earned it, to get
// out, or to harm the machine. Each says what it tries, and what it is told.
import { fileURLToPath } from "node:url";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { copyTree } from "../course/runner/copy_tree.ts";
import { findLesson, openCourse } from "../course/runner/lesson.ts";
import { LIMITS } from "../course/runner/limits.ts";
import { run } from "../course/runner/run.ts";
import { Standby } from "../course/runner/standby.ts";
import { directive, HOUSE, list } from "./course_files.ts";
import { processes } from "./processes.ts";

const FOLDER = new URL("tests/hostile/", HOUSE);

/** A copy of what a run needs, so that nothing of ours can be harmed. */
class Copy implements Disposable {
  readonly root = Deno.realPathSync(Deno.makeTempDirSync());

  constructor() {
    Deno.mkdirSync(`${this.root}/lessons`);
    Deno.mkdirSync(`${this.root}/solutions`);
    for (
      const name of [
        "deno.json",
        "deno.lock",
        "course",
        "lessons/03",
        "solutions/03",
      ]
    ) {
      copyTree(fileURLToPath(new URL(name, HOUSE)), `${this.root}/${name}`);
    }
  }

  /** All files but the learner's own, with what they say. */
  files(folder = this.root): string[] {
    return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) => {
      const path = `${folder}/${name}`;
      if (isDirectory) return name === ".course" ? [] : this.files(path);
      if (path.endsWith("/lessons/03/echo.ts")) return [];
      return [`${path}\n${Deno.readTextFileSync(path)}`];
    }).sort();
  }

  [Symbol.dispose]() {
    Deno.removeSync(this.root, { recursive: true });
  }
}

Deno.test("no hostile program gets a pass, or harms anything", async (t) => {
  using copy = new Copy();
  const course = openCourse(copy.root);
  const lesson = findLesson(course, "03")!;
  using standby = new Standby(course);
  const before = copy.files();
  for (const name of list(FOLDER)) {
    const source = Deno.readTextFileSync(new URL(name, FOLDER));
    const tries = directive(source, "tries");
    const says = directive(source, "says");
    assert(tries && says, `${name} does not say what it tries, and is told`);

    await t.step(`${name.replace(/\.ts$/, "")} tries ${tries}`, async () => {
      Deno.writeTextFileSync(lesson.path, source);
      standby.prepare(lesson);
      const started = performance.now();
      const verdict = await run(course, lesson, { standby });

      assert(!verdict!.passed, "it got a pass");
      assertMatch(verdict!.problem!.text, new RegExp(says, "s"));
      assert(performance.now() - started < LIMITS.time + 1_000, "it took long");
    });
  }
  standby[Symbol.dispose]();
  assertEquals(copy.files(), before);
  // Who is left is seen in /proc.
  if (Deno.build.os !== "linux") return;
  assertEquals(await processes(copy.root, "deno"), []);
});
