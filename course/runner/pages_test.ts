import { assert, assertStringIncludes } from "@std/assert";
import { PART, shown } from "./test_view.ts";

Deno.test("screen() shows one step of the hints", () => {
  const steps = ["Which line of yours is running?", "Look.", "Think."];
  const hints = { id: "await-in-accept-loop", steps };

  const text = shown({ page: { name: "hint", hints, step: 0 } });

  assertStringIncludes(text, " Hint 1 of 3 · await-in-accept-loop");
  assertStringIncludes(text, "   Which line of yours is running?");
  assert(!text.includes("Look."));
});

Deno.test("screen() shows the list with marks and a cursor", () => {
  const text = shown({ page: { name: "list", cursor: 2 } });

  assertStringIncludes(text, ` ${PART}\n   ✓ 01  Your first TCP client`);
  assertStringIncludes(text, "\n ▸   03  Many clients");
  assertStringIncludes(text, "concurrent echo           nc\n");
});

Deno.test("screen() shows in the list what is looked for", () => {
  const text = shown({ page: { name: "list", cursor: 0, find: "many" } });

  assertStringIncludes(text, " ▸   03  Many clients");
  assert(!text.includes("A server"));
});

Deno.test("screen() marks whose line is whose beside the solution", () => {
  const lines = [
    { mark: " ", text: "for (;;) {" },
    { mark: "-", text: "  await echo(conn);" },
    { mark: "+", text: "  echo(conn);\u001b[2J" },
  ] as const;

  const text = shown({ page: { name: "solution", lines } });

  assertStringIncludes(text, "\n -   await echo(conn);\n +   echo(conn);");
});

Deno.test("screen() shows how far the check of all lessons is", () => {
  const results = new Map([
    ["01", { passed: true, good: 1, checks: 1 }],
    ["02", { passed: false, good: 1, checks: 5 }],
  ]);

  const text = shown({ page: { name: "all", results, done: false } });

  assertStringIncludes(text, "1 of 2 lessons pass, 1 to go");
  assertStringIncludes(text, "1 check passes\n");
  assertStringIncludes(text, "1 of 5 checks pass");
});
