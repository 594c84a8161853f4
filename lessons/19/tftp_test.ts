// The checks for lesson 19. Read them: they say what packets look like, what
// each side of a transfer remembers, and how the server deals with a network,
// with strangers, and with clients that ask for too much.
import { assert, assertEquals } from "@std/assert";
import {
  assertBytes,
  assertMessages,
  check,
  concat,
  type Data,
  type Stage,
  type Talker,
  toBytes,
} from "check";
import {
  encode,
  type Fields,
  FileReceiver,
  FileSender,
  type Packet,
  parse,
  type Patience,
  serve,
} from "./tftp.ts";

/** Nothing is repeated: for checks in which nothing is lost. */
const CALM: Patience = { timeoutMs: 100_000, retries: 5 };

/** For checks in which time is exact. */
const SOON: Patience = { timeoutMs: 100, retries: 2 };

// -- Packets --

Deno.test(check("encode() writes packets as RFC 1350 has them", () => {
  assertBytes(read("f.txt"), "\0\x01f.txt\0octet\0", "a read");
  assertBytes(write("f.txt"), "\0\x02f.txt\0octet\0", "a write");
  assertBytes(data(258, "abc"), "\0\x03\x01\x02abc", "block 258");
  assertBytes(ack(1), "\0\x04\0\x01", "an ack");
  const error = encode({ op: "error", code: 1, message: "no" });
  assertBytes(error, "\0\x05\0\x01no\0", "an error");
  const oack = encode({ op: "oack", options: { tsize: "9" } });
  assertBytes(oack, "\0\x06tsize\x009\0", "an oack");
}));

Deno.test(check("parse() reads them, and does not mind capitals", {
  reveals: ["case-sensitive"],
}, () => {
  const empty = parse(data(258, ""));
  assertEquals({ ...empty, data: [] }, { op: "data", block: 258, data: [] });
  assertBytes(empty?.op === "data" ? empty.data : null, "", "an empty block");
  // Of each, what it holds: an object of a class is as good as any.
  const last = { ...parse(ack(65_535)) };
  assertEquals(last, { op: "ack", block: 65_535 }, "an ack");
  const request = parse(toBytes("\0\x01F.TXT\0OCTET\0BlkSize\x008\0"));
  const options = { blksize: "8" };
  const expected = { op: "read", name: "F.TXT", mode: "octet", options };
  assertEquals({ ...request }, expected, "a read in capitals");
}));

Deno.test(check("parse() gives nothing for what is no packet", {
  reveals: ["garbage-throws", "garbage-believed"],
}, async (stage) => {
  const others = [
    "",
    "\0",
    "\0\x03\0",
    "\0\0\0\0",
    "\0\x07\0\x01",
    "\x01\x01f\0octet\0",
    "\0\x01f.txt\0octet",
    "\0\x01f.txt\0",
    "\0\x01\0octet\0",
    "\0\x01f.txt\0octet\0tsize\0",
    "hello",
  ];
  for (const text of others) {
    const what = `parse() of ${JSON.stringify(text)}`;
    // deno-lint-ignore require-await -- A failure then says what was parsed.
    const call = stage.start(async () => parse(toBytes(text)), what);
    assertEquals(await call.result, undefined, what);
  }
}));

// -- What each side remembers --

Deno.test(check("FileSender ends a file with a block that is not full", {
  reveals: ["exact-multiple-end"],
}, () => {
  assertMessages(blocks(0), ["1: 0 bytes"], "a file of 0 bytes");
  assertMessages(blocks(1), ["1: 1 bytes"], "a file of 1 byte");
  assertMessages(blocks(511), ["1: 511 bytes"], "a file of 511 bytes");
  const once = ["1: 512 bytes", "2: 0 bytes"];
  assertMessages(blocks(512), once, "a file of 512 bytes");
  const more = ["1: 512 bytes", "2: 1 bytes"];
  assertMessages(blocks(513), more, "a file of 513 bytes");
  const twice = ["1: 512 bytes", "2: 512 bytes", "3: 0 bytes"];
  assertMessages(blocks(1_024), twice, "a file of 1,024 bytes");
}));

