// The checks for lesson 21. Read them: they say what HTTP/1.1 asks of a server.
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  type Actor,
  assertBytes,
  check,
  concat,
  everySplit,
  type Stage,
  toBytes,
} from "check";
import {
  encodeResponse,
  files,
  type Handler,
  HttpReader,
  type HttpRequest,
  type HttpResponse,
  serve,
  type ServeOptions,
} from "./http.ts";

const { NotFound, UnexpectedEof } = Deno.errors;

/** A request in one form, to be compared: its headers in the order of names. */
function shown(request: HttpRequest | null): Uint8Array {
  if (request === null) return toBytes("null");
  const { method, target, version, headers, body } = request;
  const lines = [...headers].map(([name, value]) => `${name}: ${value}`)
    .toSorted((a, b) => a.toLowerCase() < b.toLowerCase() ? -1 : 1);
  const head = [`${method} ${target} ${version}`, ...lines, "", ""];
  return concat([toBytes(head.join("\n")), body]);
}

/** What `request` looks like that has a host, and nothing else. */
function plain(target: string): string {
  return `GET ${target} HTTP/1.1\nhost: inn\n\n`;
}

/** A GET with a host, and with more lines if there are any. */
function get(target: string, ...lines: string[]): string {
  return [`GET ${target} HTTP/1.1`, "Host: inn", ...lines, "", ""].join("\r\n");
}

/** A request with a body. */
function post(body: string | Uint8Array, method = "POST"): Uint8Array {
  const bytes = toBytes(body);
  const head = `${method} /guests HTTP/1.1\r\nHost: inn\r\n` +
    `Content-Length: ${bytes.length}\r\n\r\n`;
  return concat([toBytes(head), bytes]);
}

/** The parts of an answer; its body is whatever stands behind its head. */
function parsed(bytes: Uint8Array) {
  const text = new TextDecoder("latin1").decode(bytes);
  const end = text.indexOf("\r\n\r\n");
  assert(end >= 0, "the answer has no empty line behind its headers");
  const [line, ...lines] = text.slice(0, end).split("\r\n");
  const headers = new Map(lines.map((line) => {
    const [name, ...value] = line.split(":");
    return [name!.toLowerCase(), value.join(":").trim()] as const;
  }));
  const status = Number(line!.match(/^HTTP\/1\.1 (\d{3}) /)?.[1]);
  return { status, headers, body: bytes.subarray(end + 4) };
}

/** The body of the next answer to `client`, which has to say its length. */
async function answerTo(client: Actor, status = 200): Promise<Uint8Array> {
  await client.receives(`HTTP/1.1 ${status} `);
  const { headers } = parsed(await client.receiveUntil("\r\n\r\n"));
  return await client.receive(Number(headers.get("content-length") ?? 0));
}

/** Answers with what was asked. */
function repeat({ target, body }: HttpRequest): HttpResponse {
  return { status: 200, body: concat([toBytes(`${target} `), body]) };
}

/** Serves on `stage`, without a word about what handlers throw. */
function start(stage: Stage, handler: Handler, options: ServeOptions = {}) {
  const quiet = { onError: () => {}, ...options };
  return stage.serve((listener) => serve(listener, handler, quiet));
}

// -- Part 1: a head --

Deno.test(check("HttpReader finds header names in any case", {
  reveals: ["http-case"],
}, async (stage) => {
  const first = "GET /the%20menu?day=1 HTTP/1.1"; // The target stays as it is.
  const head = `${first}\r\nHOST: inn\r\naCCept: */*\r\n\r\n`;

  const request = await new HttpReader(stage.reader([head])).next();

  const menu = `${first}\naccept: */*\nhost: inn\n\n`;
  assertBytes(shown(request), menu, "the request");
}));

Deno.test(
  check(
    "HttpReader takes white space off values, and joins them",
    async (stage) => {
      const lines = ["X-Mood:good", "Link: a:b: c", "x-mood: \t better  "];
      const reader = stage.reader([get("/", ...lines)]);

      const request = await new HttpReader(reader).next();

      const text =
        "GET / HTTP/1.1\nhost: inn\nlink: a:b: c\nx-mood: good, better";
      assertBytes(shown(request), `${text}\n\n`, "the request");
    },
  ),
);

