// The checks for lesson 14. Read them: they say what the four promise.
import { assert, assertEquals, assertRejects } from "@std/assert";
import { assertBytes, check } from "check";
import { ConnWriter, dispatch, pump, swap } from "./backpressure.ts";

/** The bytes of `text`. */
function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** A peer that takes nothing for an hour. */
const ASLEEP = [{ pause: 3_600_000 }];

Deno.test(check("pump() brings everything, in order", {
  reveals: ["ignore-write-count", "stale-buffer-alias"],
}, async (stage) => {
  const book = stage.random.bytes(200_000);
  const from = stage.reader([book.slice(0, 90_000), book.slice(90_000), null]);
  const to = stage.writer([1_000, 70_000]);

  assertEquals(await pump(from, to), 200_000);
  assertBytes(to.received, book, "what the writer received");
}));

Deno.test(check("pump() reads no faster than it writes", {
  reveals: ["unbounded-outbox"],
}, async (stage) => {
  const from = stage.reader([stage.random.bytes(1_000_000), null]);
  const to = stage.writer([{ pause: 2_000 }, Infinity]);
  const pumping = stage.start(() => pump(from, to));

  await stage.sleep(1_000); // The writer has taken nothing yet.
  assert(
    from.given <= 131_072,
    `pump() holds ${from.given} bytes in memory, and the writer has none`,
  );

  assertEquals(await pumping.result, 1_000_000);
}));

Deno.test(check("pump() returns when all is written", async (stage) => {
  const to = stage.writer([{ pause: 1_000 }]);

  assertEquals(await pump(stage.reader(["hello", null]), to), 5);
  assertBytes(to.received, "hello", "what the writer had when pump() returned");
}));

Deno.test(check("swap() listens while it talks", {
  reveals: ["mutual-write-deadlock"],
}, async (stage) => {
  const [ours, theirs] = [
    stage.random.bytes(400_000),
    stage.random.bytes(400_000),
  ];
  const [ann, conn] = await stage.meet("ann");
  const swapping = stage.start(() => swap(conn, ours));

  await ann.send(theirs); // Ann, for her part, talks before she listens.
  await ann.closeWrite();
  await stage.sleep(1); // Whoever forgets its own half has returned by now.
  // On loopback it may all lie in the kernel's buffers, and swap() be done.
  const early = stage.network === "simulated" && swapping.settled;
  assert(!early, "swap() ended, and ann has not read its bytes yet");
  await ann.receives(ours);
  await ann.receivesEnd();

  assertBytes(await swapping.result, theirs, "what swap() received");
  conn.close();
}));

Deno.test(
  check("swap() ends its sending before ann ends hers", async (stage) => {
    const [ann, conn] = await stage.meet("ann");
    const swapping = stage.start(() => swap(conn, bytes("hello")));

    await ann.send("good ");
    await ann.receives("hello");
    await ann.receivesEnd();
    await ann.send("bye"); // She goes on only after our end.
    await ann.closeWrite();

    assertBytes(await swapping.result, "good bye", "what swap() received");
    conn.close();
  }),
);

Deno.test(check("swap() tells its caller that ann vanished", async (stage) => {
  const [ann, conn] = await stage.meet("ann", { canReset: true });
  const much = new Uint8Array(9_000_000); // More than the buffers hold.
  const swapping = stage.start(() => swap(conn, much));
  const told = "swap() resolved, and ann had vanished";
  const failed = assertRejects(() => swapping.result, Error, "", told);

  await stage.sleep(10); // By now it reads, and a write waits for room.
  ann.reset();

  await failed; // Both calls fail: whoever hears of one alone misses the other.
  try {
    conn.close();
  } catch { /* Its streams have closed it. */ }
}));

Deno.test(check("ConnWriter writes what it is given, in order", {
  reveals: ["interleaved-writers", "ignore-write-count"],
}, async (stage) => {
  const to = stage.writer([1, 3, 7]);
  const writer = new ConnWriter(to, { maxQueued: 1_000 });

  for (const word of ["to ", "be ", "or ", "not"]) {
    await writer.send(bytes(word));
  }
  await writer.flush();

  assertBytes(to.received, "to be or not", "what the writer received");
  assertEquals(writer.queued, 0);
}));

