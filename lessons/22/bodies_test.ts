// The checks for lesson 22. Read them: they say where a request ends, and what
// becomes of one that leaves it open.
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  type Actor,
  assertBytes,
  check,
  concat,
  everySplit,
  type Stage,
} from "check";
import {
  bodyFraming,
  ByteReader,
  chunkedWriter,
  type Fields,
  type Handler,
  HttpError,
  parseField,
  readChunked,
  type Reader,
  serve,
} from "./bodies.ts";

const { UnexpectedEof } = Deno.errors;

const LIMITS = { total: 1_000, line: 100, trailer: 1_000 };

// -- Part 1: where a body ends --

Deno.test(
  check("bodyFraming() tells three kinds of bodies apart", async (stage) => {
    const framed = (name: string, value: string) =>
      told(
        stage,
        `bodyFraming() of "${name}: ${value}"`,
        () => bodyFraming([[name, value]], "HTTP/1.1"),
      );
    const [length, coding] = ["content-length", "transfer-encoding"];

    assertEquals(await framed("host", "a"), { kind: "none" });
    assertEquals(await framed(length, "0"), { kind: "length", n: 0 });
    const mebibyte = { kind: "length", n: 1_048_576 } as const;
    assertEquals(await framed(length, "1048576"), mebibyte);
    assertEquals(await framed(coding, "chunked"), { kind: "chunked" });
    assertEquals(await framed(coding, "Chunked"), { kind: "chunked" });
  }),
);

Deno.test(check("bodyFraming() refuses a length beside chunks", {
  reveals: ["http-cl-te"],
}, () => {
  const length: Fields[number] = ["content-length", "5"];
  const chunked: Fields[number] = ["transfer-encoding", "chunked"];

  refusesToFrame(length, chunked);
  refusesToFrame(chunked, length);
  refusesToFrame(["content-length", ""], chunked);
}));

Deno.test(check("bodyFraming() refuses two lengths", {
  reveals: ["http-dup-length"],
}, () => {
  refusesToFrame(["content-length", "10"], ["content-length", "0"]);
  refusesToFrame(["content-length", "0"], ["content-length", "10"]);
  refusesToFrame(["content-length", "5, 6"]);
  refusesToFrame(["content-length", "5"], ["content-length", "5"]);
}));

Deno.test(check("bodyFraming() refuses a length that is not all digits", {
  reveals: ["http-lenient-number"],
}, () => {
  const bad = [
    "5x",
    "5 5",
    "+5",
    "-1",
    "0x5",
    "1e3",
    "5.0",
    "1_0",
    "\xa05",
    "",
  ];

  for (const length of bad) refusesToFrame(["content-length", length]);
}));

Deno.test(check("bodyFraming() refuses a length that no number holds", {
  reveals: ["http-length-rounds"],
}, () => {
  refusesToFrame(["content-length", "9007199254740993"]); // 2^53 + 1
  refusesToFrame(["content-length", "9223372036854775808"]); // 2^63
  refusesToFrame(["content-length", "9".repeat(400)]);
}));

Deno.test(check("bodyFraming() refuses codings other than chunked", {
  reveals: ["http-te-variants"],
}, () => {
  const bad = ["xchunked", "chunked, gzip", "gzip, chunked", "chunked, chunked"]
    .concat("chunked;x", '"chunked"', "identity", "\xa0chunked", "");

  for (const coding of bad) refusesToFrame(["transfer-encoding", coding]);
  refusesToFrame(
    ["transfer-encoding", "gzip"],
    ["transfer-encoding", "chunked"],
  );
}));

Deno.test(check("bodyFraming() refuses chunks in HTTP/1.0", {
  reveals: ["http-10-chunked"],
}, () => {
  const old = () => bodyFraming([["transfer-encoding", "chunked"]], "HTTP/1.0");

  const told = 'bodyFraming() of "transfer-encoding: chunked" in HTTP/1.0';
  assertThrows(old, HttpError, "", told);
}));

Deno.test(check("bodyFraming() asks no other field", () => {
  const others: Fields = [
    ["accept-encoding", "gzip, chunked"],
    ["te", "chunked"],
    ["content-encoding", "gzip"],
    ["x-content-length", "5"],
  ];
  const length: Fields[number] = ["content-length", "7"];

  assertEquals(bodyFraming(others, "HTTP/1.1"), { kind: "none" });
  assertEquals(
    bodyFraming([...others, length], "HTTP/1.1"),
    { kind: "length", n: 7 },
  );
}));

