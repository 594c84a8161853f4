// The checks for lesson 01. Read them: they say what writeAll(), readToEnd()
// and exchange() promise.
import { assert, assertEquals, assertRejects } from "@std/assert";
import { assertBytes, check } from "check";
import { exchange, readToEnd, writeAll } from "./exchange.ts";

const { BrokenPipe, ConnectionRefused, ConnectionReset } = Deno.errors;
const bytes = (text: string) => new TextEncoder().encode(text);
const grouped = (n: number) => n.toLocaleString("en-US");
const everyByte = Uint8Array.from({ length: 256 }, (_, i) => i);

Deno.test(check("writeAll() goes on where the writer stopped", {
  reveals: [
    "write-count-not-added",
    "writeall-from-start",
    "ignore-write-count",
  ],
}, async (stage) => {
  const given = bytes("hello, world");
  const writer = stage.writer([1, 3, 7], { given }); // At most so many a time.

  await writeAll(writer, given);

  assertBytes(writer.received, "hello, world", "what was written");
}));

Deno.test(
  check(
    "writeAll() asks a writer that takes everything once",
    async (stage) => {
      const writer = stage.writer();

      await writeAll(writer, bytes("hello, world"));

      assertBytes(writer.received, "hello, world", "what was written");
      assert(
        writer.writes === 1,
        `write() was called ${writer.writes} times, and once was enough`,
      );
    },
  ),
);

Deno.test(check("writeAll() passes on the error of a write", {
  reveals: ["write-error-swallowed"],
}, async (stage) => {
  const writer = stage.writer([5, new BrokenPipe("nobody reads any more")]);

  await assertRejects(
    () => writeAll(writer, bytes("hello, world")),
    BrokenPipe,
    "nobody reads",
    "the error belongs to whoever called",
  );
}));

Deno.test(check("readToEnd() returns what was read, and nothing behind it", {
  reveals: ["ignore-read-count", "eof-infinite-loop"],
}, async (stage) => {
  const reader = stage.reader(["hello", null]);

  assertBytes(await readToEnd(reader), "hello");
}));

Deno.test(check("readToEnd() joins what many reads give", {
  reveals: ["short-read-means-end", "ignore-read-count", "stale-buffer-alias"],
}, async (stage) => {
  const reader = stage.reader(["hel", "lo, ", "wor", "ld", null]);

  assertBytes(await readToEnd(reader), "hello, world");
}));

Deno.test(check("readToEnd() goes on after a read of 0 bytes", {
  reveals: ["zero-means-eof"],
}, async (stage) => {
  const reader = stage.reader(["hel", 0, "lo", null]);

  assertBytes(await readToEnd(reader), "hello");
}));

Deno.test(check("readToEnd() waits, however long nothing comes", {
  reveals: ["read-until-quiet"],
  only: "simulated", // There a minute takes no time.
}, async (stage) => {
  const reader = stage.reader(["hel", { pause: 60_000 }, "lo", null]);

  assertBytes(await readToEnd(reader), "hello");
}));

Deno.test(check("readToEnd() returns an empty array for an empty answer", {
  reveals: ["ignore-read-count", "eof-infinite-loop"],
}, async (stage) => {
  const reader = stage.reader([null]);

  assertBytes(await readToEnd(reader), "");
}));

Deno.test(check("readToEnd() leaves each of 2,000 single bytes as it is", {
  reveals: ["binary-through-string", "short-read-means-end"],
}, async (stage) => {
  const sent = stage.random.bytes(2_000);
  const pieces = Array.from(sent, (byte) => Uint8Array.of(byte));

  assertBytes(await readToEnd(stage.reader([...pieces, null])), sent);
}));

Deno.test(check("readToEnd() joins 4,096 pieces at the pace of one", {
  reveals: ["copies-all-each-time"],
}, async (stage) => {
  const pieces = Array(4_096).fill(new Uint8Array(512).fill(0x78));
  const reader = stage.reader([...pieces, null]);

  const answer = await stage.within(700, () => readToEnd(reader));

  assertEquals(answer.length, 4_096 * 512);
}));

Deno.test(check("readToEnd() leaves an earlier result alone", {
  reveals: ["stale-buffer-alias"],
}, async (stage) => {
  const first = await readToEnd(stage.reader(["first", null]));
  await readToEnd(stage.reader(["second", null]));

  assertBytes(first, "first", "the first result, after a second call,");
}));

Deno.test(check("readToEnd() keeps two answers apart that come at once", {
  reveals: ["one-buffer-for-all"],
}, async (stage) => {
  const ann = stage.reader(["I ", "am ", "ann", null]);
  const bob = stage.reader(["and I ", "am ", "bob", null]);

  const both = [readToEnd(ann), readToEnd(bob)] as const;
  const [first, second] = await Promise.all(both);

  assertBytes(first, "I am ann", "the first answer");
  assertBytes(second, "and I am bob", "the second answer");
}));

Deno.test(check("readToEnd() returns as much as its limit", async (stage) => {
  const reader = stage.reader(["hello", null]);

  assertBytes(await readToEnd(reader, 5), "hello");
}));

Deno.test(
  check("readToEnd() refuses one byte more than its limit", async (stage) => {
    const reader = stage.reader(["hel", "lo!", null]);

    await assertRejects(
      () => readToEnd(reader, 5),
      RangeError,
      "",
      "six bytes came, and the limit is 5",
    );
  }),
);

Deno.test(check("readToEnd() stops reading beyond its limit", {
  reveals: ["limit-after-reading"],
}, async (stage) => {
  const kibibyte = new Uint8Array(1_024);
  const reader = stage.reader([...Array(1_024).fill(kibibyte), null]);

  await assertRejects(
    () => readToEnd(reader, 65_536),
    RangeError,
    "",
    "a mebibyte came, and the limit is 65,536 bytes",
  );
  assert(
    reader.given < 2 * 65_536,
    `readToEnd() read ${grouped(reader.given)} bytes before it refused ` +
      "more than 65,536",
  );
}));

