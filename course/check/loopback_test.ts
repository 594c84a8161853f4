import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { hurried, isOurs, LoopbackNetwork, untold } from "./loopback.ts";
import type { RawDatagram } from "./network.ts";

Deno.test("isOurs() knows an address of this machine", () => {
  assert(isOurs("127.0.0.1"));
});

Deno.test("isOurs() takes an address that is forbidden for none of ours", {
  permissions: { net: ["127.0.0.1"] },
}, () => {
  assert(!isOurs("127.0.0.3"));
});

Deno.test("hurried() gives a connection that takes no options as it is", () => {
  const setNoDelay = () => {
    throw new Error("Invalid argument (os error 22)");
  };
  const conn = { setNoDelay } as unknown as Deno.TcpConn;

  assertStrictEquals(hurried(conn), conn);
});

const { BadResource, ConnectionReset, Interrupted } = Deno.errors;

Deno.test("untold() goes on receiving after news of an earlier datagram", async () => {
  const from: Deno.NetAddr = { transport: "udp", hostname: "::1", port: 9 };
  const happens = [new ConnectionReset(), new ConnectionReset(), "a datagram"];
  const receive = (into: Uint8Array) => {
    const next = happens.shift();
    return typeof next === "string"
      ? Promise.resolve([into, from])
      : Promise.reject(next ?? new BadResource());
  };
  const socket = untold({ receive } as unknown as RawDatagram);
  const buffer = new Uint8Array(4);

  assertEquals(await socket.receive(buffer), [buffer, from]);
  await assertRejects(() => socket.receive(buffer), BadResource);
});

Deno.test("on Windows a datagram socket receives and closes as elsewhere", async () => {
  const windows = new LoopbackNetwork({ os: "windows" });
  const socket = windows.listenDatagram({ hostname: "127.0.0.1" });
  await socket.send(Uint8Array.of(7), socket.addr);

  const [bytes, from] = await socket.receive();

  assertEquals([bytes, from], [Uint8Array.of(7), socket.addr]);
  const waiting = socket.receive();
  socket.close();
  const error = await assertRejects(() => waiting, Error);
  assert(error instanceof BadResource || error instanceof Interrupted);
});