// -- Part 2: what a field is --

Deno.test(
  check("parseField() splits a line into a name and a value", async (stage) => {
    for (
      const [line, name, value] of [
        ["Host: a", "host", "a"],
        ["CONTENT-length:5", "content-length", "5"],
        ["X:\t two \t words \t", "x", "two \t words"],
        ["Referer: http://a:1/", "referer", "http://a:1/"],
        ["Empty:", "empty", ""],
        ["Empty: \t", "empty", ""],
        ["X: caf\xe9", "x", "caf\xe9"],
        ["!#$%&'*+-.^_`|~0Z: 1", "!#$%&'*+-.^_`|~0z", "1"],
      ] as const
    ) {
      const what = `parseField() of ${JSON.stringify(line)}`;
      const field = await told(stage, what, () => parseField(line));
      assertEquals(field, [name, value], what);
    }
  }),
);

Deno.test(check("parseField() refuses a line that is no field", {
  reveals: ["http-space-colon"],
}, () => {
  const spaces = ["Host : a", "Host\t: a", " Host: a", "Two words: a"];
  const folded = [" goes on", "\tgoes on: here"]; // Once allowed, by obs-fold.
  const nameless = [
    "GET / HTTP/1.1",
    ": a",
    "N\xe4me: a",
    "X\xa0: a",
    "(X): a",
  ];

  for (const line of [spaces, folded, nameless].flat()) {
    const told = `parseField() of ${JSON.stringify(line)}`;
    assertThrows(() => parseField(line), HttpError, "", told);
  }
}));

Deno.test(check("parseField() refuses control characters", {
  reveals: ["http-control-character"],
}, () => {
  for (const code of [0, 1, 8, 10, 11, 13, 31, 127]) {
    const line = `X: a${String.fromCharCode(code)}b`;
    const hex = code.toString(16).padStart(2, "0");
    const told = `parseField() of "X: ab", with a byte ${hex} before the b`;
    assertThrows(() => parseField(line), HttpError, "", told);
  }
}));

Deno.test(check("parseField() takes only spaces and tabs away", {
  reveals: ["http-trims-more"],
}, () => {
  // No-break spaces: bytes like others, and in no number.
  const [, value] = parseField("Content-Length: \xa05\xa0");

  assertBytes(latin1(value), latin1("\xa05\xa0"), "the value");
}));

// -- Part 3: reading chunks --

Deno.test(check("readChunked() gives the data of all chunks", {
  reveals: ["http-chunk-parse"],
}, async (stage) => {
  const two = "5\r\nhello\r\n6\r\n there\r\n0\r\n\r\n";

  assertBytes(await dataOf(stage.reader([two])), "hello there", "the data");
  assertBytes(await dataOf(stage.reader(["0\r\n\r\n"])), "", "the data");
}));

Deno.test(check("readChunked() joins what the network has cut", {
  reveals: ["http-chunk-parse"],
}, async (stage) => {
  const body = "5\r\nhello\r\n6\r\n\r\nabcd\r\n0\r\n\r\n";

  for (const [begun, rest] of everySplit(body)) {
    const data = await dataOf(stage.reader([begun, rest]));
    assertBytes(data, "hello\r\nabcd", "the data");
  }
  const bytes = [...body]; // With reads in between that bring nothing.
  const data = await dataOf(stage.reader(bytes.flatMap((byte) => [byte, 0])));
  assertBytes(data, "hello\r\nabcd", "the data");
}));

Deno.test(check("readChunked() reads sizes in hex, whatever they look like", {
  reveals: ["http-chunk-parse"],
}, async (stage) => {
  const long = "0123456789abcdef";
  const small = `a\r\n${long.slice(0, 10)}\r\n0\r\n\r\n`;
  const large = `A\r\n${long.slice(0, 10)}\r\n0\r\n\r\n`;
  const padded = `0010\r\n${long}\r\n000\r\n\r\n`;

  for (const body of [small, large]) {
    const data = await dataOf(stage.reader([body]));
    assertBytes(data, "0123456789", `the data behind ${body[0]}`);
  }
  const data = await dataOf(stage.reader([padded]));
  assertBytes(data, long, "the data behind 0010");
}));

Deno.test(check("readChunked() passes over extensions", {
  reveals: ["http-chunk-parse"],
}, async (stage) => {
  const body = '5;x\r\nhello\r\n1;a=b;c="d e"\r\n!\r\n0;last=1\r\n\r\n';

  assertBytes(await dataOf(stage.reader([body])), "hello!", "the data");
}));