Deno.test(check("FileSender goes on only with the ack of its block", {
  reveals: ["old-ack-believed"],
}, () => {
  const sender = new FileSender(toBytes("abcdefghi"), 4);

  assert(!sender.onAck(0), "onAck(0) says that it is news, with block 1 out");
  assert(sender.onAck(1), "onAck(1) says that it is no news");
  assert(!sender.onAck(1), "onAck(1) says that it is news once more");
  assert(!sender.onAck(3), "onAck(3) says that it is news, with block 2 out");
  assertEquals(sender.block, 2, "the number of the block");
  assertBytes(sender.data, "efgh", "block 2");
  assert(sender.onAck(2) && !sender.done, "block 3 is not there yet");
  assertBytes(sender.data, "i", "block 3");
  assert(sender.onAck(3) && sender.done, "after block 3 it is done");
  for (const n of [3, 4]) {
    const told = `onAck(${n}) says that it is news after the end`;
    assert(!sender.onAck(n), told);
  }
}));

Deno.test(check("FileSender goes on behind block 65,535", {
  reveals: ["seq-wrap"],
}, () => {
  const sender = new FileSender(new Uint8Array(8 * 65_537), 8);

  for (let n = 1; n < 65_535; n++) sender.onAck(n);
  assertEquals(sender.block, 65_535, "the number of the block");
  assert(sender.onAck(65_535), "onAck(65535) says that it is no news");
  assertEquals(sender.block, 0, "the number behind 65,535");
  assert(sender.onAck(0), "onAck(0) says that it is no news, with block 0 out");
  assertEquals(sender.block, 1, "the number behind that");
  assert(!sender.done, "it says done with blocks left");
}));

Deno.test(check("FileReceiver joins blocks, up to one that is not full", (
  stage,
) => {
  const receiver = new FileReceiver(4);

  assertEquals(receiver.block, 0, "the block to be acknowledged at first");
  assert(receiver.onData(1, toBytes("abcd")), "block 1 is news");
  assertEquals(receiver.block, 1, "the block to be acknowledged");
  assert(!receiver.done, "it says done after a full block");
  assert(receiver.onData(2, toBytes("")), "block 2 is news");
  assert(receiver.done, "it does not say done after an empty block");
  assertBytes(receiver.file, "abcd", "the file");

  const long = stage.random.bytes(20 * 512 + 99);
  const patient = new FileReceiver(512);
  for (let n = 0; n <= 20; n++) {
    patient.onData(n + 1, long.subarray(512 * n, 512 * (n + 1)));
  }
  assertBytes(patient.file, long, "the file of 21 blocks");
}));

Deno.test(check("FileReceiver ignores copies", {
  reveals: ["udp-duplicates"],
}, () => {
  const receiver = new FileReceiver(4);

  receiver.onData(1, toBytes("abcd"));
  const again = receiver.onData(1, toBytes("abcd"));
  assertBytes(receiver.file, "abcd", "the file");
  assert(!again, "onData() says that a copy is news");
  receiver.onData(2, toBytes("ef"));
  receiver.onData(2, toBytes("ef"));
  assertBytes(receiver.file, "abcdef", "the file");
}));

Deno.test(check("FileReceiver ignores a block that is not the next", {
  reveals: ["accept-out-of-order"],
}, () => {
  const receiver = new FileReceiver(4);

  receiver.onData(1, toBytes("abcd"));
  assert(!receiver.onData(3, toBytes("ij")), "onData(3) says that it is news");
  assertBytes(receiver.file, "abcd", "the file");
  assertEquals(receiver.block, 1, "the block to be acknowledged");
}));

Deno.test(check("FileReceiver goes on behind block 65,535", {
  reveals: ["seq-wrap"],
}, () => {
  const receiver = new FileReceiver(1);
  const byte = toBytes("a");

  for (let n = 1; n <= 65_535; n++) receiver.onData(n, byte);
  assertEquals(receiver.block, 65_535, "the block to be acknowledged");
  assert(receiver.onData(0, byte), "onData(0) says that it is no news");
  assertEquals(receiver.block, 0, "the block behind 65,535");
  assert(receiver.onData(1, toBytes("")), "onData(1) says that it is no news");
  assertEquals(receiver.file.length, 65_536, "the length of the file");
}));

Deno.test(check("FileReceiver keeps bytes that nobody overwrites", {
  reveals: ["stale-buffer-alias"],
}, () => {
  const receiver = new FileReceiver(8);
  const buffer = toBytes("hello");

  receiver.onData(1, buffer);
  buffer.fill(0x3f); // As the next receive() does.
  assertBytes(receiver.file, "hello", "the file");
}));

// -- Reading --

Deno.test(check("serve() sends a file, block by block", {
  reveals: ["transfer-left-open", "timer-leak"],
}, async (stage) => {
  const to = serving(stage, { "long.txt": "a".repeat(700) });
  const ann = stage.datagram("ann");

  await ann.send(read("long.txt"), to);
  const line = await ann.receives(data(1, "a".repeat(512)));
  await ann.receivesNothingFor(20);
  await ann.send(ack(1), line);
  await ann.receives(data(2, "a".repeat(188)));
  await ann.send(ack(2), line);
  await ann.receivesNothingFor(20);
}));

