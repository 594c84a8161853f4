import { assertEquals, assertThrows } from "@std/assert";
import { line } from "./line.ts";
import { Refused } from "./refused.ts";

function name(text: unknown): string {
  return line("name", text, 40);
}

Deno.test("line() keeps names of all the world as they are", () => {
  for (
    const text of [
      "Ada",
      "Bo O'Neil-Łukasz",
      "<b>Chen</b>",
      "ليلى",
      "דנה",
      "नेहा",
      "می‌نا",
      "陳大文",
      "👩‍💻",
      "🏴󠁧󠁢󠁥󠁮󠁧󠁿 Eve",
      "& \"quoted\" 'twice'",
    ]
  ) assertEquals(name(text), text);
});

Deno.test("line() makes one line of it", () => {
  assertEquals(name("  Ada \n\t Lovelace "), "Ada Lovelace");
  assertEquals(name("e\u0301va"), "éva");
});

Deno.test("line() refuses what is no text, empty, or long", () => {
  for (const it of [undefined, 7, null, {}, ["Ada"]]) {
    assertThrows(() => name(it), Refused, "has to be text");
  }
  for (const it of ["", "  \n ", "\u200d", "\u0301"]) {
    assertThrows(() => name(it), Refused, "is empty");
  }
  assertEquals(name("a".repeat(40)).length, 40);
  assertThrows(() => name("a".repeat(41)), Refused, "longer than 40");
  assertThrows(() => name("a".repeat(10_000)), Refused, "longer than 40");
});

Deno.test("line() refuses control codes, turns of direction, and piles", () => {
  for (
    const it of [
      "Ada\u0000",
      "\u001b[2JAda",
      "Ada\u0085",
      "Ada\u202egnp.exe",
      "\u2067Ada",
      "A\u200bda",
      "Ada\ud800",
      "A" + "\u0335\u0336\u0337\u0338\u0334".repeat(3),
      "\ue000",
    ]
  ) assertThrows(() => name(it), Refused, "cannot be shown");
});
