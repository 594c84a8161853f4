// Random conversations go the same way on the simulated network and on the
// kernel. Here are some hundred; `compare.ts` plays as many as one likes.
import { assertEquals } from "@std/assert";
import { compare, differences, shown } from "./compare.ts";

Deno.test("random conversations are the same on both networks", async () => {
  const found = await differences(1, 200);

  assertEquals(found.map(shown), []);
});

Deno.test("shown() gives the first step that differs", () => {
  const difference = {
    seed: 7,
    kernel: ["tcp", "1 near reads 5: waits", "2 far ends: 1 null"],
    simulated: ["tcp", "1 near reads 5: waits", "2 far ends: waits"],
  };

  assertEquals(shown(difference).split("\n").slice(-2), [
    "  kernel     2 far ends: 1 null",
    "  simulated  2 far ends: waits",
  ]);
});

Deno.test("one seed makes one conversation", async () => {
  assertEquals(await compare(132), undefined); // It once found a mistake.
});
