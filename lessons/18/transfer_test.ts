// The checks for lesson 18. Read them: they say what travels, what each side
// remembers, and what both do when the network is at its worst.
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  assertBytes,
  assertMessages,
  check,
  type Stage,
  type Talker,
  toBytes,
} from "check";
import {
  decode,
  encode,
  type Options,
  Reassembler,
  type Segment,
  Sender,
  sendReliably,
  serve,
} from "./transfer.ts";

const { InvalidData, TimedOut } = Deno.errors;

/** Nobody repeats anything: for checks in which nothing is lost. */
const CALM: Options = { session: 7, rtoMs: 100_000, giveUpMs: 200_000 };

/** For checks in which much is lost. */
const LOSSY: Options = { rtoMs: 20, giveUpMs: 600_000 };

/** Milliseconds in which nothing may come; on loopback they really pass. */
function aWhile({ network }: Stage): number {
  return network === "simulated" ? 20 : 8;
}

// -- Messages --

Deno.test(
  check("encode() writes a message as text, and a checksum behind it", () => {
    assertBytes(connect(7), "/connect/7/311d", "a connect");
    assertBytes(ack(7, 5), "/ack/7/5/dfc6", "an ack");
    assertBytes(data(7, 0, "hello"), "/data/7/0/hello/6298", "data");
    assertBytes(close(2 ** 31 - 1), "/close/2147483647/b396", "a close");
  }),
);

Deno.test(check("encode() puts a backslash before slashes and backslashes", {
  reveals: ["not-escaped"],
}, () => {
  assertBytes(data(7, 0, "a/b"), "/data/7/0/a\\/b/e6da", "data: a/b");
  assertBytes(data(7, 3, "\\/"), "/data/7/3/\\\\\\//bc0d", "data: \\/");
}));

Deno.test(check("decode() reads what people type, without a checksum", {
  reveals: ["checksum-demanded", "ack-counts-escaped"],
}, () => {
  const typed = fieldsOf("/connect/7/\n");
  assertEquals(typed, { type: "connect", session: 7 }, "/connect/7/");
  const short = fieldsOf("/ack/7/5/");
  assertEquals(short, { type: "ack", session: 7, pos: 5 }, "/ack/7/5/");
  assertBytes(dataOf("/data/7/5//"), "", "the data in /data/7/5//");
  const slash = "/data/7/5/a\\/b/\n";
  assertBytes(dataOf(slash), "a/b", `the data in ${slash.trim()}`);
  const both = "/data/7/5/\\\\\\//";
  assertBytes(dataOf(both), "\\/", `the data in ${both}`);
}));

Deno.test(check("decode() gives back any bytes", {
  reveals: ["ack-counts-escaped", "not-escaped"],
}, () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
  const message = { type: "data", session: 7, pos: 5 } as const;
  const isLost = (byte: number) => {
    const read = decode(encode({ ...message, data: Uint8Array.of(byte) }));
    return read?.type !== "data" || read.data[0] !== byte;
  };

  const datagram = encode({ ...message, data: bytes });
  if (decode(datagram) === undefined) {
    const lost = bytes.filter(isLost).toHex().match(/../g) ?? ["none"];
    const told =
      "decode() gives undefined for all 256 bytes; alone, these fail";
    assert(false, `${told}: ${lost.join(" ")}`);
  }
  assertBytes(dataOf(datagram), bytes, "the data that was encoded");
}));

Deno.test(check("decode() gives nothing for a datagram with a wrong bit", {
  reveals: ["checksum-ignored"],
}, () => {
  for (const message of [connect(7), ack(7, 5), data(7, 5, "a/b"), close(7)]) {
    for (let bit = 0; bit < message.length * 8; bit++) {
      const changed = message.slice();
      changed[bit >> 3]! ^= 1 << (bit & 7);
      const text = new TextDecoder().decode(changed);
      const [said, sum] = [text.slice(0, -4), text.slice(-4).toLowerCase()];
      if (said + sum === new TextDecoder().decode(message)) continue; // 311D
      const read = decode(changed);
      assertEquals(read, undefined, `decode() of ${JSON.stringify(text)}`);
    }
  }
}));

Deno.test(check("decode() gives nothing for what is no message", () => {
  const others = [
    "",
    "/",
    "hello",
    "/connect/7",
    "/connect/seven/",
    "/connect/7/0/",
    "/connect/2147483648/",
    "/ack/7/",
    "/ack/7/-1/",
    "/ack/7/5/5/",
    "/data/7/0/",
    "/data/7/0/a/b/",
    "/data/7/0/a\\b/",
    "/data/7/0/a\\/",
    "/hello/7/",
    "/".repeat(65_507),
  ];
  for (const text of others) {
    const shown = JSON.stringify(text.slice(0, 20));
    assertEquals(decode(toBytes(text)), undefined, `decode() of ${shown}`);
  }
}));

// -- Reassembler --

Deno.test(check("Reassembler gives what comes in order", {
  reveals: ["stale-buffer-alias"],
}, () => {
  const stream = new Reassembler(64);

  stream.insert(0, toBytes("hello "));
  stream.insert(6, toBytes("wor"));
  assertEquals(stream.nextPos, 9, "nextPos");
  const first = stream.take();
  assertBytes(first, "hello wor", "take()");
  stream.insert(9, toBytes("ld"));
  assertBytes(stream.take(), "ld", "the next take()");
  assertBytes(first, "hello wor", "what the first take() gave, afterwards");
  assertBytes(stream.take(), "", "take() of nothing");
  assertEquals(stream.nextPos, 11, "nextPos");
}));

Deno.test(check("Reassembler ignores copies", {
  reveals: ["udp-duplicates"],
}, () => {
  const stream = new Reassembler(64);

  stream.insert(0, toBytes("hello"));
  stream.insert(0, toBytes("hello"));
  assertBytes(stream.take(), "hello", "take()");
  stream.insert(0, toBytes("hello"));
  assertBytes(stream.take(), "", "take() after a late copy");
  assertEquals(stream.nextPos, 5, "nextPos");
}));

Deno.test(check("Reassembler keeps what is ahead until the gap is filled", {
  reveals: ["accept-out-of-order", "future-discarded"],
}, () => {
  const stream = new Reassembler(64);

  stream.insert(5, toBytes("world"));
  assertBytes(stream.take(), "", "take() before a gap");
  assertEquals(stream.nextPos, 0, "nextPos before a gap");
  stream.insert(0, toBytes("hello"));
  assertBytes(stream.take(), "helloworld", "take() of both");
  assertEquals(stream.nextPos, 10, "nextPos");
}));

