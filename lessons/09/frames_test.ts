// The checks for lesson 09. Read them: they say what a frame is, and what
// becomes of a peer that sends anything else.
import { assert, assertRejects, assertThrows } from "@std/assert";
import { assertBytes, assertMessages, check, concat, everySplit } from "check";
import { encodeFrame, FrameDecoder, frames, serve } from "./frames.ts";

const { InvalidData, UnexpectedEof } = Deno.errors;

/** What most of the checks allow: bodies of 64 bytes. */
const options = { maxLength: 64 };

Deno.test(check("encodeFrame() puts the length first, its highest byte first", {
  reveals: ["length-endianness", "length-includes-header"],
}, () => {
  const hello = concat([Uint8Array.of(0, 0, 0, 5), bytes("hello")]);
  assertBytes(encodeFrame(bytes("hello")), hello, 'the frame of "hello"');
  assertBytes(encodeFrame(bytes("")), Uint8Array.of(0, 0, 0, 0), "of nothing");
  const window = bytes("say hello again").subarray(4, 9);
  assertBytes(
    encodeFrame(window),
    hello,
    "the frame of bytes 4 to 9 of a buffer",
  );

  const much = new Uint8Array(65_536).fill(0xff);
  const frame = concat([Uint8Array.of(0, 1, 0, 0), much]);
  assertBytes(encodeFrame(much), frame, "the frame of 65,536 bytes");
}));

Deno.test(check("encodeFrame() counts bytes", {
  reveals: ["length-in-characters"],
}, () => {
  const accent = concat([Uint8Array.of(0, 0, 0, 6), bytes("héllo")]);
  const dog = concat([Uint8Array.of(0, 0, 0, 4), bytes("🐶")]);

  assertBytes(encodeFrame(bytes("héllo")), accent, 'the frame of "héllo"');
  assertBytes(encodeFrame(bytes("🐶")), dog, 'the frame of "🐶"');
}));

Deno.test(check("FrameDecoder returns the body of a whole frame at once", {
  reveals: ["state-machine-blocking", "length-endianness"],
}, () => {
  const bodies = new FrameDecoder(options).push(frame("hello"));

  assertMessages(bodies, ["hello"], "push() of a whole frame");
}));

Deno.test(check("FrameDecoder waits for the rest of a body", {
  reveals: ["one-read-one-message"],
}, () => {
  const decoder = new FrameDecoder(options);
  const hello = frame("hello");

  const early = decoder.push(hello.subarray(0, 6));
  assertMessages(early, [], "push() of 6 bytes of a frame of 9");

  const late = decoder.push(hello.subarray(6));
  assertMessages(late, ["hello"], "push() of its other 3 bytes");
}));

Deno.test(check("FrameDecoder waits for the rest of a header", {
  reveals: ["header-single-read"],
}, () => {
  for (const [head, tail] of everySplit(header(5))) {
    const decoder = new FrameDecoder(options);

    const early = decoder.push(head);
    assertMessages(early, [], `push() of ${head.length} of 4 header bytes`);

    const late = decoder.push(concat([tail, bytes("hello")]));
    assertMessages(late, ["hello"], "push() of the rest of the frame");
  }
}));

Deno.test(check("FrameDecoder returns every frame that a chunk completes", {
  reveals: ["dataview-offset", "first-message-only"],
  only: "simulated", // No network carries these bytes: once is enough.
}, () => {
  const decoder = new FrameDecoder(options);
  const three = decoder.push(wire(["one", "three", "four"]));
  assertMessages(three, ["one", "three", "four"], "push() of three frames");

  const thousand = Array.from({ length: 1_000 }, (_, i) => `message ${i}`);
  const all = decoder.push(wire(thousand));
  assertMessages(all, thousand, "push() of 1,000 frames");
}));

Deno.test(check("FrameDecoder returns bodies that nobody overwrites", {
  reveals: ["stale-buffer-alias"],
}, () => {
  const decoder = new FrameDecoder(options);
  const buffer = frame("hello");

  const first = decoder.push(buffer);
  buffer.fill(0xff); // As the next read does.
  const second = decoder.push(frame("later"));

  assertMessages([...first, ...second], ["hello", "later"], "two push() calls");
}));

