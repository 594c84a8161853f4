// The checks for lesson 07. Read them: they say what an exact read promises,
// and how the price server speaks.
import { assert, assertEquals, assertRejects } from "@std/assert";
import { assertBytes, check, concat, everySplit } from "check";
import { ByteReader, readExactly, serve } from "./records.ts";

/** A record: a letter, and two signed integers, most significant byte first. */
function record(type: string, first: number, second: number) {
  const bytes = new Uint8Array(9);
  bytes[0] = type.charCodeAt(0);
  new DataView(bytes.buffer).setInt32(1, first);
  new DataView(bytes.buffer).setInt32(5, second);
  return bytes;
}

/** At `time` the price was `price`. */
function insert(time: number, price: number) {
  return record("I", time, price);
}

/** What was the mean price from time `from` to time `to`? */
function query(from: number, to: number) {
  return record("Q", from, to);
}

/** The answer to a query. */
function int32(value: number) {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, value);
  return bytes;
}

const { ConnectionReset, UnexpectedEof } = Deno.errors;
const LOAF = "loaf=2.40"; // Nine bytes, as good as any.
const MILK = "milk=1.15";
const EGGS = "eggs=3.60";

/** The caller hears that the connection is gone, and takes it for no end. */
async function assertFails(read: () => Promise<unknown>): Promise<void> {
  const failed = "a read failed with ConnectionReset";
  await assertRejects(read, ConnectionReset, "vanished", failed);
}

Deno.test(check("readExactly() joins a record that comes in two pieces", {
  reveals: ["read-fills-buffer", "one-read-one-message"],
}, async (stage) => {
  for (const [head, tail] of everySplit(LOAF)) {
    const reader = stage.reader([head, tail]);
    assertBytes(await readExactly(reader, 9), LOAF, "the record");
  }
}));

Deno.test(check("readExactly() leaves what follows to the next call", {
  reveals: ["leftover-discarded"],
}, async (stage) => {
  const reader = stage.reader([LOAF + MILK, null]);

  assertBytes(await readExactly(reader, 9), LOAF, "the first record");
  assertBytes(await readExactly(reader, 9), MILK, "the second record");
}));

Deno.test(check("readExactly() reads on after a read that gives 0 bytes", {
  reveals: ["zero-means-eof"],
}, async (stage) => {
  const reader = stage.reader([0, "loaf", 0, "=2.40"]);

  assertBytes(await readExactly(reader, 9), LOAF, "the record");
}));

Deno.test(check("readExactly() gives null at an end before the first byte", {
  reveals: ["clean-eof-is-error"],
}, async (stage) => {
  const reader = stage.reader([LOAF, null]);

  await readExactly(reader, 9);
  assertEquals(await readExactly(reader, 9), null);
}));

Deno.test(check("readExactly() rejects at an end inside a record", {
  reveals: ["eof-mid-message-ok"],
}, async (stage) => {
  for (const [head] of everySplit(LOAF)) {
    const reader = stage.reader([head, null]);
    const came = `${head.length} of 9 bytes came, and then the end`;
    await assertRejects(() => readExactly(reader, 9), UnexpectedEof, "", came);
  }
}));

Deno.test(check("readExactly() lets a read's error through", async (stage) => {
  for (const before of [[], ["loaf"]]) {
    const reader = stage.reader([...before, new ConnectionReset("vanished")]);
    await assertFails(() => readExactly(reader, 9));
  }
}));

Deno.test(check("readExactly() needs no read for 0 bytes", async (stage) => {
  const reader = stage.reader([LOAF]);

  assertBytes(await readExactly(reader, 0), "");
  assertEquals(reader.reads, 0, "the number of reads for 0 bytes");
}));

Deno.test(check("readExactly() asks for many bytes at once", {
  reveals: ["reads-byte-by-byte"],
}, async (stage) => {
  const reader = stage.reader(["x".repeat(1_000)]);

  await readExactly(reader, 1_000);

  // One is enough, and whoever asks for a part each time has some more.
  const { reads } = reader;
  assert(reads <= 100, `1,000 bytes that came at once took ${reads} reads`);
}));

Deno.test(check("readExactly() joins 4,096 pieces at the pace of one", {
  reveals: ["rescan-from-zero"],
}, async (stage) => {
  const piece = new Uint8Array(512);
  const reader = stage.reader(Array(4_096).fill(piece));
  const length = 4_096 * 512;

  const bytes = await stage.within(950, () => readExactly(reader, length));

  assertEquals(bytes?.length, length);
}));

