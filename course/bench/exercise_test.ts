import { assertEquals, assertThrows } from "@std/assert";
import { changed, saved } from "./exercise.ts";

function textOf(path: string): string {
  return Deno.readTextFileSync(new URL(path, import.meta.url));
}

Deno.test("the other runners have as many checks as lesson 03", () => {
  const ours = textOf("../../lessons/03/echo_test.ts");
  const [, theirs] = /count <= (\d+)/.exec(
    textOf("peers/exercise/checks.mjs"),
  )!;

  assertEquals(Number(theirs), ours.match(/^Deno\.test\(/gm)!.length);
});

Deno.test("saved() takes no time of a false verdict", async () => {
  const path = Deno.makeTempFileSync();
  const verdicts = [false, true, true, true]; // The third program was wrong.

  const { falseOnes, passing } = await saved(
    { path, right: "right", wrong: "wrong" },
    2,
    () => Promise.resolve(() => Promise.resolve(verdicts.shift()!)),
  );

  assertEquals([falseOnes, passing < 1_000], [1, true]);
  assertEquals(Deno.readTextFileSync(path), "right");
  Deno.removeSync(path);
});

Deno.test("changed() notices when there is nothing to change", () => {
  assertEquals(changed("a b", "b", "c"), "a c");
  assertThrows(() => changed("a b", "x", "c"), Error, '"x"');
});