Deno.test(check("serve() gives each transfer a port of its own", {
  reveals: ["one-socket-all-transfers"],
}, async (stage) => {
  const to = serving(stage, { "a.txt": "hello" });
  const ann = stage.datagram("ann");

  await ann.send(read("a.txt"), to);
  const one = await ann.receives(data(1, "hello"));
  await ann.send(ack(1), one);
  const again = stage.datagram("ann again"); // From a new port, as ever.
  await again.send(read("a.txt"), to);
  const two = await again.receives(data(1, "hello"));
  await again.send(ack(1), two);
  const ports = new Set([to.port, one.port, two.port]);
  assertEquals(ports.size, 3, "the ports of a server and of two transfers");
}));

Deno.test(check("serve() answers from the address that was asked", {
  reveals: ["udp-wildcard-source"],
  address: "127.0.0.2",
}, async (stage) => {
  const read_ = () => Promise.resolve(toBytes("hello"));
  const server = (socket: Deno.DatagramConn) =>
    serve(socket, { read: read_ }, CALM);
  const to = stage.serveDatagrams(server, "127.0.0.2");
  const ann = stage.datagram("ann");

  await ann.send(read("a.txt"), to);
  const line = await ann.receives(data(1, "hello"));
  const told = `ann expected the answer from ${to.hostname}, and it came from`;
  assert(line.hostname === to.hostname, `${told} ${line.hostname}`);
  await ann.send(ack(1), line);
}));

Deno.test(check("serve() sends to bob while ann takes her time", {
  reveals: ["one-transfer-at-a-time"],
}, async (stage) => {
  const to = serving(stage, { "a.txt": "a".repeat(600), "b.txt": "for bob" });
  const ann = stage.datagram("ann");
  const bob = stage.datagram("bob");

  await ann.send(read("a.txt"), to);
  const line = await ann.receives(data(1, "a".repeat(512)));
  await bob.send(read("b.txt"), to);
  await bob.send(ack(1), await bob.receives(data(1, "for bob")));
  await ann.send(ack(1), line);
  await ann.receives(data(2, "a".repeat(88)));
  await ann.send(ack(2), line);
}));

Deno.test(check("serve() sends files of any length", {
  reveals: ["exact-multiple-end"],
}, async (stage) => {
  for (const length of [0, 1, 511, 512, 513, 1_024, 10_000]) {
    const file = stage.random.bytes(length);
    const to = serving(stage, { "a.bin": file });
    const ann = stage.datagram("ann");
    assertBytes(await download(ann, to, "a.bin"), file, "the file that came");
  }
}));

Deno.test(check("serve() sends ten files at once", {
  reveals: ["one-transfer-at-a-time"],
}, async (stage) => {
  const to = serving(stage, {
    "0": "0".repeat(300),
    "1": "1".repeat(600),
  });
  const guests = Array.from({ length: 10 }, (_, n) => stage.datagram(`g${n}`));
  const files = await Promise.all(
    guests.map((guest, n) => download(guest, to, String(n % 2))),
  );

  const expected = guests.map((_, n) => `${n % 2}`.repeat(300 + n % 2 * 300));
  assertMessages(files, expected, "ten downloads");
}));

Deno.test(check("serve() repeats a block that is not acknowledged", {
  reveals: ["loss-not-repaired"],
  only: "simulated", // Time is exact there.
}, async (stage) => {
  const to = serving(stage, { "a.txt": "hello" }, SOON);
  const ann = stage.datagram("ann");

  await ann.send(read("a.txt"), to);
  await ann.receives(data(1, "hello"));
  await ann.receivesNothingFor(90);
  const line = await ann.receives(data(1, "hello"));
  await ann.send(ack(1), line);
  await ann.receivesNothing();
}));

Deno.test(check("serve() sends each block once for acks that come twice", {
  reveals: ["retransmit-on-dup-ack"],
}, async (stage) => {
  const to = serving(stage, { "a.txt": "a".repeat(1_030) });
  const ann = stage.datagram("ann");

  await ann.send(read("a.txt"), to);
  const line = await ann.receives(data(1, "a".repeat(512)));
  await ann.send(ack(1), line);
  await ann.send(ack(1), line);
  await ann.receives(data(2, "a".repeat(512)));
  await ann.receivesNothingFor(20);
  await ann.send(ack(2), line);
  await ann.send(ack(1), line);
  await ann.receives(data(3, "a".repeat(6)));
  await ann.receivesNothingFor(20);
  await ann.send(ack(3), line);
}));

