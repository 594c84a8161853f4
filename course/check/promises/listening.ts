import { assertEquals, assertNotEquals } from "@std/assert";
import {
  bytes,
  connected,
  listenHere,
  type Promised,
  readOnce,
  rejects,
  throws,
  waits,
} from "./promised.ts";

const IN_USE = "Address already in use (os error 98)";
const REFUSED = "Connection refused (os error 111)";

/** Deno.listen, Deno.connect and accept: see listen(2), accept(2). */
export const listeningPromises: Promised = {
  "listen() chooses a free port for port 0": async () => {
    using one = listenHere();
    using two = listenHere();
    assertEquals(one.addr.transport, "tcp");
    assertEquals(one.addr.hostname, "127.0.0.1");
    assertEquals(one.addr.port > 1023, true);
    assertNotEquals(one.addr.port, two.addr.port);
    await Promise.resolve();
  },
  "listen() binds 0.0.0.0 unless told otherwise": async () => {
    using listener = Deno.listen({ port: 0 });
    assertEquals(listener.addr.hostname, "0.0.0.0");
    await Promise.resolve();
  },
  "listen() takes localhost for 127.0.0.1": async () => {
    using listener = Deno.listen({ hostname: "localhost", port: 0 });
    assertEquals(listener.addr.hostname, "127.0.0.1");
    await Promise.resolve();
  },
  "listen() on a port that is taken throws AddrInUse": async () => {
    using one = listenHere();
    const { port } = one.addr;
    const again = () => Deno.listen({ hostname: "127.0.0.1", port });
    await throws(again, "AddrInUse", IN_USE, "EADDRINUSE");
  },
  "listen() on 0.0.0.0 clashes with 127.0.0.1 on the same port": async () => {
    using one = listenHere();
    const { port } = one.addr;
    const again = () => Deno.listen({ hostname: "0.0.0.0", port });
    await throws(again, "AddrInUse", IN_USE, "EADDRINUSE");
  },
  "listen() takes the same port on another address": async () => {
    using one = listenHere();
    const { port } = one.addr;
    using two = Deno.listen({ hostname: "127.0.0.2", port });
    assertEquals(two.addr.port, port);
    await Promise.resolve();
  },
  "listen() and connect() refuse what can be no host": async () => {
    for (const hostname of ["", "a b", "ann@example.org"]) {
      const message = hostname === ""
        ? "invalid empty host: ''"
        : `invalid host '${hostname}': invalid char found in FQDN`;
      const listen = () => Deno.listen({ hostname, port: 0 });
      await throws(listen, "URIError", message);
      const connect = () => Deno.connect({ hostname, port: 7 });
      await rejects(connect, "URIError", message);
    }
  },
  "accept() of a client that has reset throws NotConnected": async (wire) => {
    using listener = listenHere();
    const { port } = listener.addr;
    const peer = await wire.abrupt(port);
    using waiting = await Deno.connect({ hostname: "127.0.0.1", port });
    peer.reset!();
    await wire.arrived();
    const accept = () => listener.accept();
    const message = "Transport endpoint is not connected (os error 107)";
    await rejects(accept, "NotConnected", message, "ENOTCONN");
    using next = await listener.accept();
    assertEquals(next.remoteAddr.port, waiting.localAddr.port);
  },
  "listen() refuses a port out of range": async () => {
    const listen = () => Deno.listen({ hostname: "127.0.0.1", port: 70_000 });
    const message = "Invalid port (out of range): 70000";
    await throws(listen, "RangeError", message);
  },
  "listen() beyond loopback is not allowed": async () => {
    const listen = () => Deno.listen({ hostname: "192.0.2.1", port: 0 });
    const message =
      'Requires net access to "192.0.2.1:0", run again with the --allow-net flag';
    await throws(listen, "NotCapable", message);
  },
  "connect() to another host is not allowed": async () => {
    const connect = () => Deno.connect({ hostname: "192.0.2.1", port: 9 });
    const message =
      'Requires net access to "192.0.2.1:9", run again with the --allow-net flag';
    await rejects(connect, "NotCapable", message);
  },
  "connect() where nobody listens is refused": async () => {
    const gone = listenHere();
    gone.close();
    const connect = () => Deno.connect({ port: gone.addr.port });
    await rejects(connect, "ConnectionRefused", REFUSED, "ECONNREFUSED");
  },
  "connect() to port 0 throws RangeError": async () => {
    const connect = () => Deno.connect({ port: 0 });
    const message = "Invalid port (out of range): 0";
    await rejects(connect, "RangeError", message);
  },
  "connect() to another address of the machine is refused": async () => {
    using listener = listenHere();
    const { port } = listener.addr;
    const connect = () => Deno.connect({ hostname: "127.0.0.2", port });
    await rejects(connect, "ConnectionRefused", REFUSED, "ECONNREFUSED");
  },
  "connect() reaches 0.0.0.0 by any IPv4 address": async () => {
    using listener = Deno.listen({ hostname: "0.0.0.0", port: 0 });
    const { port } = listener.addr;
    using near = await Deno.connect({ hostname: "127.0.0.2", port });
    using far = await listener.accept();
    assertEquals(far.localAddr.hostname, "127.0.0.2");
    assertEquals(near.remoteAddr.hostname, "127.0.0.2");
  },
  "connect() does not reach 0.0.0.0 by IPv6": async () => {
    using listener = Deno.listen({ hostname: "0.0.0.0", port: 0 });
    const { port } = listener.addr;
    const connect = () => Deno.connect({ hostname: "::1", port });
    await rejects(connect, "ConnectionRefused", REFUSED, "ECONNREFUSED");
  },
  "connect() over IPv4 reaches :: with a mapped address": async () => {
    using listener = Deno.listen({ hostname: "::", port: 0 });
    const { port } = listener.addr;
    using _near = await Deno.connect({ hostname: "127.0.0.1", port });
    using far = await listener.accept();
    assertEquals(far.remoteAddr.hostname, "::ffff:127.0.0.1");
  },
  "connect() gives both ends the same two addresses": async () => {
    const { near, far } = await connected();
    assertEquals({ ...near.localAddr }, { ...far.remoteAddr });
    assertEquals({ ...near.remoteAddr }, { ...far.localAddr });
    assertEquals(near.localAddr.hostname, "127.0.0.1");
    near.close();
    far.close();
  },
  "connect() succeeds before anybody accepts, and bytes wait": async () => {
    using listener = listenHere();
    using near = await Deno.connect({ port: listener.addr.port });
    await near.write(bytes("early"));
    using far = await listener.accept();
    assertEquals(await readOnce(far), "early");
  },
  "connect() with a signal that was aborted rejects with its reason":
    async () => {
      using listener = listenHere();
      const signal = AbortSignal.abort(new Error("changed my mind"));
      const { port } = listener.addr;
      const connect = () => Deno.connect({ port, signal });
      await rejects(connect, "Error", "changed my mind");
    },
  "connect() is over for its signal once it has succeeded": async (wire) => {
    using listener = listenHere();
    const controller = new AbortController();
    using near = await Deno.connect({
      port: listener.addr.port,
      signal: controller.signal,
    });
    controller.abort();
    await wire.arrived();
    assertEquals(await near.write(bytes("x")), 1);
    (await listener.accept()).close();
  },
  "connect() waits when the backlog is full": async (wire) => {
    using listener = Deno.listen({
      hostname: "127.0.0.1",
      port: 0,
      tcpBacklog: 1,
    });
    const { port } = listener.addr;
    using _one = await Deno.connect({ port });
    using _two = await Deno.connect({ port });
    const controller = new AbortController();
    const third = Deno.connect({ port, signal: controller.signal });
    await waits(wire, third);
    controller.abort();
    const message = "The signal has been aborted";
    await rejects(() => third, "AbortError", message, 20 as never);
  },
  "connect() waits when more come at once than the backlog has room for":
    async (wire) => {
      using listener = Deno.listen({
        hostname: "127.0.0.1",
        port: 0,
        tcpBacklog: 1,
      });
      const controller = new AbortController();
      const { signal } = controller;
      let inside = 0;
      const knocking = Array.from({ length: 3 }, async () => {
        using _conn = await Deno.connect({ port: listener.addr.port, signal });
        inside++;
        await new Promise((leave) => signal.addEventListener("abort", leave));
      });
      await waits(wire, Promise.all(knocking));
      assertEquals(inside, 2);
      controller.abort();
      await Promise.allSettled(knocking);
    },
  "accept() is told when its listener closes": async () => {
    const listener = listenHere();
    const accepted = listener.accept();
    listener.close();
    const message = "Listener has been closed";
    await rejects(() => accepted, "BadResource", message);
    await rejects(() => listener.accept(), "BadResource", message);
  },
  "accept() twice at once is Busy": async () => {
    const listener = listenHere();
    const first = listener.accept();
    const message = "Another accept task is ongoing";
    await rejects(() => listener.accept(), "Busy", message);
    listener.close();
    await rejects(() => first, "BadResource", "Listener has been closed");
  },
  "for await over a listener ends when it closes": async () => {
    const listener = listenHere();
    const conns: Deno.Conn[] = [];
    const loop = (async () => {
      for await (const conn of listener) conns.push(conn);
    })();
    const near = await Deno.connect({ port: listener.addr.port });
    while (conns.length === 0) await new Promise((go) => setTimeout(go, 1));
    listener.close();
    await loop;
    near.close();
    conns[0]!.close();
  },
  "break out of for await closes the listener": async () => {
    const listener = listenHere();
    const near = await Deno.connect({ port: listener.addr.port });
    for await (const conn of listener) {
      conn.close();
      break;
    }
    await throws(() => listener.close(), "BadResource", "Bad resource ID");
    near.close();
  },
  "close() of a listener twice throws, disposing does not": async () => {
    const listener = listenHere();
    listener.close();
    await throws(() => listener.close(), "BadResource", "Bad resource ID");
    listener[Symbol.dispose]();
  },
  "close() of a listener frees its port at once": async () => {
    const listener = listenHere();
    const { port } = listener.addr;
    const near = await Deno.connect({ port });
    const far = await listener.accept();
    far.close(); // The side that closes first goes through TIME_WAIT.
    near.close();
    listener.close();
    Deno.listen({ hostname: "127.0.0.1", port }).close();
  },
  "close() of a listener resets who was not accepted": async (wire) => {
    const listener = listenHere();
    using near = await Deno.connect({ port: listener.addr.port });
    listener.close();
    await wire.arrived();
    const message = "Connection reset by peer (os error 104)";
    await rejects(
      () => readOnce(near),
      "ConnectionReset",
      message,
      "ECONNRESET",
    );
  },
};
