// The checks for lesson 08. Read them: they say what a line is, and how a
// server that speaks in lines treats its clients.
import { assert, assertEquals, assertRejects } from "@std/assert";
import { assertBytes, check, everySplit } from "check";
import { LineReader, serveGopher, serveLines } from "./lines.ts";

const { InvalidData, UnexpectedEof } = Deno.errors;

/** A line as bytes, so that a failure shows what cannot be seen in text. */
function bytes(line: string | null): Uint8Array<ArrayBuffer> | null {
  return line === null ? null : new TextEncoder().encode(line);
}

/** The handler of most servers here. */
function shout(line: string): string {
  return line.toUpperCase();
}

Deno.test(check("LineReader joins a line that comes in two pieces", {
  reveals: ["one-read-one-message", "stale-buffer-alias"],
}, async (stage) => {
  const lines = new LineReader(stage.reader(["he", "llo\n", null]));

  assertBytes(bytes(await lines.readLine()), "hello", "the line");
  assertEquals(await lines.readLine(), null);
}));

Deno.test(check("LineReader waits for the end of a line, however long", {
  reveals: ["read-until-quiet"],
}, async (stage) => {
  const reader = stage.reader(["he", { pause: 60_000 }, "llo\n", null]);
  const lines = new LineReader(reader);

  assertBytes(bytes(await lines.readLine()), "hello", "the line");
}));

Deno.test(check("LineReader reads on after a read that gives 0 bytes", {
  reveals: ["zero-means-eof"],
}, async (stage) => {
  const lines = new LineReader(stage.reader(["he", 0, "llo\n", 0, "bob\n"]));

  assertBytes(bytes(await lines.readLine()), "hello", "the line");
  assertBytes(bytes(await lines.readLine()), "bob", "the second line");
}));

Deno.test(check("LineReader gives one line a call, and keeps the others", {
  reveals: ["first-message-only", "leftover-discarded"],
}, async (stage) => {
  // After these two reads nothing comes any more, not even the end.
  const lines = new LineReader(stage.reader(["one\ntwo\n", "three\n"]));

  assertBytes(bytes(await lines.readLine()), "one", "the first line");
  assertBytes(bytes(await lines.readLine()), "two", "the second line");
  assertBytes(bytes(await lines.readLine()), "three", "the third line");
}));

Deno.test(check("LineReader takes \\r\\n for one end of a line", {
  reveals: ["crlf-kept"],
}, async (stage) => {
  const lines = new LineReader(stage.reader(["ann\r\nbob\ncleo\r\n", null]));

  assertBytes(bytes(await lines.readLine()), "ann", "the line before \\r\\n");
  assertBytes(bytes(await lines.readLine()), "bob", "the line before \\n");
  assertBytes(bytes(await lines.readLine()), "cleo", "the third line");
}));

Deno.test(
  check("LineReader keeps every other \\r, and spaces", async (stage) => {
    const lines = new LineReader(stage.reader([" a\rb \nc\r\r\n\rd\n", null]));

    assertBytes(bytes(await lines.readLine()), " a\rb ", "the first line");
    assertBytes(bytes(await lines.readLine()), "c\r", "the second line");
    assertBytes(bytes(await lines.readLine()), "\rd", "the third line");
  }),
);

Deno.test(
  check("LineReader gives empty lines like any other", async (stage) => {
    const lines = new LineReader(stage.reader(["\n\r\nend\n\n", null]));

    const all: string[] = [];
    for await (const line of lines) all.push(line);

    assertEquals(all, ["", "", "end", ""]);
  }),
);

Deno.test(check("LineReader gives the same lines wherever a read ends", {
  reveals: ["delimiter-split"],
}, async (stage) => {
  const text = "a\r\nbb\nccc\r\n";
  const pieces = [...everySplit(text), Array.from(text)]; // And byte by byte.
  for (const reads of pieces) {
    const lines = new LineReader(stage.reader([...reads, null]));
    assertBytes(bytes(await lines.readLine()), "a", "the first line");
    assertBytes(bytes(await lines.readLine()), "bb", "the second line");
    assertBytes(bytes(await lines.readLine()), "ccc", "the third line");
    assertEquals(await lines.readLine(), null);
  }
}));

