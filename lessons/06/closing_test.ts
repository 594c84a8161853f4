// The checks for lesson 06. Read them: they say what the three functions
// promise.
import { assert, assertEquals, assertRejects } from "@std/assert";
import { check } from "check";
import { closeGracefully, pipeOneWay, relay } from "./closing.ts";

// What an assertion is about, for its failure.
const PIPING = "pipeOneWay(), whose peer vanished";
const FAREWELL = "the result of closeGracefully()";

/** Closes what `pipeOneWay()` leaves open. */
function close(...conns: Deno.TcpConn[]) {
  for (const conn of conns) conn[Symbol.dispose]();
}

Deno.test(check("pipeOneWay() passes on every byte, and counts them", {
  reveals: ["ignore-write-count", "writer-close-kills-read"],
  writesAtMost: 3,
}, async (stage) => {
  const [ann, fromAnn] = await stage.meet("ann");
  const [bob, toBob] = await stage.meet("bob");
  const piping = stage.start(() => pipeOneWay(fromAnn, toBob));

  await ann.sendInPieces(["hello, ", "bob"]);
  await ann.closeWrite();

  await bob.receives("hello, bob");
  assertEquals(await piping.result, 10, "the count of pipeOneWay()");
  close(fromAnn, toBob);
}));

Deno.test(check("pipeOneWay() passes on the end", {
  reveals: ["halfclose-not-forwarded", "writer-close-kills-read"],
}, async (stage) => {
  const [ann, fromAnn] = await stage.meet("ann");
  const [bob, toBob] = await stage.meet("bob");
  const piping = stage.start(() => pipeOneWay(fromAnn, toBob));

  await ann.send("that is all");
  await ann.closeWrite();

  await bob.receives("that is all");
  await bob.receivesEnd();
  await piping.result;
  close(fromAnn, toBob);
}));

Deno.test(check("pipeOneWay() leaves the way back open", {
  reveals: [
    "reply-after-readable",
    "writer-close-kills-read",
    "close-instead-of-closewrite",
  ],
}, async (stage) => {
  const [ann, withAnn] = await stage.meet("ann");
  const [bob, withBob] = await stage.meet("bob");
  const there = stage.start(() => pipeOneWay(withAnn, withBob));
  await ann.send("what time is it?");
  await ann.closeWrite();
  await bob.receives("what time is it?");
  await there.result;

  const back = stage.start(() => pipeOneWay(withBob, withAnn));
  await bob.send("ten past six");
  await bob.closeWrite();

  await ann.receives("ten past six");
  await ann.receivesEnd();
  assertEquals(await back.result, 12, "the count of pipeOneWay()");
  close(withAnn, withBob);
}));

Deno.test(check("pipeOneWay() rejects at a reset, and passes on no end", {
  reveals: ["reset-is-clean-eof", "end-after-error"],
}, async (stage) => {
  const [doomed, fromDoomed] = await stage.meet("doomed", { canReset: true });
  const [bob, toBob] = await stage.meet("bob");
  const piping = stage.start(() => pipeOneWay(fromDoomed, toBob));
  await doomed.send("half a st");
  await bob.receives("half a st"); // What came before is delivered.

  doomed.reset();

  const { ConnectionReset } = Deno.errors;
  await assertRejects(() => piping.result, ConnectionReset, "", PIPING);
  await bob.receivesNothing(); // An end would say: that was the whole story.
  close(fromDoomed, toBob);
}));

Deno.test(check("relay() brings the answer after the question's end", {
  reveals: [
    "two-readers",
    "double-close",
    "eof-means-peer-gone",
    "leaked-conn",
  ],
}, async (stage) => {
  const [ann, withAnn] = await stage.meet("ann");
  const [bob, withBob] = await stage.meet("bob");
  const relaying = stage.start(() => relay(withAnn, withBob));

  await ann.sendInPieces(["what time ", "is it?"]);
  await ann.closeWrite();
  await bob.receives("what time is it?");
  await bob.receivesEnd();
  await bob.send("ten past six");
  await bob.closeWrite();

  await ann.receives("ten past six");
  await ann.receivesEnd();
  assertEquals(await relaying.result, "clean", "the result of relay()");
}));

