import { assertEquals, assertThrows } from "@std/assert";
import { type Goal, isKept, report, withBlock } from "./table.ts";

const goal: Goal = {
  what: "a save",
  unit: " ms",
  measured: 250.4,
  atMost: 200,
};

Deno.test("report() puts the promises before the tables", () => {
  const text = report("A machine.", [{
    title: "Saves",
    text: "From a save to the verdict.",
    head: ["", "ms"],
    rows: [["ours", "250"], ["theirs", "1,000"]],
    goals: [
      goal,
      { what: "errors", measured: 0, atMost: 0 },
      { what: "an echo", measured: 0.8, atLeast: 0.75 },
      { what: "a peer", measured: NaN, atLeast: 1 },
    ],
  }]);

  assertEquals(
    text,
    `A machine.

| promise | goal | measured |  |
| --- | --: | --: | --: |
| a save | ≤ 200 ms | 250 ms | not kept |
| errors | ≤ 0 | 0.00 | kept |
| an echo | ≥ 0.75 | 0.80 | kept |
| a peer | ≥ 1 | – |  |

### Saves

From a save to the verdict.

|  | ms |
| --- | --: |
| ours | 250 |
| theirs | 1,000 |`,
  );
});

Deno.test("report() has no table where there are no rows", () => {
  const table = { title: "Gone", text: "It is missing.", head: [], rows: [] };

  assertEquals(report("A.", [table]), "A.\n\n### Gone\n\nIt is missing.");
});

Deno.test("isKept() knows both kinds of bounds", () => {
  assertEquals(isKept(goal), false);
  assertEquals(isKept({ ...goal, measured: 200 }), true);
  assertEquals(isKept({ what: "", measured: 0.74, atLeast: 0.75 }), false);
  assertEquals(isKept({ what: "", measured: NaN, atLeast: 0.75 }), false);
});

Deno.test("withBlock() replaces what a run has written, and nothing else", () => {
  const readme = Deno.readTextFileSync(
    new URL("README.md", import.meta.url),
  );

  const once = withBlock(readme, "the old run");
  const twice = withBlock(once, "the new run");

  assertEquals(once.split("the old run").length, 2);
  assertEquals(twice, once.replace("the old run", "the new run"));
  assertEquals(twice.split("\n## ")[0], readme.split("\n## ")[0]);
});

Deno.test("withBlock() refuses a page without the marks", () => {
  assertThrows(() => withBlock("# A page\n", "text"), Error, "lacks");
});