Deno.test(check("readChunked() reads trailers, and nothing behind them", {
  reveals: ["http-trailers-unread", "http-chunk-parse"],
}, async (stage) => {
  for (const trailers of ["", "T: v\r\n", "T: v\r\nContent-Length: 9\r\n"]) {
    const body = `5\r\nhello\r\n0\r\n${trailers}\r\nGET / HTTP/1.1\r\n`;
    const r = new ByteReader(stage.reader([body]));

    assertBytes(await collected(readChunked(r, LIMITS)), "hello", "the data");
    const next = await r.line(100);
    assertBytes(latin1(next), "GET / HTTP/1.1", "the line behind the body");
  }
}));

Deno.test(check("readChunked() refuses a size that is not all digits", {
  reveals: ["http-lenient-number"],
}, async (stage) => {
  const bad = ["x", "0x5", "+5", "-5", " 5", "5 ", "5,5", "5.", "5g", ""];

  for (const size of bad) {
    const r = stage.reader([`${size}\r\nhello\r\n0\r\n\r\n`]);
    await refuses(r, `a chunk whose size is ${JSON.stringify(size)}`);
  }
}));

Deno.test(check("readChunked() refuses an extension that is none", {
  reveals: ["http-extension-unchecked"],
}, async (stage) => {
  for (const extension of [";", ";a\rb", ";a\0b", "\r;a"]) {
    const r = stage.reader([`5${extension}\r\nhello\r\n0\r\n\r\n`]);
    await refuses(r, `a size and behind it ${JSON.stringify(extension)}`);
  }
}));

Deno.test(check("readChunked() refuses too much before it comes", {
  reveals: ["unbounded-length"],
}, async (stage) => {
  const sizes = ["3e9", "100000005", "10000000000000005", "f".repeat(50)];

  for (const size of sizes) {
    // Not a byte of it comes: the size alone is too large.
    const r = stage.reader([`${size}\r\n`]);
    await refuses(r, `a chunk whose size is ${size}, with a total of 3e8`);
  }
}));

Deno.test(check("readChunked() counts the data of all chunks together", {
  reveals: ["http-chunks-uncounted"],
}, async (stage) => {
  const half = `258\r\n${"a".repeat(600)}\r\n`; // In hex.

  await refuses(stage.reader([half, "258\r\n"]), "600 bytes, and 600 more");

  const rest = `190\r\n${"b".repeat(400)}\r\n0\r\n\r\n`;
  const what = "readChunked() of 600 bytes, and 400, with a total of 1,000";
  const r = stage.reader([half, rest]);
  const data = await stage.start(() => dataOf(r), what).result;
  assertEquals(data.length, 1_000, what);
}));

Deno.test(check("readChunked() refuses data that is longer than its size", {
  reveals: ["http-chunk-crlf"],
}, async (stage) => {
  for (const end of ["XX", "X\r\n", "\rX", "", "\n"]) {
    const r = stage.reader([`5\r\nhello${end}0\r\n\r\n`]);
    await refuses(r, `five bytes, and then ${JSON.stringify(end + "0")}`);
  }
}));

Deno.test(check("readChunked() refuses a line that does not end", {
  reveals: ["unbounded-line"],
}, async (stage) => {
  const extension = stage.reader([`5;${"x".repeat(2_000)}`]);
  await refuses(extension, "an extension of 2,000 characters");

  const trailer = stage.reader([`0\r\nT: ${"v".repeat(2_000)}`]);
  await refuses(trailer, "a trailer of 2,000 characters");
}));

Deno.test(check("readChunked() refuses false trailers, and too many", {
  reveals: ["http-trailer-unchecked"],
}, async (stage) => {
  for (const line of ["GET / HTTP/1.1", "Host : a", " folded: a"]) {
    const r = stage.reader([`0\r\n${line}\r\n\r\n`]);
    await refuses(r, `the trailer ${JSON.stringify(line)}`);
  }

  const many = stage.reader(["0\r\n", "T: v\r\n".repeat(1_000)]);
  await refuses(many, "a thousand trailers");
}));

Deno.test(check("readChunked() rejects if the end comes too early", {
  reveals: ["eof-mid-message-ok"],
}, async (stage) => {
  const body = "5\r\nhello\r\n0\r\nT: v\r\n\r\n";

  for (const [begun] of everySplit(body)) {
    const told = `readChunked() of ${
      JSON.stringify(text(begun))
    }, then the end`;
    const r = stage.reader([begun, null]);
    await assertRejects(() => dataOf(r), UnexpectedEof, "", told);
  }
}));

