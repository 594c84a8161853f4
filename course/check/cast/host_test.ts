import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { type Body, type Outcome, Play } from "../play.ts";

function perform(
  body: Body,
  network: "simulated" | "loopback" = "simulated",
): Promise<Outcome> {
  const bill = { symbol: "serve()", network, seed: 1 } as const;
  return new Play({ ...bill, adversity: {} }).perform(body);
}

/** Sends its one client whatever a connection to `port` gives. */
function relays(port: number) {
  return async (listener: Deno.Listener) => {
    using client = await listener.accept();
    using conn = await Deno.connect({ port });
    await conn.write(new TextEncoder().encode("hi"));
    const buffer = new Uint8Array(100);
    const n = await conn.read(buffer) ?? 0;
    await client.write(buffer.subarray(0, n));
  };
}

Deno.test("a host talks in the background with each connection", async () => {
  const { evidence } = await perform(async (stage) => {
    const host = await stage.host("host", async (actor) => {
      await actor.receives("hi");
      await actor.send("hello");
      await actor.receive(1); // The program leaves: nothing to fail for.
    });
    for (const name of ["ann", "bob"]) {
      stage.serve(relays(host.addr.port));
      const client = await stage.connect(name);
      await client.receives("hello");
    }
  });

  assertEquals(evidence?.headline, undefined);
});

Deno.test("a host that hears other bytes fails the check", async () => {
  const { evidence } = await perform(async (stage) => {
    const host = await stage.host("host", (actor) => actor.receives("ho"));
    stage.serve(relays(host.addr.port));
    const ann = await stage.connect("ann");
    await ann.receivesEnd();
  });

  assertEquals(evidence?.headline, 'host expected "ho" and got other bytes');
});

Deno.test("whoever waits for a silent host is the one that misses something", async () => {
  const { evidence } = await perform(async (stage) => {
    const host = await stage.host("host", async (actor) => {
      await actor.receive(100);
    });
    stage.serve(relays(host.addr.port));
    const ann = await stage.connect("ann");
    await ann.receives("hello");
  });

  assertEquals(evidence?.kind, "silence");
  assertEquals(evidence?.who, "ann");
});

for (const network of ["simulated", "loopback"] as const) {
  Deno.test(`${network}: a host that will close keeps its port to itself`, async () => {
    const { evidence } = await perform(async (stage) => {
      const host = await stage.listen("host", { willClose: true });
      const { hostname, port } = host.addr;
      const conn = await Deno.connect({ port });
      const actor = await host.accept(); // It is the program's, nobody else's.
      await conn.write(new TextEncoder().encode("hi"));
      await actor.receives("hi");
      conn.close();

      host.close();
      await assertRejects(
        () => Deno.connect({ hostname, port }),
        Deno.errors.ConnectionRefused,
      );
      const again = await stage.listen("host", { port, willClose: true });
      assertEquals(again.addr.port, port);
      again.close();
    }, network);

    assertEquals(evidence?.headline, undefined);
  });
}

Deno.test("a host that has not said so does not close", async () => {
  const { evidence } = await perform(async (stage) => {
    const host = await stage.listen("host");
    assertThrows(() => host.close(), TypeError, "without { willClose: true }");
    await (await stage.connect("ann", host)).send("hello");
  });

  assertEquals(evidence?.headline, undefined);
});