Deno.test(check("HttpReader waits for the rest of a head", {
  reveals: ["http-head-one-read"],
}, async (stage) => {
  const reader = stage.reader(["GET /menu HT", "TP/1.1\r\nHost: inn\r\n\r\n"]);

  const request = await new HttpReader(reader).next();

  assertBytes(shown(request), plain("/menu"), "the request, cut in two,");
}));

Deno.test(check("HttpReader finds the end of a head wherever it is cut", {
  reveals: ["delimiter-split"],
}, async (stage) => {
  const head = get("/menu");
  const pieces = [...head].map((letter) => toBytes(letter));
  for (const steps of [pieces, ...everySplit(head)]) {
    const request = await new HttpReader(stage.reader(steps)).next();

    assertBytes(shown(request), plain("/menu"), "the request, cut in pieces,");
  }
}));

Deno.test(check("HttpReader keeps what stands behind a request", {
  reveals: ["http-pipelining-lost", "empty-line-left"],
}, async (stage) => {
  const both = get("/menu") + get("/wine");
  for (const steps of [[both], ...everySplit(both)]) {
    const reader = new HttpReader(stage.reader(steps));

    const [first, second] = [await reader.next(), await reader.next()];

    assertBytes(shown(first), plain("/menu"), "the first of two requests");
    assertBytes(shown(second), plain("/wine"), "the second of two requests");
  }
}));

Deno.test(check("HttpReader gives null at the end, between two requests", {
  reveals: ["clean-eof-is-error", "eof-infinite-loop"],
}, async (stage) => {
  const reader = new HttpReader(stage.reader([get("/menu"), null]));
  await reader.next();

  assertBytes(shown(await reader.next()), "null", "the request after the last");
}));

Deno.test(check("HttpReader rejects when the end comes inside a head", {
  reveals: ["eof-mid-message-ok", "eof-infinite-loop"],
}, async (stage) => {
  for (const part of ["G", "GET /", "GET / HTTP/1.1\r\nHost: inn\r\n"]) {
    const reader = new HttpReader(stage.reader([part, null]));

    const told = `next() of ${JSON.stringify(part)}, and then the end`;
    await assertRejects(() => reader.next(), UnexpectedEof, "", told);
  }
}));

// -- Part 2: a body --

Deno.test(check("HttpReader reads the body behind a head", {
  reveals: ["http-body-in-buffer"],
}, async (stage) => {
  const request = await new HttpReader(stage.reader([post("a=1")])).next();

  assertBytes(request?.body, "a=1", "the body");
}));

Deno.test(check("HttpReader reads a body, whatever the method is", {
  reveals: ["http-pipelining-lost", "http-unread-body"],
}, async (stage) => {
  for (const method of ["POST", "GET"]) { // Yes, even GET may have one.
    const steps = [concat([post("a=1", method), toBytes(get("/menu"))])];
    const reader = new HttpReader(stage.reader(steps));

    const [first, second] = [await reader.next(), await reader.next()];

    assertBytes(shown(second), plain("/menu"), "the request behind a body");
    assertBytes(first?.body, "a=1", "the body");
  }
}));

Deno.test(check("HttpReader reads on until a body is whole", {
  reveals: ["reads-once", "short-read-means-end"],
}, async (stage) => {
  const book = new Uint8Array(2 ** 20).map((_, i) => 97 + i % 26);
  const sent = post(book);
  const pieces = Array.from(
    { length: Math.ceil(sent.length / 10_000) },
    (_, i) => sent.subarray(10_000 * i, 10_000 * (i + 1)),
  );

  const request = await new HttpReader(stage.reader(pieces)).next();

  assertBytes(request?.body, book, "the body");
}));

Deno.test(check("HttpReader waits out a pause", {
  reveals: ["read-until-quiet"],
}, async (stage) => {
  const sent = post("hello");
  const half = sent.length - 3;
  const steps = [sent.slice(0, half), { pause: 3_000 }, sent.slice(half)];

  const request = await new HttpReader(stage.reader(steps)).next();

  assertBytes(request?.body, "hello", "the body");
}));

Deno.test(check("HttpReader reads an empty body", {
  reveals: ["zero-length-frame"],
}, async (stage) => {
  const steps = [concat([post(""), post("a"), post("")])];
  const reader = new HttpReader(stage.reader(steps));

  for (const body of ["", "a", ""]) {
    assertBytes((await reader.next())?.body, body, "the body");
  }
}));