Deno.test(check("serve() repeats a block in time, whatever else comes", {
  reveals: ["udp-timer-restarted", "loss-not-repaired"],
  only: "simulated", // Time is exact there.
}, async (stage) => {
  const to = serving(stage, { "a.txt": "a".repeat(600) }, SOON);
  const ann = stage.datagram("ann");

  await ann.send(read("a.txt"), to);
  const line = await ann.receives(data(1, "a".repeat(512)));
  await ann.send(ack(1), line);
  await ann.receives(data(2, "a".repeat(88)));
  const first = stage.now;
  await stage.sleep(60);
  await ann.send(ack(1), line); // It was delayed, or doubled.
  await ann.receives(data(2, "a".repeat(88)));
  assertInTime(2, stage.now - first);
  await ann.send(ack(2), line);
}));

Deno.test(check("serve() ends its transfers when its socket closes", {
  reveals: ["transfers-outlive-server"],
  only: "simulated", // Time is exact there.
}, async (stage) => {
  const to = serving(stage, { "a.txt": "hello" });
  const ann = stage.datagram("ann");

  await ann.send(read("a.txt"), to);
  await ann.receives(data(1, "hello"));
  const closed = stage.now;
  await stage.close();
  const ms = stage.now - closed;
  assert(ms < 1_000, `serve() ended ${ms} ms after its socket had closed`);
}));

Deno.test(check("serve() gets a file through a loss of 30 percent", {
  reveals: ["loss-not-repaired"],
  datagram: (n, random) => n > 0 && random.next() < 0.3 ? "drop" : undefined,
  only: "simulated", // It takes seconds.
}, async (stage) => {
  const file = stage.random.bytes(5_000);
  const to = serving(stage, { "a.bin": file }, { timeoutMs: 50, retries: 30 });
  const ann = stage.datagram("ann");

  assertBytes(await download(ann, to, "a.bin"), file, "the file that came");
}));

Deno.test(check("serve() lets no stranger into a transfer", {
  reveals: ["stray-ends-transfer", "stranger-not-told", "udp-trusts-anyone"],
}, async (stage) => {
  const to = serving(stage, { "a.txt": "a".repeat(600) });
  const ann = stage.datagram("ann");
  const mallory = stage.datagram("mallory");

  await ann.send(read("a.txt"), to);
  const line = await ann.receives(data(1, "a".repeat(512)));
  await mallory.send(ack(1), line);
  await mallory.send(encode({ op: "error", code: 0, message: "" }), line);
  await ann.receivesNothingFor(20);
  await ann.send(ack(1), line);
  await ann.receives(data(2, "a".repeat(88)));
  await ann.send(ack(2), line);
}));

Deno.test(check("serve() knows its client by address and port", {
  reveals: ["udp-trusts-anyone"],
  only: "simulated", // Both addresses are there, and this port of both is free.
}, async (stage) => {
  const to = serving(stage, { "a.txt": "a".repeat(600) });
  const ann = stage.datagram("ann");
  const mallory = stage.datagram("mallory", "127.0.0.2", ann.addr.port);

  await ann.send(read("a.txt"), to);
  const line = await ann.receives(data(1, "a".repeat(512)));
  await mallory.send(ack(1), line);
  await ann.receivesNothingFor(20);
  await ann.send(ack(1), line);
  await ann.receives(data(2, "a".repeat(88)));
  await ann.send(ack(2), line);
}));

Deno.test(check("serve() tells a stranger that it is one", {
  reveals: ["stranger-not-told", "error-of-error"],
}, async (stage) => {
  const to = serving(stage, { "a.txt": "hello" });
  const ann = stage.datagram("ann");
  const mallory = stage.datagram("mallory");

  await ann.send(read("a.txt"), to);
  const line = await ann.receives(data(1, "hello"));
  await mallory.send(ack(1), line);
  assertEquals(await refusal(mallory), 5, "the code of the error");
  await mallory.send(encode({ op: "error", code: 5, message: "" }), line);
  await mallory.receivesNothingFor(20); // Nobody answers an error.
  await ann.send(ack(1), line);
}));

Deno.test(check("serve() repeats a block in time, whatever strangers send", {
  reveals: ["udp-timer-restarted", "stray-ends-transfer"],
  only: "simulated", // Time is exact there.
}, async (stage) => {
  const to = serving(stage, { "a.txt": "hello" }, SOON);
  const ann = stage.datagram("ann");
  const mallory = stage.datagram("mallory");

  await ann.send(read("a.txt"), to);
  const line = await ann.receives(data(1, "hello"));
  const first = stage.now;
  await stage.sleep(60);
  await mallory.send(ack(1), line);
  await ann.receives(data(1, "hello"));
  assertInTime(1, stage.now - first);
  await ann.send(ack(1), line);
}));

