import { assertEquals } from "@std/assert";
import { plainText } from "./plain_text.ts";
import { AT, check, LESSONS } from "./test_view.ts";

Deno.test("plainText() counts the checks that pass", () => {
  const sum = (checks: number) =>
    plainText(LESSONS[0]!, {
      passed: true,
      checks: Array.from({ length: checks }, () => check("it ends", "passed")),
      ms: 90,
      at: AT,
    }, []).replace(/,.*/, "");

  assertEquals(sum(1), "lesson 01 Your first TCP client: 1 check passes\n");
  assertEquals(sum(2), "lesson 01 Your first TCP client: all 2 checks pass\n");
});