Deno.test(check("ConnWriter.send() waits while its peer takes nothing", {
  reveals: ["unbounded-outbox"],
}, async (stage) => {
  const to = stage.writer([{ pause: 2_000 }, Infinity]);
  const writer = new ConnWriter(to, { maxQueued: 4_000 });
  const message = stage.random.bytes(1_000);
  let [accepted, most] = [0, 0];
  const sending = stage.start(async () => {
    for (let i = 0; i < 10; i++) {
      await writer.send(message);
      accepted += message.length;
      most = Math.max(most, writer.queued);
    }
    await writer.flush();
  });
  let refused: unknown;
  sending.result.catch((error) => refused = error);

  await stage.sleep(1_000); // The writer has taken nothing yet.
  assert(
    accepted <= 4_000,
    `ConnWriter holds ${accepted} bytes in memory, and 4000 may wait`,
  );
  assert(
    refused === undefined,
    `send() rejected with "${refused}"; it should wait until there is room`,
  );
  assert(!sending.settled, "flush() ended, and the writer has nothing");
  await sending.result;

  assert(most <= 4_000, `${most} bytes waited in memory, and 4000 may`);
  assertEquals(to.received.length, 10_000);
}));

Deno.test(check("ConnWriter keeps what it was given", {
  reveals: ["stale-buffer-alias"],
}, async (stage) => {
  const to = stage.writer([{ pause: 10 }, Infinity]);
  const writer = new ConnWriter(to, { maxQueued: 12 });
  const buffer = bytes("once");

  const sending = [writer.send(buffer), writer.send(buffer)];
  const tried = writer.trySend(buffer);
  sending.push(writer.send(buffer)); // Now somebody waits for room.
  buffer.set(bytes("????")); // It is ours again; what was sent is not.
  await Promise.all(sending);
  await writer.flush();

  const all = "once".repeat(tried ? 4 : 3);
  assertBytes(to.received, all, "what the writer received");
}));

Deno.test(check("ConnWriter lets no message into another", {
  reveals: ["interleaved-writers"],
}, async (stage) => {
  const to = stage.writer([3]);
  const writer = new ConnWriter(to, { maxQueued: 20 });
  const say = async (word: string) => {
    for (let i = 0; i < 3; i++) await writer.send(bytes(word));
  };

  await Promise.all([say("[hello]"), say("[good day]")]);
  await writer.flush();

  const text = new TextDecoder().decode(to.received);
  assertBytes(
    bytes(text.replace(/\[hello\]|\[good day\]/g, "")),
    "",
    "what is no whole message",
  );
  assertEquals(text.length, 3 * 7 + 3 * 10);
}));

Deno.test(check("ConnWriter.send() keeps to the order", async (stage) => {
  const to = stage.writer([{ pause: 10 }]);
  const writer = new ConnWriter(to, { maxQueued: 10 });

  // There is room for "a", too, when it comes: but others came before.
  const words = ["long", "a long one", "a", "another 1", ".", "the end"];
  let most = 0;
  await Promise.all(words.map(async (word) => {
    await writer.send(bytes(word));
    most = Math.max(most, writer.queued);
  }));
  await writer.flush();

  const text = new TextDecoder().decode(to.received);
  assertEquals(text.length, words.join("").length);
  assert(
    text === words.join(""),
    `a message found room before one that had waited longer: "${text}"`,
  );
  assert(most <= 10, `ConnWriter held ${most} bytes, and 10 may wait`);
}));

Deno.test(check("ConnWriter joins messages that wait", async (stage) => {
  const to = stage.writer([{ pause: 10 }, Infinity]);
  const writer = new ConnWriter(to, { maxQueued: 1_000 });
  const words = Array.from({ length: 50 }, (_, i) => `word ${i}, `);

  await Promise.all(words.map((word) => writer.send(bytes(word))));
  await writer.flush();

  assertBytes(to.received, words.join(""), "what the writer received");
  assert(
    to.writes <= 3,
    `ConnWriter made ${to.writes} writes of 50 messages, and 3 are enough`,
  );
}));