Deno.test(check("serve() stops when its client sends an error", {
  reveals: ["peer-error-ignored"],
  only: "simulated", // Time is exact there.
}, async (stage) => {
  const to = serving(stage, { "a.txt": "hello" }, SOON);
  const ann = stage.datagram("ann");

  await ann.send(read("a.txt"), to);
  const line = await ann.receives(data(1, "hello"));
  await ann.send(encode({ op: "error", code: 3, message: "full" }), line);
  await ann.receivesNothing();
}));

Deno.test(check("serve() gives up on a client that vanishes", {
  reveals: ["too-few-retries", "loss-not-repaired", "no-give-up"],
  only: "simulated", // Time is exact there.
}, async (stage) => {
  const to = serving(stage, { "a.txt": "hello" }, SOON);
  const ann = stage.datagram("ann");

  await ann.send(read("a.txt"), to);
  await ann.receives(data(1, "hello"));
  await ann.receives(data(1, "hello"));
  await ann.receives(data(1, "hello"));
  await stage.sleep(2_000);
  assertGivenUp(stage, "2000 ms, with 2 retries of 100 ms");
  await ann.receivesNothing();
}));

// -- Saying no --

Deno.test(check("serve() says that there is no such file", {
  reveals: ["error-not-told"],
}, async (stage) => {
  const to = serving(stage, {});
  const ann = stage.datagram("ann");

  await ann.send(read("nothing.txt"), to);
  assertEquals(await refusal(ann), 1, "the code of the error");
  await ann.receivesNothingFor(20);
}));

Deno.test(check("serve() shows nothing outside of its folder", {
  reveals: ["path-escape"],
}, async (stage) => {
  const asked: string[] = [];
  const read_ = (name: string) => {
    asked.push(name);
    return Promise.resolve(toBytes("secret"));
  };
  const to = stage.serveDatagrams((socket) =>
    serve(socket, { read: read_ }, CALM)
  );

  for (const name of ["../secret", "a/../../b", "/etc/passwd", ".."]) {
    const ann = stage.datagram("ann");
    await ann.send(read(name), to);
    assertEquals(await refusal(ann), 2, `the code of the error for ${name}`);
  }
  assertEquals(asked, [], "the names that were looked for");
}));

Deno.test(check("serve() writes nothing outside of its folder", {
  reveals: ["path-escape", "error-not-told"],
}, async (stage) => {
  const asked: string[] = [];
  const to = writable(stage, (name) => {
    asked.push(name);
    return Promise.resolve();
  });

  for (const name of ["../secret", "a/../../b", "/etc/passwd"]) {
    const ann = stage.datagram("ann");
    await ann.send(write(name), to);
    assertEquals(await refusal(ann), 2, `the code of the error for ${name}`);
  }
  assertEquals(asked, [], "the names that were written");
}));

Deno.test(check("serve() accepts octet mode, and no other", {
  reveals: ["mode-ignored", "case-sensitive", "error-not-told"],
}, async (stage) => {
  const to = serving(stage, { "a.txt": "hello" });
  const ann = stage.datagram("ann");

  await ann.send("\0\x01a.txt\0NetASCII\0", to);
  assertEquals(await refusal(ann), 0, "the code of the error");
  const bob = stage.datagram("bob");
  await bob.send("\0\x01a.txt\0OcTeT\0", to);
  await bob.send(ack(1), await bob.receives(data(1, "hello")));
}));

Deno.test(check("serve() outlives what is no request", {
  reveals: ["udp-handler-throws", "stray-ends-transfer", "error-of-error"],
}, async (stage) => {
  const to = serving(stage, { "a.txt": "a".repeat(600) });
  const mallory = stage.datagram("mallory");
  const ann = stage.datagram("ann");

  for (const word of ["", "\0", "\0\x01", "hello", "\0\x04\0\x01"]) {
    await mallory.send(word, to);
  }
  const other = stage.datagram("other");
  await other.send(encode({ op: "error", code: 4, message: "" }), to);
  await other.receivesNothingFor(20); // Two that answer errors never end.
  await ann.send(read("a.txt"), to);
  const line = await ann.receives(data(1, "a".repeat(512)));
  await ann.send("\0", line);
  await ann.send("hello", line);
  await ann.send(ack(1), line);
  await ann.receives(data(2, "a".repeat(88)));
  await ann.send(ack(2), line);
}));

// -- Options --

