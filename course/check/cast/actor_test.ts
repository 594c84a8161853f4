import { assertEquals } from "@std/assert";
import { toBytes } from "../bytes.ts";
import { type Body, type Outcome, Play } from "../play.ts";

function perform(body: Body): Promise<Outcome> {
  const bill = { symbol: "serve()", network: "simulated", seed: 1 } as const;
  return new Play({ ...bill, adversity: {} }).perform(body);
}

/** Says so much to its one client, in these pieces, and closes. */
function says(...pieces: string[]) {
  return async (listener: Deno.Listener) => {
    using conn = await listener.accept();
    for (const piece of pieces) await conn.write(toBytes(piece));
  };
}

Deno.test("an actor receives up to a mark, and keeps what follows", async () => {
  const { evidence } = await perform(async (stage) => {
    stage.serve(says("a: 1\r\n\r", "\nbo", "dy"));
    const ann = await stage.connect("ann");

    assertEquals(await ann.receiveUntil("\r\n\r\n"), toBytes("a: 1\r\n\r\n"));
    await ann.receives("body");
    await ann.receivesEnd();
  });

  assertEquals(evidence?.headline, undefined);
});

Deno.test("an actor says that a mark did not come", async () => {
  const { evidence } = await perform(async (stage) => {
    stage.serve(says("a: 1\r\n"));
    const ann = await stage.connect("ann");
    await ann.receiveUntil("\r\n\r\n");
  });

  assertEquals(evidence?.kind, "end");
  assertEquals(
    evidence?.headline,
    'ann expected "\\r\\n\\r\\n" and got 6 bytes without it, then the end',
  );
});

Deno.test("a stage counts the program's writes to an actor", async () => {
  const { evidence } = await perform(async (stage) => {
    stage.serve(says("he", "llo"));
    const ann = await stage.connect("ann");
    await ann.receives("hello");

    assertEquals(stage.writesTo(ann), 2);
  });

  assertEquals(evidence?.headline, undefined);
});