Deno.test(check("Reassembler fills several gaps in any order", {
  reveals: ["accept-out-of-order", "future-discarded"],
}, () => {
  const stream = new Reassembler(64);

  stream.insert(6, toBytes("gh"));
  stream.insert(2, toBytes("cd"));
  stream.insert(6, toBytes("gh"));
  assertEquals(stream.nextPos, 0, "nextPos");
  stream.insert(0, toBytes("ab"));
  assertBytes(stream.take(), "abcd", "take() up to the next gap");
  stream.insert(4, toBytes("ef"));
  assertBytes(stream.take(), "efgh", "take() of the rest");
}));

Deno.test(check("Reassembler takes from an overlap what is new", {
  reveals: ["overlap-duplicated", "overlap-discarded"],
}, () => {
  const stream = new Reassembler(64);

  stream.insert(0, toBytes("hello wo"));
  stream.insert(6, toBytes("world, "));
  assertBytes(stream.take(), "hello world, ", "what begins before the gap");
  stream.insert(17, toBytes("are"));
  stream.insert(8, toBytes("rld, how a"));
  assertBytes(stream.take(), "how are", "what reaches over the gap");
}));

Deno.test(check("Reassembler joins pieces that lie in each other", {
  reveals: ["overlap-duplicated", "overlap-discarded"],
}, () => {
  const stream = new Reassembler(64);

  stream.insert(4, toBytes("ef"));
  stream.insert(2, toBytes("cdefgh")); // Around it.
  stream.insert(3, toBytes("de")); // Inside.
  stream.insert(7, toBytes("hi")); // Over the right end.
  stream.insert(1, toBytes("bcd")); // Over the left end.
  assertEquals(stream.nextPos, 0, "nextPos");
  stream.insert(0, toBytes("ab"));
  assertBytes(stream.take(), "abcdefghi", "take()");
}));

Deno.test(check("Reassembler keeps the longer of two pieces", {
  reveals: ["overlap-replaced"],
}, () => {
  const stream = new Reassembler(64);

  stream.insert(5, toBytes("world"));
  stream.insert(5, toBytes("wo")); // Its sender has cut in another way.
  stream.insert(0, toBytes("hello"));
  assertBytes(stream.take(), "helloworld", "take()");
}));

Deno.test(check("Reassembler keeps no more than its capacity", {
  reveals: ["capacity-ignored", "room-refused"],
}, () => {
  const stream = new Reassembler(8);

  stream.insert(2, toBytes("cdefghij")); // Two bytes too many.
  stream.insert(8, toBytes("ij"));
  stream.insert(0, toBytes("ab"));
  assertEquals(stream.nextPos, 8, "nextPos, with a capacity of 8");
  stream.insert(8, toBytes("ij"));
  assertEquals(stream.nextPos, 8, "nextPos, before anything is taken");
  assertBytes(stream.take(), "abcdefgh", "take() with a capacity of 8");
  stream.insert(8, toBytes("ijklmnop"));
  assertBytes(stream.take(), "ijklmnop", "take() when there is room again");
}));

Deno.test(check("Reassembler keeps no copies", {
  reveals: ["copies-kept"],
}, async (stage) => {
  const stream = new Reassembler(64);
  const [late, ahead] = [toBytes("hello"), toBytes("world")];
  stream.insert(0, late);
  assertBytes(stream.take(), "hello", "take()");

  // Among ever more copies, each look at all of them takes longer.
  for (let round = 0; round < 30; round++) {
    await stage.within(50, () => {
      for (let n = 0; n < 1_000; n++) {
        stream.insert(0, late);
        stream.insert(10, ahead);
      }
    });
  }
  stream.insert(5, toBytes(", my "));
  assertBytes(stream.take(), ", my world", "take() after 60,000 copies");
}));

Deno.test(check("Reassembler is not confused by empty or distant pieces", {
  reveals: ["capacity-ignored"],
}, () => {
  const stream = new Reassembler(8);

  stream.insert(0, toBytes(""));
  stream.insert(3, toBytes(""));
  stream.insert(2 ** 31 - 2, toBytes("z"));
  stream.insert(8, toBytes("z"));
  assertBytes(stream.take(), "", "take() of nothing");
  stream.insert(0, toBytes("abc"));
  assertBytes(stream.take(), "abc", "take()");
  assertEquals(stream.nextPos, 3, "nextPos");
}));

Deno.test(check("Reassembler keeps bytes that nobody overwrites", {
  reveals: ["stale-buffer-alias"],
}, () => {
  const stream = new Reassembler(64);
  const buffer = toBytes("world");

  stream.insert(5, buffer);
  buffer.fill(0x3f); // As a receive() into it would do.
  stream.insert(0, toBytes("hello"));
  assertBytes(stream.take(), "helloworld", "take()");
}));

Deno.test(check("Reassembler joins a shuffled stream, cut anywhere", {
  reveals: ["overlap-duplicated", "overlap-discarded"],
}, ({ random }) => {
  const whole = random.bytes(4_000);
  const stream = new Reassembler(whole.length);
  const pieces = Array.from({ length: 1_000 }, () => {
    const pos = random.below(whole.length);
    return { pos, data: whole.slice(pos, pos + 1 + random.below(60)) };
  });

  for (const { pos, data } of pieces) stream.insert(pos, data);
  for (let at = 0; at < whole.length; at += 50) {
    stream.insert(at, whole.slice(at, at + 50)); // What is still missing.
  }
  assertBytes(stream.take(), whole, "take()");
}));

// -- Sender --

Deno.test(check("Sender gives segments of at most mss bytes, once", {
  reveals: ["rto-too-short"],
}, () => {
  const { sender } = atTime({ window: 100 });

  sender.push(toBytes("hello world"));
  const first = ["0 hell", "4 o wo", "8 rld"];
  assertMessages(told(sender.due()), first, "due()");
  assertMessages(told(sender.due()), [], "the next due()");
}));

Deno.test(check("Sender has at most a window on its way", {
  reveals: ["window-ignored"],
}, () => {
  const { sender } = atTime({ window: 8 });

  sender.push(toBytes("abcdefghijklmnopqrstuvwx"));
  assertMessages(told(sender.due()), ["0 abcd", "4 efgh"], "due()");
  assertMessages(told(sender.due()), [], "due() without an ack");
  sender.onAck(4);
  assertMessages(told(sender.due()), ["8 ijkl"], "due() after an ack of 4");
  sender.onAck(12);
  const next = ["12 mnop", "16 qrst"];
  assertMessages(told(sender.due()), next, "due() after an ack of 12");
}));

Deno.test(check("Sender fits its segments into any window", {
  reveals: ["window-ignored"],
}, () => {
  const { sender } = atTime({ window: 10 });

  sender.push(toBytes("abcdefghijklmnopqrstuvwx"));
  const sizes = sender.due().map(({ data }) => data.length);
  const sum = sizes.reduce((sum, size) => sum + size, 0);
  assert(sum <= 10, `${sum} bytes are on their way, and the window is 10`);
}));