Deno.test(check("serve() answers the options that it knows, and no others", {
  reveals: [
    "agreed-not-kept",
    "options-ignored",
    "tsize-echoed",
    "option-unchecked",
    "oack-not-awaited",
  ],
}, async (stage) => {
  const to = serving(stage, { "a.txt": "0123456789" });
  const ann = stage.datagram("ann");

  const asked = { blksize: "8", tsize: "0", timeout: "9", windows: "yes" };
  await ann.send(read("a.txt", asked), to);
  const [options, line] = await oack(ann);
  const known = { blksize: "8", timeout: "9", tsize: "10" };
  assertEquals(options, known, "the options in the oack");
  await ann.receivesNothingFor(20); // She has not agreed yet.
  await ann.send(ack(1), line); // Nor has she now.
  await ann.receivesNothingFor(20);
  await ann.send(ack(0), line);
  await ann.receives(data(1, "01234567"));
  await ann.send(ack(1), line);
  await ann.receives(data(2, "89"));
  await ann.send(ack(2), line);
}));

Deno.test(check("serve() does without options that make no sense", {
  reveals: ["option-unchecked"],
}, async (stage) => {
  const to = serving(stage, { "a.txt": "hello" });

  const senseless: Fields[] = [{ timeout: "256" }];
  for (const blksize of ["7", "-8", "8.5", "many"]) {
    senseless.push({ blksize, timeout: "0", x: "1" });
  }
  for (const options of senseless) {
    const guest = stage.datagram("guest");
    await guest.send(read("a.txt", options), to);
    await guest.send(ack(1), await guest.receives(data(1, "hello")));
  }
  const ann = stage.datagram("ann");
  // Here a server may agree to less, or not at all.
  await ann.send(read("a.txt", { blksize: "100000" }), to);
  const { bytes, from } = await ann.receive();
  const packet = parse(bytes);
  const { blksize = "512" } = packet?.op === "oack" ? packet.options : {};
  const most = "and 65464 is the most";
  assert(
    Number(blksize) <= 65_464,
    `it agrees to blocks of ${blksize}, ${most}`,
  );
  await ann.send(encode({ op: "error", code: 8, message: "" }), from);
}));

Deno.test(check("serve() sends the largest blocks", {
  reveals: ["options-ignored"],
}, async (stage) => {
  const file = stage.random.bytes(200_000);
  const to = serving(stage, { "a.bin": file });
  const ann = stage.datagram("ann");

  const received = await download(ann, to, "a.bin", { blksize: "65464" });
  assertBytes(received, file, "the file that came");
}));

Deno.test(check("serve() waits as long as the client asks", {
  reveals: ["options-ignored", "agreed-not-kept", "loss-not-repaired"],
  only: "simulated", // Time is exact there.
}, async (stage) => {
  const to = serving(stage, { "a.txt": "hello" }, SOON);
  const ann = stage.datagram("ann");

  await ann.send(read("a.txt", { timeout: "3" }), to);
  await oack(ann);
  await ann.receivesNothingFor(2_900);
  const [, line] = await oack(ann);
  await ann.send(ack(0), line);
  await ann.receives(data(1, "hello"));
  await ann.send(ack(1), line);
}));

// -- Writing --

Deno.test(check("serve() keeps a file that a client writes", {
  reveals: ["one-socket-all-transfers", "answered-too-early"],
}, async (stage) => {
  const kept: Uint8Array[] = [];
  const to = writable(stage, async (name, file) => {
    await stage.sleep(40); // A slow disk.
    kept.push(concat([toBytes(`${name}: `), file]));
  });
  const ann = stage.datagram("ann");

  await ann.send(write("up.txt"), to);
  const line = await ann.receives(ack(0));
  assert(line.port !== to.port, "The transfer came from the server's own port");
  await ann.send(data(1, "a".repeat(512)), line);
  await ann.receives(ack(1));
  await ann.send(data(2, "end"), line);
  await ann.receivesNothingFor(10);
  await ann.send(data(2, "end"), line); // It was impatient, or doubled.
  await ann.receives(ack(2));
  const early = "serve() acknowledged block 2 before it delivered the file";
  assert(kept.length > 0, `${early} to write()`);
  assertMessages(kept, [`up.txt: ${"a".repeat(512)}end`], "write()");
}));

