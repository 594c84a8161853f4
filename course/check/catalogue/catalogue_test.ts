import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { Clock } from "../clock.ts";
import type { Kind } from "../evidence.ts";
import { Recording } from "../recording.ts";
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

Deno.test("resync-after-error is not said of a program that has hung up", () => {
  const { fits } = mistake("resync-after-error");
  const fitting = (kind: Kind) =>
    fits({
      kind,
      headline: "ann expected the end",
      recording: new Recording(new Clock()),
      network: "simulated",
      used: true,
    });

  const kinds: Kind[] = ["silence", "different", "end", "closed", "reset"];
  assertEquals(kinds.filter(fitting), ["silence", "different"]);
});
