import { assertEquals, assertThrows } from "@std/assert";
import { beside, median, written } from "./numbers.ts";

Deno.test("median() takes the middle, in the order of numbers", () => {
  assertEquals(median([100, 9, 20]), 20);
  assertEquals(median([4, 1, 3, 2]), 3);
  assertEquals(median([7]), 7);
});

Deno.test("median() refuses to make a number of nothing", () => {
  assertThrows(() => median([]), RangeError);
});

Deno.test("written() keeps the digits that mean something", () => {
  const numbers = [1_234_567, 1_234.5, 99.96, 12.34, 1.234, 0.789];

  assertEquals(
    numbers.map(written),
    ["1,234,567", "1,235", "100.0", "12.3", "1.23", "0.79"],
  );
});

Deno.test("beside() says how many times the reference a number is", () => {
  assertEquals(beside(1_500, 2_000), "1,500 (0.75)");
});
