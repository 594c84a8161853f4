import { assert, assertEquals, assertRejects } from "@std/assert";
import { output, Process } from "./process.ts";

// The bench is for Linux; what it stands on needs a shell.
const ignore = Deno.build.os === "windows";

Deno.test("Process ends with all that it has started", { ignore }, async () => {
  // The child has the output, too: it has ended when the output has.
  await using process = new Process(["sh", "-c", "sleep 60 & echo up; wait"]);
  await process.prints(/up/);

  const killed = performance.now();
  process.kill();
  await process.ended;

  assert(performance.now() - killed < 30_000);
});

Deno.test("Process is killed when its time is up", { ignore }, async () => {
  await using process = new Process(["sleep", "60"], { limitMs: 50 });

  assertEquals((await process.ended).signal, "SIGKILL");
});

Deno.test("Process tells what it printed instead", { ignore }, async () => {
  await using process = new Process(["echo", "something else"]);

  await assertRejects(
    () => process.prints(/ready/),
    Error,
    'Cannot get "echo something else" to print /ready/: something else',
  );
});

Deno.test("Process rests when it has nothing more to print, or ends", {
  ignore,
}, async () => {
  await using silent = new Process(["sleep", "60"]);
  await using brief = new Process(["sh", "-c", "echo one; echo two"]);

  await silent.rests(10);
  await brief.rests(60_000);

  assertEquals(brief.stdout, "one\ntwo\n");
});

Deno.test(
  "output() gives what a command prints, unless it fails",
  { ignore },
  async () => {
    assertEquals(await output(["echo", "words"]), "words\n");
    await assertRejects(() => output(["false"]), Error, "end well");
  },
);