Deno.test(check("LineReader keeps a character whole that two reads bring", {
  reveals: ["utf8-per-chunk"],
}, async (stage) => {
  for (const [head, tail] of everySplit("né 😀\n")) {
    const lines = new LineReader(stage.reader([head, tail, null]));
    assertBytes(bytes(await lines.readLine()), "né 😀", "the line");
  }
}));

Deno.test(check("LineReader keeps a byte order mark", {
  reveals: ["bom-stripped"],
}, async (stage) => {
  const lines = new LineReader(stage.reader(["\ufeffa\n\ufeffb\n", null]));

  assertBytes(bytes(await lines.readLine()), "\ufeffa", "the first line");
  assertBytes(bytes(await lines.readLine()), "\ufeffb", "the second line");
}));

Deno.test(check("LineReader replaces what is not UTF-8, or refuses it", {
  reveals: ["invalid-utf8-silent"],
}, async (stage) => {
  const script = [Uint8Array.of(0x6e, 0xff, 0x0a), "next\n", null];

  const mild = new LineReader(stage.reader(script));
  assertBytes(bytes(await mild.readLine()), "n\ufffd", "the line");
  assertBytes(bytes(await mild.readLine()), "next", "the second line");

  const strict = new LineReader(stage.reader(script), { fatal: true });
  await assertRejects(
    () => strict.readLine(),
    TypeError,
    "",
    "6e ff is not UTF-8",
  );

  // c3 is the first half of an é, and the line ends before the other.
  const cut = [Uint8Array.of(0x6e, 0xc3, 0x0a), "next\n", null];
  const mildly = new LineReader(stage.reader(cut));
  assertBytes(bytes(await mildly.readLine()), "n\ufffd", "the line 6e c3");
  assertBytes(bytes(await mildly.readLine()), "next", "the line after 6e c3");

  const strictly = new LineReader(stage.reader(cut), { fatal: true });
  await assertRejects(
    () => strictly.readLine(),
    TypeError,
    "",
    "6e c3 is not UTF-8",
  );
}));

Deno.test(check("LineReader gives no line that has no end", {
  reveals: ["partial-last-line"],
}, async (stage) => {
  const lines = new LineReader(stage.reader(["ann\nbo", null]));

  assertBytes(bytes(await lines.readLine()), "ann", "the line");
  // Whether this one rejects is the next check's business.
  const rest = await lines.readLine().catch(() => null);
  assert(rest !== "bo", 'readLine() gave "bo", and that line has no end');
}));

Deno.test(check("LineReader reports a stream that ends inside a line", {
  reveals: ["eof-mid-message-ok"],
}, async (stage) => {
  const lines = new LineReader(stage.reader(["ann\nbo", null]));

  assertBytes(bytes(await lines.readLine()), "ann", "the line");
  await assertRejects(
    () => lines.readLine(),
    UnexpectedEof,
    "",
    'the stream ended after "bo"',
  );

  const half = new LineReader(stage.reader([Uint8Array.of(0xc3), null]));
  const came = 'the stream ended after c3, which is half an "é"';
  await assertRejects(() => half.readLine(), UnexpectedEof, "", came);
}));

Deno.test(
  check(
    "LineReader takes a line of maxBytes, with either end",
    async (stage) => {
      for (const reads of [...everySplit("abcd\r\nabcd\n"), ["abcd\nabcd\n"]]) {
        const lines = new LineReader(stage.reader(reads), { maxBytes: 4 });
        assertBytes(bytes(await lines.readLine()), "abcd", "the first line");
        assertBytes(bytes(await lines.readLine()), "abcd", "the second line");
      }
    },
  ),
);