Deno.test(check("ConnWriter.trySend() refuses what has no room", {
  reveals: ["unbounded-outbox"],
}, async (stage) => {
  const to = stage.writer([{ pause: 1_000 }, Infinity]);
  const writer = new ConnWriter(to, { maxQueued: 10 });

  assert(
    writer.trySend(bytes("1234567")),
    "trySend() refused 7 bytes, and there was room for 10",
  );
  assert(
    !writer.trySend(bytes("12345")),
    "trySend() took 5 more bytes: 12 wait in memory, and 10 may",
  );
  assert(
    writer.trySend(bytes("890")),
    "trySend() refused 3 bytes, and there was room for 3",
  );
  assertEquals(writer.queued, 10);
  await writer.flush();

  assert(
    writer.trySend(bytes("abc")),
    "trySend() refused 3 bytes after flush(), and nothing waited",
  );
  await writer.flush();
  assertBytes(to.received, "1234567890abc", "what the writer received");
}));

Deno.test(check("ConnWriter tells all of a failed write", async (stage) => {
  const { BrokenPipe } = Deno.errors;
  const to = stage.writer([4, new BrokenPipe("nobody reads any more")]);
  const writer = new ConnWriter(to, { maxQueued: 10 });

  const accepted = writer.send(bytes("0123456789"));
  const waiting = stage.start(
    () => writer.send(bytes("waits")),
    'send("waits")',
  );

  await assertRejects(
    () => Promise.all([accepted, waiting.result]),
    BrokenPipe,
    "",
    "send() resolved although the write had failed",
  );
  await assertRejects(
    () => writer.flush(),
    BrokenPipe,
    "",
    "flush() resolved although the write had failed",
  );
  await assertRejects(
    () => writer.send(bytes("later")),
    BrokenPipe,
    "",
    "a later send() resolved although a write had failed",
  );
  assert(
    !writer.trySend(bytes("later")),
    "trySend() took a message although a write had failed",
  );
  assertBytes(to.received, "0123", "what the writer received");
}));

Deno.test(check("ConnWriter.close() wakes all that wait", async (stage) => {
  const writer = new ConnWriter(stage.writer(ASLEEP), { maxQueued: 5 });
  writer.trySend(bytes("first"));
  const waiting = stage.start(
    () => writer.send(bytes("other")),
    'send("other")',
  );
  const flushing = stage.start(() => writer.flush(), "flush()");
  const settled = Promise.allSettled([waiting.result, flushing.result]);

  writer.close();

  const [sent, flushed] = await settled;
  assertEquals([sent!.status, flushed!.status], ["rejected", "rejected"]);
  await assertRejects(() => writer.send(bytes("later")), Error);
  assert(stage.now < 1_000, "ConnWriter.close() waited for the peer");

  const idle = new ConnWriter(stage.writer(), { maxQueued: 5 });
  idle.close(); // Nothing waits in it.
  const told = "resolved after close()";
  await assertRejects(() => idle.send(bytes("a")), Error, "", `send() ${told}`);
  await assertRejects(() => idle.flush(), Error, "", `flush() ${told}`);
  assert(!idle.trySend(bytes("a")), "trySend() took a message after close()");
}));

Deno.test(check("ConnWriter.close() gives up what waits", async (stage) => {
  const to = stage.writer([{ pause: 10 }]);
  const writer = new ConnWriter(to, { maxQueued: 10 });

  writer.trySend(bytes("first"));
  await stage.sleep(1); // It is being written, and the other waits.
  writer.trySend(bytes("other"));
  writer.close();
  await stage.sleep(100);

  assertBytes(
    to.received,
    "first",
    "what was written, with close() in between,",
  );
}));

Deno.test(check("ConnWriter sleeps while its peer does", {
  reveals: ["polls-for-room"],
}, async (stage) => {
  const to = stage.writer([{ pause: 2_000 }, Infinity]);
  const writer = new ConnWriter(to, { maxQueued: 100 });

  await stage.within(200, async () => {
    await Promise.all([1, 2, 3].map(() => writer.send(new Uint8Array(60))));
    await writer.flush();
  });

  assertEquals(to.received.length, 180);
  assert(
    stage.ringings <= 20, // A deadline rings once; ten in a second is asking.
    `ConnWriter was woken by timers ${stage.ringings} times in two seconds; ` +
      "what it waits for is the end of a write",
  );
}));