Deno.test(check("FrameDecoder keeps what begins the next frame", {
  reveals: ["leftover-discarded"],
}, () => {
  const bodies = ["one", "three", "four"];
  for (const [left, right] of everySplit(wire(bodies))) {
    const decoder = new FrameDecoder(options);

    const all = [...decoder.push(left), ...decoder.push(right)];

    assertMessages(
      all,
      bodies,
      `three frames, cut after ${left.length} bytes,`,
    );
  }
}));

Deno.test(check("FrameDecoder counts the bytes of an unfinished frame", () => {
  const decoder = new FrameDecoder(options);
  const counts = [decoder.buffered];
  for (const chunk of ["\0\0\0", "\x05he", "llo"]) {
    decoder.push(bytes(chunk));
    counts.push(decoder.buffered);
  }

  const told = "buffered before, in and after a frame should be 0,3,6,0";
  assert(`${counts}` === "0,3,6,0", `${told}, and is ${counts}`);
}));

Deno.test(check("FrameDecoder returns empty bodies like any other", {
  reveals: ["zero-length-frame"],
}, () => {
  const decoder = new FrameDecoder(options);
  const alone = decoder.push(header(0));
  assertMessages(alone, [""], "push() of 00 00 00 00");

  const bodies = ["", "hello", "", "", "bye", ""];
  assertMessages(decoder.push(wire(bodies)), bodies, "push() of six frames");
}));

Deno.test(check("FrameDecoder reads a chunk that is a window of a buffer", {
  reveals: ["dataview-offset"],
}, () => {
  const buffer = concat([header(2), frame("hello"), bytes("later")]);

  const bodies = new FrameDecoder(options).push(buffer.subarray(4, 13));

  assertMessages(bodies, ["hello"], "push() of bytes 4 to 13 of a buffer");
}));

Deno.test(check("FrameDecoder copies each byte about once", {
  reveals: ["rescan-from-zero"],
  only: "simulated", // No network carries these bytes: once is enough.
}, async (stage) => {
  const long = new Uint8Array(2 ** 21 - 4).fill(0x61);
  const sent = frame(long);
  const decoder = new FrameDecoder({ maxLength: 2 ** 21 });
  const bodies: Uint8Array[] = [];
  const push1024 = (first: number) => {
    for (let at = first; at < first + 1_024 * 128; at += 128) {
      bodies.push(...decoder.push(sent.subarray(at, at + 128)));
    }
  };

  // In steps: what costs more and more is stopped before it has cost seconds.
  for (let at = 0; at < sent.length; at += 1_024 * 128) {
    await stage.within(150, () => push1024(at));
  }

  assertMessages(bodies, [long], "push() of 128 bytes, 16,384 times");
}));

Deno.test(
  check("FrameDecoder accepts a body of exactly maxLength bytes", () => {
    const longest = bytes("a".repeat(64));

    const bodies = new FrameDecoder(options).push(frame(longest));

    assertMessages(bodies, [longest], "push() of 64 bytes, with 64 allowed,");
  }),
);

Deno.test(check("FrameDecoder refuses a body longer than maxLength", {
  reveals: ["unbounded-length"],
}, () => {
  const decoder = new FrameDecoder(options);
  const told = "push() of a header that announces 65 bytes, with 64 allowed";
  assertThrows(() => decoder.push(header(65)), InvalidData, "", told);
}));

Deno.test(check("FrameDecoder refuses before it makes room", {
  reveals: ["allocate-before-check"],
}, () => {
  const crowd = [1, 2, 3, 4].map(() => new FrameDecoder(options));
  const before = Deno.memoryUsage().external;

  const told = "push() of a header that announces half a gigabyte";
  for (const decoder of crowd) {
    assertThrows(() => decoder.push(header(2 ** 29)), InvalidData, "", told);
  }

  const room = Deno.memoryUsage().external - before;
  assert(
    room < 2 ** 28,
    `For 16 bytes your program made room for ${room} bytes`,
  );
}));

