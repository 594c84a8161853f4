// Every import goes through an open door. A rule nobody checks is a wish, so
// each rule also meets a module that breaks it.
import { assert, assertEquals } from "@std/assert";
import { HOUSE, list } from "./course_files.ts";
import { importsOf, prints, trespasses } from "./doors.ts";
import { assertKept } from "./kept.ts";

const config = JSON.parse(Deno.readTextFileSync(new URL("deno.json", HOUSE)));
const packages = Object.keys(config.imports);

/** The path, from the root, of every module under `folder`. */
function modules(folder: string): string[] {
  return list(new URL(folder, HOUSE)).flatMap((name) => {
    if (name.endsWith("/")) return modules(folder + name);
    return /(?<!\.d)\.tsx?$/.test(name) ? [folder + name] : [];
  });
}

Deno.test("every import goes through an open door", () => {
  const paths = ["lessons/", "solutions/", "course/", "tests/"]
    .flatMap(modules);
  const found = paths.flatMap((path) =>
    trespasses(path, Deno.readTextFileSync(new URL(path, HOUSE)), packages)
  );

  assert(paths.includes("tests/rooms_test.ts"));
  assertKept(found);
});

Deno.test("nothing in the house prints but what is named for it", () => {
  const printers = /(_test|\/main|\/terminal)\.ts$|^course\/bench\//;
  const found = modules("course/")
    .filter((path) => !printers.test(path))
    .filter((path) => prints(Deno.readTextFileSync(new URL(path, HOUSE))));

  assertKept(found);
  assert(prints("  console.log(1);\n"));
  assert(!prints("// console.log(1);\n`console.log(2)`;\n"));
});

const allowed: [string, string][] = [
  ["lessons/03/echo_test.ts", "@std/assert"],
  ["lessons/03/echo_test.ts", "check"],
  ["lessons/03/echo_test.ts", "./echo.ts"],
  ["lessons/03/echo.ts", "@std/assert"],
  ["tests/alternatives/03/node.ts", "node:net"],
  ["tests/tools_test.ts", "../course/runner/mod.ts"],
  ["course/check/cast/actor.ts", "../recording.ts"],
  ["course/runner/main.ts", "@std/cli/parse-args"],
  ["course/runner/solution.ts", "diff"],
  ["course/page/server.ts", "../runner/mod.ts"],
  ["course/page/server.ts", "hono"],
  ["course/board/server.ts", "../web/headers.ts"],
];

for (const [path, specifier] of allowed) {
  Deno.test(`${path} may import ${specifier}`, () => {
    const source = `import { it } from "${specifier}";\n`;
    assertKept(trespasses(path, source, [...packages, "diff"]));
  });
}

const forbidden: [string, string][] = [
  ["lessons/03/echo_test.ts", "@std/fmt/colors"],
  ["lessons/03/echo_test.ts", "../../tests/tools.ts"],
  ["lessons/03/echo_test.ts", "../02/echo.ts"],
  ["lessons/03/echo_test.ts", "node:net"],
  ["lessons/03/echo.ts", "check"],
  ["lessons/03/echo.ts", "node:net"],
  ["lessons/03/echo.ts", "../02/echo.ts"],
  ["lessons/03/echo.ts", "jsr:@std/assert"],
  ["solutions/03/echo.ts", "check"],
  ["solutions/03/echo.ts", "node:net"],
  ["solutions/03/echo.ts", "../02/echo.ts"],
  ["tests/alternatives/03/node.ts", "check"],
  ["tests/mistakes/03/reads_once.ts", "check"],
  ["tests/lessons_test.ts", "../solutions/03/echo.ts"],
  ["course/check/mod.ts", "../runner/mod.ts"],
  ["course/check/mod.ts", "../../lessons/03/echo.ts"],
  ["course/check/mod.ts", "diff"],
  ["course/runner/main.ts", "check"],
  ["course/runner/main.ts", "../check/mod.ts"],
  ["course/runner/main.ts", "../../lessons/03/echo.ts"],
  ["course/runner/main.ts", "npm:diff"],
  ["course/runner/main.ts", "unnamed"],
  ["course/runner/main.ts", "hono"],
  ["course/runner/session.ts", "../page/main.ts"],
  ["course/page/server.ts", "../runner/run.ts"],
  ["course/page/server.ts", "../check/mod.ts"],
  ["course/board/server.ts", "../runner/mod.ts"],
  ["course/web/files.ts", "../page/shell.ts"],
  ["course/stray.ts", "@std/assert"],
  ["stray.ts", "@std/assert"],
];

for (const [path, specifier] of forbidden) {
  Deno.test(`${path} may not import ${specifier}`, () => {
    const source = `import { it } from "${specifier}";\n`;
    const found = trespasses(path, source, [...packages, "diff"]);
    assertEquals(found.length, 1, found.join());
  });
}

Deno.test("importsOf() finds every kind of import", () => {
  const source = `
    import a from "a";
    import type { B } from 'b';
    import {
      c,
    } from "c";
    import "d";
    export * from "e";
    export type { F } from "f";
    const g = await import("g");
    // import h from "h";
    /** import { i } from "i"; */
    const text = "from";
    export function listen() {}
  `;

  assertEquals(importsOf(source), ["a", "b", "c", "d", "e", "f", "g"]);
});