Deno.test(check("ConnWriter brings eight megabytes through 64 KiB", {
  reveals: ["unbounded-outbox"],
}, async (stage) => {
  const page = stage.random.bytes(50_000);
  const [ann, conn] = await stage.meet("ann");
  const writer = new ConnWriter(conn, { maxQueued: 65_536 });
  let most = 0;
  const sending = stage.start(async () => {
    for (let i = 0; i < 160; i++) {
      await writer.send(page);
      most = Math.max(most, writer.queued);
    }
    await writer.flush();
    await conn.closeWrite();
  });

  for (let i = 0; i < 160; i++) await ann.receives(page);
  await ann.receivesEnd();
  await sending.result;

  assert(most <= 65_536, `${most} bytes waited in memory, and 65536 may`);
  conn.close();
}));

Deno.test(check("ConnWriter notices a close under it", async (stage) => {
  const [_ann, conn] = await stage.meet("ann"); // She never reads.
  const writer = new ConnWriter(conn, { maxQueued: 65_536 });
  const sending = stage.start(async () => {
    for (let i = 0; i < 500; i++) await writer.send(new Uint8Array(60_000));
  });
  const failed = assertRejects(() => sending.result, Error);

  await stage.sleep(20); // By now a write waits for room, or is about to.
  conn.close();

  await failed;
}));

Deno.test(check("dispatch() answers, whoever else takes nothing", {
  reveals: ["state-machine-blocking"],
}, async (stage) => {
  const asleep = new ConnWriter(stage.writer(ASLEEP), { maxQueued: 4 });
  const asker = stage.writer();
  const back = new ConnWriter(asker, { maxQueued: 100 });
  const from = stage.reader(["hel", "lo, ", "wor?ld", "?", null]);

  const dropped = await dispatch(from, asleep, back);
  await back.flush();

  assert(stage.now < 1_000, "dispatch() waited for a peer that takes nothing");
  assertBytes(asker.received, "!!", "what the asker received");
  assert(
    dropped >= 4 && dropped <= 9, // Of twelve; by the byte, or by the chunk.
    `dispatch() says that it dropped ${dropped} bytes of twelve, and 4 have room`,
  );
  asleep.close();
}));

Deno.test(
  check("dispatch() goes on when there is room again", async (stage) => {
    const listener = stage.writer([{ pause: 10 }, Infinity]);
    const to = new ConnWriter(listener, { maxQueued: 4 });
    const back = new ConnWriter(stage.writer(), { maxQueued: 100 });
    const from = stage.reader(["hel", "lo, ", { pause: 1_000 }, "you", null]);

    await dispatch(from, to, back);
    await to.flush();

    const { received } = listener;
    assertBytes(received.slice(-3), "you", "what came last, with room for it,");
  }),
);

Deno.test(check("dispatch() drops nothing that has room", async (stage) => {
  const [listener, asker] = [stage.writer([1, 2]), stage.writer()];
  const to = new ConnWriter(listener, { maxQueued: 100 });
  const back = new ConnWriter(asker, { maxQueued: 100 });
  const from = stage.reader(["hello, ", "wor?ld", null]);

  assertEquals(await dispatch(from, to, back), 0);
  await Promise.all([to.flush(), back.flush()]);

  assertBytes(listener.received, "hello, world", "what the other received");
  assertBytes(asker.received, "!", "what the asker received");
}));

Deno.test(check("dispatch() waits for the asker to read", async (stage) => {
  const to = new ConnWriter(stage.writer(), { maxQueued: 100 });
  const asleep = stage.writer([{ pause: 1_000 }, Infinity]);
  const back = new ConnWriter(asleep, { maxQueued: 10 });
  const from = stage.reader([...Array(100).fill("?"), null]);
  let dropped = 0;
  const dispatching = stage.start(async () => {
    dropped = await dispatch(from, to, back);
  });

  await stage.sleep(500); // Ten answers wait, and the asker takes none.
  assert(
    dropped === 0,
    `dispatch() dropped ${dropped} answers; it should wait for the asker`,
  );
  assert(
    from.given <= 50,
    `dispatch() has read ${from.given} questions, and the asker takes no answers`,
  );

  await dispatching.result;
  await back.flush();
  assertEquals(dropped, 0);

  assertBytes(asleep.received, "!".repeat(100), "what the asker received");
}));