Deno.test(check("relay() goes on when the other one ends first", {
  reveals: ["eof-means-peer-gone"],
}, async (stage) => {
  const book = stage.random.bytes(300_000);
  const [ann, withAnn] = await stage.meet("ann");
  const [bob, withBob] = await stage.meet("bob");
  const relaying = stage.start(() => relay(withAnn, withBob));

  await bob.closeWrite();
  await ann.receivesEnd();
  const sending = ann.send(book);
  await bob.receives(book);
  await sending;
  await ann.closeWrite();

  await bob.receivesEnd();
  assertEquals(await relaying.result, "clean", "the result of relay()");
}));

Deno.test(check("relay() keeps nothing from a slow reader", {
  reveals: ["exit-before-flush"],
}, async (stage) => {
  const book = stage.random.bytes(250_000);
  const [ann, withAnn] = await stage.meet("ann");
  const [slow, withSlow] = await stage.meet("slow");
  const relaying = stage.start(() => relay(withAnn, withSlow));

  await slow.closeWrite();
  await ann.send(book); // As much as the buffers hold; nobody reads yet.
  await ann.closeWrite();
  await ann.receivesEnd();

  await slow.receives(book);
  await slow.receivesEnd();
  assertEquals(await relaying.result, "clean", "the result of relay()");
}));

Deno.test(check("relay() ends with a reset, after what came before it", {
  reveals: ["reset-is-clean-eof", "leak-on-error-path"],
}, async (stage) => {
  const [doomed, withDoomed] = await stage.meet("doomed", { canReset: true });
  const [bob, withBob] = await stage.meet("bob");
  const relaying = stage.start(() => relay(withDoomed, withBob));
  await doomed.send("half a st");
  await bob.receives("half a st");

  doomed.reset();

  assertEquals(await relaying.result, "reset", "the result of relay()");
}));

Deno.test(check("relay() ends when ann writes to bob, who has left", {
  reveals: ["first-write-should-fail", "double-close"],
}, async (stage) => {
  const [ann, withAnn] = await stage.meet("ann");
  const [bob, withBob] = await stage.meet("bob");
  const relaying = stage.start(() => relay(withAnn, withBob));

  bob.close();
  await ann.receivesEnd();
  // Nobody knows that bob reads no more: the first word is accepted, and its
  // answer is RST. Only what is written after that fails.
  await ann.sendInPieces(["are you ", "there, ", "bob?"]);

  assertEquals(await relaying.result, "reset", "the result of relay()");
}));

Deno.test(check("relay() leaves no socket behind, thirty times", {
  reveals: ["leaked-conn"],
}, async (stage) => {
  const converse = async (_: unknown, i: number) => {
    const [ann, withAnn] = await stage.meet(`ann ${i}`);
    const [bob, withBob] = await stage.meet(`bob ${i}`);
    const relaying = stage.start(() => relay(withAnn, withBob));
    await ann.send(`question ${i}`);
    await ann.closeWrite();
    await bob.receives(`question ${i}`);
    await bob.closeWrite();
    await ann.receivesEnd();
    await relaying.result;
  };

  await Promise.all(Array.from({ length: 30 }, converse));

  assertEquals(stage.openSockets, []);
}));

Deno.test(check("closeGracefully() saves the answer from unread input", {
  reveals: [
    "double-close",
    "expects-reset-on-close",
    "who-closes-first",
    "close-with-unread",
    "read-once-then-close",
    "timer-leak",
  ],
}, async (stage) => {
  const [ann, conn] = await stage.meet("ann");
  await ann.send("GET /and more");
  await conn.read(new Uint8Array(4)); // The rest of it nobody reads.
  const page = new Uint8Array(3_000_000).fill(7);
  const written = await conn.write(page); // As much as the buffers take.

  const closing = stage.start(() => closeGracefully(conn));
  await stage.sleep(10); // Ann takes her time.

  await ann.receives(page.subarray(0, written));
  await ann.receivesEnd();
  await ann.closeWrite();
  assertEquals(await closing.result, "drained", FAREWELL);
}));

Deno.test(check("closeGracefully() ends first, and waits for ann's end", {
  reveals: ["who-closes-first"],
}, async (stage) => {
  const [ann, conn] = await stage.meet("ann");
  const closing = stage.start(() => closeGracefully(conn));

  await ann.receivesEnd();
  assert(!closing.settled, "closeGracefully() returned before ann's end");
  await ann.closeWrite();

  assertEquals(await closing.result, "clean", FAREWELL);
}));

Deno.test(check("closeGracefully() minds no earlier end", async (stage) => {
  const [ann, conn] = await stage.meet("ann");
  await conn.closeWrite();
  await ann.closeWrite();

  assertEquals(await closeGracefully(conn), "clean", FAREWELL);
}));

