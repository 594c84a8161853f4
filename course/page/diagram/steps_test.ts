import { assertEquals, assertStringIncludes } from "@std/assert";
import type { Problem } from "../../runner/mod.ts";
import { bytes, cast, IGNORED, program, recorded } from "../test_problem.ts";
import { PROGRAM, type Step } from "./step.ts";
import { stepsOf } from "./steps.ts";

/** A step in a few words: who, the arrow, the program's call, the state. */
function told({ who, arrow, aside, call, line, state }: Step): string {
  const way = arrow &&
    `${arrow.from || "program"} ${arrow.sign} ${arrow.to || "program"} ` +
      `${arrow.above} (${arrow.below}) ${arrow.fate}`;
  const what = [way ?? `${who || "program"} ${aside ?? ""}`, line, call, state];
  return what.filter(Boolean).join(" | ").replace(/ +/g, " ");
}

const steps = (problem: Problem) => stepsOf(problem).map(told);

const CONNECTS = [
  cast("ann", "connect", "connects"),
  program("", "accept", "accept() → ann", { line: "echo.ts:12" }),
];

Deno.test("stepsOf() tells who waits, and what never came", () => {
  assertEquals(steps(IGNORED), [
    "ann connect program connects () taken | echo.ts:12 | accept() → ann | done",
    "bob connect program connects () queued | done",
    'bob bytes program "hello" (68 65 6c 6c 6f) queued | done',
    "program | echo.ts:23 | read() from ann, waiting | waits",
    'program bytes bob "hello" (68 65 6c 6c 6f, never came) missing | fault',
  ]);
});

Deno.test("stepsOf() puts a send and its read into one row, and a write and its receive", () => {
  const recording = [
    ...CONNECTS,
    cast("ann", "send", '→ "hi"', bytes("hi")),
    program("ann", "read", "read() from ann → 2 bytes", {
      ...bytes("hi"),
      line: "echo.ts:23",
    }),
    program("ann", "write", 'write() to ann: "hi"', bytes("hi")),
    cast("ann", "receive", '← "hi"', bytes("hi")),
  ];

  assertEquals(steps(recorded(recording)).slice(1), [
    'ann bytes program "hi" (68 69) taken | echo.ts:23 | read() from ann → 2 bytes | done',
    'program bytes ann "hi" (68 69) taken | write() to ann | done',
  ]);
  const last = stepsOf(recorded(recording)).at(-1)!;
  assertEquals(last.sentence, 'write() to ann: "hi". ann gets "hi"');
});

Deno.test("stepsOf() keeps apart what comes at another time, or with other bytes", () => {
  const recording = [
    ...CONNECTS,
    program("ann", "write", 'write() to ann: "hi"', bytes("hi")),
    cast("ann", "receive", '← "h"', bytes("h")),
    cast("ann", "receive", '← "i"', { ...bytes("i"), at: 9 }),
  ];

  assertEquals(steps(recorded(recording)).slice(1), [
    'program bytes ann "hi" (68 69) taken | write() to ann | done',
    'ann gets "h" | done',
    'ann gets "i" | done',
  ]);
});

Deno.test("stepsOf() shows an end, a reset and a close, each with its sign", () => {
  const recording = [
    ...CONNECTS,
    cast("ann", "closeWrite", "ends its sending (FIN)"),
    program("ann", "read", "read() from ann → null"),
    program("ann", "close", "close() of ann"),
    cast("ann", "end", "← the end (FIN)"),
    cast("ann", "reset", "vanishes (RST)"),
    program("ann", "read", "read() from ann ✗ ConnectionReset", {
      error: "ConnectionReset",
    }),
  ];

  assertEquals(steps(recorded(recording)).slice(1), [
    "ann end program ends its sending (FIN) taken | read() from ann → null | done",
    "program end ann closes (FIN) taken | close() of ann | done",
    "ann reset program vanishes (RST) taken | read() from ann ✗ ConnectionReset | done",
  ]);
  assertEquals(stepsOf(recorded(recording)).at(-1)!.leaves, true);
});

Deno.test("stepsOf() says of each byte whether it was read, in order", () => {
  const recording = [
    ...CONNECTS,
    cast("ann", "send", '→ "abc"', bytes("abc")),
    cast("ann", "send", '→ "de"', bytes("de")),
    program("ann", "read", "read() from ann → 4 bytes", bytes("abcd")),
  ];

  const fates = stepsOf(recorded(recording)).map(({ arrow }) => arrow?.fate);

  assertEquals(fates, ["taken", "taken", "queued", undefined]);
});