Deno.test(check("FrameDecoder takes a length for a number without a sign", {
  reveals: ["negative-length"],
}, () => {
  for (const length of [2 ** 31, 2 ** 31 + 1, 2 ** 32 - 1]) {
    const decoder = new FrameDecoder(options);

    const told = `push() of a header that announces ${length} bytes`;
    assertThrows(() => decoder.push(header(length)), InvalidData, "", told);
  }
}));

Deno.test(check("FrameDecoder accepts nothing after a false length", {
  reveals: ["resync-after-error"],
}, () => {
  const decoder = new FrameDecoder(options);
  assertThrows(() => decoder.push(header(65)), InvalidData);

  const told = "push() after a header that announced 65 bytes, with 64 allowed";
  for (const chunk of [frame("hello"), bytes("h"), frame("hello")]) {
    assertThrows(() => decoder.push(chunk), InvalidData, "", told);
  }
}));

Deno.test(check("FrameDecoder accepts the end between two frames", {
  reveals: ["clean-eof-is-error"],
}, () => {
  const decoder = new FrameDecoder(options);
  decoder.push(wire(["one", "", "three"]));
  decoder.end();

  new FrameDecoder(options).end(); // Nobody has to say anything.
}));

Deno.test(check("FrameDecoder refuses the end inside a frame", {
  reveals: ["eof-mid-message-ok"],
}, () => {
  for (const [begun] of everySplit(frame("hello"))) {
    const decoder = new FrameDecoder(options);
    decoder.push(begun);

    const told = `end() after ${begun.length} bytes of a frame of 9`;
    assertThrows(() => decoder.end(), UnexpectedEof, "", told);
  }
}));

Deno.test(check("frames() yields a frame as soon as it is complete", {
  reveals: ["first-message-only"],
}, async (stage) => {
  const arriving = concat([wire(["one", "three"]), bytes("\0\0")]);
  const incoming = frames(stage.reader([arriving]), options);

  const one = await incoming.next();
  const three = await incoming.next();

  assertMessages([one.value, three.value], ["one", "three"], "frames()");
}));

Deno.test(check("frames() ends with its reader, between two frames", {
  reveals: ["clean-eof-is-error"],
}, async (stage) => {
  for (const [left, right] of everySplit(wire(["one", "", "four"]))) {
    const reader = stage.reader([left, right, null]);

    const all = await Array.fromAsync(frames(reader, options));

    assertMessages(all, ["one", "", "four"], "frames()");
  }
}));

Deno.test(check("frames() throws when its reader ends inside a frame", {
  reveals: ["eof-mid-message-ok"],
}, async (stage) => {
  for (const [begun] of everySplit(frame("bye"))) {
    const incoming = frames(stage.reader([frame("one"), begun, null]), options);
    await incoming.next();

    const told = `frames() at the end after ${begun.length} bytes of 7`;
    await assertRejects(() => incoming.next(), UnexpectedEof, "", told);
  }
}));

Deno.test(
  check(
    "frames() throws at a false length, after what came before",
    async (stage) => {
      const reader = stage.reader([frame("one"), header(65), frame("three")]);
      const incoming = frames(reader, options);

      const one = await incoming.next();
      assertMessages([one.value], ["one"], "frames()");

      const told =
        "frames() at a header that announces 65 bytes, with 64 allowed";
      await assertRejects(() => incoming.next(), InvalidData, "", told);
    },
  ),
);

Deno.test(check("serve() echoes frame by frame", {
  reveals: ["ignore-write-count", "writeall-from-start"],
  writesAtMost: 50,
}, async (stage) => {
  stage.serve(serve);
  const ann = await stage.connect("ann");
  const everything = Uint8Array.from({ length: 256 }, (_, i) => i);

  await ann.send(frame("hello"));
  await ann.receives(frame("hello"));
  await ann.sendByteByByte(frame("bytes"));
  await ann.receives(frame("bytes"));
  await ann.send(wire(["", everything]));
  await ann.receives(wire(["", everything]));
}));

