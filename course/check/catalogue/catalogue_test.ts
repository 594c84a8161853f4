import { assert, assertMatch, assertThrows } from "@std/assert";
import { catalogue, mistake } from "./mod.ts";

for (const [id, { sentence }] of Object.entries(catalogue)) {
  Deno.test(`${id} is one sentence that fits on two lines`, () => {
    assertMatch(id, /^[a-z0-9]+(-[a-z0-9]+)*$/);
    assertMatch(sentence, /^([A-Z0-9]|\w+\(\)).*\.$/);
    assert(sentence.length <= 150, `${sentence.length} characters`);
    assert(!sentence.includes("!"), sentence);
  });
}

Deno.test("mistake() refuses an id that the catalogue does not have", () => {
  assertThrows(() => mistake("no-such-mistake"), TypeError, "no-such-mistake");
});
