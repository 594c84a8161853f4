import { assert, assertEquals } from "@std/assert";
import { Child } from "./child.ts";
import type { Os } from "./platform.ts";

/** A child that says hello and then waits for ever. */
async function waiting(os: Os): Promise<Child> {
  const hello = Promise.withResolvers<void>();
  const code = 'console.log("hello"); setInterval(() => {}, 1_000);';
  const child = new Child(["eval", code], {
    cwd: ".",
    os,
    take: () => hello.resolve(),
  });
  await child.say(); // Nothing.
  await hello.promise;
  return child;
}

for (const os of ["linux", "darwin", "windows"] as const) {
  // Windows has no process groups, and no `ps`.
  const ignore = Deno.build.os === "windows" && os !== "windows";
  Deno.test(
    `a child can be ended in the way of ${os}`,
    { ignore },
    async () => {
      const child = await waiting(os);
      const memory = await child.memory();
      assert(os === "windows" ? memory === undefined : memory! > 1_000_000);

      child.kill("time");
      child.kill("unwanted");

      const { ending } = await child.ended;
      assertEquals([ending, child.over], ["time", true]);
      assertEquals(await child.memory(), undefined);
    },
  );
}
