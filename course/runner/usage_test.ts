import { assertEquals, assertThrows } from "@std/assert";
import { parse, UsageError } from "./usage.ts";

const NOTHING = { json: false, watch: false, page: false };

Deno.test("parse() understands lessons, words and flags", () => {
  assertEquals(parse([]), { ...NOTHING, word: "learn" });
  assertEquals(parse(["03"]), { ...NOTHING, word: "learn", argument: "03" });
  assertEquals(parse(["hint", "2"]), {
    ...NOTHING,
    word: "hint",
    argument: "2",
  });
  assertEquals(parse(["reset", "3"]), {
    ...NOTHING,
    word: "reset",
    argument: "3",
  });
  assertEquals(parse(["--json", "3"]), {
    ...NOTHING,
    word: "learn",
    argument: "3",
    json: true,
  });
  assertEquals(parse(["doctor"]), { ...NOTHING, word: "doctor" });
  assertEquals(parse(["--page"]), { ...NOTHING, word: "learn", page: true });
  assertEquals(parse(["--help"]).word, "help");
  assertEquals(parse(["-h"]).word, "help");
});

Deno.test("parse() refuses what it does not know", () => {
  for (
    const args of [["foo"], ["--bogus"], ["-x"], ["1", "2"], ["list", "3"]]
  ) {
    assertThrows(() => parse(args), UsageError, "Cannot read");
  }
});
