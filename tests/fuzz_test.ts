// Some inputs for each parser of the solutions; `deno task fuzz` gives as many as
// one likes. And parsers that are wrong on purpose: each has to be found out.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { bytes, fuzz, type Target } from "./fuzz/target.ts";
import { targets } from "./fuzz/targets.ts";

for (const target of targets) {
  Deno.test(`${target.name} answers anything with a value or a documented error`, async () => {
    assertEquals(await fuzz(target, 1_000), []);
  });
}

/** A made-up parser of frames: a length in one byte, and so many bytes. */
function made(parse: (length: number, rest: number[]) => unknown): Target {
  return {
    name: "made up",
    seeds: bytes("\x03abc", "\x00"),
    most: 200,
    errors: ["InvalidData"],
    parse: (_, pieces) => {
      const [first = 0, ...rest] = pieces.flatMap((piece) => [...piece]);
      return parse(first, rest);
    },
  };
}

Deno.test("fuzz() finds an error that is not documented", async () => {
  const wrong = await fuzz(
    made((length, rest) => rest.at(length - 1)!.toString()),
    1_000,
  );

  assert(wrong.length > 0);
  assertMatch(wrong[0]!, /made up, seed \d+: TypeError/);
});

Deno.test("fuzz() finds room that is made before the length is checked", async () => {
  const wrong = await fuzz(made((length) => new Uint8Array(length)), 1_000);

  assertMatch(wrong[0]!, /asked for 2\d\d bytes/);
});

Deno.test("fuzz() finds what takes too long", async () => {
  const slow = made((length) => {
    const end = performance.now() + (length === 0xff ? 2_100 : 0);
    while (performance.now() < end);
  });
  const wrong = await fuzz({ ...slow, seeds: [Uint8Array.of(0xff)] }, 2);

  assertMatch(wrong[0]!, /it took \d+ ms/);
});

Deno.test("fuzz() lets documented errors pass", async () => {
  const right = made((length, rest) => {
    if (length > rest.length) throw new Deno.errors.InvalidData("too short");
  });

  assertEquals(await fuzz(right, 1_000), []);
});