Deno.test(check("closeGracefully() saves the answer while ann still sends", {
  reveals: ["close-with-unread", "read-once-then-close"],
}, async (stage) => {
  const [ann, conn] = await stage.meet("ann");
  const page = new Uint8Array(100_000).fill(7);
  await conn.write(page);
  const closing = stage.start(() => closeGracefully(conn));

  // More than the buffers hold, even after a read of 64 KiB.
  await ann.send(stage.random.bytes(200_000));
  await ann.receives(page);
  await ann.receivesEnd();
  await ann.closeWrite();

  assertEquals(await closing.result, "drained", FAREWELL);
}));

Deno.test(check("closeGracefully() tells a reset from an end", {
  reveals: ["reset-is-clean-eof", "timer-leak"],
}, async (stage) => {
  const [doomed, conn] = await stage.meet("doomed", { canReset: true });
  await conn.write(new Uint8Array(100_000)); // The kernel has it; doomed not.
  const closing = stage.start(() => closeGracefully(conn));
  await doomed.send("thank y");

  doomed.reset();

  assertEquals(await closing.result, "reset", FAREWELL);
}));

Deno.test(check("closeGracefully() gives up on a silent peer", {
  reveals: [
    "own-close-misread",
    "write-means-delivered",
    "double-close",
    "interrupts-itself",
    "no-deadline",
  ],
}, async (stage) => {
  const [_silent, conn] = await stage.meet("silent");
  await conn.write(new Uint8Array(100_000)); // Nobody reads it.

  const result = await closeGracefully(conn, { drainMs: 50 });
  const { now } = stage;
  assert(now < 1_000, `closeGracefully() took ${now} ms, with drainMs: 50`);
  assertEquals(result, "gave-up", FAREWELL);
}));

Deno.test(check("closeGracefully() is patient for 5 s, if nobody says more", {
  reveals: ["own-close-misread", "write-means-delivered"],
  only: "simulated", // Seconds pass at once here, and not on loopback.
}, async (stage) => {
  const [_silent, conn] = await stage.meet("silent");

  assertEquals(await closeGracefully(conn), "gave-up", FAREWELL);
  const took = `${stage.now} ms, and drainMs is 5000 by default`;
  assert(4_900 < stage.now && stage.now < 5_100, `It took ${took}`);
}));

Deno.test(check("closeGracefully() stops a flood", {
  readsAtMost: 5_000, // No single read is too much.
}, async (stage) => {
  const [ann, conn] = await stage.meet("ann");
  await ann.send(stage.random.bytes(20_000));

  const patience = { drainMs: 60_000, drainBytes: 10_000 };
  const result = await closeGracefully(conn, patience);
  const took = `${stage.now} ms for 20000 bytes, with drainBytes: 10000`;
  assert(stage.now < 30_000, `closeGracefully() took ${took}`);
  assertEquals(result, "gave-up", FAREWELL);
}));

Deno.test(check("closeGracefully() takes 1 MiB in vain, if nobody says less", {
  only: "simulated", // Seconds pass at once here, and not on loopback.
}, async (stage) => {
  const [ann, toAnn] = await stage.meet("ann");
  const [bob, toBob] = await stage.meet("bob");
  const few = stage.start(() => closeGracefully(toAnn));
  const many = stage.start(() => closeGracefully(toBob));

  await ann.send(new Uint8Array(1_000_000));
  await ann.closeWrite();
  assertEquals(await few.result, "drained", `${FAREWELL} after 1000000 bytes`);

  await bob.send(new Uint8Array(1_100_000)); // And he does not end.
  assertEquals(await many.result, "gave-up", `${FAREWELL} after 1100000 bytes`);
  const took = `${stage.now} ms, and drainBytes is 1 MiB by default`;
  assert(stage.now < 4_000, `closeGracefully() took ${took}`);
}));

Deno.test(check("closeGracefully() gives up on a peer that dribbles", {
  reveals: ["per-read-only"],
  // Seconds pass at once here, and not on loopback.
  only: "simulated",
}, async (stage) => {
  const [ann, conn] = await stage.meet("ann");
  const closing = stage.start(() => closeGracefully(conn, { drainMs: 1_000 }));

  for (let dot = 0; dot < 60 && !closing.settled; dot++) {
    await ann.send(".");
    await stage.sleep(100);
  }

  const result = await closing.result;
  const { now } = stage;
  assert(now < 3_000, `closeGracefully() took ${now} ms, with drainMs: 1000`);
  assertEquals(result, "gave-up", FAREWELL);
}));
