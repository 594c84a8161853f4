import { assertEquals } from "@std/assert";
import { HOUSE, shortPath } from "./course_files.ts";
import { assertKept } from "./kept.ts";
import { misspelled } from "./spelling.ts";

const lines = Deno.readTextFileSync(new URL("tests/words.txt", HOUSE))
  .trim().split("\n");
const ours = new Set(lines);

function pages(folder = HOUSE): URL[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) => {
    if (name.startsWith(".") || name === "node_modules") return [];
    if (isDirectory) return pages(new URL(`${name}/`, folder));
    return name.endsWith(".md") ? [new URL(name, folder)] : [];
  });
}

Deno.test("every page is spelled right", () => {
  const wrong = pages().flatMap((page) =>
    misspelled(Deno.readTextFileSync(page), ours)
      .map((word) => `${shortPath(page)}: ${word}`)
  );

  assertKept(wrong);
});

Deno.test("our own words are sorted, and each is needed", () => {
  const text = pages().map((page) => Deno.readTextFileSync(page)).join("\n");
  const unused = lines.filter((word) => !text.includes(word));

  assertEquals(lines, [...ours].sort());
  assertEquals(unused, []);
});

Deno.test("misspelled() finds what no dictionary has", () => {
  const text = "A sokcet is `opne` here, and a listner's\n```ts\nopne\n```\n";

  assertEquals(misspelled(text, new Set()), ["sokcet", "listner"]);
  assertEquals(misspelled(text, new Set(["sokcet"])), ["listner"]);
});