Deno.test(check("ByteReader.readExactly() keeps what came too early", {
  reveals: [
    "reads-on-with-enough",
    "leftover-discarded",
    "read-fills-buffer",
    "stale-buffer-alias",
  ],
}, async (stage) => {
  for (const [head, tail] of everySplit(LOAF + MILK)) {
    const reader = new ByteReader(stage.reader([head, tail, EGGS]));
    assertBytes(await reader.readExactly(9), LOAF, "the first record");
    assertBytes(await reader.readExactly(9), MILK, "the second record");
  }
  for (const [head, tail] of everySplit(LOAF + MILK)) {
    // After these two nothing comes any more, not even the end.
    const reader = new ByteReader(stage.reader([head, tail]));
    assertBytes(await reader.readExactly(9), LOAF, "the first record");
    assertBytes(await reader.readExactly(9), MILK, "the second record");
  }
}));

Deno.test(check("ByteReader.readExactly() gives bytes that stay as they are", {
  reveals: ["stale-buffer-alias"],
}, async (stage) => {
  const reader = new ByteReader(stage.reader([LOAF, MILK]));

  const first = await reader.readExactly(9);
  const second = await reader.readExactly(9);

  assertBytes(second, MILK, "the second record");
  assertBytes(first, LOAF, "the first record, after the second read,");
}));

Deno.test(check("ByteReader tells the end from an end inside", {
  reveals: ["zero-means-eof", "clean-eof-is-error", "eof-mid-message-ok"],
}, async (stage) => {
  const whole = new ByteReader(stage.reader([LOAF, 0, MILK, null]));
  assertBytes(await whole.readExactly(9), LOAF);
  assertBytes(await whole.readExactly(9), MILK);
  assertEquals(await whole.readExactly(9), null);

  const calls = ["readExactly", "peek"] as const;
  for (const call of calls) {
    const cut = new ByteReader(stage.reader([LOAF + "milk", null]));
    assertBytes(await cut.readExactly(9), LOAF);
    const came = `${call}(9): 4 bytes came, and then the end`;
    await assertRejects(() => cut[call](9), UnexpectedEof, "", came);
  }
}));

Deno.test(check("ByteReader.readExactly() joins 1,000 records and a long one", {
  reveals: ["reads-byte-by-byte", "read-without-room", "leftover-discarded"],
}, async (stage) => {
  const records = Array.from({ length: 1_000 }, (_, i) => insert(i, -i));
  const long = stage.random.bytes(100_000);
  const source = stage.reader([concat(records), long]);
  const reader = new ByteReader(source);

  for (const [i, record] of records.entries()) {
    assertBytes(await reader.readExactly(9), record, `record ${i}`);
  }
  assertBytes(await reader.readExactly(100_000), long, "the long one");
  assertBytes(await reader.readExactly(0), "", "readExactly(0)");
  const { reads } = source; // One for each record is fine, and so are more.
  assert(reads <= 50_000, `109,000 bytes in two pieces took ${reads} reads`);
}));

Deno.test(check("ByteReader joins 4,096 pieces at the pace of one", {
  reveals: ["rescan-from-zero"],
}, async (stage) => {
  const piece = new Uint8Array(512);
  const reader = new ByteReader(stage.reader(Array(4_096).fill(piece)));
  const length = 4_096 * 512;

  const bytes = await stage.within(950, () => reader.readExactly(length));

  assertEquals(bytes?.length, length);
}));

Deno.test(check("ByteReader.peek() joins a header, and leaves it there", {
  reveals: ["header-single-read"],
}, async (stage) => {
  for (const pieces of [["loaf"], ...everySplit("loaf")]) {
    const reader = new ByteReader(stage.reader([...pieces, "=2.40", null]));
    assertBytes(await reader.peek(4), "loaf", "the header");
    assertBytes(await reader.peek(4), "loaf", "the header, seen again,");
    const loaf = await reader.readExactly(9);
    assertBytes(loaf, LOAF, "readExactly(9) after peek(4)");
    assertEquals(await reader.peek(4), null);
  }

  const reader = new ByteReader(stage.reader([LOAF + MILK])); // More than asked.
  assertBytes(await reader.peek(4), "loaf", "the first header");
  assertBytes(await reader.readExactly(9), LOAF, "the first record");
  assertBytes(await reader.peek(4), "milk", "the second header");
}));