Deno.test(check("HttpReader counts the bytes of a body, and not its letters", {
  reveals: ["stale-buffer-alias", "length-in-characters"],
}, async (stage) => {
  const body = "Grüße, 🐶";
  for (const steps of everySplit(concat([post(body), post("bye")]))) {
    const reader = new HttpReader(stage.reader(steps));

    const [first, second] = [await reader.next(), await reader.next()];

    assertBytes(first?.body, body, "the body");
    assertBytes(second?.body, "bye", "the body of the next request");
  }
}));

Deno.test(check("HttpReader leaves the bytes of a body as they are", {
  reveals: ["binary-through-string"],
}, async (stage) => {
  const picture = Uint8Array.from({ length: 256 }, (_, i) => 255 - i);

  const request = await new HttpReader(stage.reader([post(picture)])).next();

  assertBytes(request?.body, picture, "the body");
}));

Deno.test(check("HttpReader rejects when the end comes inside a body", {
  reveals: ["eof-mid-message-ok", "eof-infinite-loop"],
}, async (stage) => {
  const reader = new HttpReader(
    stage.reader([post("hello").slice(0, -1), null]),
  );

  const told = "next() of a body that lacks a byte";
  await assertRejects(() => reader.next(), UnexpectedEof, "", told);
}));

// -- Part 3: an answer --

const GET = { method: "GET" };

Deno.test(check("encodeResponse() ends its head with an empty line", {
  reveals: ["forgot-terminator"],
}, () => {
  const headers = [["Content-Type", "text/plain"], ["X-Mood", "good"]] as const;
  const bytes = encodeResponse({ status: 404, headers, body: "none\n" }, GET);

  const answer = parsed(bytes);
  assertEquals(answer.status, 404, "the status");
  const named = (name: string) => answer.headers.get(name);
  assertEquals(named("content-type"), "text/plain", "the Content-Type");
  assertEquals(named("x-mood"), "good", "the header X-Mood");
  assertEquals(named("content-length"), "5", "the Content-Length");
  const date = named("date") ?? "missing";
  assert(!isNaN(Date.parse(date)), `the Date is ${date}`);
  assertBytes(answer.body, "none\n", "the body");
}));

Deno.test(check("encodeResponse() says a length of bytes", {
  reveals: ["http-length-chars"],
}, () => {
  for (const body of ["Grüße, 🐶", Uint8Array.of(0, 255, 13), ""]) {
    const answer = parsed(encodeResponse({ status: 200, body }, GET));

    const length = String(toBytes(body).length);
    const told = `the Content-Length of ${Deno.inspect(body)}`;
    assertEquals(answer.headers.get("content-length"), length, told);
    assertBytes(answer.body, body, "the body");
  }
}));

Deno.test(check("encodeResponse() gives HEAD the head, and no body", {
  reveals: ["http-head-body"],
}, () => {
  const response = { status: 200, body: "hello" };

  const answer = parsed(encodeResponse(response, { method: "HEAD" }));

  assertBytes(answer.body, "", "the body of the answer to HEAD");
  const length = answer.headers.get("content-length");
  assertEquals(length, "5", "the Content-Length of the answer to HEAD");
}));

Deno.test(check("encodeResponse() gives 204 and 304 neither body nor length", {
  reveals: ["http-head-body"],
}, () => {
  for (const status of [204, 304]) {
    const answer = parsed(encodeResponse({ status, body: "hello" }, GET));

    assertBytes(answer.body, "", `the body of ${status}`);
    const length = answer.headers.get("content-length");
    assertEquals(length, undefined, `the Content-Length of ${status}`);
  }
}));

/** Whether `response` goes out, and with `line` in it as it is. */
function isSentAs(response: HttpResponse, line: string): boolean {
  try {
    return new TextDecoder().decode(encodeResponse(response, GET))
      .includes(line);
  } catch {
    return false;
  }
}

