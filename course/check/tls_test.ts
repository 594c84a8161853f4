// What `network_test.ts` does, for TLS, which only the kernel's network has; and
// how the cast speaks it.
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { certificates } from "./certificates.ts";
import { WallClock } from "./clock.ts";
import { LoopbackNetwork } from "./loopback.ts";
import { type Body, Play } from "./play.ts";
import { tlsPromises } from "./promises/tls.ts";
import { realSleep } from "./real.ts";
import { Recording } from "./recording.ts";
import { installSockets } from "./stand_ins/install.ts";
import { World } from "./stand_ins/world.ts";

const { ca, localhost } = certificates;

for (const [promise, keep] of Object.entries(tlsPromises)) {
  const network = new LoopbackNetwork();
  const wire = {
    arrived: () => realSleep(15),
    abrupt: (port: number) => network.connectAbrupt({ port }),
  };
  Deno.test(`the kernel: ${promise}`, () => keep(wire));
  Deno.test(`the kernel behind the stand-ins: ${promise}`, async () => {
    const clock = new WallClock();
    const world = new World(clock, new Recording(clock), {});
    const undo = installSockets(network, world);
    try {
      await keep(wire);
    } finally {
      undo();
      clock.stop();
    }
  });
}

function perform(body: Body, network: "loopback" | "simulated" = "loopback") {
  const bill = { symbol: "serve()", seed: 1, adversity: {} };
  return new Play({ ...bill, network }).perform(body);
}

/** Sends back what comes. */
async function echo(listener: Deno.TlsListener) {
  for await (const conn of listener) {
    const buffer = new Uint8Array(100);
    for (let n; (n = await conn.read(buffer)) !== null;) {
      await conn.write(buffer.subarray(0, n));
    }
    conn.close();
  }
}

Deno.test("a client of the cast speaks TLS, and ends it well", async () => {
  const { evidence } = await perform(async (stage) => {
    stage.serveTls(echo, localhost);
    const ann = await stage.connect("ann", undefined, { tls: { ca } });
    await ann.sendByteByByte("hello");
    await ann.receives("hello");
    await ann.closeWrite();
    await ann.receivesEnd();
  });

  assertEquals(evidence?.headline, undefined);
});

Deno.test("a server of the cast speaks TLS, and can be cut off", async () => {
  const { evidence } = await perform(async (stage) => {
    const host = await stage.listen("server", { tls: localhost });
    const to = { hostname: "localhost", port: host.addr.port };
    using conn = await Deno.connectTls({ ...to, caCerts: [ca] });
    const server = await host.accept();
    const buffer = new Uint8Array(100);

    await conn.write(new TextEncoder().encode("question"));
    await conn.closeWrite();
    await server.receives("question");
    await server.receivesEnd();
    await server.send("half an ans");
    assertEquals(await conn.read(buffer), 11);
    server.cut();

    await assertRejects(() => conn.read(buffer), Deno.errors.UnexpectedEof);
  });

  assertEquals(evidence?.headline, undefined);
});

Deno.test("the recording tells of TLS, and of a check that is off", async () => {
  const { evidence } = await perform(async (stage) => {
    const host = await stage.listen("server", { tls: localhost });
    const to = { hostname: "localhost", port: host.addr.port };
    const careless = { unsafelyDisableHostnameVerification: true };
    using conn = await Deno.connectTls({ ...to, caCerts: [ca], ...careless });
    const server = await host.accept();
    await server.send("hi");
    await conn.handshake();
    await server.receivesNothing(1);
    throw new Error("enough");
  });

  const texts = evidence?.recording.program().map(({ text }) => text);
  assertEquals(texts?.slice(0, 2), [
    "connectTls() to server, any name",
    "handshake() with server",
  ]);
});

Deno.test("a TLS connection that stays open is left behind", async () => {
  const { evidence } = await perform(async (stage) => {
    const host = await stage.listen("server", { tls: localhost });
    const to = { hostname: "localhost", port: host.addr.port };
    await Deno.connectTls({ ...to, caCerts: [ca] });
    (await host.accept()).close();
  });

  assertEquals(evidence?.kind, "leak");
});

Deno.test("the simulated network says that it has no TLS", async () => {
  const { evidence } = await perform(async (stage) => {
    const words = "Cannot use TLS on the simulated network";
    const to = { hostname: "localhost", port: 443 };
    await assertRejects(() => Deno.connectTls(to), TypeError, words);
    assertThrows(() => Deno.listenTls({ ...to, ...localhost }), Error, words);
    const [_ann, conn] = await stage.meet("ann");
    await assertRejects(() => Deno.startTls(conn), TypeError, words);
    conn.close();
  }, "simulated");

  assertEquals(evidence?.headline, undefined);
});