Deno.test(check("ByteReader lets a read's error through", async (stage) => {
  const script = [LOAF + "milk", new ConnectionReset("vanished")];
  const reader = new ByteReader(stage.reader(script));

  assertBytes(await reader.readExactly(9), LOAF);
  await assertFails(() => reader.peek(9));
}));

Deno.test(check("ByteReader.readExactly() gives bytes that stay for long", {
  reveals: ["stale-buffer-alias"],
}, async (stage) => {
  // More than a buffer holds: each part of it is filled again.
  const reader = new ByteReader(stage.reader([stage.random.bytes(80_000)]));

  const pieces: Uint8Array[] = [];
  const copies: Uint8Array[] = [];
  for (let i = 0; i < 800; i++) {
    const bytes = await reader.readExactly(100);
    assert(bytes !== null, `piece ${i} had come, and readExactly() gave null`);
    pieces.push(bytes);
    copies.push(bytes.slice());
  }

  for (const [i, bytes] of pieces.entries()) {
    assertBytes(bytes, copies[i]!, `piece ${i}, after 800 calls,`);
  }
}));

Deno.test(
  check("ByteReader gives bytes that the caller may change", async (stage) => {
    const reader = new ByteReader(stage.reader([LOAF + MILK]));

    (await reader.peek(4))?.fill(0);
    const loaf = await reader.readExactly(9);

    assertBytes(loaf, LOAF, "the record, after its header was overwritten,");
  }),
);

Deno.test(
  check("serve() answers a query with the mean price", async (stage) => {
    stage.serve(serve);
    const ann = await stage.connect("ann");

    await ann.sendInPieces([
      insert(12_344, 7),
      insert(12_345, 101),
      insert(12_346, 103),
      insert(40_960, 5),
      query(12_345, 12_346),
    ]);
    await ann.receives(int32(102));
  }),
);

Deno.test(check("serve() finds every record, wherever the pieces end", {
  reveals: ["one-read-one-message"],
}, async (stage) => {
  stage.serve(serve);
  const ann = await stage.connect("ann");

  await ann.sendByteByByte(concat([insert(70, 4), insert(71, 8)]));
  await ann.sendByteByByte(query(70, 79));
  await ann.receives(int32(6));

  await ann.send(concat([insert(80, 5), query(80, 89), query(90, 99)]));
  await ann.receives(concat([int32(5), int32(0)]));
}));

Deno.test(check("serve() keeps the prices of its clients apart", {
  reveals: ["global-session"],
}, async (stage) => {
  stage.serve(serve);
  const [ann, bob] = [await stage.connect("ann"), await stage.connect("bob")];

  await ann.send(insert(7, 100));
  await bob.send(insert(7, 50));
  await ann.send(query(7, 7));
  await ann.receives(int32(100));

  const cleo = await stage.connect("cleo");
  const [dan, eve] = [await stage.connect("dan"), await stage.connect("eve")];
  const clients = [bob, cleo, dan, eve];
  const two = clients.map((_, i) =>
    concat([insert(8, 1_000 * i), insert(9, 1_000 * i + 50)])
  );
  // All have begun their second record before anybody ends it.
  for (const [i, client] of clients.entries()) {
    await client.send(two[i]!.slice(0, -1));
  }
  for (const [i, client] of clients.entries()) {
    await client.send(two[i]!.slice(-1));
  }
  for (const [i, client] of [eve, dan, cleo, bob].entries()) {
    await client.send(query(8, 9));
    await client.receives(int32(3_025 - 1_000 * i));
  }
}));

Deno.test(check("serve() keeps the sign of prices and times", {
  reveals: ["signed-vs-unsigned"],
}, async (stage) => {
  stage.serve(serve);
  const ann = await stage.connect("ann");

  await ann.sendInPieces([insert(-701, -30), insert(701, 10)]);
  await ann.send(query(-701, 701));
  await ann.receives(int32(-10));

  await ann.sendInPieces([insert(-(2 ** 31), 6), insert(2 ** 31 - 1, -18)]);
  await ann.send(query(-(2 ** 31), 2 ** 31 - 1));
  await ann.receives(int32(-8));
}));