// -- Part 4: writing chunks --

Deno.test(check("chunkedWriter() writes a chunk for each piece", {
  reveals: ["returns-before-written", "http-chunk-decimal"],
}, async (stage) => {
  const w = stage.writer([{ pause: 10 }]); // It takes them, in a moment.
  const writer = chunkedWriter(w);

  await writer.write(latin1("hello"));
  await writer.write(latin1("a".repeat(26)));

  const wanted = `5\r\nhello\r\n1a\r\n${"a".repeat(26)}\r\n`;
  assertBytes(w.received, wanted, "what was written");
}));

Deno.test(check("chunkedWriter() writes no chunk without data", {
  reveals: ["http-empty-chunk"],
}, async (stage) => {
  const w = stage.writer();
  const writer = chunkedWriter(w);

  await writer.write(latin1("one"));
  await writer.write(latin1(""));
  await writer.write(latin1("two"));

  assertBytes(w.received, "3\r\none\r\n3\r\ntwo\r\n", "what was written");
}));

Deno.test(check("chunkedWriter() ends a body, with trailers if there are any", {
  reveals: ["http-no-last-chunk"],
}, async (stage) => {
  const [plain, trailed] = [stage.writer(), stage.writer()];

  await chunkedWriter(plain).end();
  await chunkedWriter(trailed).end([["T", "v"], ["U", "w"]]);

  assertBytes(plain.received, "0\r\n\r\n", "what end() wrote");
  const wanted = "0\r\nT: v\r\nU: w\r\n\r\n";
  assertBytes(trailed.received, wanted, "what end() wrote with two trailers");
}));

Deno.test(check("chunkedWriter() writes all of it, however little goes", {
  reveals: ["ignore-write-count"],
}, async (stage) => {
  const whole = "b\r\nhello there\r\n0\r\n\r\n";
  const w = stage.writer([3, 1, 2], { given: whole });
  const writer = chunkedWriter(w);

  await writer.write(latin1("hello there"));
  await writer.end();

  assertBytes(w.received, whole, "what was written");
}));

// -- Part 5: the server --

Deno.test(check("serve() finds each request behind the body before it", {
  reveals: ["http-chunk-parse", "timer-leak"],
}, async (stage) => {
  const { seen, handler } = echo();
  stage.serve((listener) => serve(listener, handler));
  const ann = await stage.connect("ann");
  const requests = [
    "GET /1 HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\nTE: trailers\r\n\r\n",
    "POST /2 HTTP/1.1\r\nHost: a\r\ncontent-LENGTH: 5\r\n\r\nhello",
    "POST /3 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" +
    "3;x\r\nthe\r\n4\r\nre\r\n\r\n0\r\nT: v\r\n\r\n",
    "GET /4 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
  ].join("");

  await ann.sendInPieces(requests.match(/[^]{1,31}/g)!);

  const bodies = ["", "hello", "there\r\n", ""];
  for (const body of bodies) {
    assertEquals(await answerTo(ann), { status: 200, body });
  }
  await ann.receivesEnd();
  assertEquals(seen, ["GET /1", "POST /2", "POST /3", "GET /4"]);
}));

Deno.test(check("serve() takes no rest of a body for a request", {
  reveals: ["http-unread-body", "no-lingering-close", "http-answer-waits"],
}, async (stage) => {
  const left: [Handler, string, string][] = [
    [() => OK, `Content-Length: ${SMUGGLED.length}\r\n\r\n`, ""],
    [oneOf, `Content-Length: ${SMUGGLED.length + 5}\r\n\r\n`, "hello"],
    [streamed, `Content-Length: ${SMUGGLED.length}\r\n\r\n`, ""],
    [shrug, "Transfer-Encoding: chunked\r\n\r\n", "oops\r\n"],
  ];

  for (const [handler, fields, begun] of left) {
    const { seen, handler: noting } = noted(handler);
    stage.serve((listener) => serve(listener, noting));
    const ann = await stage.connect("ann");
    const head = `POST / HTTP/1.1\r\nHost: a\r\n${fields}`;
    await ann.sendInPieces([head + begun, SMUGGLED]);
    await ann.closeWrite();

    const [status = "nothing"] = statuses(await ann.receiveAll());
    const told = `the handler has answered 200, and ann received ${status}`;
    assert(status === 200, told);
    const ran = seen.includes("GET /smuggled");
    assert(!ran, "a rest of a body was run: GET /smuggled");
  }
}));

