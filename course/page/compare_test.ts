import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { comparison } from "./compare.ts";
import { bytes, recorded } from "./test_problem.ts";

async function compared(expected: string, received: string): Promise<string> {
  const hex = (text: string) => bytes(text).bytes;
  const more = { expected: hex(expected), received: hex(received) };
  return String(await comparison(recorded([], more)));
}

Deno.test("comparison() marks the first wrong byte, as hex and as text", async () => {
  const text = await compared("hello", "help!");

  assertStringIncludes(text, "<td>68 65 6c <mark>6c</mark> 6f</td>");
  assertStringIncludes(text, "<td>hel<mark>p</mark>!</td>");
  assertStringIncludes(text, "at byte 3, counted from 0");
});

Deno.test("comparison() shows a backslash as it is, where nothing is escaped", async () => {
  assertStringIncludes(
    await compared("a\\/b", "a\\.b"),
    "<td>a\\<mark>/</mark>b</td>",
  );
  assertStringIncludes(
    await compared("a\\/b", "a\\\n"),
    "<td>a\\\\<mark>/</mark>b</td>",
  );
});

Deno.test("comparison() marks an end that comes too early", async () => {
  const text = await compared("hello", "hel");

  assertStringIncludes(text, "<td>hel<mark>end</mark></td>");
});

Deno.test("comparison() begins shortly before the difference", async () => {
  const text = await compared("x".repeat(100) + "a", "x".repeat(100) + "b");

  assertStringIncludes(text, "at byte 100,");
  assertStringIncludes(text, "<td>xxxxxxxx<mark>a</mark></td>");
});

Deno.test("comparison() counts from the first of all bytes, not of those told", async () => {
  const more = { expected: "61 62 63", received: "61 62 64", offset: 236 };
  const text = String(await comparison(recorded([], more)));

  assertStringIncludes(text, "From byte 236. ");
  assertStringIncludes(text, "at byte 238,");
});

Deno.test("comparison() escapes what it shows", async () => {
  assert(!(await compared("<b>", "<i>")).includes("<b>"));
});

Deno.test("comparison() is silent where there is nothing to compare", () => {
  assertEquals(comparison(recorded([])), undefined);
  const same = { expected: "61", received: "61" };
  assertEquals(comparison(recorded([], same)), undefined);
  const nothing = { expected: "61", received: "" };
  assertEquals(comparison(recorded([], nothing)), undefined);
});
