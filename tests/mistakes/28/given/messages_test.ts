// The programs here share what the starter gives away; it has to be the same.
import { assertStringIncludes } from "@std/assert";

const GIVEN = new URL("messages.ts", import.meta.url);
const STARTER = new URL("../../../../lessons/28/proxy.ts", import.meta.url);

Deno.test("what lesson 28 gives away stands in its starter word for word", () => {
  const starter = plain(Deno.readTextFileSync(STARTER));
  const [, ...blocks] = Deno.readTextFileSync(GIVEN).split("\n\n");

  for (const block of blocks) assertStringIncludes(starter, plain(block));
});

/** A source without its exports, and however its lines are broken. */
function plain(source: string): string {
  return source.replace(/^export /gm, "").replace(/\s+/g, "")
    .replaceAll(",)", ")");
}