Deno.test(check("Sender is done when everything is acknowledged", () => {
  const { sender } = atTime({});

  assert(sender.done, "before the first push() nothing is left to do");
  sender.push(toBytes(""));
  assertMessages(told(sender.due()), [], "due() after a push() of nothing");
  sender.push(toBytes("hello"));
  assert(!sender.done, "it says done before anything was sent");
  sender.due();
  sender.onAck(4);
  assert(!sender.done, "it says done with 1 byte of 5 not acknowledged");
  sender.onAck(5);
  assert(sender.done, "it does not say done when all is acknowledged");
  sender.push(toBytes("more"));
  assert(!sender.done, "it says done after another push()");
  assertMessages(told(sender.due()), ["5 more"], "due() after that");
}));

Deno.test(check("Sender repeats the oldest segment, alone, after rtoMs", {
  reveals: ["loss-not-repaired", "rto-too-short", "resends-everything"],
}, () => {
  const { sender, clock } = atTime({ rtoMs: 100 });

  sender.push(toBytes("hello world"));
  sender.due();
  clock.ms = 101;
  assertMessages(told(sender.due()), ["0 hell"], "due() after 101 ms");
  assertMessages(told(sender.due()), [], "due() once more, at once");
}));

Deno.test(check("Sender does not care how often due() is asked", {
  reveals: ["rto-too-short", "asking-restarts-timer"],
}, () => {
  const { sender, clock } = atTime({ rtoMs: 100 });

  sender.push(toBytes("hello world"));
  sender.due();
  for (clock.ms = 10; clock.ms < 100; clock.ms += 10) {
    assertMessages(told(sender.due()), [], `due() after ${clock.ms} ms`);
  }
  clock.ms = 101;
  assertMessages(told(sender.due()), ["0 hell"], "due() after 101 ms");
}));

Deno.test(check("Sender waits twice as long before each repetition", {
  reveals: ["no-backoff", "loss-not-repaired"],
}, () => {
  const { sender, clock } = atTime({ rtoMs: 100 });

  sender.push(toBytes("hello"));
  sender.due();
  const times = repetitions(sender, clock, 1_000);
  assertMessages(times, ["100 ms", "300 ms", "700 ms"], "due()");
}));

Deno.test(check("Sender measures how long the oldest segment waits", {
  reveals: ["sending-restarts-timer", "resends-everything"],
}, () => {
  const { sender, clock } = atTime({ rtoMs: 100 });

  sender.push(toBytes("hell"));
  sender.due();
  clock.ms = 60;
  sender.push(toBytes("o wo"));
  assertMessages(told(sender.due()), ["4 o wo"], "due() after 60 ms");
  clock.ms = 101;
  assertMessages(told(sender.due()), ["0 hell"], "due() after 101 ms");
}));

Deno.test(check("Sender waits rtoMs after news, and no longer", {
  reveals: ["news-unheard", "rto-too-short", "backoff-never-ends"],
}, () => {
  const { sender, clock } = atTime({ rtoMs: 100 });

  sender.push(toBytes("hello world"));
  sender.due();
  clock.ms = 50;
  sender.onAck(4);
  const first = repetitions(sender, clock, 400);
  assertMessages(first, ["150 ms", "350 ms"], "due(), with news at 50 ms");
  sender.onAck(8); // The next would be at 750 ms.
  const then = repetitions(sender, clock, 720);
  assertMessages(then, ["500 ms", "700 ms"], "due(), with news at 400 ms");
}));

Deno.test(check("Sender repeats what a part of an ack leaves", {
  reveals: ["loss-not-repaired"],
}, () => {
  const { sender, clock } = atTime({ rtoMs: 100 });

  sender.push(toBytes("hello wo"));
  sender.due();
  sender.onAck(6);
  clock.ms = 101;
  assertMessages(holding(6, sender.due()), ["byte 6"], "due() after 101 ms");
}));

Deno.test(check("Sender does nothing about an ack that comes twice", {
  reveals: ["retransmit-on-dup-ack", "dup-ack-restarts-timer"],
}, () => {
  const { sender, clock } = atTime({ rtoMs: 100, window: 8 });

  sender.push(toBytes("hello world!"));
  sender.due();
  sender.onAck(4);
  assertMessages(told(sender.due()), ["8 rld!"], "due() after an ack of 4");
  for (clock.ms = 10; clock.ms <= 90; clock.ms += 10) {
    sender.onAck(4);
    assertMessages(told(sender.due()), [], "due() after the same ack");
  }
  clock.ms = 101;
  assertMessages(told(sender.due()), ["4 o wo"], "due() after 101 ms");
}));

Deno.test(check("Sender forgets nothing when an old ack comes late", {
  reveals: ["old-ack-believed"],
}, () => {
  const { sender } = atTime({ window: 8 });

  sender.push(toBytes("hello world! bye"));
  sender.due();
  sender.onAck(8);
  sender.onAck(4);
  const next = ["8 rld!", "12  bye"];
  assertMessages(told(sender.due()), next, "due() after acks of 8 and 4");
  sender.onAck(16);
  sender.onAck(0);
  assert(sender.done, "an ack of 0 has undone an ack of 16");
}));

Deno.test(check("Sender takes no old ack for news", {
  reveals: ["dup-ack-restarts-timer", "backoff-ends-early"],
}, () => {
  const { sender, clock } = atTime({ rtoMs: 100 });

  sender.push(toBytes("hello world!"));
  sender.due();
  clock.ms = 50;
  assertEquals(sender.onAck(8), true, "onAck(8), which is news");
  clock.ms = 100;
  assertEquals(sender.onAck(4), false, "onAck(4), after an ack of 8");
  clock.ms = 151;
  assertMessages(told(sender.due()), ["8 rld!"], "due() 101 ms after news");
  clock.ms = 200;
  sender.onAck(8);
  const times = repetitions(sender, clock, 800);
  const what = "due(), with an old ack at 200 ms";
  assertMessages(times, ["350 ms", "750 ms"], what);
}));

Deno.test(check("Sender refuses an ack of what was never sent", {
  reveals: ["wrong-error-class", "ack-beyond-sent"],
}, () => {
  const { sender } = atTime({ window: 8 });

  sender.push(toBytes("hello world!"));
  sender.due();
  const told9 = "onAck() of 9 bytes, with 8 of 12 sent";
  assertThrows(() => sender.onAck(9), InvalidData, "", told9);
  assert(!sender.done, "it says done after an ack that it refused");
  sender.onAck(8);
  assertMessages(told(sender.due()), ["8 rld!"], "due() after an ack of 8");
}));

