import { assertEquals } from "@std/assert";
import { toBytes } from "./bytes.ts";
import { Clock } from "./clock.ts";
import type { Evidence } from "./evidence.ts";
import { explain } from "./explain.ts";
import { Recording } from "./recording.ts";

function evidence(more: Partial<Evidence>): Evidence {
  return {
    kind: "different",
    headline: "ann expected something, and got something else",
    recording: new Recording(new Clock()),
    network: "simulated",
    used: true,
    ...more,
  };
}

const mistake = {
  id: "a-mistake",
  sentence: "You did one thing, and the wire shows another.",
  fits: () => true,
};

Deno.test("explain() puts a caret under the first wrong character", () => {
  const text = explain(
    evidence({
      expected: toBytes("hello, world"),
      received: toBytes("hello, würd"),
    }),
    mistake,
    "",
  );
  assertEquals(
    text,
    `\
ann expected something, and got something else                 simulated network

   expected  "hello, world"
   received  "hello, würd"
                      ^

You did one thing, and the wire shows another.                         a-mistake`,
  );
});

Deno.test("explain() shows a backslash as it is, where nothing is escaped", () => {
  const lines = (expected: string, received: string) => {
    const bytes = { expected: toBytes(expected), received: toBytes(received) };
    return explain(evidence(bytes), undefined, "").split("\n").slice(2);
  };

  assertEquals(lines("a\\/b", "a\\\\/b"), [
    '   expected  "a\\/b"',
    '   received  "a\\\\/b"',
    "                ^",
  ]);
  // In one of them something is escaped: so is each backslash, in both.
  assertEquals(lines("a\\/b", "a\\/\n"), [
    '   expected  "a\\\\/b"',
    '   received  "a\\\\/\\n"',
    "                  ^",
  ]);
});

Deno.test("explain() shows characters whole, and the caret below the other one", () => {
  const lines = (expected: string, received: string) => {
    const bytes = { expected: toBytes(expected), received: toBytes(received) };
    return explain(evidence(bytes), undefined, "").split("\n").slice(2);
  };

  assertEquals(lines("日本語x", "日本語y"), [
    '   expected  "日本語x"',
    '   received  "日本語y"',
    "                    ^",
  ]);
  // Two characters that begin with the same two bytes.
  assertEquals(lines("今日、晴", "今旦、晴"), [
    '   expected  "今日、晴"',
    '   received  "今旦、晴"',
    "                ^",
  ]);
  assertEquals(lines("ten €10", "ten €20"), [
    '   expected  "ten €10"',
    '   received  "ten €20"',
    "                   ^",
  ]);
  const [from, ...rest] = lines("😀".repeat(9) + "1", "😀".repeat(9) + "2");
  assertEquals(from, "   from byte 28");
  assertEquals(rest, [
    '   expected  "😀😀1"',
    '   received  "😀😀2"',
    "                  ^",
  ]);
  // A letter, and a mark above it.
  assertEquals(lines("ae\u0301x", "ae\u0301y"), [
    '   expected  "ae\u0301x"',
    '   received  "ae\u0301y"',
    "                ^",
  ]);
});

Deno.test("explain() shows bytes that are no text as hex", () => {
  const text = explain(
    evidence({
      expected: Uint8Array.of(0, 0, 0, 5, 0x68, 0x69),
      received: Uint8Array.of(5, 0, 0, 0, 0x68, 0x69),
    }),
    undefined,
    "frames_test.ts:12",
  );
  assertEquals(
    text,
    `\
ann expected something, and got something else                 simulated network

   expected  00 00 00 05 68 69                           ····hi
   received  05 00 00 00 68 69                           ····hi
             ^

It was expected at frames_test.ts:12.`,
  );
});

Deno.test("explain() skips what is equal before a late difference", () => {
  const expected = toBytes("a".repeat(100) + "b");
  const received = toBytes("a".repeat(100) + "c");
  const text = explain(evidence({ expected, received }), undefined, "");
  assertEquals(
    text.split("\n").slice(2).join("\n"),
    `\
   from byte 92
   expected  "aaaaaaaab"
   received  "aaaaaaaac"
                      ^`,
  );
});

Deno.test("explain() shows where in a long recording the error came up", () => {
  const recording = new Recording(new Clock());
  const error = new Deno.errors.BadResource("Bad resource ID");
  const common = { side: "program", who: "ann", kind: "close" } as const;
  for (let i = 0; i < 100; i++) {
    const failed = i === 50 ? { error } : {};
    recording.note({ ...common, text: `call ${i}`, ...failed });
  }

  const crash = evidence({ kind: "crash", recording, error });
  const shown = [...explain(crash, undefined, "").matchAll(/call (\d+)/g)];
  const calls = shown.map(([, i]) => Number(i));

  assertEquals(
    calls.filter((i) => i > 40 && i < 60),
    [43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53],
  );
});