Deno.test("stepsOf() claims nothing where the recording was cut", () => {
  const recording = [...CONNECTS, cast("ann", "send", "→", bytes("abc"))];

  const [, sent] = stepsOf(recorded(recording, { dropped: 1 }));

  assertEquals(sent!.arrow!.fate, "taken");
});

Deno.test("stepsOf() shows what the network does to a datagram", () => {
  const recording = [
    cast("ann", "send", '→ "one"', bytes("one")),
    cast("the network", "fate", 'drops "one" to server'),
    cast("ann", "send", '→ "one"', bytes("one")),
    program("ann", "receive", "receive() from ann → 3 bytes", bytes("one")),
    cast("ann", "send", '→ "two"', bytes("two")),
    cast("the network", "fate", 'keeps for 20 ms "two" to server'),
    program("ann", "receive", "receive() from ann → 3 bytes", bytes("two")),
    cast("ann", "send", '→ "six"', bytes("six")),
  ];

  assertEquals(steps(recorded(recording)), [
    'ann bytes program "one" (dropped on the way) lost | done',
    'ann bytes program "one" (6f 6e 65) taken | receive() from ann → 3 bytes | done',
    'ann bytes program "two" (kept for 20 ms on the way) taken | receive() from ann → 3 bytes | done',
    'ann bytes program "six" (73 69 78) queued | done',
  ]);
});

Deno.test("stepsOf() draws the bytes of a scripted reader, which nobody sends", () => {
  const recording = [
    program("the reader", "read", 'read() → "he"', bytes("he")),
    program("the reader", "read", "read() → null"),
    program("the writer", "write", "write(): 1 of 2 bytes", bytes("h")),
  ];

  assertEquals(steps(recorded(recording)), [
    'the reader bytes program "he" (68 65) taken | read() → 2 bytes | done',
    "the reader end program ends its sending (FIN) taken | read() → null | done",
    'program bytes the writer "h" (68) taken | write(): 1 of 2 bytes | done',
  ]);
});

Deno.test("stepsOf() joins equal calls, and in a long recording similar ones", () => {
  const reads = Array.from(
    { length: 30 },
    (_, i) =>
      program("ann", "read", `read() from ann → ${i + 1} bytes`, {
        bytes: "61",
        size: i + 1,
      }),
  );
  const equal = Array(3).fill(program("", "accept", "accept() ✗ BadResource"));

  assertEquals(steps(recorded(equal)), [
    "program | accept() ✗ BadResource, 3 times | done",
  ]);
  assertStringIncludes(
    steps(recorded([...CONNECTS, ...reads]))[1]!,
    "read() from ann → 465 bytes, 30 times",
  );
});

Deno.test("stepsOf() marks the event that a check fails with, and what was due", () => {
  const recording = [
    ...CONNECTS,
    program("ann", "write", 'write() to ann: "helo"', bytes("helo")),
    cast("ann", "receive", '← "helo"', bytes("helo")),
    program("", "accept", "accept() ✗ Interrupted"),
  ];
  const problem = recorded(recording, {
    kind: "different",
    who: "ann",
    expected: bytes("hello").bytes,
    received: bytes("helo").bytes,
  });

  assertEquals(steps(problem).slice(1), [
    'program bytes ann "helo" (68 65 6c 6f) taken | write() to ann | fault',
    "program | accept() ✗ Interrupted | done",
    'program bytes ann "lo" (6c 6f, never came) missing | fault',
  ]);
});

Deno.test("stepsOf() marks an error that nobody catches, in a call or beside one", () => {
  const crash = program("", "crash", "nobody catches ConnectionReset");
  const thrown = recorded([...CONNECTS], {
    kind: "crash",
    headline: "serve() threw TypeError: no",
    at: "echo.ts:14",
  });

  assertEquals(steps(recorded([crash], { kind: "crash" })), [
    "program | nobody catches ConnectionReset | fault",
  ]);
  assertEquals(steps(thrown).slice(1), [
    "program | echo.ts:14 | throws TypeError | fault",
  ]);
});

Deno.test("stepsOf() has no row of its own for one that waits for the whole program", () => {
  const problem = recorded([], {
    waiting: [{
      side: "cast",
      kind: "end",
      who: "the check",
      what: "waits for serve() to end",
    }],
  });

  const [step] = stepsOf(problem);

  assertEquals(step!.who, PROGRAM);
  assertEquals(step!.call, "the check waits for serve() to end");
});
