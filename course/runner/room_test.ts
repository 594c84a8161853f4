import { assertEquals } from "@std/assert";
import { makeRoom } from "./room.ts";
import { TestCourse } from "./test_course.ts";

Deno.test("makeRoom() removes what killed runners have left, once it is old", () => {
  using course = new TestCourse();
  const yesterday = new Date(Date.now() - 86_400_000);
  const left = ["run-4711-3.xml", "watch-4711-1"];
  const kept = ["progress.json", "run-notes.xml"];
  for (const name of [...left, ...kept]) {
    course.write(`.course/${name}`, "");
    Deno.utimeSync(`${course.root}/.course/${name}`, yesterday, yesterday);
  }
  // Somebody else's, who is still at it.
  course.write(".course/run-4712-1.xml", "");

  makeRoom(course.open());

  const names = [...Deno.readDirSync(`${course.root}/.course`)]
    .map(({ name }) => name).sort();
  assertEquals(names, [
    ".gitignore",
    "progress.json",
    "run-4712-1.xml",
    "run-notes.xml",
    "starters",
  ]);
});
