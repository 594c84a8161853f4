import { assertEquals } from "@std/assert";
import { described, type Machine } from "./machine.ts";

const quiet: Machine = {
  date: new Date("2030-01-02T03:04:05Z"),
  cores: 2,
  system: "linux",
  kernel: "6.1.0",
  deno: "2.9.6",
  load: 0.123,
};

Deno.test("described() names all that a number depends on", () => {
  assertEquals(
    described(quiet),
    "Measured on 2030-01-02; 2 cores; Linux `6.1.0`; Deno 2.9.6; " +
      "load before the run 0.12.",
  );
});

Deno.test("described() says when the machine was busy", () => {
  const [, warning] = described({ ...quiet, load: 1.5 }).split("1.50. ");

  assertEquals(
    warning,
    "The machine was busy with other things: measure again.",
  );
});