Deno.test(check("serve() answers bob while ann is inside a frame", {
  reveals: ["await-in-accept-loop", "shared-buffer"],
}, async (stage) => {
  stage.serve(serve);
  const ann = await stage.connect("ann");
  const bob = await stage.connect("bob");

  // Twelve bytes are missing, just as many as bob sends.
  await ann.send(frame("hello, server?").subarray(0, 6));
  await bob.send(frame("bob here"));
  await bob.receives(frame("bob here"));

  await ann.send("llo, server?");
  await ann.receives(frame("hello, server?"));

  // The same inside a header, where the two differ in the third byte.
  const [long, longer] = [frame("b".repeat(300)), frame(new Uint8Array(600))];
  await ann.send(longer.subarray(0, 3));
  await bob.send(long);
  await bob.receives(long);
  await ann.send(longer.subarray(3));
  await ann.receives(longer);
}));

Deno.test(check("serve() sends every answer before it hangs up", {
  reveals: ["reply-after-readable", "exit-before-flush", "interleaved-writers"],
}, async (stage) => {
  stage.serve(serve);
  const ann = await stage.connect("ann");
  const long = ["a", "b", "c"].map((letter) => letter.repeat(60_000));
  const much = wire([...long, "one", "more"]);

  await ann.send(much);
  await ann.closeWrite();
  await stage.sleep(10); // She takes her time, and the buffers are full.
  await ann.receives(much);
  await ann.receivesEnd();
}));

Deno.test(check("serve() outlives a client that ends inside a frame", {
  reveals: ["handler-rejection-kills-server"],
}, async (stage) => {
  stage.serve(serve);
  const doomed = await stage.connect("doomed");
  const bob = await stage.connect("bob");

  await doomed.send(frame("one"));
  await doomed.receives(frame("one"));
  await doomed.send(concat([header(5), bytes("he")]));
  await doomed.closeWrite();
  await doomed.receivesEnd();

  await bob.send(frame("still here?"));
  await bob.receives(frame("still here?"));
}));

Deno.test(check("serve() outlives a client that vanishes inside a frame", {
  reveals: ["handler-rejection-kills-server"],
}, async (stage) => {
  stage.serve(serve);
  const doomed = await stage.connect("doomed", undefined, { canReset: true });
  const bob = await stage.connect("bob");

  await doomed.send(frame("hello").subarray(0, 6));
  doomed.reset();

  await bob.send(frame("still here?"));
  await bob.receives(frame("still here?"));
}));

Deno.test(check("serve() hangs up on a client that announces too much", {
  reveals: ["handler-rejection-kills-server"],
}, async (stage) => {
  const strict = stage.serve((listener) => serve(listener, options));
  const ann = await stage.connect("ann", strict);
  const bob = await stage.connect("bob", strict);

  await ann.send(header(65));
  await ann.receivesEnd();

  await bob.send(frame("still here?"));
  await bob.receives(frame("still here?"));
}));

Deno.test(
  check(
    "serve() allows 65,536 bytes if nobody says otherwise",
    async (stage) => {
      stage.serve(serve);
      const ann = await stage.connect("ann");
      const longest = frame(new Uint8Array(65_536).fill(0x61));

      await ann.send(longest);
      await ann.receives(longest);
      await ann.send(header(65_537));
      await ann.receivesEnd();
    },
  ),
);

Deno.test(check("serve() waits for a client that is slow to read", {
  reveals: ["ignore-write-count", "shared-buffer"],
}, async (stage) => {
  stage.serve(serve);
  const ann = await stage.connect("ann");
  const bob = await stage.connect("bob");
  const much = wire(["a", "b", "c"].map((letter) => letter.repeat(60_000)));

  await ann.send(much); // She does not read yet, and the buffers fill up.
  await bob.send(frame("quick"));
  await bob.receives(frame("quick"));
  await ann.receives(much);
}));

/** The UTF-8 bytes of `text`. */
function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** The four bytes that announce a body of `length` bytes. */
function header(length: number): Uint8Array {
  // An array of bytes keeps the lowest eight bits of each number.
  return Uint8Array.from([24, 16, 8, 0], (shift) => length / 2 ** shift);
}

/** A frame as it has to look on the wire. */
function frame(body: string | Uint8Array): Uint8Array {
  const content = typeof body === "string" ? bytes(body) : body;
  return concat([header(content.length), content]);
}

/** One frame for each of `bodies`, with nothing between them. */
function wire(bodies: readonly (string | Uint8Array)[]): Uint8Array {
  return concat(bodies.map(frame));
}
