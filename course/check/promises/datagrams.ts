import { assertEquals } from "@std/assert";
import { bytes, type Promised, rejects, throws, waits } from "./promised.ts";

function bind(hostname = "127.0.0.1"): Deno.DatagramConn {
  return Deno.listenDatagram({ transport: "udp", hostname, port: 0 });
}

function addrOf(socket: Deno.DatagramConn): Deno.NetAddr {
  return socket.addr as Deno.NetAddr;
}

async function receiveText(socket: Deno.DatagramConn): Promise<string> {
  const [data] = await socket.receive();
  return new TextDecoder().decode(data);
}

/** Deno.listenDatagram: see udp(7), RFC 768. */
export const datagramPromises: Promised = {
  "receive() gives one datagram, never merged": async () => {
    const [ann, bob] = [bind(), bind()];
    await ann.send(bytes("one"), bob.addr);
    await ann.send(bytes("two"), bob.addr);
    assertEquals(await receiveText(bob), "one");
    assertEquals(await receiveText(bob), "two");
    ann.close();
    bob.close();
  },
  "receive() says who sent it": async () => {
    const [ann, bob] = [bind(), bind()];
    await ann.send(bytes("hi"), bob.addr);
    const [, from] = await bob.receive();
    assertEquals({ ...from }, { ...addrOf(ann) });
    ann.close();
    bob.close();
  },
  "receive() into a short buffer discards the rest": async () => {
    const [ann, bob] = [bind(), bind()];
    await ann.send(bytes("0123456789"), bob.addr);
    await ann.send(bytes("next"), bob.addr);
    const buffer = new Uint8Array(4);
    const [data] = await bob.receive(buffer);
    assertEquals(new TextDecoder().decode(data), "0123");
    assertEquals(data.buffer === buffer.buffer, true);
    assertEquals(await receiveText(bob), "next");
    ann.close();
    bob.close();
  },
  "send() of nothing arrives as an empty datagram": async () => {
    const [ann, bob] = [bind(), bind()];
    assertEquals(await ann.send(new Uint8Array(), bob.addr), 0);
    const [data] = await bob.receive();
    assertEquals(data.length, 0);
    ann.close();
    bob.close();
  },
  "send() takes 65,507 bytes and not one more": async () => {
    const [ann, bob] = [bind(), bind()];
    const most = new Uint8Array(65_507);
    assertEquals(await ann.send(most, bob.addr), 65_507);
    const [data] = await bob.receive();
    assertEquals(data.length, 65_507);
    const send = () => ann.send(new Uint8Array(65_508), bob.addr);
    await rejects(send, "Error", "Message too long (os error 90)", "EMSGSIZE");
    ann.close();
    bob.close();
  },
  "send() to a dead port succeeds, and nobody is told": async (wire) => {
    const [ann, gone] = [bind(), bind()];
    gone.close();
    assertEquals(await ann.send(bytes("hello?"), gone.addr), 6);
    await wire.arrived();
    assertEquals(await ann.send(bytes("hello?"), gone.addr), 6);
    const answer = ann.receive();
    await waits(wire, answer);
    ann.close();
    await rejects(
      () => answer,
      "Interrupted",
      "operation canceled",
      "EINTR",
    );
  },
  "send() to port 0 throws EINVAL": async () => {
    const ann = bind();
    const to = { transport: "udp", hostname: "127.0.0.1", port: 0 } as const;
    const message = "Invalid argument (os error 22)";
    await rejects(
      () => ann.send(bytes("x"), to),
      "TypeError",
      message,
      "EINVAL",
    );
    ann.close();
  },
  "send() to IPv6 from an IPv4 socket throws EAFNOSUPPORT": async () => {
    const ann = bind();
    const to = { transport: "udp", hostname: "::1", port: 9 } as const;
    const message = "Address family not supported by protocol (os error 97)";
    const send = () => ann.send(bytes("x"), to);
    await rejects(send, "Error", message, "EAFNOSUPPORT");
    ann.close();
  },
  "send() beyond loopback is not allowed": async () => {
    const ann = bind();
    const to = { transport: "udp", hostname: "192.0.2.1", port: 9 } as const;
    const message =
      'Requires net access to "192.0.2.1:9", run again with the --allow-net flag';
    await rejects(() => ann.send(bytes("x"), to), "NotCapable", message);
    ann.close();
  },
  "a socket on 0.0.0.0 answers from 127.0.0.1": async () => {
    const server = bind("0.0.0.0");
    const ann = bind();
    const { port } = addrOf(server);
    await ann.send(bytes("q"), {
      transport: "udp",
      hostname: "127.0.0.2",
      port,
    });
    const [, from] = await server.receive();
    await server.send(bytes("a"), from);
    const [, source] = await ann.receive();
    assertEquals((source as Deno.NetAddr).hostname, "127.0.0.1");
    ann.close();
    server.close();
  },
  "a burst that nobody reads is dropped in part": async (wire) => {
    const [ann, bob] = [bind(), bind()];
    for (let i = 0; i < 300; i++) {
      await ann.send(new Uint8Array(1_024), bob.addr);
    }
    await wire.arrived();
    let received = 0;
    const count = (async () => {
      for await (const _ of bob) received++;
    })();
    await wire.arrived();
    await wire.arrived();
    bob.close();
    await count;
    assertEquals(received, 92);
    ann.close();
  },
  "receive() several times at once gives each one datagram": async () => {
    const [ann, bob] = [bind(), bind()];
    const pending = [receiveText(bob), receiveText(bob)];
    await ann.send(bytes("1"), bob.addr);
    await ann.send(bytes("2"), bob.addr);
    assertEquals((await Promise.all(pending)).sort(), ["1", "2"]);
    ann.close();
    bob.close();
  },
  "close() leaves nothing to receive": async () => {
    const ann = bind();
    ann.close();
    const message = "Socket has been closed";
    await rejects(() => ann.receive(), "BadResource", message);
    await throws(() => ann.close(), "BadResource", "Bad resource ID");
  },
  "for await over datagrams ends when the socket closes": async () => {
    const ann = bind();
    const loop = (async () => {
      for await (const _ of ann) continue;
    })();
    await Promise.resolve();
    ann.close();
    await loop;
  },
  "break out of datagrams leaves the socket open": async () => {
    const [ann, bob] = [bind(), bind()];
    await ann.send(bytes("1"), bob.addr);
    for await (const _ of bob) break;
    await ann.send(bytes("2"), bob.addr);
    assertEquals(await receiveText(bob), "2");
    ann.close();
    bob.close();
  },
  "listenDatagram() on a port that is taken throws AddrInUse": async () => {
    const ann = bind();
    const again = () =>
      Deno.listenDatagram({
        transport: "udp",
        hostname: "127.0.0.1",
        port: addrOf(ann).port,
      });
    const message = "Address already in use (os error 98)";
    await throws(again, "AddrInUse", message, "EADDRINUSE");
    ann.close();
  },
  "TCP and UDP may use the same port number": async () => {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr;
    const socket = Deno.listenDatagram({
      transport: "udp",
      hostname: "127.0.0.1",
      port,
    });
    assertEquals(addrOf(socket).port, port);
    socket.close();
    listener.close();
    await Promise.resolve();
  },
};
