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
  assertEquals(parse(["leave"]), { ...NOTHING, word: "leave" });
  assertEquals(parse(["--help"]).word, "help");
  assertEquals(parse(["-h"]).word, "help");
});

Deno.test("parse() refuses what it does not know", () => {
  for (
    const args of [["foo"], ["--bogus"], ["-x"], ["1", "2"], ["list", "3"]]
  ) {
    assertThrows(() => parse(args), UsageError, "Cannot read");
  }
  const two = () => parse(["1", "2"]);
  assertThrows(two, UsageError, 'Cannot read "2": one lesson');
});

Deno.test("parse() says what --watch goes with", () => {
  const both = { ...NOTHING, json: true, watch: true };

  assertEquals(parse(["--json", "--watch"]), { ...both, word: "learn" });
  assertEquals(parse(["next", "--json", "--watch"]), { ...both, word: "next" });
  for (
    const args of [["03"], [], ["doctor", "--page"], ["check", "--json"]]
  ) {
    const watching = () => parse([...args, "--watch"]);
    assertThrows(watching, UsageError, "--watch goes with --json and a lesson");
  }
});

Deno.test("parse() says what --page, --json and --join go with", () => {
  for (const args of [["doctor"], ["list"], ["--json", "03"]]) {
    const opening = () => parse([...args, "--page"]);
    assertThrows(opening, UsageError, "--page goes with a lesson alone");
  }
  const listing = () => parse(["list", "--json"]);
  assertThrows(
    listing,
    UsageError,
    'Cannot print JSON for "list": --json goes',
  );
  assertEquals(parse(["check", "--json"]).json, true);
  const board = ["--join", "192.168.1.20", "--code", "0042", "--name", "Ada"];
  const leaving = () => parse([...board, "leave"]);
  assertThrows(leaving, UsageError, 'Cannot join with "leave"');
  assertEquals(parse(["--help", "--page", "--json"]).word, "help");
});

Deno.test("parse() understands which board to join, and as whom", () => {
  const flags = ["--join", "192.168.1.20", "--code", "0042", "--name", "Ada L"];

  assertEquals(parse([...flags, "03"]), {
    ...NOTHING,
    word: "learn",
    argument: "03",
    join: { address: "192.168.1.20:8080", code: "0042", name: "Ada L" },
  });
  for (let n = 0; n < 6; n += 2) {
    const two = flags.toSpliced(n, 2);
    assertThrows(() => parse(two), UsageError, "Cannot join: it takes --join");
  }
  const words = () => parse([...flags.toSpliced(5, 1, "Ada"), "Lovelace"]);
  assertThrows(words, UsageError, 'in quotes, such as --name "Ada Lovelace"');
  flags[1] = "192.168.1.20,example.com";
  assertThrows(() => parse(flags), UsageError, "an address is like 192.168.");
});
