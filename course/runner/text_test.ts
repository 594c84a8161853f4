import { assertEquals } from "@std/assert";
import { clip, plain, spread, width, wrap } from "./text.ts";

Deno.test("plain() leaves nothing that moves the cursor", () => {
  const nasty =
    "a\u001b[2J\u001b]0;title\u0007b\rc\bd\u0000e\u202ef\tg\u009b2Jh";

  const text = plain(nasty);

  // deno-lint-ignore no-control-regex -- These must be gone.
  assertEquals(/[\u0000-\u001f\u007f-\u009f\u202e]/.test(text), false, text);
  assertEquals(plain("one\r\ntwo\n"), "one\ntwo\n");
  assertEquals(plain("\u001b[31mred\u001b[0m"), "red");
});

Deno.test("width() counts columns, not letters", () => {
  assertEquals(width("日本"), 4);
  assertEquals(width("e\u0301"), 1);
  assertEquals(width("\u001b[1mbold\u001b[22m"), 4);
});

Deno.test("clip() never exceeds its columns", () => {
  assertEquals(clip("hello", 5), "hello");
  assertEquals(clip("hello!", 5), "hell…");
  assertEquals(clip("日本語", 4), "日…");
});

Deno.test("wrap() breaks between words, and inside one that is too long", () => {
  assertEquals(wrap("one two three", 8, "  "), ["one two", "  three"]);
  assertEquals(wrap("abcdefghij", 4), ["abcd", "efgh", "ij"]);
  assertEquals(wrap("", 4), [""]);
  assertEquals(wrap("   indented words", 12, "   "), [
    "   indented",
    "   words",
  ]);
});

Deno.test("wrap() comes to an end however narrow it gets", () => {
  for (let columns = 1; columns < 12; columns++) {
    const lines = wrap("        a line with an indent", columns, "        ");
    assertEquals(lines.length > 0, true);
  }
});

Deno.test("spread() takes a second line where one is too short", () => {
  assertEquals(spread("left", "right", 12), ["left   right"]);
  assertEquals(spread("left", "right", 8), ["left", "   right"]);
});