Deno.test(check("encodeResponse() refuses what is no header", {
  reveals: ["http-crlf-injection", "http-header-unchecked"],
}, () => {
  for (
    const [name, value] of [
      ["Location", "/\r\nSet-Cookie: user=root"],
      ["Location", "/\nSet-Cookie: user=root"],
      ["Location", "/\rmenu"],
      ["Location", "/\0"],
      ["X-Mood\r\nSet-Cookie", "user=root"],
      ["X Mood", "good"],
      ["X-Mood:", "good"],
    ] as const
  ) {
    const response = { status: 302, headers: [[name, value]] as const };

    const header = `the header ${JSON.stringify([name, value])}`;
    const told = isSentAs(response, `${name}: ${value}`)
      ? header
      : `${header}, which it has changed`;
    assertThrows(() => encodeResponse(response, GET), TypeError, "", told);
  }
}));

// -- Part 4: one connection, many requests --

Deno.test(check("serve() answers a request", {
  reveals: ["leaked-conn", "writer-close-kills-read"],
}, async (stage) => {
  start(stage, repeat);
  const ann = await stage.connect("ann");

  await ann.sendInPieces([get("/menu").slice(0, 9), get("/menu").slice(9)]);

  assertBytes(await answerTo(ann), "/menu ", "the answer");
}));

Deno.test(check("serve() answers request after request on a connection", {
  reveals: ["http-no-keep-alive"],
}, async (stage) => {
  start(stage, repeat);
  const ann = await stage.connect("ann");

  await ann.send(get("/menu"));
  assertBytes(await answerTo(ann), "/menu ", "the first answer");
  await ann.send(post("bob"));
  assertBytes(await answerTo(ann), "/guests bob", "the second answer");
  await ann.send(get("/wine"));
  assertBytes(await answerTo(ann), "/wine ", "the third answer");
}));

Deno.test(check("serve() answers in the order in which it was asked", {
  reveals: ["http-reordered", "http-pipelining-lost"],
}, async (stage) => {
  start(stage, async (request) => {
    if (request.target === "/slow") await stage.sleep(30);
    return repeat(request);
  });
  const ann = await stage.connect("ann");

  await ann.send(get("/slow") + get("/menu") + get("/wine"));

  assertBytes(await answerTo(ann), "/slow ", "the first answer");
  assertBytes(await answerTo(ann), "/menu ", "the second answer");
  assertBytes(await answerTo(ann), "/wine ", "the third answer");
}));

Deno.test(check("serve() gives HEAD no body, and GET after it its own", {
  reveals: ["http-head-body"],
}, async (stage) => {
  start(stage, repeat);
  const ann = await stage.connect("ann");

  await ann.send(get("/menu").replace("GET", "HEAD") + get("/wine"));

  await ann.receives("HTTP/1.1 200 ");
  await ann.receiveUntil("\r\n\r\n");
  assertBytes(await answerTo(ann), "/wine ", "the answer to GET");
}));

Deno.test(check("serve() closes when the client wants it", {
  reveals: ["http-close-ignored", "who-closes-first", "timer-leak"],
}, async (stage) => {
  start(stage, repeat);
  for (
    const [name, request] of [
      ["close", get("/menu", "Connection: close")],
      ["TE,Close", get("/menu", "connection: TE,Close")],
      ["HTTP/1.0", "GET /menu HTTP/1.0\r\n\r\n"],
    ] as const
  ) {
    const ann = await stage.connect(`ann (${name})`);
    await ann.send(request);
    assertBytes(await answerTo(ann), "/menu ", "the answer");
    await ann.receivesEnd();
    ann.close();
  }
  assert(stage.now < 4_000, `the ends came after ${stage.now} ms`);
}));

Deno.test(check("serve() gives the kernel each answer in one write", {
  reveals: ["many-small-writes"],
}, async (stage) => {
  start(stage, repeat);
  const ann = await stage.connect("ann");

  for (let i = 0; i < 3; i++) {
    await ann.send(get("/menu"));
    await answerTo(ann);
  }

  const writes = stage.writesTo(ann);
  assert(writes <= 3, `3 small answers went out in ${writes} writes`);
}));

Deno.test(
  check("serve() sends all of an answer, however little a write takes", {
    reveals: ["interleaved-writers", "ignore-write-count"],
    writesAtMost: 50,
  }, async (stage) => {
    start(stage, repeat);
    const ann = await stage.connect("ann");
    const letter = "Dear innkeeper, ".repeat(40);

    await ann.send(concat([post(letter), post("bye")]));

    assertBytes(await answerTo(ann), `/guests ${letter}`, "the first answer");
    assertBytes(await answerTo(ann), "/guests bye", "the second answer");
  }),
);

