// The checks for lesson 03. Read them: they say what `serve()` promises.
import { assert } from "@std/assert";
import { check, everySplit } from "check";
import { serve } from "./echo.ts";

Deno.test(check("serve() echoes one client", {
  reveals: [
    "ignore-read-count",
    "eof-infinite-loop",
    "double-close",
    "leaked-conn",
    "close-is-not-an-error",
  ],
}, async (stage) => {
  stage.serve(serve);
  const ann = await stage.connect("ann");

  await ann.send("hello");
  await ann.receives("hello");

  await ann.send("hi"); // Shorter: nothing of the last word may stick to it.
  await ann.receives("hi");
}));

Deno.test(check("serve() answers the second client while the first is silent", {
  reveals: ["await-in-accept-loop", "served-in-turn"],
}, async (stage) => {
  stage.serve(serve);
  await stage.connect("ann"); // Never says a word.
  const bob = await stage.connect("bob");

  await bob.send("hello");
  await bob.receives("hello");
}));

Deno.test(check("serve() outlives a client that resets", {
  reveals: [
    "handler-rejection-kills-server",
    "double-close",
    "leak-on-error-path",
  ],
}, async (stage) => {
  stage.serve(serve);
  const doomed = await stage.connect("doomed", undefined, { canReset: true });
  const bob = await stage.connect("bob");
  await doomed.send("one mom");
  await doomed.receives("one mom");

  doomed.reset();

  await bob.send("still here?");
  await bob.receives("still here?");
}));

Deno.test(check("serve() outlives a client that leaves its echo unread", {
  reveals: [
    "unawaited-write",
    "handler-rejection-kills-server",
    "leak-on-error-path",
    "shared-buffer",
  ],
}, async (stage) => {
  stage.serve(serve);
  const doomed = await stage.connect("doomed", undefined, { canReset: true });
  const bob = await stage.connect("bob");
  await doomed.send("hello? ".repeat(28_000)); // More than the buffers hold.

  doomed.reset();

  await bob.send("still here?");
  await bob.receives("still here?");
}));

Deno.test(check("serve() outlives a client that reads nothing, and resets", {
  reveals: [
    "unawaited-write",
    "handler-rejection-kills-server",
    "leak-on-error-path",
  ],
  only: "simulated", // There a moment is enough to fill all buffers.
}, async (stage) => {
  stage.serve(serve);
  const doomed = await stage.connect("doomed", undefined, { canReset: true });
  const sending = doomed.send(new Uint8Array(600_000)).catch(() => {});
  await stage.sleep(1); // Now the echo has no room, and waits.
  doomed.reset();
  await sending;

  const bob = await stage.connect("bob");
  await bob.send("still here?");
  await bob.receives("still here?");
}));

Deno.test(check("serve() outlives a client that hears no answer", {
  reveals: ["handler-rejection-kills-server", "leak-on-error-path"],
  writesAtMost: 1, // The first byte meets nobody; the next write is told so.
}, async (stage) => {
  stage.serve(serve);
  const doomed = await stage.connect("doomed");
  await doomed.send("is anybody there?");
  doomed.close();

  const bob = await stage.connect("bob");
  await bob.send("I am");
  await bob.receives("I am");
}));

Deno.test(check("serve() sends back what came before the end, and hangs up", {
  reveals: ["leaked-conn"],
}, async (stage) => {
  stage.serve(serve);
  const ann = await stage.connect("ann");

  await ann.sendByteByByte("hello, world");
  await ann.closeWrite();

  await ann.receives("hello, world");
  await ann.receivesEnd();
}));

Deno.test(check("serve() returns every byte value unchanged", {
  reveals: ["binary-through-string"],
}, async (stage) => {
  const everyByte = Uint8Array.from({ length: 256 }, (_, value) => value);
  stage.serve(serve);
  const ann = await stage.connect("ann");

  await ann.send(everyByte);
  await ann.receives(everyByte);
}));

Deno.test(check("serve() returns a character that comes in two pieces", {
  reveals: ["binary-through-string"],
}, async (stage) => {
  stage.serve(serve);
  const ann = await stage.connect("ann");

  for (const [head, tail] of everySplit("é🎈")) {
    await ann.sendInPieces([head, tail]);
    await ann.receives("é🎈");
  }
}));

