// Deno tells about leaked sockets only when it is asked to: deno.json asks.
import { assertEquals, assertMatch } from "@std/assert";
import { runDeno } from "../../lesson_run.ts";

const leaky = "tests/mistakes/03/sanitizers-on.ts";

Deno.test("a leaking test passes where nobody turned the sanitizers on", async () => {
  const flags = ["--no-config", "--no-check", "--allow-net=127.0.0.1"];
  const { code, output } = await runDeno(["test", ...flags, leaky]);

  assertEquals(code, 0, output);
  assertMatch(output, /1 passed \| 0 failed/);
});

Deno.test("the same test fails with this course's deno.json", async () => {
  const flags = ["--config", "deno.json", "--no-check", "-P"];
  const { code, output } = await runDeno(["test", ...flags, leaky]);

  assertEquals(code, 1, output);
  assertMatch(output, /A TCP listener was opened during the test/);
  assertMatch(output, /A TCP connection was opened\/accepted during the test/);
});
