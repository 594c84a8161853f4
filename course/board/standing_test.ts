import { assertEquals, assertThrows } from "@std/assert";
import { Refused } from "./refused.ts";
import { readStanding } from "./standing.ts";

const REPORT = {
  lesson: "03",
  status: "failing",
  good: 1,
  of: 11,
  check: "serve() answers the second client while the first is silent",
  diagnosis: "await-in-accept-loop",
  passed: ["01", "02"],
  forMs: 1_500,
};

Deno.test("readStanding() understands a report", () => {
  assertEquals(readStanding(REPORT), REPORT as unknown);
  const { check: _, diagnosis: __, forMs: ___, ...working } = REPORT;
  assertEquals(
    readStanding({ ...working, status: "working", passed: ["02", "01", "02"] }),
    {
      ...working,
      status: "working",
      check: null,
      diagnosis: null,
      forMs: 0,
    },
  );
});

const WRONG: [change: Record<string, unknown>, says: string][] = [
  [{ code: "Deno.listen()" }, "these fields and no other"],
  [{ recording: [] }, "these fields and no other"],
  [{ lesson: "3" }, "two digits"],
  [{ lesson: 3 }, "two digits"],
  [{ lesson: "../../etc" }, "two digits"],
  [{ status: "cheating" }, "working, failing or passing"],
  [{ good: 12 }, "whole number, 0 to 11"],
  [{ good: -1 }, "whole number"],
  [{ good: 0.5 }, "whole number"],
  [{ of: 1e9 }, "whole number"],
  [{ of: "11" }, "whole number"],
  [{ check: "x".repeat(201) }, "longer than 200"],
  [{ check: "\u001b[2J" }, "cannot be shown"],
  [{ check: 7 }, "has to be text"],
  [{ diagnosis: "<script>" }, "as in the catalogue"],
  [{ diagnosis: "x".repeat(61) }, "as in the catalogue"],
  [{ passed: "01" }, "a short list"],
  [{ passed: Array(101).fill("01") }, "a short list"],
  [{ passed: ["one"] }, "two digits"],
  [{ forMs: 1e12 }, "whole number"],
  [{ forMs: NaN }, "whole number"],
];

for (const [change, says] of WRONG) {
  const shown = JSON.stringify(change).slice(0, 60);
  Deno.test(`readStanding() refuses ${shown}`, () => {
    assertThrows(() => readStanding({ ...REPORT, ...change }), Refused, says);
  });
}

Deno.test("readStanding() refuses what is no object", () => {
  for (const it of [null, [], "03", 3, undefined]) {
    assertThrows(() => readStanding(it), Refused, "has to be an object");
  }
});