Deno.test(check("serve() sends the rest when a write takes only a part", {
  reveals: ["ignore-write-count"],
  writesAtMost: 3,
}, async (stage) => {
  stage.serve(serve);
  const ann = await stage.connect("ann");

  await ann.send("hello, world");
  await ann.receives("hello, world");
}));

Deno.test(check("serve() keeps the order when it reads faster than it writes", {
  reveals: ["stale-buffer-alias"],
  readsAtMost: 6,
  writesAtMost: 1,
}, async (stage) => {
  stage.serve(serve);
  const ann = await stage.connect("ann");

  await ann.send("first second");
  await ann.receives("first second");
}));

Deno.test(check("serve() keeps each client's bytes apart", {
  reveals: ["shared-buffer"],
  writesAtMost: 2,
}, async (stage) => {
  stage.serve(serve);
  const names = ["ann", "bob", "cat", "dan", "eve"];
  const cast = await Promise.all(names.map((name) => stage.connect(name)));

  // All at once, and again: while one is answered, the next one speaks.
  await Promise.all(cast.map((client) => client.send(`${client.name}, `)));
  await Promise.all(cast.map((client) => client.send(`${client.name}!`)));

  for (const client of cast) {
    await client.receives(`${client.name}, ${client.name}!`);
  }
}));

Deno.test(check("serve() lets nobody wait for a slow reader", {
  reveals: ["one-writer-for-all", "stale-buffer-alias"],
}, async (stage) => {
  const flood = stage.random.bytes(300_000);
  stage.serve(serve);
  const slow = await stage.connect("slow");
  const bob = await stage.connect("bob");

  const sending = slow.send(flood); // Stops halfway: nobody takes the echo.
  // There it takes no time until the program waits, or has waited for a minute.
  if (stage.network === "simulated") await stage.sleep(60_000);
  await bob.send("hello");
  await bob.receives("hello");

  await slow.receives(flood); // Now somebody does, and none of it is missing.
  await sending;
}));

Deno.test(check("serve() echoes a crowd at once", async (stage) => {
  // On loopback each connection takes the kernel time, and 50 show as much.
  const size = stage.network === "simulated" ? 100 : 50;
  stage.serve(serve);
  const names = Array.from({ length: size }, (_, i) => `client ${i}`);
  const crowd = await Promise.all(names.map((name) => stage.connect(name)));

  await Promise.all(crowd.map((client) => client.send(client.name)));
  await Promise.all(crowd.map((client) => client.receives(client.name)));
}));

Deno.test(check("serve() echoes eight books at once", async (stage) => {
  stage.serve(serve);
  const names = Array.from({ length: 8 }, (_, i) => `client ${i}`);
  const crowd = await Promise.all(names.map((name) => stage.connect(name)));

  await Promise.all(crowd.map(async (client) => {
    const book = stage.random.bytes(100_000);
    await Promise.all([client.send(book), client.receives(book)]);
  }));
}));

Deno.test(check("serve() forgets clients that leave without a word", {
  reveals: ["leaked-conn", "leak-on-error-path"],
}, async (stage) => {
  stage.serve(serve);
  const names = Array.from({ length: 50 }, (_, i) => `client ${i}`);
  const crowd = await Promise.all(names.map((name) => stage.connect(name)));

  crowd.forEach((client) => client.close());

  const bob = await stage.connect("bob");
  await bob.send("hello");
  await bob.receives("hello");
}));

Deno.test(check("serve() returns when everyone has left", {
  reveals: ["returns-before-clients"],
}, async (stage) => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = stage.start(() => serve(listener));
  const ann = await stage.connect("ann", listener);
  const bob = await stage.connect("bob", listener);
  const cat = await stage.connect("cat", listener);
  await Promise.all([ann.send("a"), bob.send("b"), cat.send("c")]);
  await Promise.all([ann.receives("a"), bob.receives("b"), cat.receives("c")]);

  listener.close(); // Nobody new gets in; those inside stay.
  await cat.closeWrite(); // The last leaves first, and bob stays longest.
  await cat.receivesEnd();
  await ann.closeWrite();
  await ann.receivesEnd();
  await bob.send("may I finish?");
  await bob.receives("may I finish?");
  await bob.receivesNothing(1); // Whoever returns too early has done so now.
  assert(!serving.settled, "serve() returned while bob was inside");

  bob.close();
  await serving.result;
}));
