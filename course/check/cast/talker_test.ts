import { assertEquals } from "@std/assert";
import { type Body, type Outcome, Play } from "../play.ts";
import type { Adversity } from "../stand_ins/world.ts";

function perform(body: Body, adversity: Adversity = {}): Promise<Outcome> {
  const bill = { symbol: "serve()", network: "simulated", seed: 1 } as const;
  return new Play({ ...bill, adversity }).perform(body);
}

/** Takes what comes and says nothing. */
async function mute(socket: Deno.DatagramConn) {
  for await (const _ of socket) continue;
}

/** Answers through a socket of its own. */
async function elsewhere(socket: Deno.DatagramConn) {
  const options = { transport: "udp", hostname: "127.0.0.1", port: 0 } as const;
  const other = Deno.listenDatagram(options);
  for await (const [bytes, from] of socket) await other.send(bytes, from);
  other.close();
}

Deno.test("a talker who waits in vain ends with its check", {
  timeout: 2_000,
}, async () => {
  const { evidence } = await perform(async (stage) => {
    const to = stage.serveDatagrams(mute);
    const ann = stage.datagram("ann");
    await ann.send("hello", to);
    await ann.receive();
  });

  assertEquals(evidence?.kind, "silence");
  assertEquals(evidence?.headline, "ann expected a datagram and got nothing");
});

Deno.test("a talker minds who an answer comes from, if asked to", async () => {
  const body = (mind: boolean): Body => async (stage) => {
    const to = stage.serveDatagrams(elsewhere);
    const ann = stage.datagram("ann");
    await ann.send("hello", to);
    await ann.receives("hello", mind ? { from: to } : {});
  };

  assertEquals((await perform(body(false))).evidence, undefined);
  assertEquals(
    (await perform(body(true))).evidence?.headline,
    "ann expected the answer from 127.0.0.1:50001, and it came from 127.0.0.1:50002",
  );
});

Deno.test("a talker can expect silence for a time, and then no more", async () => {
  const later = (ms: number): Body => async (stage) => {
    const to = stage.serveDatagrams(async (socket) => {
      for await (const [bytes, from] of socket) {
        setTimeout(() => socket.send(bytes, from), ms);
      }
    });
    const ann = stage.datagram("ann");
    await ann.send("hello", to);
    await ann.receivesNothingFor(20);
    await ann.receives("hello");
  };

  assertEquals((await perform(later(30))).evidence, undefined);
  assertEquals(
    (await perform(later(10))).evidence?.headline,
    'ann expected nothing, and got "hello"',
  );
});

Deno.test("a talker minds it too where any bytes will do", async () => {
  const { evidence } = await perform(async (stage) => {
    const to = stage.serveDatagrams(elsewhere);
    const ann = stage.datagram("ann");
    await ann.send("hello", to);
    await ann.receive({ from: to });
  });

  assertEquals(
    evidence?.headline,
    "ann expected the answer from 127.0.0.1:50001, and it came from 127.0.0.1:50002",
  );
});

Deno.test("the recording says what the network did to a datagram", async () => {
  const fates = ["drop", "duplicate", "corrupt", { delay: 30 }] as const;
  const { evidence } = await perform(async (stage) => {
    const ann = stage.datagram("ann");
    const bob = stage.datagram("bob");
    for (const word of ["one", "two", "six", "ten"]) {
      await ann.send(word, bob.addr);
    }
    for (const word of ["two", "two", "sIx"]) await bob.receives(word);
    await bob.receivesNothing(10);
  }, { datagram: (n) => fates[n] });

  // The delayed one comes once everybody waits: bob has heard too much.
  assertEquals(evidence?.headline, 'bob expected nothing, and got "ten"');
  const told = evidence?.recording.events.filter(({ kind }) => kind === "fate");
  assertEquals(told?.map(({ text }) => text), [
    'drops "one" to bob',
    'doubles "two" to bob',
    'corrupts "six" to bob',
    'keeps for 30 ms "ten" to bob',
  ]);
});
