import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Clock } from "../clock.ts";
import { SimulatedNetwork } from "./network.ts";

const hostname = "127.0.0.1";
const FREE = 65_535 - 50_000;

Deno.test("a port that somebody has is chosen for nobody else", async () => {
  const network = new SimulatedNetwork(new Clock());
  const listener = network.listen({ hostname, port: 50_001 });
  network.listen({ hostname: "0.0.0.0", port: 50_002 });
  network.listenDatagram({ hostname, port: 50_003 });

  assertEquals(network.listen({ hostname, port: 0 }).addr.port, 50_004);
  const client = await network.connect(listener.addr);
  assertEquals(client.localAddr.port, 50_005);
  assertEquals(network.listenDatagram({ port: 0 }).addr.port, 50_006);
});

Deno.test("ports that are free again are chosen anew, and no others", async () => {
  const network = new SimulatedNetwork(new Clock());
  const listener = network.listen({ hostname, port: 7 });
  const connect = async () => {
    const client = await network.connect(listener.addr);
    const server = await listener.accept();
    return { port: client.localAddr.port, ends: [client, server] };
  };
  const stays = await connect();
  const halfClosed = await connect();
  halfClosed.ends[0]!.close();
  for (let i = 2; i < FREE; i++) {
    const { ends } = await connect();
    ends.forEach((end) => end.close());
  }

  assertEquals([stays.port, halfClosed.port], [50_001, 50_002]);
  assertEquals((await connect()).port, 50_003);
});

Deno.test("when no port is free, it is told as the kernel does", async () => {
  const network = new SimulatedNetwork(new Clock());
  const listener = network.listen({ hostname, port: 7 });
  for (let i = 0; i < FREE; i++) {
    await network.connect(listener.addr);
    await listener.accept();
  }

  const { AddrInUse, AddrNotAvailable } = Deno.errors;
  await assertRejects(() => network.connect(listener.addr), AddrNotAvailable);
  assertThrows(() => network.listen({ hostname, port: 0 }), AddrInUse);
});
