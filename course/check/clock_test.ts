import { assert, assertEquals } from "@std/assert";
import { Clock, WallClock } from "./clock.ts";
import { turn } from "./real.ts";

Deno.test("jump() rings alarms in the order of their times", () => {
  const clock = new Clock();
  const rung: string[] = [];
  clock.set(20, () => rung.push(`late at ${clock.now}`));
  clock.set(10, () => rung.push(`early at ${clock.now}`));
  clock.set(10, () => rung.push(`early too at ${clock.now}`));

  while (clock.jump());

  assertEquals(rung, ["early at 10", "early too at 10", "late at 20"]);
});

Deno.test("jump() says when there is nothing left to wait for", () => {
  const clock = new Clock();
  const alarm = clock.set(10, () => {});
  clock.cancel(alarm);

  assertEquals(clock.jump(), false);
  assertEquals(clock.now, 0);
});

Deno.test("burn() lets time go by, and alarms be late", () => {
  const clock = new Clock();
  const rung: string[] = [];
  clock.set(10, () => rung.push(`at ${clock.now}`));
  clock.set(50, () => rung.push(`at ${clock.now}`));
  assertEquals(clock.late, false);

  clock.burn(30);
  assertEquals(clock.late, true);
  clock.jump();
  assertEquals(clock.late, false);
  clock.jump();

  assertEquals(rung, ["at 30", "at 50"]);
});

Deno.test("read() lets a program that asks and asks see time go by", () => {
  const clock = new Clock();

  let asked = 0;
  while (clock.read() <= 2) asked++;

  assertEquals(clock.now, 3);
  assert(asked > 20_000, `${asked} times`);
  assertEquals(clock.read(), 3);
});

Deno.test("read() shows one moment to a crowd", () => {
  const clock = new Clock();
  for (let at = 0; at < 3; at++) {
    for (let i = 0; i < 9_999; i++) assertEquals(clock.read(), at);
    clock.burn(1);
  }
});

/** Holds the only thread, as a busy machine holds the process. */
function pause(ms: number) {
  for (const end = performance.now() + ms; performance.now() < end;);
}

Deno.test("a wall clock that has no alarm shows real time", () => {
  const clock = new WallClock();
  const before = clock.now;
  pause(20);
  assert(clock.now - before >= 20, `${clock.now - before} ms`);
});

Deno.test("a wall clock with an alarm hardly counts a pause of the process", async () => {
  const clock = new WallClock();
  const rung = Promise.withResolvers<number>();
  clock.set(30, () => rung.resolve(clock.now));
  const [before, started] = [clock.now, performance.now()];
  pause(100);
  const counted = clock.now - before;
  assert(counted <= 5, `${counted} ms of the pause count`);

  const rang = await rung.promise;
  const took = performance.now() - started;
  assert(rang >= 30, `it rang at ${rang} ms`);
  assert(took >= 125, `it rang ${took} ms later, 100 of them a pause`);
});

Deno.test("a wall clock rings in order, and each ring has its effect first", async () => {
  const clock = new WallClock();
  const done: string[] = [];
  const both = ["one", "two"].map((name) =>
    clock.sleep(5).then(() => done.push(name)).then(() => done.push("then"))
  );
  await Promise.all(both);
  assertEquals(done, ["one", "then", "two", "then"]);
});

Deno.test("a wall clock rings behind what a pause of the process kept back", async () => {
  const clock = new WallClock();
  const order: string[] = [];
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepted = listener.accept().catch(() => order.push("accept() ends"));
  await turn();

  listener.close();
  const rung = clock.sleep(5).then(() => order.push("the alarm"));
  pause(20);
  await Promise.all([accepted, rung]);

  assertEquals(order, ["accept() ends", "the alarm"]);
});

Deno.test("a wall clock counts what burn() computes", () => {
  const clock = new WallClock();
  const alarm = clock.set(1_000, () => {});
  const before = clock.now;
  clock.burn(20);
  assert(clock.now - before >= 20, `${clock.now - before} ms`);
  clock.cancel(alarm);
});
