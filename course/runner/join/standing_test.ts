import { assertEquals } from "@std/assert";
import { FAILING, LESSONS } from "../test_view.ts";
import { standingOf } from "./standing.ts";

const AT = { lesson: LESSONS[2]!, passed: new Set(["02", "01"]) };

Deno.test("standingOf() tells the lesson, the check and the mistake, and no more", () => {
  assertEquals(standingOf({ ...AT, verdict: FAILING }), {
    lesson: "03",
    status: "failing",
    good: 1,
    of: 4,
    check: FAILING.problem!.check!,
    diagnosis: "await-in-accept-loop",
    passed: ["01", "02"],
  });
});

Deno.test("standingOf() tells a lesson that was just begun from one that fails", () => {
  const blank = { good: 0, of: 0, check: null, diagnosis: null };
  const begun = { lesson: "03", status: "working", ...blank, passed: [] };

  assertEquals(standingOf({ ...AT, passed: new Set() }), begun as unknown);
  const { problem: _, ...rest } = FAILING;
  const verdict = { ...rest, passed: true, checks: [] };
  assertEquals(standingOf({ ...AT, verdict }).status, "passing");
});
