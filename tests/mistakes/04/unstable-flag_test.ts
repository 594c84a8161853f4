// The flag is given to Deno, so no program and no check can lack it by itself:
// here a program runs, and the lesson's checks play it, without the flag.
import { assertEquals, assertStringIncludes } from "@std/assert";
import { findLesson, HOUSE } from "../../course_files.ts";
import { readReport, runDeno } from "../../lesson_run.ts";

const LOOPBACK = "--allow-net=127.0.0.0/8";
const unguarded = new URL("unstable-flag.ts", import.meta.url);
const { starter, solution } = findLesson("04");

Deno.test("types promise Deno.listenDatagram without the flag", async () => {
  const { code, output } = await runDeno([
    "check",
    "--no-config",
    unguarded.href,
  ]);

  assertEquals(code, 0, output);
});

Deno.test("without the flag there is no Deno.listenDatagram", async () => {
  const { code, output } = await runByHand(unguarded);

  assertEquals(code, 1);
  assertStringIncludes(output, "Deno.listenDatagram is not a function");
});

for (const program of [starter, solution]) {
  Deno.test(`${path(program)} says which flag is missing`, async () => {
    const { code, output } = await runByHand(program);

    assertEquals(code, 1);
    assertStringIncludes(output, "Deno runs without --unstable-net");
  });
}

Deno.test("the checks name the missing flag", async () => {
  const nonce = crypto.randomUUID();
  const { output } = await runDeno([
    ...["test", "--no-config", "--no-lock", "--no-check", "--fail-fast"],
    ...[LOOPBACK, "--import-map", importMap(unguarded)],
    ...["lessons/04", "--", `--report=${nonce}`],
  ]);

  const [first] = readReport(output, nonce);
  assertEquals(first?.status, "failed", output);
  assertEquals(first?.failure?.network, "loopback");
  assertEquals(first?.failure?.diagnosis?.id, "unstable-flag", output);
});

function runByHand(program: URL): Promise<{ code: number; output: string }> {
  return runDeno(["run", "--no-config", "--no-prompt", LOOPBACK, program.href]);
}

function path(file: URL): string {
  return file.href.replace(HOUSE.href, "");
}

/** The course's imports, which stand in the deno.json that is left out. */
function importMap(program: URL): string {
  const source = Deno.readTextFileSync(new URL("deno.json", HOUSE));
  const { imports } = JSON.parse(source);
  const map = { ...imports, [starter.href]: program.href };
  map.check = new URL(imports.check, HOUSE).href;
  return `data:application/json,${
    encodeURIComponent(JSON.stringify({ imports: map }))
  }`;
}