Deno.test(check("Sender says how long it has nothing to do", () => {
  const { sender, clock } = atTime({ rtoMs: 100 });

  assertEquals(sender.waitMs, Infinity, "waitMs with nothing on its way");
  sender.push(toBytes("hello"));
  sender.due();
  assertWait(sender, 100, "after due()");
  clock.ms = 60;
  assertWait(sender, 40, "60 ms later");
  clock.ms = 102;
  assertWait(sender, 0, "when it is too late");
  sender.due();
  assertWait(sender, 200, "after the first repetition");
  sender.onAck(5);
  assertEquals(sender.waitMs, Infinity, "waitMs when all is acknowledged");
}));

// -- serve() --

Deno.test(check("serve() answers each message, and delivers at the close", {
  reveals: ["timer-leak"],
}, async (stage) => {
  const { to, streams } = receiver(stage);
  const ann = stage.datagram("ann");

  await ann.send(connect(7), to);
  await ann.receives(ack(7, 0));
  await ann.send(data(7, 0, "hello "), to);
  await ann.receives(ack(7, 6));
  await ann.send(data(7, 6, "world"), to);
  await ann.receives(ack(7, 11));
  assertMessages(streams, [], "serve() before the close");
  await ann.send(close(7), to);
  await ann.receives(close(7));
  assertMessages(streams, ["hello world"], "serve()");
}));

Deno.test(check("serve() delivers before it answers the close", {
  reveals: ["answered-too-early"],
}, async (stage) => {
  let sent = 0;
  const to = stage.serveDatagrams((socket) =>
    serve(socket, () => void (sent = stage.datagrams))
  );
  const ann = stage.datagram("ann");

  await ann.send(connect(7), to);
  await ann.receives(ack(7, 0));
  await ann.send(close(7), to);
  await ann.receives(close(7));
  assert(sent === 3, "serve() had answered the close before it delivered");
}));

Deno.test(check("serve() counts positions in bytes of data", {
  reveals: ["ack-counts-escaped", "unescaped-twice"],
}, async (stage) => {
  const { to, streams } = receiver(stage);
  const ann = stage.datagram("ann");

  await ann.send("/connect/7/\n", to); // As nc sends what is typed.
  await ann.receives(ack(7, 0));
  await ann.send("/data/7/0/a\\/b/", to);
  await ann.receives(ack(7, 3));
  await ann.send("/data/7/3/\\\\\\//", to);
  await ann.receives(ack(7, 5));
  await ann.send("/close/7/\n", to);
  await ann.receives(close(7));
  assertMessages(streams, ["a/b\\/"], "serve()");
}));

Deno.test(check("serve() gives a copy the same answer again", {
  reveals: ["ack-not-repeated", "udp-duplicates", "connect-starts-over"],
}, async (stage) => {
  const { to, streams } = receiver(stage);
  const ann = stage.datagram("ann");

  await ann.send(connect(7), to);
  await ann.receives(ack(7, 0));
  await ann.send(data(7, 0, "hello"), to);
  await ann.receives(ack(7, 5));
  await ann.send(data(7, 0, "hello"), to);
  await ann.receives(ack(7, 5));
  await ann.send(connect(7), to);
  await ann.receives(ack(7, 5));
  await ann.send(close(7), to);
  await ann.receives(close(7));
  assertMessages(streams, ["hello"], "serve()");
}));

Deno.test(check("serve() acknowledges up to the first gap", {
  reveals: ["udp-order"],
}, async (stage) => {
  const { to, streams } = receiver(stage);
  const ann = stage.datagram("ann");

  await ann.send(connect(7), to);
  await ann.receives(ack(7, 0));
  await ann.send(data(7, 5, "world"), to);
  await ann.receives(ack(7, 0));
  await ann.send(data(7, 0, "hello"), to);
  await ann.receives(ack(7, 10));
  await ann.send(close(7), to);
  await ann.receives(close(7));
  assertMessages(streams, ["helloworld"], "serve()");
}));

Deno.test(check("serve() keeps senders with one number apart", {
  reveals: ["udp-id-without-address"],
}, async (stage) => {
  const { to, streams } = receiver(stage);
  const ann = stage.datagram("ann");
  const bob = stage.datagram("bob");

  await ann.send(connect(7), to);
  await ann.receives(ack(7, 0));
  await ann.send(data(7, 0, "i am ann"), to);
  await ann.receives(ack(7, 8));
  await bob.send(connect(7), to);
  await bob.receives(ack(7, 0));
  await bob.send(data(7, 0, "bob"), to);
  await bob.receives(ack(7, 3));
  await ann.send(close(7), to);
  await ann.receives(close(7));
  await bob.send(close(7), to);
  await bob.receives(close(7));
  assertMessages(streams, ["i am ann", "bob"], "serve()");
}));

Deno.test(check("serve() keeps the sessions of one sender apart", {
  reveals: ["udp-address-without-id"],
}, async (stage) => {
  const { to, streams } = receiver(stage);
  const ann = stage.datagram("ann");

  await ann.send(connect(7), to);
  await ann.receives(ack(7, 0));
  await ann.send(data(7, 0, "seven"), to);
  await ann.receives(ack(7, 5));
  await ann.send(connect(8), to);
  await ann.receives(ack(8, 0));
  await ann.send(data(8, 0, "and eight"), to);
  await ann.receives(ack(8, 9));
  await ann.send(close(7), to);
  await ann.receives(close(7));
  await ann.send(close(8), to);
  await ann.receives(close(8));
  assertMessages(streams, ["seven", "and eight"], "serve()");
}));

Deno.test(check("serve() keeps hosts with one port and number apart", {
  reveals: ["udp-id-without-address"],
  address: "127.0.0.2",
}, async (stage) => {
  const { to, streams } = receiver(stage);
  const ann = stage.datagram("ann");
  const bob = stage.datagram("bob", "127.0.0.2", ann.addr.port);

  await ann.send(connect(7), to);
  await ann.receives(ack(7, 0));
  await ann.send(data(7, 0, "i am ann"), to);
  await ann.receives(ack(7, 8));
  await bob.send(connect(7), to);
  await bob.receives(ack(7, 0));
  await ann.send(close(7), to);
  await ann.receives(close(7));
  assertMessages(streams, ["i am ann"], "serve()");
}));

Deno.test(check("serve() says nothing to what belongs to no session", {
  reveals: ["unknown-close-answered"],
}, async (stage) => {
  const { to, streams } = receiver(stage);
  const ann = stage.datagram("ann");

  await ann.send(data(7, 0, "hello"), to);
  await ann.receivesNothingFor(aWhile(stage));
  await ann.send(close(7), to);
  await ann.receivesNothingFor(aWhile(stage));
  assertMessages(streams, [], "serve()");
}));