Deno.test(check("serve() refuses what is unclear, and all that follows it", {
  reveals: ["http-reads-on", "no-lingering-close"],
}, async (stage) => {
  const { seen, handler } = echo();
  stage.serve((listener) => serve(listener, handler));

  for (const [name, lines] of Object.entries(UNCLEAR)) {
    const ann = await stage.connect("ann");
    await ann.send(`POST /unclear HTTP/1.1\r\nHost: a\r\n${lines}${SMUGGLED}`);

    const answers = statuses(await ann.receiveAll());
    const ran = seen.includes("GET /smuggled");
    assert(!ran, `GET /smuggled was run, behind ${name}`);
    const answered = `with ${answers.join(", ") || "nothing"}`;
    const refused = ["with 400", "with 501"].includes(answered);
    assert(refused, `${name} was answered ${answered}, and not with 400`);
  }
}));

Deno.test(check("serve() tells a client that asks to go on", {
  reveals: ["http-expect"],
}, async (stage) => {
  stage.serve((listener) => serve(listener, echo().handler));
  const ann = await stage.connect("ann");
  const expect = "Expect: 100-continue\r\n";

  await ann.send(post(`Content-Length: 5\r\n${expect}`));
  await ann.receives("HTTP/1.1 100 Continue\r\n\r\n");
  await ann.send("hello");
  assertEquals(await answerTo(ann), { status: 200, body: "hello" });

  const loud = "EXPECT: 100-Continue\r\n";
  await ann.send(post(`Transfer-Encoding: chunked\r\n${loud}`));
  await ann.receives("HTTP/1.1 100 Continue\r\n\r\n");
  await ann.send("5\r\nthere\r\n0\r\n\r\n");
  assertEquals(await answerTo(ann), { status: 200, body: "there" });
}));

Deno.test(check("serve() tells nobody else to go on", {
  reveals: ["http-continue-early", "http-answer-waits"],
}, async (stage) => {
  const { handler } = echo();
  const choosy: Handler = (request) =>
    request.target === "/full" ? FULL : handler(request);
  stage.serve((listener) => serve(listener, choosy));
  const fields = "Content-Length: 5\r\nExpect: 100-continue\r\n\r\n";
  const ann = await stage.connect("ann");
  const old = await stage.connect("old");

  await ann.send(`POST /full HTTP/1.1\r\nHost: a\r\n${fields}`);
  await ann.receives("HTTP/1.1 413");

  await old.send(`POST / HTTP/1.0\r\n${fields}hello`);
  await old.receives("HTTP/1.1 200");
}));

Deno.test(check("serve() says why to a client that is still uploading", {
  reveals: ["no-lingering-close", "http-answer-waits"],
}, async (stage) => {
  const { handler } = echo();
  const much = "186a0\r\n" + "x".repeat(100_000) + "\r\n"; // 100,000, in hex.
  const length = "Content-Length: 9000000\r\n";
  const refused: [Handler, number, string][] = [
    [() => FULL, 10_000_000, length],
    [handler, 150_000, length],
    [handler, 150_000, "Transfer-Encoding: chunked\r\n"],
  ];

  for (const [handler, maxBody, fields] of refused) {
    stage.serve((listener) => serve(listener, handler, { maxBody }));
    const ann = await stage.connect("ann");

    await ann.send(post(fields) + much + much);
    await ann.receives("HTTP/1.1 413");
    await ann.send(much + much);
    await ann.closeWrite();
    await ann.receiveAll();
  }
}));

Deno.test(check("serve() ends its sending before it waits for the client's", {
  reveals: ["who-closes-first"],
}, async (stage) => {
  const limits = { lingerMs: 20_000 };
  stage.serve((listener) => serve(listener, echo().handler, limits));
  const ann = await stage.connect("ann");

  await ann.send(post("Content-Length: unclear\r\n"));

  assertEquals(statuses(await ann.receiveAll()), [400]);
  assert(stage.now < 10_000, "ann has waited 20 s for the end");
}));