Deno.test(check("serve() sums prices beyond 32 bits", {
  reveals: ["sum-overflow"],
}, async (stage) => {
  stage.serve(serve);
  const ann = await stage.connect("ann");

  await ann.sendInPieces([
    insert(7_000, 2 ** 31 - 1),
    insert(7_001, 2 ** 31 - 1),
  ]);
  await ann.sendInPieces([insert(7_002, 2 ** 31 - 1), query(7_000, 7_002)]);
  await ann.receives(int32(2 ** 31 - 1));

  await ann.sendInPieces([
    insert(7_100, -(2 ** 31)),
    insert(7_101, -(2 ** 31)),
  ]);
  await ann.send(query(7_100, 7_101));
  await ann.receives(int32(-(2 ** 31)));
}));

Deno.test(check("serve() counts all prices of one time", {
  writesAtMost: 3,
}, async (stage) => {
  stage.serve(serve);
  const ann = await stage.connect("ann");

  await ann.sendInPieces([insert(777, 1), insert(777, 2), insert(777, 9)]);
  await ann.send(query(777, 777));
  await ann.receives(int32(4));
}));

Deno.test(check("serve() drops the fraction of a mean", async (stage) => {
  stage.serve(serve);
  const ann = await stage.connect("ann");

  await ann.sendInPieces([insert(7, 8), insert(8, 9), query(7, 8)]);
  await ann.receives(int32(8));

  await ann.sendInPieces([insert(70, -8), insert(80, -9), query(70, 80)]);
  await ann.receives(int32(-8));
}));

Deno.test(check("serve() answers 0 where there is no price", async (stage) => {
  stage.serve(serve);
  const ann = await stage.connect("ann");

  await ann.sendInPieces([query(778, 900), insert(777, 5), query(778, 900)]);
  await ann.send(query(900, 0)); // From is later than to.
  await ann.receives(concat([int32(0), int32(0), int32(0)]));
}));

Deno.test(
  check(
    "serve() hangs up on an unknown type, on nobody else",
    async (stage) => {
      stage.serve(serve);
      const ann = await stage.connect("ann");
      const doomed = await stage.connect("doomed");
      const small = await stage.connect("small");

      await doomed.send(record("X", 1, 2));
      await doomed.receivesEnd();
      await small.send(record("q", 1, 2)); // Not the letter Q.
      await small.receivesEnd();

      await ann.sendInPieces([insert(1, 11), query(1, 1)]);
      await ann.receives(int32(11));
    },
  ),
);

Deno.test(check("serve() outlives a client that ends inside a record", {
  reveals: ["eof-mid-message-ok"],
}, async (stage) => {
  stage.serve(serve);
  const ann = await stage.connect("ann");
  const doomed = await stage.connect("doomed");

  await doomed.send(query(1, 9).slice(0, 7));
  await doomed.closeWrite();
  await doomed.receivesEnd();

  await ann.sendInPieces([insert(1, 12), query(1, 1)]);
  await ann.receives(int32(12));
}));

Deno.test(check("serve() outlives clients that vanish", async (stage) => {
  stage.serve(serve);
  const ann = await stage.connect("ann");
  const hasty = await stage.connect("hasty");
  const doomed = await stage.connect("doomed", undefined, { canReset: true });

  await hasty.send(query(1, 9));
  hasty.close(); // Before the answer.
  await doomed.sendInPieces([insert(1, 2), query(1, 9).slice(0, 4)]);
  doomed.reset();

  await ann.sendInPieces([insert(1, 13), query(1, 1)]);
  await ann.receives(int32(13));
}));

Deno.test(check("serve() answers every query, after the client's end too", {
  reveals: ["interleaved-writers"],
  writesAtMost: 3,
}, async (stage) => {
  stage.serve(serve);
  const ann = await stage.connect("ann");
  const prices = [insert(1, 2 ** 24), insert(2, 3 * 2 ** 24 + 2)];

  await ann.send(concat([...prices, query(1, 1), query(2, 2), query(1, 2)]));
  await ann.closeWrite();

  const answers = [2 ** 24, 3 * 2 ** 24 + 2, 2 ** 25 + 1];
  await ann.receives(concat(answers.map(int32)));
  await ann.receivesEnd();
}));

Deno.test(check("serve() takes 2,000 prices in any order", async (stage) => {
  stage.serve(serve);
  const ann = await stage.connect("ann");
  const times = Array.from({ length: 2_000 }, () => stage.random.below(1_000));
  const early = times.filter((time) => time < 500);
  const sum = early.reduce((sum, time) => sum + 3 * time, 0);

  await ann.send(concat(times.map((time) => insert(time, 3 * time))));
  await ann.send(query(0, 499));

  await ann.receives(int32(Math.trunc(sum / early.length)));
}));