Deno.test(check("serve() answers a client that has ended its sending", {
  reveals: ["eof-means-peer-gone"],
}, async (stage) => {
  start(stage, async (request) => {
    await stage.sleep(20);
    return repeat(request);
  });
  const ann = await stage.connect("ann");

  await ann.send(get("/menu") + get("/wine"));
  await ann.closeWrite();

  assertBytes(await answerTo(ann), "/menu ", "the first answer");
  assertBytes(await answerTo(ann), "/wine ", "the second answer");
  await ann.receivesEnd();
}));

Deno.test(check("serve() keeps its clients apart", {
  reveals: ["await-in-accept-loop", "shared-buffer"],
}, async (stage) => {
  start(stage, repeat);
  const ann = await stage.connect("ann");
  const bob = await stage.connect("bob");

  await ann.sendInPieces([get("/ann").slice(0, 7), get("/ann").slice(7, 9)]);
  await bob.send(get("/bob"));
  assertBytes(await answerTo(bob), "/bob ", "bob's answer");
  await ann.send(get("/ann").slice(9));
  assertBytes(await answerTo(ann), "/ann ", "ann's answer");
}));

Deno.test(check("serve() serves fifty clients at once", {
  reveals: ["await-in-accept-loop"],
  only: "simulated", // The kernel has had two; wrk brings it a hundred.
}, async (stage) => {
  start(stage, repeat);
  const visit = async (_: unknown, i: number) => {
    const ann = await stage.connect(`ann${i}`);
    for (const target of [`/${i}`, "/menu"]) {
      await ann.send(get(target));
      await ann.receiveUntil(`\r\n\r\n${target} `);
    }
  };

  await Promise.all(Array.from({ length: 50 }, visit));
}));

Deno.test(check("serve() calls nobody for half a request", {
  reveals: ["handler-rejection-kills-server"],
}, async (stage) => {
  const asked: string[] = [];
  start(stage, (request) => {
    asked.push(request.target);
    return repeat(request);
  });
  const [head, body] = [get("/half").slice(0, -2), post("hello").slice(0, -1)];

  for (const part of [toBytes(head), body]) {
    const ann = await stage.connect("ann");
    await ann.send(part);
    await ann.closeWrite();
    await ann.receiveAll(); // Nothing, or that it was a bad request.
  }

  assertEquals(asked, [], "targets of requests that were not whole");
}));

Deno.test(check("serve() outlives a client that vanishes inside a body", {
  reveals: ["handler-rejection-kills-server"],
}, async (stage) => {
  start(stage, repeat);
  const doomed = await stage.connect("doomed", undefined, { canReset: true });
  const ann = await stage.connect("ann");

  await doomed.sendInPieces([post("hello").slice(0, -2), "l"]);
  doomed.reset();

  await ann.send(get("/menu"));
  assertBytes(await answerTo(ann), "/menu ", "the answer");
}));

Deno.test(check("serve() answers 500 when a handler throws, and goes on", {
  reveals: ["handler-rejection-kills-server", "http-no-keep-alive"],
}, async (stage) => {
  const errors: string[] = [];
  const onError = (error: unknown) => errors.push((error as Error).message);
  start(stage, (request) => {
    if (request.target === "/now") throw new Error("at once");
    if (request.target !== "/later") return repeat(request);
    return Promise.reject(new Error("in a promise"));
  }, { onError });
  const ann = await stage.connect("ann");

  await ann.send(get("/now") + get("/later") + get("/menu"));

  await answerTo(ann, 500);
  await answerTo(ann, 500);
  assertBytes(await answerTo(ann), "/menu ", "the third answer");
  assertEquals(errors, ["at once", "in a promise"], "what onError was told");
}));

Deno.test(check("serve() tells onError nothing of a client that left", {
  reveals: ["http-gone-told"],
}, async (stage) => {
  const errors: string[] = [];
  const onError = (error: unknown) => errors.push((error as Error).name);
  const asked = Promise.withResolvers<void>();
  const left = Promise.withResolvers<void>();
  start(stage, async (request) => {
    asked.resolve();
    await left.promise;
    return repeat(request);
  }, { onError });
  const doomed = await stage.connect("doomed", undefined, { canReset: true });

  await doomed.send(get("/menu"));
  await asked.promise;
  doomed.reset();
  left.resolve();
  await stage.close();

  assertEquals(errors, [], "what onError was told of a client that left");
}));