Deno.test(check("serve() acknowledges a copy of a block again", {
  reveals: ["ack-not-repeated", "udp-duplicates"],
}, async (stage) => {
  const kept: Uint8Array[] = [];
  const to = writable(
    stage,
    (_, file) => Promise.resolve(void kept.push(file)),
  );
  const ann = stage.datagram("ann");

  await ann.send(write("up.txt"), to);
  const line = await ann.receives(ack(0));
  await ann.send(data(1, "a".repeat(512)), line);
  await ann.receives(ack(1));
  await ann.send(data(1, "a".repeat(512)), line);
  await ann.receives(ack(1));
  const late = stage.now >= CALM.timeoutMs;
  assert(!late, `serve() repeated its ack after ${stage.now} ms, not at once`);
  await ann.send(data(2, "end"), line);
  await ann.receives(ack(2));
  assertMessages(kept, [`${"a".repeat(512)}end`], "write()");
}));

Deno.test(check("serve() acknowledges no block that has not come", {
  reveals: ["ack-ahead"],
}, async (stage) => {
  const to = writable(stage, () => Promise.resolve());
  const ann = stage.datagram("ann");

  await ann.send(write("up.txt"), to);
  const line = await ann.receives(ack(0));
  await ann.send(data(2, "end"), line); // It has overtaken block 1.
  await ann.send(data(1, "a".repeat(512)), line);
  // An ack of block 0 once more does no harm.
  let packet = parse((await ann.receive()).bytes);
  while (packet?.op === "ack" && packet.block === 0) {
    packet = parse((await ann.receive()).bytes);
  }
  const last = packet?.op === "ack" ? packet.block : packet?.op;
  assertEquals(last, 1, "the block that is acknowledged after 0");
  await ann.send(data(2, "end"), line);
  await ann.receives(ack(2));
}));

Deno.test(check("serve() stays a while, in case its last ack is lost", {
  reveals: ["no-dally", "udp-duplicates"],
}, async (stage) => {
  const kept: Uint8Array[] = [];
  const to = writable(
    stage,
    (_, file) => Promise.resolve(void kept.push(file)),
  );
  const ann = stage.datagram("ann");

  await ann.send(write("up.txt"), to);
  const line = await ann.receives(ack(0));
  await ann.send(data(1, "hello"), line);
  await ann.receives(ack(1));
  await ann.send(data(1, "hello"), line);
  await ann.receives(ack(1));
  assertMessages(kept, ["hello"], "write()");
}));

Deno.test(check("serve() stays as long as it would repeat a packet itself", {
  reveals: ["no-dally", "no-give-up"],
  only: "simulated", // Time is exact there.
}, async (stage) => {
  const to = writable(stage, () => Promise.resolve(), SOON);
  const ann = stage.datagram("ann");

  await ann.send(write("up.txt"), to);
  const line = await ann.receives(ack(0));
  await ann.send(data(1, "hello"), line);
  await ann.receives(ack(1));
  await stage.sleep(250); // Two of her repetitions are lost.
  await ann.send(data(1, "hello"), line);
  await ann.receives(ack(1));
  await stage.sleep(2_000);
  assertGivenUp(stage, "2000 ms, with 2 retries of 100 ms");
}));

Deno.test(check("serve() takes options of a writer", {
  reveals: ["options-ignored"],
}, async (stage) => {
  const kept: Uint8Array[] = [];
  const to = writable(
    stage,
    (_, file) => Promise.resolve(void kept.push(file)),
  );
  const ann = stage.datagram("ann");

  await ann.send(write("up.txt", { blksize: "8", tsize: "9" }), to);
  const [options, line] = await oack(ann);
  assertEquals(
    options,
    { blksize: "8", tsize: "9" },
    "the options in the oack",
  );
  await ann.send(data(1, "01234567"), line);
  await ann.receives(ack(1));
  await ann.send(data(2, "8"), line);
  await ann.receives(ack(2));
  assertMessages(kept, ["012345678"], "write()");
}));

Deno.test(check("serve() repeats the options to a writer, too", {
  reveals: ["options-ignored", "agreed-not-kept", "loss-not-repaired"],
  only: "simulated", // Time is exact there.
}, async (stage) => {
  const to = writable(stage, () => Promise.resolve(), SOON);
  const ann = stage.datagram("ann");

  await ann.send(write("up.txt", { blksize: "8", timeout: "3" }), to);
  await oack(ann);
  await ann.receivesNothingFor(2_900); // She has asked for three seconds.
  const [, line] = await oack(ann);
  await ann.send(data(1, "01234"), line);
  await ann.receives(ack(1));
}));

Deno.test(check("serve() lets nobody write where nobody may", {
  reveals: ["error-not-told"],
}, async (stage) => {
  const to = serving(stage, {});
  const ann = stage.datagram("ann");

  await ann.send(write("up.txt"), to);
  assertEquals(await refusal(ann), 2, "the code of the error");
}));

