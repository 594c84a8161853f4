// Both hold the same promises: Node's timers, and those that stand in for them.
import { assertEquals, assertRejects } from "@std/assert";
import * as nodeTimers from "node:timers";
import * as nodePromises from "node:timers/promises";
import { type Body, Play } from "../play.ts";
import * as ourTimers from "./mod.ts";
import * as ourPromises from "./promises.ts";

const sides = [
  { whose: "Node's", timers: nodeTimers, promises: nodePromises },
  { whose: "ours", timers: ourTimers, promises: ourPromises },
];

/** What is thrown when `signal` aborts. */
async function assertAborts(call: () => Promise<unknown>) {
  const error = await assertRejects(call, Error, "The operation was aborted");
  const { name, code, cause } = error as Error & { code: string };
  assertEquals({ name, code, cause }, {
    name: "AbortError",
    code: "ABORT_ERR",
    cause: "enough",
  });
}

for (const { whose, timers, promises } of sides) {
  Deno.test(`${whose} promises give their value, and can be stopped`, async () => {
    assertEquals(await promises.setTimeout(1, "value"), "value");
    assertEquals(await promises.setTimeout(1), undefined);
    assertEquals(await promises.setImmediate("value"), "value");
    await promises.scheduler.wait(1);
    await promises.scheduler.yield();

    const controller = new AbortController();
    const { signal } = controller;
    const later = promises.setTimeout(60_000, "value", { signal });
    controller.abort("enough");
    await assertAborts(() => later);
    await assertAborts(() => promises.setTimeout(1, "value", { signal }));
    await assertAborts(() => promises.scheduler.wait(1, { signal }));
  });

  Deno.test(`${whose} promises wait for nobody if they are told so`, async () => {
    const module = whose === "ours"
      ? new URL("promises.ts", import.meta.url).href
      : "node:timers/promises";
    const { code } = await new Deno.Command(Deno.execPath(), {
      args: [
        "eval",
        `import { setTimeout } from "${module}";
         setTimeout(60_000, undefined, { ref: false });`,
      ],
    }).output();
    assertEquals(code, 0);
  });

  Deno.test(`${whose} intervals come again, until one has had enough`, async () => {
    const values = [];
    for await (const value of promises.setInterval(1, "tick")) {
      values.push(value);
      if (values.length === 3) break;
    }
    assertEquals(values, ["tick", "tick", "tick"]);

    const controller = new AbortController();
    const { signal } = controller;
    await assertAborts(async () => {
      for await (const _ of promises.setInterval(1, "tick", { signal })) {
        controller.abort("enough");
      }
    });
    const late = promises.setInterval(1, "tick", { signal });
    await assertAborts(() => late[Symbol.asyncIterator]().next());
  });

  Deno.test(`${whose} timers ring, or do not`, async () => {
    const rung: string[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    timers.clearTimeout(timers.setTimeout(() => rung.push("timeout"), 1));
    timers.clearImmediate(timers.setImmediate(() => rung.push("immediate")));
    const interval = timers.setInterval(
      (word) => {
        if (rung.push(word) === 2) resolve();
      },
      1,
      "interval",
    );
    await promise;
    timers.clearInterval(interval);
    await new Promise((resolve) => timers.setTimeout(resolve, 5));

    assertEquals(rung, ["interval", "interval"]);
  });

  Deno.test(`${whose} timers stand under these names`, () => {
    assertEquals(Object.keys(timers).sort(), Object.keys(nodeTimers).sort());
    assertEquals(
      Object.keys(promises).sort(),
      Object.keys(nodePromises).sort(),
    );
    assertEquals(timers.promises.setTimeout, promises.setTimeout);
  });
}

/** Performs `body` on the simulated network, and returns how it failed. */
async function perform(body: Body) {
  const play = { symbol: "serve()", seed: 1, adversity: {} };
  return await new Play({ ...play, network: "simulated" }).perform(body);
}

Deno.test("a check's clock is the clock of our timers", async () => {
  const { evidence } = await perform(async (stage) => {
    await stage.start(async () => {
      await ourPromises.setTimeout(100_000);
      await ourPromises.scheduler.wait(20_000);
      for await (const _ of ourPromises.setInterval(3_000)) break;
      await new Promise((resolve) => ourTimers.setTimeout(resolve, 400));
    }).result;
    assertEquals(stage.now, 123_400);
  });

  assertEquals(evidence, undefined);
});