Deno.test(check("serve() answers 500 instead of a header with a line break", {
  reveals: ["http-crlf-injection", "http-encodes-outside-try"],
}, async (stage) => {
  start(stage, ({ target }) => {
    const to = decodeURIComponent(target.slice("/go?to=".length));
    return { status: 302, headers: [["Location", to]] };
  });
  const ann = await stage.connect("ann");

  await ann.send(get("/go?to=/%0d%0aSet-Cookie:%20user=root"));
  await answerTo(ann, 500);
  await ann.send(get("/go?to=/menu"));
  await answerTo(ann, 302);
}));

// -- Part 5: a way to say no --

Deno.test(check("serve() answers 400 to what is no request", {
  reveals: ["http-takes-anything"],
}, async (stage) => {
  start(stage, repeat);
  for (
    const [what, nonsense] of [
      ["hello", "hello\r\n\r\n"],
      ["no version", "GET /menu\r\nHost: inn\r\n\r\n"],
      ["a fourth word", "GET /menu HTTP/1.1 please\r\nHost: inn\r\n\r\n"],
      ["a space in the target", get("/the menu")],
      ["no colon", get("/menu", "nonsense")],
    ] as const
  ) {
    const ann = await stage.connect(`ann (${what})`);
    await ann.send(nonsense);
    await answerTo(ann, 400);
    ann.close();
  }
}));

Deno.test(check("serve() answers 400 to a length that has not only digits", {
  reveals: ["http-lenient-number"],
}, async (stage) => {
  start(stage, repeat);
  for (const length of ["five", "", "+5", "0x5", "5abc", "5, 6", "5.0", "-1"]) {
    const ann = await stage.connect(`ann (length: "${length}")`);
    await ann.send(get("/menu", `Content-Length: ${length}`) + "hello");
    await answerTo(ann, 400);
    ann.close();
  }
}));

Deno.test(check("serve() wants exactly one Host in HTTP/1.1", {
  reveals: ["http-missing-host"],
}, async (stage) => {
  start(stage, repeat);
  for (
    const [what, head] of [
      ["none", "GET / HTTP/1.1\r\n\r\n"],
      ["inn twice", get("/", "Host: inn")],
      ["inn and pub", get("/", "hOST: pub")],
    ] as const
  ) {
    const ann = await stage.connect(`ann (Host: ${what})`);
    await ann.send(head);
    await answerTo(ann, 400);
    ann.close();
  }
}));

Deno.test(check("serve() says which methods, versions and codings it lacks", {
  reveals: ["http-takes-anything"],
}, async (stage) => {
  start(stage, repeat);
  for (
    const [what, head, status] of [
      ["BREW", get("/pot").replace("GET", "BREW"), 501],
      ["get", get("/pot").replace("GET", "get"), 501], // Not the same as GET.
      ["chunked", get("/", "Transfer-Encoding: chunked"), 501],
      ["gzip", get("/", "Transfer-Encoding: gzip"), 501],
      ["HTTP/2.0", get("/").replace("HTTP/1.1", "HTTP/2.0"), 505],
    ] as const
  ) {
    const ann = await stage.connect(`ann (${what})`);
    await ann.send(head);
    await answerTo(ann, status);
    ann.close();
  }
}));

Deno.test(check("serve() limits targets, heads and bodies", {
  reveals: ["http-no-limit"],
}, async (stage) => {
  start(stage, repeat, { target: 1_000, head: 5_000, body: 100 });
  const longest = `/${"a".repeat(999)}`;
  const mood = `X-Mood: ${"good ".repeat(2_000)}`;
  for (
    const [what, head, status] of [
      ["target: 1,001 of 1,000", get(`${longest}a`), 414],
      ["head: over 10,000 of 5,000", get("/", mood), 431],
      ["a head with no end", `${get("/").slice(0, -2)}${mood}`, 431],
      ["body: 101 of 100", post("a".repeat(101)).slice(0, -101), 413],
    ] as const
  ) {
    const ann = await stage.connect(`ann (${what})`);
    await ann.send(head);
    await answerTo(ann, status);
    ann.close();
  }

  const endless = await stage.connect("endless");
  await endless.send(`GET /${"a".repeat(10_000)}`);
  await endless.receives("HTTP/1.1 4"); // 14, or 31.

  const bob = await stage.connect("bob");
  await bob.send(concat([toBytes(get(longest)), post("a".repeat(100))]));
  assertBytes(await answerTo(bob), `${longest} `, "the answer");
  assertBytes(await answerTo(bob), `/guests ${"a".repeat(100)}`, "the answer");
}));

