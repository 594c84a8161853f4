import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { screen } from "./screen.ts";
import {
  AT,
  check,
  failed,
  FAILING,
  FAILURE,
  LESSONS,
  shown,
  view,
} from "./test_view.ts";
import type { Verdict } from "./verdict.ts";

Deno.test("screen() shows the first failing check in full", () => {
  assertEquals(
    shown({ verdict: FAILING }),
    ` Sockets by Hand                               03 · Many clients     2 of 3 ▪▪▫

 lessons/03/echo.ts                                  checked in 94 ms, 14:02:31

   ✓ serve() echoes one client
   ✗ serve() answers the second client while the first is silent
   ·  2 more, after this one

 bob expected 5 bytes, "hello", and got nothing for 300 ms    simulated network

      0 ms  ann  connects                   echo.ts:11  accept() → ann
    302 ms  bob  ← …                        echo.ts:18  read() from ann, waiting

 You wait for one client's whole conversation inside the accept loop, so nobody
 else is let in until it ends.                             await-in-accept-loop

 h hint   a all checks   r reset   o open   w page   l list   q quit`,
  );
});

// With NO_COLOR there is no colour, whoever asks for it.
const coloured = { ignore: Deno.noColor };

Deno.test("screen() adds colour to the same words", coloured, () => {
  const look = { columns: 80, rows: 30 };
  const plain = screen(view({ verdict: FAILING }), { ...look, color: false });
  const colored = screen(view({ verdict: FAILING }), { ...look, color: true });

  assertStringIncludes(colored.join("\n"), "\u001b[1melse is let in until it");
  assertStringIncludes(colored.join("\n"), "\u001b[31m✗");
  assert(!plain.join("\n").includes("\u001b"));
  // deno-lint-ignore no-control-regex -- Colours are control characters.
  const bare = colored.map((line) => line.replace(/\u001b\[\d+m/g, ""));
  assertEquals(bare, plain);
});

Deno.test("screen() lists all checks once they are unfolded", () => {
  const text = shown({ verdict: FAILING, unfolded: true });

  assertStringIncludes(text, "   · serve() closes what it opened");
});

Deno.test("screen() folds what passed before it scrolls what failed", () => {
  const passed = Array.from({ length: 20 }, (_, i) => check(`${i}`, "passed"));
  const verdict = failed(FAILURE, [...passed, check("late", "failed")]);

  const text = shown({ verdict }, 80, 24);

  assertStringIncludes(text, "✓ 20 checks, before this one");
  assertStringIncludes(text, "await-in-accept-loop");
});

Deno.test("screen() scrolls a body that is longer than the window", () => {
  const text = Array.from({ length: 40 }, (_, i) => `line ${i}`).join("\n");
  const verdict = failed({ text });

  const top = shown({ verdict }, 80, 20);
  const down = shown({ verdict, scroll: 999 }, 80, 20);

  assertStringIncludes(top, "↓ ");
  assertStringIncludes(top, "q quit");
  assert(!top.includes("line 39"));
  assertStringIncludes(down, "line 39");
  assertStringIncludes(down, "Many clients");
});

Deno.test("screen() puts the sentence before a recording that does not fit", () => {
  const look = { columns: 80, rows: 16, color: false };
  const lines = screen(view({ verdict: FAILING }), look);
  const sentence = lines.findIndex((line) => line.includes("You wait for one"));
  const recording = lines.findIndex((line) => line.includes("ann  connects"));

  assert(sentence > 0, lines.join("\n"));
  assert(recording < 0 || sentence < recording, lines.join("\n"));
});

Deno.test("screen() keeps to a window of any size", () => {
  const types = [{ at: "echo.ts:14:9", message: "Argument of type 'string'" }];
  for (const columns of [20, 30, 40, 60, 79, 80, 81, 100, 200]) {
    for (const rows of [8, 12, 24, 60]) {
      const text = shown({ verdict: FAILING, types }, columns, rows);
      assertStringIncludes(text, "03 ·");
    }
  }
});

Deno.test("screen() puts types beside the checks", () => {
  const message = "Argument of type 'string' is not assignable to parameter " +
    "of type 'Uint8Array'.";
  const types = [{ at: "echo.ts:14:9", message }];

  assertStringIncludes(
    shown({ verdict: FAILING, types }),
    ` Types, beside the checks:  echo.ts:14:9  Argument of type 'string' is not
                            assignable to parameter of type 'Uint8Array'.`,
  );
});

Deno.test("screen() shows what cannot be parsed without a list of checks", () => {
  const text =
    `echo.ts:7:13  Expected '('                     it cannot be parsed

  7 │   for await const conn of listener) {
    │             ^^^^^`;

  const picture = shown({ verdict: failed({ text, loading: true }) });

  assertStringIncludes(picture, " echo.ts:7:13  Expected '('");
  assertStringIncludes(picture, "    │             ^^^^^");
  assert(!picture.includes("after this one"));
});

Deno.test("screen() offers the next lesson only after passing", () => {
  const checks = [check("a", "passed"), check("b", "passed")];
  const verdict: Verdict = { passed: true, checks, ms: 212, at: AT };
  const afterwards = {
    tryIt: ["deno run -P lessons/02/echo.ts", "nc 127.0.0.1 7002"],
    question: "what does nc see if you kill the server?",
  };
  const lesson = LESSONS[1]!;

  assertEquals(
    shown({ verdict, afterwards, lesson }),
    ` Sockets by Hand                                   02 · A server     2 of 3 ▪▪▫

 lessons/02/echo.ts                                 checked in 212 ms, 14:02:31

   ✓ 2 checks, on the simulated network and on loopback                  212 ms

 Try it for real:   deno run -P lessons/02/echo.ts
                    nc 127.0.0.1 7002

 One more question (README.md has the answer): what does nc see if you kill the
 server?

 n next lesson   s compare with the solution   w page   l list   q quit`,
  );
  assert(!shown({ verdict: FAILING }).includes("next lesson"));
  assert(!shown({ verdict }).includes("next lesson"), "03 is the last one");
});