Deno.test(check("serve() lets no stranger into a session", {
  reveals: ["udp-id-without-address"],
}, async (stage) => {
  const { to, streams } = receiver(stage);
  const ann = stage.datagram("ann");
  const mallory = stage.datagram("mallory");

  await ann.send(connect(7), to);
  await ann.receives(ack(7, 0));
  await mallory.send(data(7, 0, "i owe mallory"), to);
  await mallory.send(close(7), to);
  await ann.send(data(7, 0, "hello"), to);
  await ann.receives(ack(7, 5));
  await ann.send(close(7), to);
  await ann.receives(close(7));
  assertMessages(streams, ["hello"], "serve()");
}));

Deno.test(check("serve() answers a close again, and delivers once", {
  reveals: ["no-dally", "udp-duplicates"],
}, async (stage) => {
  const { to, streams } = receiver(stage);
  const ann = stage.datagram("ann");

  await ann.send(connect(7), to);
  await ann.receives(ack(7, 0));
  await ann.send(data(7, 0, "hello"), to);
  await ann.receives(ack(7, 5));
  await ann.send(close(7), to);
  await ann.receives(close(7));
  await ann.send(close(7), to); // The answer was lost.
  await ann.receives(close(7));
  await ann.send(connect(7), to); // And here are copies that were late.
  await ann.receives(ack(7, 5));
  await ann.send(data(7, 0, "hello"), to);
  await ann.receives(ack(7, 5));
  await ann.send(close(7), to);
  await ann.receives(close(7));
  assertMessages(streams, ["hello"], "serve()");
}));

Deno.test(check("serve() does not believe a datagram that was changed", {
  reveals: ["udp-handler-throws", "checksum-ignored"],
  datagram: (n) => n === 2 ? "corrupt" : undefined,
}, async (stage) => {
  const { to, streams } = receiver(stage);
  const ann = stage.datagram("ann");

  await ann.send(connect(7), to);
  await ann.receives(ack(7, 0));
  await ann.send(data(7, 0, "hello"), to);
  await ann.receivesNothingFor(aWhile(stage));
  await ann.send(data(7, 0, "hello"), to);
  await ann.receives(ack(7, 5));
  await ann.send(close(7), to);
  await ann.receives(close(7));
  assertMessages(streams, ["hello"], "serve()");
}));

Deno.test(check("serve() outlives what is no message", {
  reveals: ["udp-handler-throws"],
}, async (stage) => {
  const { to } = receiver(stage);
  const mallory = stage.datagram("mallory");
  const ann = stage.datagram("ann");

  await mallory.send("", to);
  await mallory.send("/data/7/0/a/b/", to);
  await mallory.send("/connect/99999999999/", to);
  await mallory.send("/ack/7/5/", to);
  await mallory.send(Uint8Array.of(0xff, 0xfe), to);
  await mallory.send("/".repeat(65_507), to);
  await mallory.receivesNothingFor(aWhile(stage));
  await ann.send(connect(7), to);
  await ann.receives(ack(7, 0));
}));

Deno.test(check("serve() does not answer an ack", {
  reveals: ["ack-of-ack"],
}, async (stage) => {
  const { to } = receiver(stage);
  const ann = stage.datagram("ann");

  await ann.send(connect(7), to);
  await ann.receives(ack(7, 0));
  await ann.send(ack(7, 0), to);
  await ann.receivesNothingFor(aWhile(stage));
}));

Deno.test(
  check("serve() forgets who is silent for giveUpMs, and nobody sooner", {
    reveals: ["no-dally", "no-give-up", "timer-leak"],
    only: "simulated", // Time is exact there.
  }, async (stage) => {
    const { to, streams } = receiver(stage, { giveUpMs: 1_000 });
    const ann = stage.datagram("ann");
    const bob = stage.datagram("bob");

    await ann.send(connect(7), to);
    await ann.receives(ack(7, 0));
    await ann.send(data(7, 0, "hello"), to);
    await ann.receives(ack(7, 5));
    await bob.send(connect(8), to);
    await bob.receives(ack(8, 0));
    await bob.send(close(8), to);
    await bob.receives(close(8));
    await stage.sleep(900);
    await ann.send(data(7, 0, "hello"), to);
    await ann.receives(ack(7, 5));
    await bob.send(close(8), to);
    await bob.receives(close(8));
    await stage.sleep(2_100); // Whoever looks once in giveUpMs has looked.
    await ann.send(connect(7), to); // A new session with an old number.
    await ann.receives(ack(7, 0));
    await bob.send(close(8), to); // What was closed is forgotten, too.
    await bob.receivesNothingFor(aWhile(stage));
    await bob.send(connect(8), to);
    await bob.receives(ack(8, 0));
    for (let n = 0; n < 4; n++) { // Ann has come first, and speaks on.
      await stage.sleep(600);
      await ann.send(connect(7), to);
      await ann.receives(ack(7, 0));
    }
    await bob.send(close(8), to);
    await bob.receivesNothingFor(aWhile(stage));
    assertMessages(streams, [""], "serve()");
  }),
);

Deno.test(
  check("serve() remembers a session while its sender speaks", {
    reveals: ["forgotten-too-early"],
    only: "simulated", // Time is exact there.
  }, async (stage) => {
    const { to, streams } = receiver(stage, { giveUpMs: 1_000 });
    const ann = stage.datagram("ann");
    const bob = stage.datagram("bob");

    await ann.send(connect(7), to);
    await ann.receives(ack(7, 0));
    await bob.send(connect(8), to);
    await bob.receives(ack(8, 0));
    await bob.send(close(8), to);
    await bob.receives(close(8));
    for (let n = 0; n < 4; n++) {
      await stage.sleep(600);
      await ann.send(data(7, n, "x"), to);
      await ann.receives(ack(7, n + 1));
      await bob.send(close(8), to);
      await bob.receives(close(8));
    }
    await ann.send(close(7), to);
    await ann.receives(close(7));
    assertMessages(streams, ["", "xxxx"], "serve()");
  }),
);

// -- sendReliably() --

Deno.test(check("sendReliably() connects, sends, and closes", {
  reveals: [
    "udp-address-identity",
    "ack-counts-escaped",
    "udp-left-open",
    "timer-leak",
  ],
}, async (stage) => {
  const server = stage.datagram("server");
  const sending = stage.start(() =>
    sendReliably(server.addr, toBytes("a/b"), CALM)
  );

  const client = await server.receives(connect(7));
  await server.send(ack(7, 0), client);
  await server.receives(data(7, 0, "a/b"));
  await server.send(ack(7, 3), client);
  await server.receives(close(7));
  await server.send(close(7), client);
  await sending.result;
  await server.receivesNothingFor(aWhile(stage));
}));