Deno.test(check("LineReader gives up on 256 kilobytes without an end", {
  reveals: ["read-without-room", "unbounded-line"],
}, async (stage) => {
  const reader = stage.reader(Array(8).fill("x".repeat(32_768)));
  const lines = new LineReader(reader); // Of 8,192 bytes at the most.

  await assertRejects(() => lines.readLine(), InvalidData);
}));

Deno.test(
  check("LineReader refuses a line of maxBytes and one more", async (stage) => {
    const lines = new LineReader(stage.reader(["abcde\n"]), { maxBytes: 4 });

    await assertRejects(
      () => lines.readLine(),
      InvalidData,
      "",
      'maxBytes is 4, and "abcde" is too long',
    );

    // Five could be four and a \r. After these no more comes, nor the end.
    const endless = new LineReader(stage.reader(["abcdef"]), { maxBytes: 4 });
    const told = 'maxBytes is 4, and "abcdef" has come';
    await assertRejects(() => endless.readLine(), InvalidData, "", told);
  }),
);

Deno.test(check("LineReader counts bytes against maxBytes", {
  reveals: ["length-in-characters"],
}, async (stage) => {
  const lines = new LineReader(stage.reader(["né\nééé\n"]), { maxBytes: 4 });

  assertBytes(bytes(await lines.readLine()), "né", "the line");
  await assertRejects(
    () => lines.readLine(),
    InvalidData,
    "",
    'maxBytes is 4, and "ééé" has six bytes',
  );
}));

Deno.test(check("LineReader gives 300 lines, whatever holds them", {
  reveals: ["read-without-room"],
}, async (stage) => {
  const line = "x".repeat(99);
  const lines = new LineReader(stage.reader([`${line}\n`.repeat(300)]));

  for (let i = 1; i <= 300; i++) {
    assertBytes(bytes(await lines.readLine()), line, `line ${i}`);
  }
}));

Deno.test(check("LineReader asks for many bytes at once", {
  reveals: ["reads-byte-by-byte"],
}, async (stage) => {
  const reader = stage.reader([`${"x".repeat(999)}\n`]);

  await new LineReader(reader).readLine();

  // One is enough, and whoever asks for a part each time has some more.
  const { reads } = reader;
  assert(reads <= 100, `1,000 bytes that came at once took ${reads} reads`);
}));

Deno.test(check("LineReader reads 4,096 pieces of a line at the pace of one", {
  reveals: ["rescan-from-zero"],
}, async (stage) => {
  const pieces = Array(4_096).fill("x".repeat(512));
  const maxBytes = 4_096 * 512;
  const lines = new LineReader(stage.reader([...pieces, "\n"]), { maxBytes });

  const line = await stage.within(850, () => lines.readLine());

  assertEquals(line?.length, maxBytes);
}));

Deno.test(check("serveLines() answers a line with a line", {
  reveals: ["forgot-terminator"],
}, async (stage) => {
  stage.serve((listener) => serveLines(listener, shout));
  const ann = await stage.connect("ann");

  await ann.send("hello\r\n");
  await ann.receives("HELLO\n");
  await ann.send(" to you \r\r\n");
  await ann.receives(" TO YOU \r\n");
}));

Deno.test(check("serveLines() answers three lines that come at once", {
  reveals: ["first-message-only"],
}, async (stage) => {
  stage.serve((listener) => serveLines(listener, shout));
  const ann = await stage.connect("ann");

  await ann.send("one\ntwo\nthree\n");
  await ann.receives("ONE\nTWO\nTHREE\n");
}));

Deno.test(check("serveLines() answers in the order of the lines", {
  writesAtMost: 3,
}, async (stage) => {
  stage.serve((listener) =>
    serveLines(listener, async (line) => {
      if (line === "slow") await stage.sleep(20);
      return shout(line);
    })
  );
  const ann = await stage.connect("ann");

  await ann.send("slow\n\nfast\n");
  await ann.receives("SLOW\n\nFAST\n");
}));