Deno.test(
  check("serve() waits lingerMs for the client's end, however it drips", {
    reveals: ["no-deadline", "per-read-only"],
    only: "simulated",
  }, async (stage) => {
    const limits = { lingerMs: 1_000 };
    stage.serve((listener) => serve(listener, echo().handler, limits));
    const before = stage.openSockets.length;

    const bob = await stage.connect("bob");
    await bob.send(post("Content-Length: unclear\r\n"));
    await stage.sleep(1_200); // He does nothing at all.
    const silent = stage.openSockets.length > before;
    assert(!silent, "bob is still connected, 200 ms after its deadline");

    const ann = await stage.connect("ann");
    await ann.send(post("Content-Length: unclear\r\n"));
    for (let i = 0; i < 3; i++) {
      await stage.sleep(300);
      await ann.send("x");
    }
    await stage.sleep(300);
    const drips = stage.openSockets.length > before;
    assert(!drips, "ann drips, and is still connected 1.2 s after the answer");
  }),
);

Deno.test(check("serve() streams no faster than a client reads", {
  reveals: ["unbounded-outbox"],
}, async (stage) => {
  let made = 0;
  async function* pages() {
    for (; made < 400; made++) yield new Uint8Array(65_536);
  }
  stage.serve((listener) =>
    serve(listener, () => ({ status: 200, body: pages() }))
  );
  const ann = await stage.connect("ann");

  await ann.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  await ann.receives("HTTP/1.1 200");
  await stage.sleep(20); // She reads no further.

  assert(made < 200, `${made} of 400 pages have been made, and are in memory`);
}));

Deno.test(check("serve() stops what makes a body when its client is gone", {
  reveals: ["http-producer-goes-on"],
}, async (stage) => {
  const over = Promise.withResolvers<void>();
  let made = 0;
  async function* pages() {
    try {
      for (; made < 400; made++) yield new Uint8Array(65_536);
    } finally {
      over.resolve();
    }
  }
  stage.serve((listener) =>
    serve(listener, () => ({ status: 200, body: pages() }))
  );
  const ann = await stage.connect("ann");
  await ann.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  await ann.receives("HTTP/1.1 200");

  ann.close();

  const stopped = over.promise.then(() => made < 400);
  const waited = stage.sleep(1_000).then(() => false);
  const told = "ann has left, and what makes the body was not stopped";
  assert(await Promise.race([stopped, waited]), told);
}));

Deno.test(check("serve() says nothing else once its answer has begun", {
  reveals: ["http-continue-late"],
}, async (stage) => {
  async function* mirror(body: AsyncIterable<Uint8Array>) {
    yield latin1("first");
    yield* body;
  }
  const handler: Handler = ({ body }) => ({ status: 200, body: mirror(body) });
  stage.serve((listener) => serve(listener, handler));
  const ann = await stage.connect("ann");

  await ann.send(post("Content-Length: 5\r\nExpect: 100-continue\r\n"));
  await ann.receiveUntil("first\r\n");
  await ann.send("hello"); // Nobody waits for a 100 without an end.
  await ann.closeWrite();

  const rest = text(await ann.receiveAll());
  const isThere = rest.includes("100 Continue");
  assert(!isThere, "there is a 100 Continue in the middle of the answer");
}));

Deno.test(check("serve() takes no part of a body for the whole", {
  reveals: ["reset-is-clean-eof", "eof-mid-message-ok"],
}, async (stage) => {
  const whole: string[] = [];
  const handler: Handler = async ({ target, body }) => {
    await collected(body);
    whole.push(target);
    return OK;
  };
  stage.serve((listener) => serve(listener, handler));
  const chunked = "HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  const ann = await stage.connect("ann");
  const doomed = await stage.connect("doomed", undefined, { canReset: true });
  const bob = await stage.connect("bob");

  await doomed.send(`POST /doomed ${chunked}5\r\nhel`);
  await ann.send(`POST /ann ${chunked}5\r\nhel`);
  await bob.send(`POST /bob ${chunked}5\r\nhello\r\n`);
  doomed.reset();
  await ann.closeWrite();
  await ann.receiveAll();

  await bob.send("0\r\n\r\n");
  await bob.receives("HTTP/1.1 200");
  const told = `a part was taken for the whole: ${whole}`;
  assert(whole.join() === "/bob", told);
}));

// -- Part 6: time; a matter of milliseconds, and loopback's are luck --

Deno.test(check("serve() waits headMs for a head, however it drips", {
  reveals: ["per-read-only", "no-deadline"],
  only: "simulated",
}, async (stage) => {
  stage.serve((listener) => serve(listener, echo().handler, { headMs: 1_000 }));
  const ann = await stage.connect("ann");

  await stage.sleep(600); // The clock began when she came.
  await ann.send("GET /");
  await stage.sleep(300);
  await ann.send("a".repeat(400)); // It earns her nothing.
  await ann.receiveAll(); // A 408, or nothing.

  assert(stage.now <= 1_200, `${took(stage)}, with headMs: 1000`);
}));

