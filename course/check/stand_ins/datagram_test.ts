import { assertEquals, assertRejects } from "@std/assert";
import { WallClock } from "../clock.ts";
import type { RawDatagram } from "../network.ts";
import { Recording } from "../recording.ts";
import { StandInDatagram } from "./datagram.ts";
import { World } from "./world.ts";

type Received = [Uint8Array<ArrayBuffer>, Deno.Addr];

Deno.test("retire() comes before what is under way, close() does not", async () => {
  const clock = new WallClock();
  const world = new World(clock, new Recording(clock), {});
  const addr = { transport: "udp", hostname: "127.0.0.1", port: 9 } as const;
  const comes: PromiseWithResolvers<Received>[] = [];
  const receive = () => {
    comes.push(Promise.withResolvers());
    return comes.at(-1)!.promise;
  };
  const raw = { addr, receive, close() {} } as unknown as RawDatagram;
  const datagram: Received = [Uint8Array.of(7), addr];
  const own = new StandInDatagram(raw, world);
  const served = new StandInDatagram(raw, world, { served: true });
  const [first, second] = [own.receive(), served.receive()];

  own.close();
  StandInDatagram.retire(served);
  comes.forEach(({ resolve }) => resolve(datagram)); // Each had one already.

  assertEquals(await first, datagram);
  await assertRejects(() => second, Deno.errors.Interrupted);
  clock.stop();
});
