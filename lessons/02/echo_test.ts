// The checks for lesson 02. Read them: they say what echoConn(), describeAddr()
// and startEcho() promise.
import {
  assert,
  assertEquals,
  assertNotEquals,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { assertBytes, check, type Stage } from "check";
import {
  describeAddr,
  echoConn,
  type EchoServer,
  type Reader,
  startEcho,
  type Writer,
} from "./echo.ts";

const { AddrInUse, BrokenPipe, ConnectionReset } = Deno.errors;
const everyByte = Uint8Array.from({ length: 256 }, (_, i) => i);

/** A connection made of the two ends that a check has written the script of. */
function connection(reader: Reader, writer: Writer): Reader & Writer {
  return { read: reader.read.bind(reader), write: writer.write.bind(writer) };
}

/** Calls shutdown(), and waits until it has resolved. */
function shutDown(stage: Stage, server: EchoServer): Promise<void> {
  return stage.start(() => server.shutdown(), "shutdown()").result;
}

Deno.test(check("echoConn() sends back what it reads, and no more", {
  reveals: ["ignore-read-count", "eof-infinite-loop", "eof-means-peer-gone"],
}, async (stage) => {
  const reader = stage.reader(["hello", null]);
  const writer = stage.writer();

  const echoed = await echoConn(connection(reader, writer));

  assertBytes(writer.received, "hello", "the echo");
  assertEquals(echoed, 5, "the number of bytes that were echoed");
}));

Deno.test(check("echoConn() goes on until the client has no more to send", {
  reveals: ["reads-once", "eof-infinite-loop", "zero-means-eof"],
}, async (stage) => {
  const reader = stage.reader(["one ", 0, "two ", "three", null]);
  const writer = stage.writer();

  const echoed = await echoConn(connection(reader, writer));

  assertBytes(writer.received, "one two three", "the echo");
  assertEquals(echoed, 13, "the number of bytes that were echoed");
}));

Deno.test(check("echoConn() waits for a client that is silent for long", {
  reveals: ["read-until-quiet"],
  only: "simulated", // There a minute takes no time.
}, async (stage) => {
  const reader = stage.reader(["one ", { pause: 60_000 }, "two", null]);
  const writer = stage.writer();

  await echoConn(connection(reader, writer));

  assertBytes(writer.received, "one two", "the echo");
}));

Deno.test(check("echoConn() sends nothing of an earlier, longer message", {
  reveals: ["ignore-read-count"],
}, async (stage) => {
  const reader = stage.reader(["a long message", "short", null]);
  const writer = stage.writer();

  await echoConn(connection(reader, writer));

  assertBytes(writer.received, "a long messageshort", "the echo");
}));

Deno.test(check("echoConn() sends back every byte as it came", {
  reveals: ["binary-through-string"],
}, async (stage) => {
  const reader = stage.reader([everyByte, null]);
  const writer = stage.writer();

  await echoConn(connection(reader, writer));

  assertBytes(writer.received, everyByte, "the echo");
}));

Deno.test(check("echoConn() sends the rest when a write takes a part", {
  reveals: ["interleaved-writers", "writeall-from-start", "ignore-write-count"],
}, async (stage) => {
  const reader = stage.reader(["hello, ", "world", null]);
  const writer = stage.writer([1, 3, 2]);

  await echoConn(connection(reader, writer));

  assertBytes(writer.received, "hello, world", "the echo");
}));

Deno.test(check("echoConn() passes on the error of a read", {
  reveals: ["reset-is-clean-eof"],
}, async (stage) => {
  const reader = stage.reader(["hel", new ConnectionReset("cut off")]);

  await assertRejects(
    () => echoConn(connection(reader, stage.writer())),
    ConnectionReset,
    "cut off",
  );
}));

Deno.test(check("echoConn() passes on the error of a write", {
  reveals: ["write-error-swallowed"],
}, async (stage) => {
  const reader = stage.reader(["hello", null]);
  const writer = stage.writer([2, new BrokenPipe("nobody reads any more")]);

  await assertRejects(
    () => echoConn(connection(reader, writer)),
    BrokenPipe,
    "nobody reads",
  );
}));

Deno.test(
  check("describeAddr() names the transport, the host and the port", () => {
    const hostname = "127.0.0.1";
    const tcp = { transport: "tcp", hostname, port: 8080 } as const;
    const udp = { transport: "udp", hostname, port: 53 } as const;

    assertEquals(describeAddr(tcp), "tcp 127.0.0.1:8080");
    assertEquals(describeAddr(udp), "udp 127.0.0.1:53");
  }),
);

Deno.test(check("startEcho() ends at shutdown(), and leaves the port free", {
  reveals: [
    "shutdown-leaves-listener",
    "close-is-not-an-error",
    "shutdown-not-awaited",
    "accept-busy-loop",
    "hard-coded-port",
    "bind-everything",
  ],
}, async (stage) => {
  const first = startEcho();
  const told = "addr has port 0, and nobody can connect to that: where it " +
    "listens stands in the listener's own addr";
  assert(
    !(first instanceof Promise),
    "startEcho() gives a promise of a server",
  );
  assert(first.addr.port !== 0, told);
  await shutDown(stage, first); // Nobody ever came.
  await stage.refuses("late", first);

  const second = startEcho({ port: first.addr.port });
  await shutDown(stage, second);
}));

Deno.test(check("startEcho() echoes at once, however the bytes arrive", {
  reveals: ["answers-at-the-end", "reads-once", "double-close", "leaked-conn"],
}, async (stage) => {
  const server = startEcho();
  const ann = await stage.connect("ann", server);

  await ann.send("hello");
  await ann.receives("hello"); // And ann has not ended yet.
  await ann.sendByteByByte("how are you?");
  await ann.receives("how are you?");
  await ann.send("one\n");
  await ann.send("two\n");
  await ann.receives("one\ntwo\n");

  ann.close();
  await shutDown(stage, server);
}));

Deno.test(check("startEcho() takes a free port each time", {
  reveals: ["hard-coded-port", "shared-buffer", "leaked-conn"],
  writesAtMost: 2,
}, async (stage) => {
  const one = startEcho();
  const other = startEcho();
  assertNotEquals(one.addr.port, other.addr.port, "the ports should differ");

  const ann = await stage.connect("ann", one);
  const bob = await stage.connect("bob", other);
  await Promise.all([ann.send("hello"), bob.send("good morning")]);
  await ann.receives("hello");
  await bob.receives("good morning");

  ann.close();
  bob.close();
  await shutDown(stage, one);
  await shutDown(stage, other);
}));

Deno.test(
  check("startEcho() listens to this machine alone, unless told otherwise", {
    reveals: ["bind-everything"],
    address: "127.0.0.2",
  }, async (stage) => {
    const server = startEcho();

    // 127.0.0.2 is this machine, too, as is every other address it may have.
    await stage.refuses("eve", { ...server.addr, hostname: "127.0.0.2" });

    const ann = await stage.connect("ann", server);
    ann.close();
    await shutDown(stage, server);
  }),
);

Deno.test(check("startEcho() listens on the address that it is told", {
  reveals: ["bind-localhost-only"],
  address: "127.0.0.2",
}, async (stage) => {
  const server = startEcho({ hostname: "127.0.0.2" });

  const ann = await stage.connect("ann", {
    ...server.addr,
    hostname: "127.0.0.2",
  });
  await ann.send("hello");
  await ann.receives("hello");

  ann.close();
  await shutDown(stage, server);
}));

Deno.test(check("startEcho() listens on every address for 0.0.0.0", {
  reveals: ["bind-localhost-only"],
  only: "simulated", // Lessons may not open a real port to the network.
}, async (stage) => {
  const server = startEcho({ hostname: "0.0.0.0" });

  const ann = await stage.connect("ann", {
    ...server.addr,
    hostname: "127.0.0.2",
  });
  await ann.send("hello");
  await ann.receives("hello");

  ann.close();
  await shutDown(stage, server);
}));

Deno.test(check("startEcho() hangs up when the client has ended", {
  reveals: ["leaked-conn"],
}, async (stage) => {
  const server = startEcho();
  const ann = await stage.connect("ann", server);

  await ann.send("goodbye");
  await ann.closeWrite();
  await ann.receives("goodbye");
  await ann.receivesEnd();

  await shutDown(stage, server);
}));

Deno.test(check("startEcho() serves the next client after one that has left", {
  reveals: ["accepts-once", "connected-means-accepted"],
}, async (stage) => {
  const server = startEcho();

  const ann = await stage.connect("ann", server);
  await ann.send("first");
  await ann.receives("first");
  ann.close();

  const shy = await stage.connect("shy", server);
  shy.close(); // And has not said a word.

  const bob = await stage.connect("bob", server);
  await bob.send("third");
  await bob.receives("third");
  bob.close();

  await shutDown(stage, server);
}));

Deno.test(check("startEcho() answers a client that had to wait", {
  reveals: ["connected-means-accepted"],
}, async (stage) => {
  const server = startEcho();
  const ann = await stage.connect("ann", server);
  await ann.send("me first");
  await ann.receives("me first");

  // bob is connected and sends; whether anybody has accepted him he cannot see.
  const bob = await stage.connect("bob", server);
  await bob.send("I can wait");
  await bob.closeWrite();

  await ann.send("and again");
  await ann.receives("and again");
  ann.close();
  await bob.receives("I can wait");
  await bob.receivesEnd();

  await shutDown(stage, server);
}));

Deno.test(
  check(
    "startEcho() sends everything back to a client that sends first and reads later",
    {
      reveals: [
        "close-instead-of-closewrite",
        "eof-means-peer-gone",
        "ignore-write-count",
      ],
    },
    async (stage) => {
      const server = startEcho();
      const ann = await stage.connect("ann", server);
      // More than the buffers of one direction hold, and less than those of both.
      const long = stage.random.bytes(200_000);

      await ann.send(long);
      await ann.closeWrite();
      await ann.receives(long);
      await ann.receivesEnd();

      await shutDown(stage, server);
    },
  ),
);

Deno.test(
  check(
    "startEcho() echoes more than all buffers hold to a client that reads meanwhile",
    {
      reveals: ["binary-through-string", "ignore-write-count"],
    },
    async (stage) => {
      const server = startEcho();
      const ann = await stage.connect("ann", server);
      const long = stage.random.bytes(300_000);

      await Promise.all([ann.send(long), ann.receives(long)]);

      ann.close();
      await shutDown(stage, server);
    },
  ),
);

Deno.test(check("startEcho() outlives a client that resets", {
  reveals: ["handler-rejection-kills-server", "leak-on-error-path"],
}, async (stage) => {
  const server = startEcho();
  const doomed = await stage.connect("doomed", server, { canReset: true });
  await doomed.send("hel");
  await doomed.receives("hel");
  doomed.reset();

  const bob = await stage.connect("bob", server);
  await bob.send("still there?");
  await bob.receives("still there?");

  bob.close();
  await shutDown(stage, server);
}));

Deno.test(
  check("startEcho() outlives a client that reads nothing, and resets", {
    reveals: [
      "unawaited-write",
      "handler-rejection-kills-server",
      "leak-on-error-path",
    ],
    only: "simulated", // There a moment is enough to fill all buffers.
  }, async (stage) => {
    const server = startEcho();
    const doomed = await stage.connect("doomed", server, { canReset: true });
    const sending = doomed.send(new Uint8Array(600_000)).catch(() => {});
    await stage.sleep(1); // Now the echo has no room, and waits.
    doomed.reset();
    await sending;

    const bob = await stage.connect("bob", server);
    await bob.send("still there?");
    await bob.receives("still there?");

    bob.close();
    await shutDown(stage, server);
  }),
);

Deno.test(check("startEcho() outlives a client that hears no answer", {
  reveals: ["handler-rejection-kills-server", "leak-on-error-path"],
  writesAtMost: 1, // The first byte meets nobody; the next write is told so.
}, async (stage) => {
  const server = startEcho();
  const doomed = await stage.connect("doomed", server);
  await doomed.send("is anybody there?");
  doomed.close();

  const bob = await stage.connect("bob", server);
  await bob.send("I am");
  await bob.receives("I am");

  bob.close();
  await shutDown(stage, server);
}));

Deno.test(
  check(
    "startEcho() throws if somebody listens there already",
    async (stage) => {
      const server = startEcho();

      assertThrows(() => startEcho({ port: server.addr.port }), AddrInUse);

      await shutDown(stage, server);
    },
  ),
);

Deno.test(check("startEcho() serves the present client while it shuts down", {
  reveals: [
    "shutdown-before-clients",
    "shutdown-leaves-listener",
    "no-drain-on-shutdown",
  ],
}, async (stage) => {
  const server = startEcho();
  const ann = await stage.connect("ann", server);
  await ann.send("hello");
  await ann.receives("hello");

  const ending = stage.start(() => server.shutdown(), "shutdown()");
  await ann.sendInPieces(["may I ", "finish?"]);
  await ann.receives("may I finish?");
  await stage.refuses("late", server);
  await ann.receivesNothing(1); // Whoever waits for a while has done so now.
  assert(!ending.settled, "shutdown() resolved, and ann was still there");

  ann.close();
  await ending.result;
}));

Deno.test(check("startEcho() listens again where its clients have just been", {
  reveals: ["shutdown-not-awaited"],
}, async (stage) => {
  const first = startEcho();
  const ann = await stage.connect("ann", first);
  await ann.send("hello");
  await ann.closeWrite();
  await ann.receives("hello");
  await ann.receivesEnd();
  ann.close();
  await shutDown(stage, first);

  const second = startEcho({ port: first.addr.port });
  const bob = await stage.connect("bob", second);
  await bob.send("still there?");
  await bob.receives("still there?");

  bob.close();
  await shutDown(stage, second);
}));