Deno.test(check("serve() waits headMs for a head that does not begin", {
  reveals: ["no-deadline"],
  only: "simulated",
}, async (stage) => {
  stage.serve((listener) => serve(listener, echo().handler, { headMs: 1_000 }));
  const mute = await stage.connect("mute");
  const ann = await stage.connect("ann");

  await ann.send(post(""));
  await answerTo(ann); // She asks for nothing more.
  await mute.receiveAll(); // A 408, or nothing.
  await ann.receiveAll();

  assert(stage.now <= 1_200, `${took(stage)}, with headMs: 1000`);
}));

Deno.test(check("serve() waits bodyMs for a body, however it drips", {
  reveals: ["per-read-only", "no-deadline"],
  only: "simulated",
}, async (stage) => {
  stage.serve((listener) => serve(listener, echo().handler, { bodyMs: 1_000 }));
  for (
    const [fields, drop] of [
      ["Content-Length: 1000\r\n", "x".repeat(20)],
      ["Transfer-Encoding: chunked\r\n", `e\r\n${"x".repeat(14)}\r\n`],
    ] as const
  ) {
    const before = stage.now;
    const ann = await stage.connect("ann");
    await ann.send(post(fields));
    for (let i = 0; i < 3; i++) {
      await stage.sleep(300);
      await ann.send(drop);
    }
    await ann.receiveAll();

    const late = `${took(stage, before)}, with bodyMs: 1000`;
    assert(stage.now - before <= 1_300, late);
  }
}));

Deno.test(check("serve() lets nobody save up more than bodyMs", {
  reveals: ["http-time-saved-up"],
  only: "simulated",
}, async (stage) => {
  stage.serve((listener) => serve(listener, echo().handler, { bodyMs: 1_000 }));
  const ann = await stage.connect("ann");

  await ann.send(post("Content-Length: 9000\r\n"));
  await stage.sleep(100);
  await ann.send("x".repeat(8_000)); // And then nothing.
  await ann.receiveAll();

  assert(stage.now <= 1_200, `${took(stage)}, with bodyMs: 1000`);
}));

Deno.test(check("serve() is patient with a long body that keeps coming", {
  reveals: ["idle-vs-total"],
  only: "simulated",
}, async (stage) => {
  stage.serve((listener) => serve(listener, echo().handler, { bodyMs: 1_000 }));
  const ann = await stage.connect("ann");

  await ann.send(post("Content-Length: 4000\r\n"));
  for (let i = 0; i < 8; i++) {
    await stage.sleep(400);
    await ann.send("x".repeat(500)); // 1,250 bytes a second.
  }

  await ann.receives("HTTP/1.1 200");
}));

Deno.test(check("serve() has as much time for each request", {
  reveals: ["http-time-carried-over"],
  only: "simulated",
}, async (stage) => {
  const limits = { headMs: 1_000, bodyMs: 1_000 };
  stage.serve((listener) => serve(listener, echo().handler, limits));
  const ann = await stage.connect("ann");

  for (let i = 0; i < 3; i++) {
    await stage.sleep(600); // Since she came, or since our last answer.
    await ann.send(post("Content-Length: 5\r\n"));
    await stage.sleep(600);
    await ann.send("hello");
    assertEquals((await answerTo(ann)).status, 200);
  }
}));

Deno.test(check("serve() lets no clock run while its handler works", {
  reveals: ["http-clock-runs-on"],
  only: "simulated",
}, async (stage) => {
  const slow: Handler = async ({ body }) => {
    await stage.sleep(5_000);
    await collected(body);
    await stage.sleep(5_000);
    return OK;
  };
  const limits = { headMs: 1_000, bodyMs: 1_000 };
  stage.serve((listener) => serve(listener, slow, limits));
  const ann = await stage.connect("ann");

  for (let i = 0; i < 2; i++) {
    await ann.send(post("Content-Length: 5\r\n"));
    await ann.send("hel");
    await stage.sleep(5_500); // The last half second of it, we wait for her.
    await ann.send("lo");
    assertEquals((await answerTo(ann)).status, 200);
  }
}));

// -- What the cast says and hears --

/** What no server should run: it stands inside something else. */
const SMUGGLED = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";