Deno.test(
  check("serve() gives up on a writer that vanishes, and keeps nothing", {
    reveals: ["too-few-retries", "loss-not-repaired", "no-give-up"],
    only: "simulated", // Time is exact there.
  }, async (stage) => {
    const kept: Uint8Array[] = [];
    const keep = (_: string, file: Uint8Array) =>
      Promise.resolve(void kept.push(file));
    const to = writable(stage, keep, SOON);
    const ann = stage.datagram("ann");

    await ann.send(write("up.txt"), to);
    const line = await ann.receives(ack(0));
    await ann.receives(ack(0));
    await ann.send(data(1, "a".repeat(512)), line);
    await ann.receives(ack(1));
    await ann.receives(ack(1));
    await ann.receives(ack(1));
    await stage.sleep(2_000);
    assertGivenUp(stage, "2000 ms, with 2 retries of 100 ms");
    assertMessages(kept, [], "write()");
  }),
);

/** Serves these files to readers. */
function serving(
  stage: Stage,
  files: Record<string, Data>,
  patience: Patience = CALM,
): Deno.NetAddr {
  const read = (name: string) => {
    const file = files[name];
    return Promise.resolve(file === undefined ? file : toBytes(file));
  };
  return stage.serveDatagrams((socket) => serve(socket, { read }, patience));
}

/** Serves writers, and no readers. */
function writable(
  stage: Stage,
  write: (name: string, file: Uint8Array) => Promise<void>,
  patience: Patience = CALM,
): Deno.NetAddr {
  const read = () => Promise.resolve(undefined);
  return stage.serveDatagrams((socket) =>
    serve(socket, { read, write }, patience)
  );
}

/** Reads a whole file, and acknowledges whatever block comes. */
async function download(
  client: Talker,
  to: Deno.NetAddr,
  name: string,
  options: Fields = {},
): Promise<Uint8Array> {
  let size = 512;
  const file: Uint8Array[] = [];
  await client.send(read(name, options), to);
  for (;;) {
    const { bytes, from } = await client.receive();
    const packet = parse(bytes);
    const isData = packet?.op === "data";
    assert(
      isData || packet?.op === "oack",
      `${client.name} got ${packet?.op}, and no block`,
    );
    if (!isData) size = Number(packet.options.blksize ?? size);
    const block = isData ? packet.block : 0;
    await client.send(ack(block), from);
    if (!isData || block !== file.length + 1) continue;
    file.push(packet.data);
    if (packet.data.length < size) return concat(file);
  }
}

/** Expects an error, and returns its code. */
async function refusal(client: Talker): Promise<number | undefined> {
  const packet = parse((await client.receive()).bytes);
  const got = `${client.name} expected an error, and got ${packet?.op}`;
  assert(packet?.op === "error", got);
  return packet.code;
}

/** Expects an oack, and returns its options and its sender. */
async function oack(client: Talker): Promise<[Fields, Deno.NetAddr]> {
  const { bytes, from } = await client.receive();
  const packet = parse(bytes);
  const got = packet?.op === "data" ? `block ${packet.block}` : packet?.op;
  assert(
    packet?.op === "oack",
    `${client.name} asked for options, and got ${got}`,
  );
  return [packet.options, from];
}

/** Expects that a block was repeated at its time, and not later. */
function assertInTime(block: number, after: number) {
  const ms = Math.round(after);
  const told = `serve() repeated block ${block} after ${ms} ms`;
  assert(ms < 130, `${told}, and not after 100`);
}

/** Expects that no transfer is left. */
function assertGivenUp({ openSockets }: Stage, when: string) {
  const left = openSockets.length - 1; // Besides the server's own.
  assert(left === 0, `serve() has not given up after ${when}`);
}

/** The numbers and lengths of the blocks that a file takes. */
function blocks(length: number): Uint8Array[] {
  const sender = new FileSender(new Uint8Array(length), 512);
  const all: Uint8Array[] = [];
  while (!sender.done && all.length < 9) {
    all.push(toBytes(`${sender.block}: ${sender.data.length} bytes`));
    sender.onAck(sender.block);
  }
  return all;
}

// The packets, as datagrams.

function read(name: string, options: Fields = {}): Uint8Array {
  return encode({ op: "read", name, mode: "octet", options });
}

function write(name: string, options: Fields = {}): Uint8Array {
  return encode({ op: "write", name, mode: "octet", options });
}

function data(block: number, text: string): Uint8Array {
  return encode(letter(block, text));
}

function ack(block: number): Uint8Array {
  return encode({ op: "ack", block });
}

function letter(block: number, text: string): Packet {
  return { op: "data", block, data: toBytes(text) };
}