Deno.test(check("sendReliably() closes when everything is acknowledged", {
  reveals: ["closes-too-early", "retransmit-on-dup-ack"],
}, async (stage) => {
  const server = stage.datagram("server");
  const sending = stage.start(() =>
    sendReliably(server.addr, toBytes("hello"), CALM)
  );

  const client = await server.receives(connect(7));
  await server.send(ack(7, 0), client);
  await server.receives(data(7, 0, "hello"));
  await server.receivesNothingFor(aWhile(stage));
  await server.send(ack(7, 0), client); // An old one.
  await server.receivesNothingFor(aWhile(stage));
  await server.send(ack(7, 5), client);
  await server.receives(close(7));
  await server.receivesNothingFor(aWhile(stage));
  assert(
    !sending.settled,
    "sendReliably() returned before the close was answered",
  );
  await server.send(close(7), client);
  await sending.result;
}));

Deno.test(check("sendReliably() sends datagrams of at most 1,000 bytes", {
  reveals: ["udp-too-big"],
}, async (stage) => {
  const server = stage.datagram("server");
  const sending = stage.start(() =>
    sendReliably(server.addr, toBytes("/\\".repeat(60_000)), {
      ...CALM,
      session: 2 ** 31 - 1, // Ten digits, and up to six for a position.
    })
  );

  const datagrams = await answerAll(server);
  await sending.result;
  const longest = Math.max(...datagrams.map(({ length }) => length));
  assert(
    longest <= 1_000,
    `A datagram has ${longest} bytes, and 1000 are allowed`,
  );
}));

Deno.test(check("sendReliably() waits for acks before it sends more", {
  reveals: ["udp-burst-loss"],
}, async (stage) => {
  const server = stage.datagram("server");
  const sending = stage.start(() =>
    sendReliably(server.addr, new Uint8Array(50_000), CALM)
  );

  const client = await server.receives(connect(7));
  await server.send(ack(7, 0), client);
  const before = stage.datagrams;
  await stage.sleep(20); // The server does something else.
  const burst = stage.datagrams - before;
  assert(
    burst <= 90,
    `${burst} datagrams came while the server was away; 90 of 1000 bytes fill its socket`,
  );
  await answerAll(server);
  await sending.result;
}));

Deno.test(check("sendReliably() repeats whatever is not answered", {
  reveals: ["loss-not-repaired"],
  only: "simulated", // On a busy machine it may repeat more often.
}, async (stage) => {
  const server = stage.datagram("server");
  const sending = stage.start(() =>
    sendReliably(server.addr, toBytes("hello"), { ...LOSSY, session: 7 })
  );

  await server.receives(connect(7));
  const client = await server.receives(connect(7));
  await server.send(ack(7, 0), client);
  await server.receives(data(7, 0, "hello"));
  await server.receives(data(7, 0, "hello"));
  await server.send(ack(7, 5), client);
  await server.receives(close(7));
  await server.receives(close(7));
  await server.send(close(7), client);
  await sending.result;
}));

Deno.test(check("sendReliably() waits twice as long before it connects again", {
  reveals: ["no-backoff", "loss-not-repaired"],
  only: "simulated", // Time is exact there.
}, async (stage) => {
  const server = stage.datagram("server");
  const sending = stage.start(() =>
    sendReliably(server.addr, toBytes("hello"), { ...LOSSY, session: 7 })
  );

  const times: Uint8Array[] = [];
  for (let n = 0; n < 4; n++) {
    await server.receives(connect(7));
    times.push(toBytes(`${Math.round(stage.now / 10) * 10} ms`));
  }
  const expected = ["20 ms", "60 ms", "140 ms"];
  assertMessages(times.slice(1), expected, "sendReliably() to nobody");
  await answerAll(server);
  await sending.result;
}));

Deno.test(check("sendReliably() waits twice as long before it closes again", {
  reveals: ["no-backoff", "loss-not-repaired"],
  only: "simulated", // Time is exact there.
}, async (stage) => {
  const server = stage.datagram("server");
  const sending = stage.start(() =>
    sendReliably(server.addr, toBytes("hello"), { ...LOSSY, session: 7 })
  );

  const client = await server.receives(connect(7));
  await server.send(ack(7, 0), client);
  await server.receives(data(7, 0, "hello"));
  await server.send(ack(7, 5), client);
  await server.receives(close(7));
  const begin = stage.now;
  const times: Uint8Array[] = [];
  for (let n = 0; n < 3; n++) {
    await server.receives(close(7));
    times.push(toBytes(`${Math.round((stage.now - begin) / 10) * 10} ms`));
  }
  const expected = ["20 ms", "60 ms", "140 ms"];
  assertMessages(times, expected, "sendReliably(), when its close is lost,");
  await server.send(close(7), client);
  await sending.result;
}));

Deno.test(check("sendReliably() waits 300 ms for an answer, if not told less", {
  reveals: ["rto-too-short"],
  only: "simulated", // Time is exact there.
}, async (stage) => {
  const server = stage.datagram("server");
  const sending = stage.start(() =>
    sendReliably(server.addr, toBytes("hello"), { session: 7 })
  );

  const client = await server.receives(connect(7));
  await stage.sleep(299); // There and back, just in time.
  await server.send(ack(7, 0), client);
  await server.receives(data(7, 0, "hello"));
  await stage.sleep(299);
  await server.send(ack(7, 5), client);
  await server.receives(close(7));
  await stage.sleep(299);
  await server.send(close(7), client);
  await sending.result;
  await server.receivesNothing();
}));

Deno.test(check("sendReliably() listens to nobody but the receiver", {
  reveals: ["rto-too-short", "udp-trusts-anyone"],
}, async (stage) => {
  const server = stage.datagram("server");
  const mallory = stage.datagram("mallory");
  const sending = stage.start(() =>
    sendReliably(server.addr, toBytes("hello"), CALM)
  );

  const client = await server.receives(connect(7));
  await mallory.send(ack(7, 0), client); // She has seen the number.
  await server.receivesNothingFor(aWhile(stage));
  await server.send(ack(8, 0), client); // Of another session.
  await server.receivesNothingFor(aWhile(stage));
  await server.send(ack(7, 0), client);
  await server.receives(data(7, 0, "hello"));
  await mallory.send(ack(7, 5), client);
  await mallory.send(ack(7, 6), client);
  await server.receivesNothingFor(aWhile(stage));
  await server.send(ack(7, 5), client);
  await server.receives(close(7));
  await mallory.send(close(7), client);
  await server.receivesNothingFor(aWhile(stage));
  await server.send(close(7), client);
  await sending.result;
}));