Deno.test(check("serve() limits a head, and not what stands behind it", {
  reveals: ["http-limit-early"],
}, async (stage) => {
  start(stage, repeat, { head: 500 });
  const ann = await stage.connect("ann (head: 498 of 500)");
  const empty = get("/menu", "X-Mood: ").length;
  const longest = get("/menu", `X-Mood: ${"o".repeat(502 - empty)}`);

  // 498 bytes, and what ends them; the last of that comes with more requests.
  const rest = longest.slice(-1) + get("/wine").repeat(20);
  await ann.sendInPieces([longest.slice(0, -1), rest]);

  assertBytes(await answerTo(ann), "/menu ", "the first answer");
  for (let i = 0; i < 20; i++) {
    assertBytes(await answerTo(ann), "/wine ", "the next answer");
  }
}));

Deno.test(
  check("serve() answers what came before a refused request", async (stage) => {
    start(stage, repeat);
    const ann = await stage.connect("ann");

    await ann.send(get("/menu") + "hello\r\n\r\n");

    assertBytes(await answerTo(ann), "/menu ", "the answer to the first");
    await answerTo(ann, 400);
  }),
);

Deno.test(check("serve() runs nothing that stands behind a refused request", {
  reveals: ["resync-after-error", "who-closes-first"],
}, async (stage) => {
  const asked: string[] = [];
  start(stage, (request) => {
    asked.push(request.target);
    return repeat(request);
  });
  const chunked = get("/", "Transfer-Encoding: chunked");
  for (
    const [head, status] of [["hello\r\n\r\n", 400], [chunked, 501]] as const
  ) {
    const ann = await stage.connect("ann");
    await ann.send(head + get("/hidden"));
    await answerTo(ann, status);
    await ann.receivesEnd();
    ann.close();
  }

  assertEquals(asked, [], "targets behind a request that was refused");
}));

Deno.test(check("serve() lets a client that still uploads hear the refusal", {
  reveals: ["no-lingering-close"],
}, async (stage) => {
  start(stage, repeat, { body: 1_000 });
  const ann = await stage.connect("ann");

  const sending = ann.send(post(new Uint8Array(2 ** 20)));

  await answerTo(ann, 413);
  await ann.receivesEnd();
  await sending;
}));

Deno.test(check("serve() lets a client that asked to close hear it all", {
  reveals: ["close-with-unread"],
}, async (stage) => {
  const book = stage.random.bytes(500_000);
  start(stage, () => ({ status: 200, body: book }));
  const ann = await stage.connect("ann");

  const last = toBytes(get("/book", "Connection: close"));
  const sending = ann.send(concat([last, stage.random.bytes(300_000)]));

  assertBytes(await answerTo(ann), book, "the answer");
  await ann.receivesEnd();
  await sending;
}));

Deno.test(
  check("serve() waits lingerMs for the end of a client, and no longer", {
    reveals: ["no-deadline", "per-read-only"],
    only: "simulated", // Seconds pass at once here.
  }, async (stage) => {
    start(stage, repeat, { lingerMs: 2_000 });
    const ann = await stage.connect("ann");
    const isOpen = () => stage.openSockets.includes("connection");

    await ann.send("hello\r\n\r\n");
    await answerTo(ann, 400);
    await ann.receivesEnd(); // Ann herself stays.
    await stage.sleep(1_900);
    assertEquals(isOpen(), true, "whether it is open after 1,900 ms of 2,000");
    await stage.sleep(200);
    assert(!isOpen(), "the connection is open 100 ms after its deadline");

    const bob = await stage.connect("bob");
    await bob.send("hello\r\n\r\n");
    await answerTo(bob, 400);
    for (let i = 0; i < 3; i++) {
      await stage.sleep(600);
      await bob.send("x");
    }
    await stage.sleep(400);
    assert(!isOpen(), "bob drips, and is still connected after 2200 ms");
  }),
);