Deno.test(check("serveLines() sends every reply before it hangs up", {
  reveals: ["exit-before-flush", "interleaved-writers"],
}, async (stage) => {
  stage.serve((listener) =>
    serveLines(listener, (line) => line.repeat(60_000))
  );
  const ann = await stage.connect("ann");

  await ann.send("a\nb\nc\nd\n");
  await ann.closeWrite();
  await stage.sleep(10); // She takes her time, and the buffers are full.

  for (const line of "abcd") await ann.receives(`${line.repeat(60_000)}\n`);
  await ann.receivesEnd();
}));

Deno.test(check("serveLines() keeps the lines of two clients apart", {
  reveals: ["shared-buffer"],
}, async (stage) => {
  stage.serve((listener) => serveLines(listener, (line) => line));
  const ann = await stage.connect("ann");
  const bob = await stage.connect("bob");

  await ann.send("a");
  await bob.send("b");
  await ann.send("nn\n");
  await bob.send("ob\n");

  await ann.receives("ann\n");
  await bob.receives("bob\n");
}));

Deno.test(check("serveLines() keeps the lines of 20 clients apart", {
  reveals: ["shared-buffer"],
}, async (stage) => {
  stage.serve((listener) => serveLines(listener, (line) => line));
  const names = Array.from("abcdefghijklmnopqrst");
  const clients = await Promise.all(names.map((name) => stage.connect(name)));

  for (const client of clients) await client.send(client.name);
  for (const client of clients) await client.send("!\n");

  for (const client of clients) await client.receives(`${client.name}!\n`);
}));

Deno.test(check("serveLines() gives no answer to half a line", {
  reveals: ["partial-last-line", "handler-rejection-kills-server"],
}, async (stage) => {
  stage.serve((listener) => serveLines(listener, shout));
  const ann = await stage.connect("ann");

  await ann.send("hello\nbo");
  await ann.closeWrite();

  await ann.receives("HELLO\n");
  const rest = new TextDecoder().decode(await ann.receiveAll());
  assert(!rest.includes("BO\n"), 'ann got an answer to "bo"');
}));

Deno.test(check("serveLines() outlives a client that vanishes inside a line", {
  reveals: ["handler-rejection-kills-server"],
}, async (stage) => {
  stage.serve((listener) => serveLines(listener, shout));
  const doomed = await stage.connect("doomed", undefined, { canReset: true });
  const bob = await stage.connect("bob");

  await doomed.sendInPieces(["hello\n", "wor"]);
  doomed.reset();

  await bob.send("hello\n");
  await bob.receives("HELLO\n");
}));

Deno.test(check("serveLines() outlives a handler that throws", {
  reveals: ["handler-rejection-kills-server"],
}, async (stage) => {
  stage.serve((listener) =>
    serveLines(listener, (line) => {
      if (line === "boom") throw new Error("a bug in the handler");
      return shout(line);
    })
  );
  const doomed = await stage.connect("doomed");
  const bob = await stage.connect("bob");

  await doomed.send("boom\nhey\n");
  await doomed.closeWrite();
  // An error and whatever follows, or the end.
  const got = new TextDecoder().decode(await doomed.receiveAll());
  assert(got !== "HEY\n", '"boom" got no reply and no end, and "hey" a reply');

  await bob.send("hello\n");
  await bob.receives("HELLO\n");
}));

Deno.test(check("serveLines() outlives a handler that throws no Error", {
  reveals: ["handler-rejection-kills-server"],
}, async (stage) => {
  stage.serve((listener) =>
    serveLines(listener, (line) => {
      if (line === "text") throw "no Error, and thrown all the same";
      return line === "nothing" ? Promise.reject() : shout(line);
    })
  );
  const doomed = [await stage.connect("text"), await stage.connect("nothing")];
  const bob = await stage.connect("bob");

  for (const client of doomed) {
    await client.send(`${client.name}\n`);
    await client.closeWrite();
    await client.receiveAll(); // An error, or nothing but the end.
  }

  await bob.send("hello\n");
  await bob.receives("HELLO\n");
}));