Deno.test(check("sendReliably() takes no other host for the receiver", {
  reveals: ["udp-trusts-anyone"],
  address: "127.0.0.2",
}, async (stage) => {
  const server = stage.datagram("server");
  const { port } = server.addr;
  const mallory = stage.datagram("mallory", "127.0.0.2", port);
  const sending = stage.start(() =>
    sendReliably(server.addr, toBytes("hello"), CALM)
  );

  const client = await server.receives(connect(7));
  await mallory.send(ack(7, 0), client);
  await server.receivesNothingFor(aWhile(stage));
  await server.send(ack(7, 0), client);
  await server.receives(data(7, 0, "hello"));
  await server.send(ack(7, 5), client);
  await server.receives(close(7));
  await server.send(close(7), client);
  await sending.result;
}));

Deno.test(check("sendReliably() throws if more is acknowledged than it sent", {
  reveals: ["wrong-error-class", "ack-beyond-sent", "udp-left-open"],
}, async (stage) => {
  const server = stage.datagram("server");
  const sending = stage.start(() =>
    sendReliably(server.addr, toBytes("hello"), CALM)
  );

  const client = await server.receives(connect(7));
  await server.send(ack(7, 0), client);
  await server.receives(data(7, 0, "hello"));
  await server.send(ack(7, 6), client);
  await assertRejects(() => sending.result, InvalidData);
}));

Deno.test(check("sendReliably() waits giveUpMs, however long rtoMs is", {
  reveals: ["given-up-early"],
  only: "simulated", // Time is exact there.
}, async (stage) => {
  const server = stage.datagram("server");
  for (const rtoMs of [600, 2_000]) {
    const sending = stage.start(() =>
      sendReliably(server.addr, toBytes("hello"), { rtoMs, giveUpMs: 1_000 })
    );
    await stage.sleep(900);
    const told = `gave up within 900 ms of 1000; rtoMs is ${rtoMs}`;
    assert(!sending.settled, `sendReliably() ${told}`);
    await answerAll(server);
    await sending.result;
  }
}));

Deno.test(check("sendReliably() gives up on a receiver that is not there", {
  reveals: [
    "no-give-up",
    "timeout-is-success",
    "wrong-error-class",
    "udp-left-open",
  ],
  only: "simulated", // Time is exact there.
}, async (stage) => {
  const server = stage.datagram("server");
  const times = { rtoMs: 100, giveUpMs: 1_000 };
  const sending = stage.start(() =>
    sendReliably(server.addr, toBytes("hello"), times)
  );

  await stage.sleep(900);
  assert(!sending.settled, "sendReliably() gave up within 900 ms of 1000");
  await stage.sleep(1_300);
  await assertGivenUp(sending, "2200 ms without news, of 1000");
}));

Deno.test(check("sendReliably() gives up on a receiver that vanishes", {
  reveals: [
    "idle-vs-total",
    "no-give-up",
    "timeout-is-success",
    "wrong-error-class",
    "udp-left-open",
  ],
  only: "simulated", // Time is exact there.
}, async (stage) => {
  const server = stage.datagram("server");
  const times = { session: 7, rtoMs: 100, giveUpMs: 1_000 };
  const sending = stage.start(() =>
    sendReliably(server.addr, toBytes("hello"), times)
  );

  const client = await server.receives(connect(7));
  await stage.sleep(50);
  await server.send(ack(7, 0), client);
  await stage.sleep(960);
  assert(!sending.settled, "sendReliably() gave up 960 ms after news, of 1000");
  await stage.sleep(1_300);
  await assertGivenUp(sending, "2200 ms without news, of 1000");
}));

Deno.test(check("sendReliably() goes on while there is news", {
  reveals: ["idle-vs-total"],
  only: "simulated", // Time is exact there.
}, async (stage) => {
  const server = stage.datagram("server");
  const times = { session: 7, rtoMs: 100, giveUpMs: 1_000 };
  const sending = stage.start(() =>
    sendReliably(server.addr, new Uint8Array(3_000), times)
  );

  await server.send(ack(7, 0), await server.receives(connect(7)));
  for (let acked = 0; acked < 3_000;) {
    const { bytes, from } = await server.receive();
    const message = decode(bytes);
    if (message?.type !== "data") continue;
    const end = message.pos + message.data.length;
    if (end <= acked) continue;
    await stage.sleep(600);
    const early = "sendReliably() gave up 600 ms after news, of 1000";
    assert(!sending.settled, early);
    await server.send(ack(7, end), from);
    acked = end;
  }
  await answerAll(server);
  await sending.result;
}));

Deno.test(check("sendReliably() gives up if its close is never answered", {
  reveals: [
    "no-give-up",
    "timeout-is-success",
    "wrong-error-class",
    "udp-left-open",
  ],
  only: "simulated", // Time is exact there.
}, async (stage) => {
  const server = stage.datagram("server");
  const times = { session: 7, rtoMs: 100, giveUpMs: 1_000 };
  const sending = stage.start(() =>
    sendReliably(server.addr, toBytes("hello"), times)
  );

  const client = await server.receives(connect(7));
  await server.send(ack(7, 0), client);
  await server.receives(data(7, 0, "hello"));
  await server.send(ack(7, 5), client);
  await server.receives(close(7));
  await stage.sleep(2_200);
  await assertGivenUp(sending, "2200 ms without news, of 1000");
}));

Deno.test(check("sendReliably() gives up although old acks keep coming", {
  reveals: ["no-give-up"],
  only: "simulated", // Time is exact there.
}, async (stage) => {
  const server = stage.datagram("server");
  const times = { session: 7, rtoMs: 100, giveUpMs: 1_000 };
  const sending = stage.start(() =>
    sendReliably(server.addr, toBytes("hello"), times)
  );

  const client = await server.receives(connect(7));
  for (let old = 0; old < 22; old++) {
    await server.send(ack(7, 0), client);
    await stage.sleep(100);
  }
  await assertGivenUp(sending, "2200 ms without news, of 1000");
}));

// -- Both, over networks of all kinds --

Deno.test(check("sendReliably() reaches serve() with streams of any length", {
  reveals: ["loss-not-repaired"],
}, async (stage) => {
  for (const length of [0, 1, 999, 10_000]) await deliver(stage, [length], {});
}));

Deno.test(check("sendReliably() gets through a loss of 30 percent", {
  reveals: ["loss-not-repaired"],
  datagram: (_, random) => random.next() < 0.3 ? "drop" : undefined,
  only: "simulated", // It takes seconds.
}, async (stage) => {
  await deliver(stage, [10_000], LOSSY);
}));

Deno.test(
  check("sendReliably() sends little more than it must, at 10 percent", {
    reveals: ["loss-not-repaired"],
    datagram: (n, random) =>
      n >= calm && random.next() < 0.1 ? "drop" : undefined,
    only: "simulated", // It takes seconds.
  }, async (stage) => {
    calm = Infinity;
    await deliver(stage, [12_000], LOSSY);
    calm = stage.datagrams; // From here on, some get lost.

    await deliver(stage, [12_000], LOSSY);
    const sent = stage.datagrams - calm;
    assert(
      sent <= 3 * calm,
      `${sent} datagrams were sent, and ${calm} without loss`,
    );
  }),
);

