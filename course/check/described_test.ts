import { assertEquals } from "@std/assert";
import { described } from "./described.ts";

Deno.test("described() says what is denied, and what there is instead", () => {
  const denied = (what: string) =>
    described(
      new Deno.errors.NotCapable(
        `Requires ${what}, run again with the --allow-all flag`,
      ),
    );
  assertEquals(
    denied('net access to "10.0.0.1:80"'),
    'NotCapable: Requires net access to "10.0.0.1:80", and a lesson may use loopback and nothing else',
  );
  assertEquals(
    denied('read access to "/here/a.sock"'),
    'NotCapable: Requires read access to "/here/a.sock", and the simulated folder has Deno.lstat(), stat(), remove(), rename(), chmod(), readTextFile() and writeTextFile() alone',
  );
});