// -- Part 6: files --

/** A disk, on which everything but /srv/inn is none of ann's business. */
const DISK: Record<string, string> = {
  "/srv/inn/index.html": "<h1>The Inn</h1>",
  "/srv/inn/wine list.txt": "red, white",
  "/srv/inn/docs/index.html": "<h1>Docs</h1>",
  "/srv/inn/grüße.txt": "from the sea",
  "/srv/inn/what?.txt": "a question",
  "/srv/inn/logo.png": "\x89PNG",
  "/srv/inn-accounts/2026.txt": "secret",
  "/etc/passwd": "secret",
};

/** The path that a kernel goes for `path`: "." and ".." are steps. */
function resolved(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

/** Asks files() of /srv/inn; `opened` are the files that it went for. */
async function ask(stage: Stage, target: string, method = "GET") {
  const opened: string[] = [];
  const read = (path: string) => {
    if (path.includes("\0")) {
      return Promise.reject(new TypeError("NUL in a file name"));
    }
    const file = resolved(path);
    opened.push(file);
    const text = DISK[file];
    return text === undefined
      ? Promise.reject(new NotFound(`There is no ${file}`))
      : Promise.resolve(toBytes(text));
  };
  const headers = new Map([["host", "inn"]]);
  const body = new Uint8Array();
  const request = { method, target, version: "HTTP/1.1", headers, body };
  // deno-lint-ignore require-await -- A failure then says what was asked.
  const call = async () => files("/srv/inn", read)(request);
  const what = `files(), asked to ${method} ${target},`;
  const response = await stage.start(call, what).result;
  return { ...parsed(encodeResponse(response, request)), opened };
}

Deno.test(check("files() gives the files of its directory", async (stage) => {
  for (
    const [target, body, type] of [
      ["/", "<h1>The Inn</h1>", "text/html"],
      ["/index.html?day=1", "<h1>The Inn</h1>", "text/html"],
      ["/docs/", "<h1>Docs</h1>", "text/html"],
      ["/wine%20list.txt", "red, white", "text/plain"],
      ["/gr%C3%BC%C3%9Fe.txt", "from the sea", "text/plain"],
      ["/what%3F.txt?day=1", "a question", "text/plain"],
      ["/logo.png", "\x89PNG", "image/png"],
    ] as const
  ) {
    const answer = await ask(stage, target);

    assertEquals(answer.status, 200, `the status of GET ${target}`);
    assertBytes(answer.body, body, `the answer to GET ${target}`);
    const got = answer.headers.get("content-type")?.split(";")[0];
    assertEquals(got, type, `the Content-Type of GET ${target}`);
  }
}));

Deno.test(check("files() answers 404 and 405 to the rest", async (stage) => {
  for (
    const [target, method, status] of [
      ["/beer.txt", "GET", 404],
      ["/", "POST", 405],
      ["/", "HEAD", 200],
    ] as const
  ) {
    const answer = await ask(stage, target, method);
    assertEquals(answer.status, status, `the status of ${method} ${target}`);
  }

  const { status } = await ask(stage, "/%zz"); // It decodes to nothing.
  assert([400, 404].includes(status), `the status of GET /%zz is ${status}`);
}));

Deno.test(check("files() opens nothing outside of its directory", {
  reveals: ["http-traversal"],
}, async (stage) => {
  for (
    const target of [
      "/../../etc/passwd",
      "/..%2f..%2fetc/passwd",
      "/%2e%2e/%2e%2e/etc/passwd",
      "/docs/../../../etc/passwd",
      "/../inn-accounts/2026.txt",
      "/%2e%2e%2finn-accounts/2026.txt",
      "/%252e%252e%252finn-accounts/2026.txt",
      "/....//....//etc/passwd",
      "/..././..././etc/passwd",
      "-accounts/2026.txt",
      "/index.html%00.png",
    ]
  ) {
    const { status, opened } = await ask(stage, target);

    const outside = opened.find((path) => !/^\/srv\/inn(\/|$)/.test(path));
    assert(!outside, `GET ${target} opened ${outside}`);
    assert(status >= 400 && status < 500, `GET ${target} got ${status}`);
  }
}));
