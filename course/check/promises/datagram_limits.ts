import { assertEquals } from "@std/assert";
import { bytes, type Promised, rejects, type Wire } from "./promised.ts";

function bind(hostname = "127.0.0.1"): Deno.DatagramConn {
  return Deno.listenDatagram({ transport: "udp", hostname, port: 0 });
}

/** How many of 300 datagrams of `length` bytes a socket keeps for later. */
async function kept(wire: Wire, length: number): Promise<number> {
  const [ann, bob] = [bind(), bind()];
  for (let i = 0; i < 300; i++) {
    await ann.send(new Uint8Array(length), bob.addr);
  }
  await wire.arrived();
  let received = 0;
  const counted = (async () => {
    for await (const _ of bob) received++;
  })();
  for (let before = -1; before < received;) {
    before = received;
    await wire.arrived();
  }
  bob.close();
  await counted;
  ann.close();
  return received;
}

/** What a UDP socket holds, and what it refuses: see udp(7), socket(7). */
export const datagramLimits: Promised = {
  "a socket keeps 256 datagrams of 197 bytes, 166 of 198": async (wire) => {
    assertEquals(await kept(wire, 197), 256);
    assertEquals(await kept(wire, 198), 166);
  },
  "a socket keeps 12 datagrams of 16,000 bytes, 3 of 65,507": async (wire) => {
    assertEquals(await kept(wire, 16_000), 12);
    assertEquals(await kept(wire, 65_507), 3);
  },
  "receive() gives a view of a buffer for the longest": async () => {
    const [ann, bob] = [bind(), bind()];
    await ann.send(bytes("hi"), bob.addr);
    const [data] = await bob.receive();
    assertEquals(data.length, 2);
    assertEquals(data.byteOffset, 0);
    assertEquals(data.buffer.byteLength, 65_507);
    ann.close();
    bob.close();
  },
  "send() after close() throws BadResource": async () => {
    const [ann, bob] = [bind(), bind()];
    ann.close();
    const message = "Socket has been closed";
    await rejects(() => ann.send(bytes("x"), bob.addr), "BadResource", message);
    bob.close();
  },
  "send() of a string throws TypeError": async () => {
    const ann = bind();
    const send = () => ann.send("hello" as never, ann.addr);
    await rejects(send, "TypeError", "expected typed ArrayBufferView");
    ann.close();
  },
  "send() to IPv4 from an IPv6 socket throws ENETUNREACH": async () => {
    const ann = bind("::1");
    const to = { transport: "udp", hostname: "127.0.0.1", port: 9 } as const;
    const message = "Network is unreachable (os error 101)";
    const send = () => ann.send(bytes("x"), to);
    await rejects(send, "NetworkUnreachable", message, "ENETUNREACH");
    ann.close();
  },
  "send() to IPv6 from 0.0.0.0 throws EAFNOSUPPORT": async () => {
    const ann = bind("0.0.0.0");
    const to = { transport: "udp", hostname: "::1", port: 9 } as const;
    const message = "Address family not supported by protocol (os error 97)";
    const send = () => ann.send(bytes("x"), to);
    await rejects(send, "Error", message, "EAFNOSUPPORT");
    ann.close();
  },
  "send() to 0.0.0.0 reaches this machine": async () => {
    const [ann, bob] = [bind(), bind()];
    const { port } = bob.addr as Deno.NetAddr;
    const to = { transport: "udp", hostname: "0.0.0.0", port } as const;
    await ann.send(bytes("hi"), to);
    const [data] = await bob.receive();
    assertEquals(data.length, 2);
    ann.close();
    bob.close();
  },
};
