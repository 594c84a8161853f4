import { assertEquals } from "@std/assert";
import { Clock } from "../clock.ts";
import { Timers } from "./timers.ts";

Deno.test("a process waits for a timer that runs, and not for an unref'd one", () => {
  const timers = new Timers(new Clock(), () => {});
  const { setTimeout, setInterval, clearTimeout } = timers.functions;
  const { refTimer, unrefTimer } = timers.holds;
  const once = setTimeout(() => {}, 60_000);
  const often = setInterval(() => {}, 60_000);
  assertEquals(timers.holding.length, 2);

  unrefTimer(once);
  unrefTimer(Number(often)); // Their types call them numbers.
  assertEquals(timers.holding.length, 0);
  assertEquals([once.hasRef(), often.hasRef()], [false, false]);

  refTimer(once);
  often.ref();
  assertEquals(timers.holding.length, 2);
  once.unref();
  clearTimeout(often);
  assertEquals(timers.holding.length, 0);
});
