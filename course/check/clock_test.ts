import { assertEquals } from "@std/assert";
import { Clock } from "./clock.ts";

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