Deno.test(check("readToEnd() passes on the error of a read", {
  reveals: ["reset-is-clean-eof"],
}, async (stage) => {
  const reader = stage.reader(["hel", new ConnectionReset("cut off")]);

  await assertRejects(() => readToEnd(reader), ConnectionReset, "cut off");
}));

Deno.test(check("exchange() sends the request and returns the answer", {
  reveals: [
    "missing-permission",
    "closewrite-too-early",
    "return-without-await",
    "close-instead-of-closewrite",
    "double-close",
    "leaked-conn",
  ],
}, async (stage) => {
  const server = await stage.listen("ann");
  const answer = stage.start(() => exchange(server.addr, bytes("ping")));
  const ann = await server.accept();

  await ann.receives("ping");
  await ann.send("pong");
  ann.close();

  assertBytes(await answer.result, "pong", "the answer");
}));

Deno.test(check("exchange() lets the server know that the request is over", {
  reveals: ["close-instead-of-closewrite", "forgot-terminator"],
}, async (stage) => {
  const server = await stage.listen("ann");
  const answer = stage.start(() => exchange(server.addr, bytes("1 2 3")));
  const ann = await server.accept();

  await ann.receives("1 2 3");
  await ann.receivesEnd(); // Only now does ann know that there is no 4.
  await ann.send("6");
  ann.close();

  assertBytes(await answer.result, "6", "the answer");
}));

Deno.test(check("exchange() sends and returns every byte as it is", {
  reveals: ["binary-through-string"],
}, async (stage) => {
  const server = await stage.listen("ann");
  const answer = stage.start(() => exchange(server.addr, everyByte));
  const ann = await server.accept();

  await ann.receives(everyByte);
  await ann.send(everyByte);
  ann.close();

  assertBytes(await answer.result, everyByte, "the answer");
}));

Deno.test(check("exchange() waits for an answer that comes bit by bit", {
  reveals: ["short-read-means-end"],
}, async (stage) => {
  const server = await stage.listen("ann");
  const answer = stage.start(() => exchange(server.addr, bytes("a poem")));
  const ann = await server.accept();

  await ann.receives("a poem");
  await ann.sendByteByByte("the sea, the sea");
  ann.close();

  assertBytes(await answer.result, "the sea, the sea", "the answer");
}));

Deno.test(
  check("exchange() sends all of a long request", {
    reveals: ["writeall-from-start", "ignore-write-count"],
    writesAtMost: 30_000,
  }, async (stage) => {
    const request = stage.random.bytes(300_000);
    const server = await stage.listen("ann");
    const answer = stage.start(() => exchange(server.addr, request));
    const ann = await server.accept();

    await ann.receives(request);
    await ann.send("done");
    ann.close();

    assertBytes(await answer.result, "done", "the answer");
  }),
);

Deno.test(check("exchange() passes on a reset, and closes the connection", {
  reveals: ["reset-is-clean-eof", "leak-on-error-path"],
}, async (stage) => {
  const server = await stage.listen("doomed", { canReset: true });
  const answer = stage.start(() => exchange(server.addr, bytes("count to 99")));
  const doomed = await server.accept();

  await doomed.receives("count to 99");
  await doomed.receivesEnd();
  await doomed.send("1 2 3 4 5 ");
  doomed.reset();

  await assertRejects(() => answer.result, ConnectionReset);
}));

Deno.test(check("exchange() closes the connection if a write fails", {
  reveals: ["try-begins-too-late", "write-error-swallowed"],
  writesAtMost: 30_000,
}, async (stage) => {
  const server = await stage.listen("doomed", { canReset: true });
  const novel = new Uint8Array(10_000_000); // More than the buffers hold.
  const answer = stage.start(() => exchange(server.addr, novel));
  const doomed = await server.accept();

  await doomed.receive(1_000);
  doomed.reset();

  await assertRejects(
    () => answer.result,
    Error,
    "",
    "half of the request is lost, and whoever called must learn of it",
  );
}));

Deno.test(check("exchange() passes on that nobody reads any more", {
  reveals: ["write-error-swallowed"],
}, async (stage) => {
  const server = await stage.listen("doomed", { canReset: true });
  const novel = new Uint8Array(10_000_000); // More than the buffers hold.
  const answer = stage.start(() => exchange(server.addr, novel));
  const doomed = await server.accept();

  await doomed.receive(1_000);
  await doomed.closeWrite(); // No answer will come, and then nobody is there.
  doomed.reset();

  await assertRejects(
    () => answer.result,
    Error, // BrokenPipe, or Interrupted for who closes at the end.
    "",
    "most of the request is lost, and whoever called must learn of it",
  );
}));

Deno.test(check("exchange() connects to the host that it is told", {
  address: "127.0.0.2",
}, async (stage) => {
  const server = await stage.listen("ann", { hostname: "127.0.0.2" });
  const answer = stage.start(() => exchange(server.addr, bytes("ping")));
  const ann = await server.accept();

  await ann.send("pong");
  ann.close();

  assertBytes(await answer.result, "pong", "the answer");
}));

Deno.test(check("exchange() passes on that nobody listens", {
  reveals: ["missing-permission"],
}, async (stage) => {
  const server = await stage.listen("nobody", { willClose: true });
  server.close();

  await assertRejects(
    () => exchange(server.addr, bytes("anyone?")),
    ConnectionRefused,
    "",
    "nobody listens, and whoever called must learn of it",
  );
}));