Deno.test(check("serveLines() hangs up on a line without an end", {
  reveals: ["handler-rejection-kills-server"],
}, async (stage) => {
  stage.serve((listener) => serveLines(listener, shout));
  const doomed = await stage.connect("doomed");
  const bob = await stage.connect("bob");

  await doomed.send("x".repeat(30_000));
  await doomed.receiveAll(); // Whatever is said before the end.

  await bob.send("hello\n");
  await bob.receives("HELLO\n");
}));

Deno.test(check("serveGopher() sends what is selected, and hangs up", {
  reveals: ["forgot-terminator"],
}, async (stage) => {
  const everyByte = Uint8Array.from({ length: 256 }, (_, i) => i);
  const menu = new Map([["", bytes("the menu")!], ["/picture", everyByte]]);
  stage.serve((listener) => serveGopher(listener, menu));
  const ann = await stage.connect("ann");
  const bob = await stage.connect("bob");

  await ann.send("\r\n");
  await ann.receives("the menu");
  await ann.receivesEnd();
  await bob.sendInPieces(["/pic", "ture\r", "\n"]);
  await bob.receives(everyByte);
  await bob.receivesEnd();
}));

Deno.test(check("serveGopher() sends a long text to its end", {
  reveals: ["exit-before-flush", "ignore-write-count"],
}, async (stage) => {
  const long = stage.random.bytes(300_000); // More than the buffers hold.
  const menu = new Map([["/long", long]]);
  stage.serve((listener) => serveGopher(listener, menu));
  const ann = await stage.connect("ann");

  await ann.send("/long\r\n");
  await stage.sleep(10); // She takes her time.
  await ann.receives(long);
  await ann.receivesEnd();
}));

Deno.test(
  check("serveGopher() takes a selector as it is", async (stage) => {
    const long = "/".repeat(255); // RFC 1436 allows no more.
    const names = ["a", long, `${long}/`];
    const menu = new Map(names.map((name) => [name, bytes("a text")!]));
    stage.serve((listener) => serveGopher(listener, menu));
    const ann = await stage.connect("ann");
    const bob = await stage.connect("bob");
    const cleo = await stage.connect("cleo");

    await ann.send(" a \r\n"); // With its spaces it is another name.
    await ann.receives("3Nothing has this name\t\terror.host\t1\r\n.\r\n");
    await bob.send(`${long}\r\n`);
    await bob.receives("a text");
    await cleo.send(`${long}/\r\n`);
    const reply = new TextDecoder().decode(await cleo.receiveAll());
    assert(reply !== "a text", "a selector of 256 bytes got its text");
  }),
);

Deno.test(
  check("serveGopher() says that a selector is unknown", async (stage) => {
    stage.serve((listener) => serveGopher(listener, new Map()));
    const ann = await stage.connect("ann");

    await ann.send("/../../etc/passwd\r\n");
    await ann.receives("3Nothing has this name\t\terror.host\t1\r\n.\r\n");
    await ann.receivesEnd();
  }),
);

Deno.test(
  check("serveGopher() outlives those who select nothing", async (stage) => {
    const menu = new Map([["", bytes("the menu")!]]);
    stage.serve((listener) => serveGopher(listener, menu));
    const silent = await stage.connect("silent");
    const doomed = await stage.connect("doomed");
    const bob = await stage.connect("bob");

    await silent.closeWrite();
    await silent.receivesEnd();
    await doomed.send("/".repeat(1_000)); // RFC 1436 allows 255.
    await doomed.receiveAll();
    await bob.send("\r\n");
    await bob.receives("the menu");
  }),
);
