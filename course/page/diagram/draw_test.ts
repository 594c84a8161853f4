import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Problem } from "../../runner/mod.ts";
import { bytes, cast, IGNORED, program, recorded } from "../test_problem.ts";
import { draw } from "./draw.ts";
import { rowsOf } from "./rows.ts";
import { signs } from "./signs.ts";
import { stepsOf } from "./steps.ts";

async function svg(problem: Problem): Promise<string> {
  const { check = "serve()", diagnosis } = problem;
  const name = check.split(" ")[0]!;
  const rows = rowsOf(stepsOf(problem));
  return String(
    await draw(rows, { program: name, file: "echo.ts", diagnosis }),
  );
}

/** What stands in elements of this class, in order. */
function texts(svg: string, kind: string): string[] {
  const found = svg.matchAll(
    new RegExp(`<text class="${kind}[^>]*>(.*?)</text>`, "g"),
  );
  return [...found].map(([, text]) => text!.replaceAll("&quot;", '"'));
}

/** Each arrow: its classes, and whether it points left or right. */
function arrows(svg: string): string[] {
  const found = svg.matchAll(
    /<g class="arrow ([^"]+)">\s*<line x1="([^"]+)" x2="([^"]+)"/g,
  );
  return [...found].map(([, kind, from, to]) =>
    `${kind} ${Number(to) > Number(from) ? "→" : "←"}`
  );
}

Deno.test("draw() has a lane for each, an arrow for each, and words at them", async () => {
  const drawn = await svg(IGNORED);

  assertEquals(texts(drawn, "head"), ["ann", "bob", "serve()"]);
  assertEquals(arrows(drawn), [
    "connect taken →",
    "connect queued →",
    "bytes queued →",
    "bytes missing ←",
  ]);
  assertEquals(texts(drawn, "above"), [
    "connects",
    "connects",
    '"hello"',
    '"hello"',
  ]);
  assertEquals(texts(drawn, "below"), [
    "68 65 6c 6c 6f",
    "68 65 6c 6c 6f, never came",
  ]);
  assertEquals(texts(drawn, "line"), [":12", ":23"]);
  assertEquals(texts(drawn, "call"), [
    "accept() → ann",
    "read() from ann, waiting",
  ]);
});

Deno.test("draw() puts the diagnosis below what it is about", async () => {
  const drawn = await svg({
    ...IGNORED,
    kind: "crash",
    recording: [
      program("", "crash", "nobody catches ConnectionReset"),
      program("", "return", "serve() returns"),
    ],
    waiting: [],
  });
  const y = (text: string) =>
    Number(drawn.match(`y="([\\d.]+)"[^>]*>${text}`)![1]);

  assertStringIncludes(drawn, '<g class="diagnosis" data-step="1">');
  assert(y("nobody catches") < y("You wait for one"));
  assert(y("You wait for one") < y("serve\\(\\) returns"));
});

Deno.test("draw() says the same every time", async () => {
  assertEquals(await svg(IGNORED), await svg(structuredClone(IGNORED)));
});

Deno.test("draw() escapes whatever a program may have said", async () => {
  const evil = '<script>alert("1")</script>';
  const drawn = await svg(recorded([
    cast("<b>", "connect", "connects"),
    program("", "print", `prints ${evil}`, { line: "<i>:1" }),
    cast("<b>", "send", "→", bytes("<u>")),
  ], { check: "<s> ends", diagnosis: { id: "<p>", sentence: evil } }));

  assertEquals(drawn.match(/<(script|b|i|u|s|p)>/g), null);
  assertStringIncludes(drawn, "&lt;script&gt;");
});

Deno.test("draw() shows time where it changes, and silence where it passes", async () => {
  const drawn = await svg(recorded([
    cast("ann", "connect", "connects"),
    cast("ann", "send", "→", bytes("a")),
    cast("ann", "send", "→", { ...bytes("b"), at: 1_200 }),
  ]));

  assertEquals(texts(drawn, "time"), ["0 ms", "1,200 ms"]);
  assertEquals(drawn.match(/class="quiet"/g)?.length, 2);
});

Deno.test("draw() ends a lane where somebody leaves", async () => {
  const drawn = await svg(recorded([
    cast("ann", "connect", "connects"),
    cast("ann", "close", "leaves"),
    cast("bob", "connect", "connects"),
  ]));
  const lives = [...drawn.matchAll(/class="life".*?y2="([^"]+)"/g)]
    .map(([, end]) => Number(end));

  assert(lives[0]! < lives[1]!, String(lives));
  assertStringIncludes(drawn, 'class="stop"');
});

Deno.test("draw() gives a lane to few, and the others share one", async () => {
  const names = Array.from({ length: 9 }, (_, i) => `client ${i}`);
  const drawn = await svg(recorded([
    ...names.map((name) => cast(name, "connect", "connects")),
    cast("client 7", "send", "→", bytes("a")),
  ], { kind: "extra" }));

  assertEquals(texts(drawn, "head").slice(0, -1), [
    "client 0",
    "client 1",
    "client 2",
    "client 3",
    "client 7",
    "4 others",
  ]);
  assertStringIncludes(texts(drawn, "above").join(), "client 8: connects");
});

Deno.test("rowsOf() leaves out the middle of a long recording, but for a fault", () => {
  const many = Array.from(
    { length: 300 },
    (_, i) => cast(i % 2 ? "ann" : "bob", "send", `→ ${i}`, bytes("a")),
  );
  many[150] = program("", "crash", "nobody catches it");
  const steps = stepsOf(recorded(many, { kind: "crash" }));

  const rows = rowsOf(steps);
  const gaps = rows.flatMap((row) => "gap" in row ? [row.gap] : []);

  assertEquals(gaps.length, 2);
  assert(rows.some((row) => "step" in row && row.step.state === "fault"));
  const drawn = rows.length - gaps.length;
  assertEquals(drawn + gaps[0]! + gaps[1]!, steps.length);
  assertEquals(rowsOf(steps, true).length, steps.length);
});

Deno.test("signs() explains what occurs, and nothing else", async () => {
  const rows = rowsOf(stepsOf(IGNORED));

  const explained = String(await signs(rows));

  assertStringIncludes(explained, "nobody has taken it");
  assertStringIncludes(explained, "never came");
  assertStringIncludes(explained, "has not returned");
  assert(!/FIN|RST|silence|never got there/.test(explained), explained);
});