const OK = { status: 200, body: "well\n" };
const FULL = { status: 413, body: "no room\n" };

/** The lines behind the first two of a request that is unclear. */
const UNCLEAR: Record<string, string> = {
  "a length beside chunks":
    "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
  "two lengths": "Content-Length: 0\r\nContent-Length: 36\r\n\r\n",
  "a length of 0x0": "Content-Length: 0x0\r\n\r\n",
  "a length behind a no-break space": "Content-Length: \xa036\r\n\r\n",
  "a coding called xchunked": "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
  "gzip in chunks": "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
  "a space in front of the colon": "Content-Length : 36\r\n\r\n",
  "a folded line": "X: a\r\n Content-Length: 36\r\n\r\n",
  "a bare CR": "X: a\rContent-Length: 36\r\n\r\n",
  "a bare LF": "X: a\nContent-Length: 36\r\n\r\n",
  "a NUL": "X: a\0b\r\n\r\n",
  "two hosts": "Host: b\r\n\r\n",
  "a chunk of 0x0": "Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n",
  "a chunk that is too long":
    "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n",
  "a trailer with a space":
    "Transfer-Encoding: chunked\r\n\r\n0\r\nX : a\r\n\r\n",
};

/** The beginning of a request with a body. */
function post(fields: string): string {
  return `POST / HTTP/1.1\r\nHost: a\r\n${fields}\r\n`;
}

/** The bytes of `text`, whose characters are below 256. */
function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** Expects that nobody can tell where the body behind `fields` ends. */
function refusesToFrame(...fields: Fields) {
  const lines = fields.map(([name, value]) => `"${name}: ${value}"`);
  const told = `bodyFraming() of ${lines.join(" and ")}`;
  assertThrows(() => bodyFraming(fields, "HTTP/1.1"), HttpError, "", told);
}

/** All that `pieces` give, in one piece. */
async function collected(pieces: AsyncIterable<Uint8Array>) {
  return concat(await Array.fromAsync(pieces));
}

/** The data of the chunked body that comes from `source`. */
function dataOf(source: Reader): Promise<Uint8Array> {
  return collected(readChunked(new ByteReader(source), LIMITS));
}

/** Expects that the body from `source` is refused. */
async function refuses(source: Reader, what: string) {
  const told = `readChunked() of ${what}`;
  await assertRejects(() => dataOf(source), HttpError, "", told);
}

/** A handler that sends bodies back, and the requests that it has seen. */
function echo() {
  return noted(async ({ body }) => {
    return { status: 200, body: text(await collected(body)) };
  });
}

/** `handler`, and the requests that it has seen. */
function noted(handler: Handler) {
  const seen: string[] = [];
  const noting: Handler = (request) => {
    seen.push(`${request.method} ${request.target}`);
    return handler(request);
  };
  return { seen, handler: noting };
}

/** Reads one piece of a body, and leaves the rest. */
async function oneOf({ body }: { body: AsyncIterable<Uint8Array> }) {
  for await (const _ of body) break;
  return OK;
}

/** Reads no body, and makes its own while it is sent. */
function streamed() {
  async function* body() {
    yield latin1("well\n");
  }
  return { status: 200, body: body() };
}

/** Reads a body as far as it is good, and does not mind. */
async function shrug({ body }: { body: AsyncIterable<Uint8Array> }) {
  await collected(body).catch(() => {});
  return OK;
}

/** Receives one answer whose length stands in it. */
async function answerTo(actor: Actor) {
  let head = "";
  while (!head.endsWith("\r\n\r\n")) head += text(await actor.receive(1));
  const [, n] = head.match(/^content-length: (\d+)\r$/im) ?? [];
  const body = text(await actor.receive(Number(n ?? 0)));
  return { status: Number(head.slice(9, 12)), body };
}

/** The statuses of all answers among `bytes`. */
function statuses(bytes: Uint8Array): number[] {
  const found = text(bytes).matchAll(/HTTP\/1\.1 (\d\d\d)/g);
  return [...found].map(([, status]) => Number(status));
}

/** How long everything took since `before`. */
function took(stage: Stage, before = 0): string {
  return `it took ${Math.round(stage.now - before)} ms`;
}

/** What `call` gives. If it throws, the failure says `what` it was. */
function told<T>(stage: Stage, what: string, call: () => T): Promise<T> {
  // deno-lint-ignore require-await -- What it throws is a rejection.
  return stage.start(async () => call(), what).result;
}