Deno.test(check("sendReliably() gets through when everything comes twice", {
  reveals: ["retransmit-on-dup-ack", "udp-duplicates"],
  datagram: (n) => n >= calm ? "duplicate" : undefined,
}, async (stage) => {
  calm = Infinity;
  await deliver(stage, [6_000], CALM);
  calm = stage.datagrams; // From here on, each comes twice.

  await deliver(stage, [6_000], { ...CALM, session: 8 });
  const sent = stage.datagrams - calm;
  assert(sent <= 3 * calm, `${sent} datagrams were sent, and ${calm} before`);
}));

Deno.test(check("sendReliably() gets through where datagrams overtake others", {
  reveals: ["udp-order"],
  datagram: (_, random) => ({ delay: 1 + random.below(10) }),
}, async (stage) => {
  await deliver(stage, [10_000], { rtoMs: 1_000 });
}));

Deno.test(check("sendReliably() gets through where every way takes 80 ms", {
  reveals: ["rto-too-short", "stop-and-wait"],
  datagram: () => ({ delay: 80 }),
  only: "simulated", // Time is exact there.
}, async (stage) => {
  await deliver(stage, [20_000], {});
  const ms = Math.round(stage.now);
  // One at a time, 42 datagrams would take 7,000 ms.
  assert(ms <= 4_000, `20,000 bytes took ${ms} ms, at 160 ms to and fro`);
}));

Deno.test(check("sendReliably() gets through all of it, mixed", {
  reveals: ["udp-order", "udp-duplicates", "checksum-ignored"],
  datagram: anything,
}, async (stage) => {
  await deliver(stage, [4_000], { rtoMs: 10, giveUpMs: 60_000 });
}));

Deno.test(check("serve() takes twenty streams at once, through all of it", {
  reveals: ["udp-order", "udp-duplicates", "checksum-ignored"],
  datagram: anything,
  only: "simulated", // It takes seconds.
}, async (stage) => {
  const lengths = Array.from({ length: 20 }, (_, n) => 100 * n + 1);
  await deliver(stage, lengths, { ...LOSSY, session: 7 });
}));

/** Expects that `sending` has failed, because the other side is silent. */
async function assertGivenUp(
  sending: ReturnType<Stage["start"]>,
  when: string,
) {
  assert(sending.settled, `sendReliably() has not given up after ${when}`);
  await assertRejects(() => sending.result, TimedOut);
}

/** How many datagrams go by before the weather changes. */
let calm = Infinity;

/** A network that does everything to a fourth of all datagrams. */
function anything(
  _: number,
  random: { next(): number; below(n: number): number },
) {
  const fates = ["drop", "duplicate", "corrupt", { delay: 15 }] as const;
  return fates[random.below(16)];
}

/** Sends streams of these lengths at once, and expects each of them once. */
async function deliver(stage: Stage, lengths: number[], options: Options) {
  const sent = lengths.map((length) => stage.random.bytes(length));
  const { to, streams } = receiver(stage);
  await Promise.all(
    sent.map((stream) =>
      stage.start(() => sendReliably(to, stream, options)).result
    ),
  );
  const bySize = (one: Uint8Array, other: Uint8Array) =>
    one.length - other.length;
  assertMessages(streams.sort(bySize), sent, "serve()");
}

/** Runs serve(), and collects what it delivers. */
function receiver(stage: Stage, options: Options = {}) {
  const streams: Uint8Array[] = [];
  const to = stage.serveDatagrams((socket) =>
    serve(socket, ({ data }) => void streams.push(data), options)
  );
  return { to, streams };
}

/** Answers a sender to its end, and returns the datagrams that came. */
async function answerAll(server: Talker): Promise<Uint8Array[]> {
  const datagrams: Uint8Array[] = [];
  let pos = 0;
  let type: string | undefined;
  while (type !== "close") {
    const { bytes, from } = await server.receive();
    const message = decode(bytes);
    datagrams.push(bytes);
    type = message?.type;
    if (message?.type === "data") pos = message.pos + message.data.length;
    const session = message?.session ?? 7;
    await server.send(type === "close" ? bytes : ack(session, pos), from);
  }
  return datagrams;
}

/** A sender, and the clock that it looks at. */
function atTime(options: { window?: number; rtoMs?: number }) {
  const clock = { ms: 0 };
  const now = () => clock.ms;
  const sender = new Sender({
    window: 64,
    mss: 4,
    rtoMs: 100,
    ...options,
    now,
  });
  return { sender, clock };
}

/** A word for each of `segments` that holds the byte at `at`, or their names. */
function holding(at: number, segments: readonly Segment[]): Uint8Array[] {
  return segments.map((segment) => {
    const { pos, data } = segment;
    const holds = pos <= at && at < pos + data.length;
    return holds ? toBytes(`byte ${at}`) : told([segment])[0]!;
  });
}

/** When `sender` has something to send, until `end`, to ten milliseconds. */
function repetitions(sender: Sender, clock: { ms: number }, end: number) {
  const times: Uint8Array[] = [];
  for (; clock.ms <= end; clock.ms++) {
    if (sender.due().length === 0) continue;
    times.push(toBytes(`${Math.round(clock.ms / 10) * 10} ms`));
  }
  return times;
}

function assertWait({ waitMs }: Sender, expected: number, when: string) {
  const near = Math.abs(waitMs - expected) <= 2;
  assert(near, `waitMs is ${waitMs} ${when}, and not ${expected}`);
}

/** Segments in words: "4 o wo" is "o wo", at position 4. */
function told(segments: readonly Segment[]): Uint8Array[] {
  return segments.map(({ pos, data }) =>
    toBytes(`${pos} ${new TextDecoder().decode(data)}`)
  );
}

// The messages, as they stand in a datagram.

function connect(session: number): Uint8Array {
  return encode({ type: "connect", session });
}

function close(session: number): Uint8Array {
  return encode({ type: "close", session });
}

function ack(session: number, pos: number): Uint8Array {
  return encode({ type: "ack", session, pos });
}

function data(session: number, pos: number, text: string): Uint8Array {
  return encode({ type: "data", session, pos, data: toBytes(text) });
}

/** What decode() finds in a datagram; a field that is undefined is none. */
function fieldsOf(datagram: string) {
  const message = decode(toBytes(datagram));
  if (message === undefined) return undefined;
  const fields = Object.entries(message);
  return Object.fromEntries(fields.filter(([, value]) => value !== undefined));
}

/** The data that decode() finds in a datagram. */
function dataOf(datagram: string | Uint8Array): Uint8Array {
  const message = decode(toBytes(datagram));
  assert(message?.type === "data", `decode() gives ${Deno.inspect(message)}`);
  return message.data;
}
