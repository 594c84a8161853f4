// The checks for lesson 24. Read them: they say what a frame is, and what the
// server promises.
import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  type Actor,
  assertBytes,
  assertMessages,
  check,
  concat,
  type Data,
  everySplit,
  type Stage,
  toBytes,
} from "check";
import {
  acceptKey,
  encodeWs,
  serve,
  WsDecoder,
  WsError,
  type WsEvent,
} from "./websocket.ts";

/** The key of RFC 6455, and what is to be answered to it. */
const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

const HANDSHAKE = [
  "GET / HTTP/1.1",
  "Host: 127.0.0.1:7024",
  "Upgrade: websocket",
  "Connection: keep-alive, Upgrade",
  `Sec-WebSocket-Key: ${KEY}`,
  "Sec-WebSocket-Version: 13",
  "\r\n",
].join("\r\n");

/** The mask of every client here. Real ones take a new one for each frame. */
const MASK = Uint8Array.of(0x37, 0xfa, 0x21, 0x3d);

/** Lengths that do not fit into seven bits, as a header has them. */
const LONG: Record<number, number[]> = {
  126: [126, 0, 126],
  300: [126, 1, 44],
  600: [126, 2, 88],
  1_000: [126, 3, 232],
  50_000: [126, 195, 80],
  65_535: [126, 255, 255],
  65_536: [127, 0, 0, 0, 0, 0, 1, 0, 0],
};

/** A frame of a client. Its first byte is 0x81 for a text in one frame. */
function frame(first: number, data: Data = ""): Uint8Array {
  const payload = toBytes(data);
  const masked = payload.map((byte, i) => byte ^ MASK[i % 4]!);
  const { length } = payload;
  return concat([header(first, LONG[length] ?? [length]), masked]);
}

/** The beginning of a client's frame, of which nothing more has come. */
function header(first: number, [second = 0, ...more]: number[]): Uint8Array {
  return Uint8Array.of(first, 0x80 | second, ...more, ...MASK);
}

/** The same frame as a server sends it: with no mask. */
function plain(first: number, data: Data = ""): Uint8Array {
  const payload = toBytes(data);
  const { length } = payload;
  return concat([Uint8Array.of(first, ...LONG[length] ?? [length]), payload]);
}

/** What a close holds. */
function closing(code: number, reason = ""): Uint8Array {
  return concat([Uint8Array.of(code >> 8, code & 0xff), toBytes(reason)]);
}

/** What `decoder` yields for `chunks`, in words that can be compared. */
function said(decoder: WsDecoder, ...chunks: Uint8Array[]): Uint8Array[] {
  return chunks.flatMap((chunk) => [...decoder.push(chunk)]).map(inWords);
}

function inWords(event: WsEvent): Uint8Array {
  if (event.type === "text") return toBytes(`text: ${event.text}`);
  if (event.type !== "close") {
    return concat([toBytes(`${event.type}: `), event.data]);
  }
  return toBytes(`close: ${event.code} ${event.reason}`);
}

/** As said(); nothing, if `decoder` refuses these as well. */
function saidOrRefused(decoder: WsDecoder, chunk: Uint8Array): Uint8Array[] {
  try {
    return said(decoder, chunk);
  } catch (error) {
    if (error instanceof WsError) return [];
    throw error;
  }
}

/** A decoder for messages of at most 1,000 bytes. */
function small(): WsDecoder {
  return new WsDecoder({ maxMessage: 1_000 });
}

/** Expects that `chunks`, which are `what`, are refused with `code`. */
function refuses(code: number, what: string, ...chunks: Uint8Array[]) {
  const push = () => said(small(), ...chunks);
  const error = assertThrows(push, WsError, "", `push() of ${what}`);
  assertEquals(error.code, code, `the code for ${what}`);
}

// -- Part 1: the key --

Deno.test(check("acceptKey() answers a key as its client expects", {
  reveals: ["ws-accept-key"],
}, async () => {
  const other = "HSmrc0sMlYUkAGmm5OPpG2HaGWk=";

  const first = await acceptKey(KEY);
  const second = await acceptKey("x3JJHMbDL1EzLkh9GBhXDw==");

  assertBytes(toBytes(first), ACCEPT, "the answer to the RFC's key");
  assertBytes(toBytes(second), other, "the answer to another key");
}));

// -- Part 2: frames that go out --

Deno.test(check("encodeWs() makes whole frames without a mask", {
  reveals: ["ws-server-masks"],
}, () => {
  const [text, binary, close, ping] = [0x1, 0x2, 0x8, 0x9];
  const bytes = Uint8Array.of(0xff, 0x00);

  const hello = encodeWs(text, toBytes("Hello"));
  assertBytes(hello, plain(0x81, "Hello"), 'the frame of "Hello"');
  assertBytes(encodeWs(binary, bytes), plain(0x82, bytes), "of ff 00");
  const end = encodeWs(close, closing(1000));
  assertBytes(end, Uint8Array.of(0x88, 2, 0x03, 0xe8), "a close with 1000");
  assertBytes(encodeWs(ping, toBytes("")), Uint8Array.of(0x89, 0), "a ping");
}));

Deno.test(check("encodeWs() writes a length in its shortest form", {
  reveals: ["ws-length-forms"],
}, () => {
  for (const length of [125, 126, 65_535, 65_536]) {
    const data = new Uint8Array(length).fill(0x61);

    const made = encodeWs(0x2, data);

    assertBytes(made, plain(0x82, data), `the frame of ${length} bytes`);
  }
}));

// -- Part 3: frames that come in --

Deno.test(check("WsDecoder takes the mask off a frame", {
  reveals: ["ws-still-masked"],
}, () => {
  const bytes = Uint8Array.from({ length: 100 }, (_, i) => i * 7);
  const frames: [Uint8Array, Data][] = [
    [frame(0x82, "Hello"), "binary: Hello"],
    [frame(0x81, "Hello"), "text: Hello"],
    [frame(0x82, bytes), concat([toBytes("binary: "), bytes])],
    [frame(0x89, "hi"), "ping: hi"],
    [frame(0x8a, "ho"), "pong: ho"],
  ];

  for (const [chunk, words] of frames) {
    assertMessages(said(small(), chunk), [words], "push() of a masked frame");
  }
}));

Deno.test(check("WsDecoder reads a length in each of its forms", {
  reveals: ["ws-length-forms"],
}, () => {
  for (const length of [0, 125, 126, 65_535, 65_536]) {
    const decoder = new WsDecoder({ maxMessage: 70_000 });
    const text = "a".repeat(length);

    const heard = said(decoder, frame(0x81, text));

    const told = `push() of a frame of ${length} bytes`;
    assertMessages(heard, [`text: ${text}`], told);
  }
}));

Deno.test(check("WsDecoder yields all that a chunk completes", {
  reveals: ["first-message-only"],
}, () => {
  const chunk = concat([
    frame(0x81, "one"),
    frame(0x81, ""),
    frame(0x89, "hi"),
    frame(0x81, "three"),
  ]);

  const heard = said(small(), chunk);

  const all = ["text: one", "text: ", "ping: hi", "text: three"];
  assertMessages(heard, all, "push() of four frames");
}));

Deno.test(check("WsDecoder reads frames wherever they were cut", {
  reveals: ["ws-still-masked", "one-read-one-message"],
}, () => {
  const long = "long ".repeat(26).slice(0, 126);
  const sent = concat([
    frame(0x82, "Hello"),
    frame(0x89, ""),
    frame(0x82, long),
  ]);
  const all = ["binary: Hello", "ping: ", `binary: ${long}`];

  for (const cut of everySplit(sent)) {
    const told = `three frames, cut after ${cut[0].length} bytes,`;
    assertMessages(said(small(), ...cut), all, told);
  }
  const drops = Array.from(sent, (byte) => Uint8Array.of(byte));
  assertMessages(said(small(), ...drops), all, "three frames, byte by byte,");
}));

Deno.test(check("WsDecoder joins the frames of a message", {
  reveals: ["ws-frame-is-message"],
}, () => {
  const accent = toBytes("é");
  const messages: [Uint8Array[], string][] = [
    [[frame(0x01, "hel"), frame(0x80, "lo")], "text: hello"],
    [
      [frame(0x01), frame(0x00, "a"), frame(0x00), frame(0x80, "b")],
      "text: ab",
    ],
    [
      [frame(0x01, accent.slice(0, 1)), frame(0x80, accent.slice(1))],
      "text: é",
    ],
    [[frame(0x02, "by"), frame(0x80, "tes")], "binary: bytes"],
  ];

  for (const [frames, words] of messages) {
    const decoder = small();
    const told =
      `push() of ${frames.length} frames of one message, and another`;
    const heard = said(decoder, ...frames, frame(0x81, "next"));
    assertMessages(heard, [words, "text: next"], told);
  }
}));

Deno.test(check("WsDecoder yields every character of a text", {
  reveals: ["bom-stripped"],
}, () => {
  for (const text of ["\ufeffhello", "a\0b", "🐶 né"]) {
    const [event] = [...small().push(frame(0x81, text))];

    assert(event?.type === "text", "push() of a text should give a text");
    assertBytes(toBytes(event.text), text, "the text");
  }
}));

Deno.test(check("WsDecoder yields a ping that comes inside a message", {
  reveals: ["ws-control-between"],
}, () => {
  const frames = [
    frame(0x01, "hel"),
    frame(0x89, "hi"),
    frame(0x00, "lo, "),
    frame(0x8a, "ho"),
    frame(0x80, "you"),
  ];

  const heard = said(small(), ...frames);

  const told = "push() of a message in three frames, a ping and a pong";
  const all = ["ping: hi", "pong: ho", "text: hello, you"];
  assertMessages(heard, all, told);
}));

Deno.test(check("WsDecoder yields data that nobody overwrites", {
  reveals: ["stale-buffer-alias"],
}, () => {
  const decoder = small();
  const buffer = concat([frame(0x82, "hello, you"), frame(0x02, "lat")]);

  const first = [...decoder.push(buffer)];
  buffer.fill(0xff); // As the next read does.
  const second = [...decoder.push(frame(0x80, "er"))];

  const heard = [...first, ...second].map(inWords);
  assertMessages(
    heard,
    ["binary: hello, you", "binary: later"],
    "two push() calls",
  );
}));

Deno.test(check("WsDecoder refuses a frame that is not masked", {
  reveals: ["ws-unmasked", "ws-wrong-code"],
}, () => {
  refuses(1002, "a text without a mask", plain(0x81, "hello"));
  refuses(1002, "a ping without a mask", plain(0x89));
}));

Deno.test(check("WsDecoder refuses frames that break a rule", {
  reveals: ["ws-rules-unchecked", "ws-wrong-code"],
}, () => {
  for (const first of [0xc1, 0xa1, 0x91]) {
    const hex = first.toString(16);
    refuses(1002, `a frame that begins with ${hex}`, frame(first, "a"));
  }
  for (const op of [0x3, 0x7, 0xb, 0xf]) {
    const hex = op.toString(16);
    refuses(1002, `a frame with opcode ${hex}`, frame(0x80 | op, "a"));
  }
  refuses(1002, "a part of a ping", frame(0x09, "a"));
  refuses(1002, "a ping of 126 bytes", frame(0x89, "a".repeat(126)));
  refuses(1002, "the end of a message that never began", frame(0x80, "a"));
  refuses(1002, "a text in a text", frame(0x01, "a"), frame(0x81, "b"));
}));

Deno.test(check("WsDecoder refuses a text that is not UTF-8", {
  reveals: ["invalid-utf8-silent", "ws-wrong-code"],
}, () => {
  const noText = Uint8Array.of(0xff, 0xfe);
  const half = toBytes("é").slice(0, 1);
  const bad = concat([closing(1000), noText]);

  const bytes = said(small(), frame(0x82, noText));
  const binary = concat([toBytes("binary: "), noText]);
  assertMessages(bytes, [binary], "push() of ff fe as binary");
  refuses(1007, "ff fe as text", frame(0x81, noText));
  refuses(1007, "half an é as text", frame(0x81, half));
  refuses(1007, "half an é in frames", frame(0x01, "a"), frame(0x80, half));
  refuses(1007, "a close because of ff fe", frame(0x88, bad));
}));

Deno.test(check("WsDecoder refuses a message above maxMessage", {
  reveals: ["unbounded-length", "ws-wrong-code"],
}, () => {
  const most = "a".repeat(1_000);
  const heard = said(small(), frame(0x81, most));
  assertMessages(heard, [`text: ${most}`], "push() of 1,000 bytes");

  const [two, eight] = [[126, 3, 233], LONG[65_536]!];
  refuses(1009, "a header that announces 1,001 bytes", header(0x81, two));
  refuses(1009, "a header that announces 65,536", header(0x82, eight));
}));

Deno.test(check("WsDecoder adds up the frames of a message", {
  reveals: ["ws-control-counted", "ws-fragments-unbounded", "ws-wrong-code"],
}, async (stage) => {
  const most = "a".repeat(600);
  const ping = frame(0x89, "p".repeat(125));
  const rest = [
    frame(0x00, "b".repeat(300)),
    ping,
    frame(0x80, "c".repeat(100)),
  ];
  const told = "push() of 1,000 bytes in three frames, and a ping";
  // deno-lint-ignore require-await -- A failure then says what was pushed.
  const push = async () => said(small(), frame(0x01, most), ...rest);
  const heard = await stage.start(push, told).result;
  const text = most + "b".repeat(300) + "c".repeat(100);
  const all = [`ping: ${"p".repeat(125)}`, `text: ${text}`];
  assertMessages(heard, all, told);

  const [one, other] = [frame(0x01, most), header(0x80, LONG[600]!)];
  refuses(1009, "600 bytes and a header that announces 600 more", one, other);
}));

Deno.test(check("WsDecoder refuses before it makes room", {
  reveals: ["allocate-before-check"],
}, () => {
  const half = header(0x82, [127, 0, 0, 0, 0, 32, 0, 0, 0]);
  const crowd = [1, 2, 3, 4].map(small);
  const before = Deno.memoryUsage().external;

  const told = "push() of a header that announces half a gigabyte";
  for (const decoder of crowd) {
    assertThrows(() => said(decoder, half), WsError, "", told);
  }

  const room = Deno.memoryUsage().external - before;
  const sentence = `For 56 bytes your program made room for ${room} bytes`;
  assert(room < 2 ** 28, sentence);
}));

Deno.test(check("WsDecoder reads all eight bytes of a length", {
  reveals: ["length-64-precision"],
}, () => {
  const lengths = {
    "2 ** 31 + 5": [127, 0, 0, 0, 0, 128, 0, 0, 5],
    "2 ** 32 + 5": [127, 0, 0, 0, 1, 0, 0, 0, 5],
    "2 ** 53 + 1": [127, 0, 32, 0, 0, 0, 0, 0, 1],
    "2 ** 63 + 5": [127, 128, 0, 0, 0, 0, 0, 0, 5],
  };
  for (const [words, length] of Object.entries(lengths)) {
    const told = `push() of a header that announces ${words} bytes`;
    const chunk = header(0x82, length);
    assertThrows(() => said(small(), chunk), WsError, "", told);
  }
}));

Deno.test(check("WsDecoder yields a close with its code, and no more", {
  reveals: ["ws-reads-on", "ws-close-payload"],
}, () => {
  const closes: [Uint8Array, string][] = [
    [frame(0x88, closing(1000)), "close: 1000 "],
    [frame(0x88, closing(4999, "bye, né")), "close: 4999 bye, né"],
    [frame(0x88), "close: 1005 "],
    [frame(0x88, closing(1012)), "close: 1012 "],
    [frame(0x88, closing(3000)), "close: 3000 "],
  ];
  for (const [chunk, words] of closes) {
    assertMessages(said(small(), chunk), [words], "push() of a close");
  }

  const decoder = small();
  const both = concat([frame(0x88, closing(1001)), frame(0x81, "hello")]);
  const heard = said(decoder, both, frame(0x81, "hello"));
  assertMessages(heard, ["close: 1001 "], "push() of a close and two texts");
}));

Deno.test(check("WsDecoder yields what came before an error, and no more", {
  reveals: ["ws-reads-on"],
}, () => {
  const decoder = small();
  const noText = frame(0x81, Uint8Array.of(0xff, 0xfe));
  const before: Uint8Array[] = [];

  const push = () => {
    const chunk = concat([frame(0x81, "one"), noText]);
    for (const event of decoder.push(chunk)) before.push(inWords(event));
  };
  assertThrows(push, WsError, "", 'push() of "one", and of ff fe as text');

  const told = 'push() of "one", and of ff fe as text behind it,';
  assertMessages(before, ["text: one"], told);
  const heard = saidOrRefused(decoder, frame(0x81, "hello"));
  assertMessages(heard, [], "push() of a text behind one that is not UTF-8");
}));

Deno.test(check("WsDecoder refuses a close with a code that is none", {
  reveals: ["ws-close-payload", "ws-wrong-code"],
}, () => {
  refuses(1002, "a close of one byte", frame(0x88, "\x03"));
  for (const code of [0, 999, 1004, 1005, 1006, 1015]) {
    refuses(1002, `a close with code ${code}`, frame(0x88, closing(code)));
  }
}));

// -- Part 4: the server --

/** Connects, and gets as far as the first frame. */
async function join(
  stage: Stage,
  name: string,
  listener?: Deno.TcpListener,
): Promise<Actor> {
  const canReset = name === "doomed";
  const client = await stage.connect(name, listener, { canReset });
  await client.send(HANDSHAKE);
  await client.receiveUntil("\r\n\r\n");
  // The answer is sent before the client is in, and nothing tells when it is.
  await stage.sleep(1);
  return client;
}

/** Receives a close, and gives its code; 0 if there is none. */
async function receiveClose(client: Actor): Promise<number> {
  await client.receives(Uint8Array.of(0x88));
  const [length = 0] = await client.receive(1);
  const [high = 0, low = 0] = await client.receive(length);
  return high * 256 + low;
}

Deno.test(check("serve() answers a handshake", {
  reveals: ["ws-accept-key", "timer-leak"],
}, async (stage) => {
  stage.serve(serve);
  const ann = await stage.connect("ann");
  const bob = await stage.connect("bob");
  const cat = await stage.connect("cat");

  await ann.send(HANDSHAKE);
  await bob.sendByteByByte(HANDSHAKE);
  const [request, ...fields] = HANDSHAKE.split("\r\n");
  const shouted = fields.map((field) =>
    field.replace(/^.*?:/, (name) => name.toUpperCase())
  );
  await cat.send([request, ...shouted].join("\r\n"));

  for (const client of [ann, bob, cat]) {
    await client.receives("HTTP/1.1 101 ");
    const head = await client.receiveUntil("\r\n\r\n");
    const text = new TextDecoder().decode(head);
    const [, accept = ""] = text.match(/^sec-websocket-accept: *(\S+)/im) ?? [];
    assertBytes(toBytes(accept), ACCEPT, "Sec-WebSocket-Accept");
    assert(/^upgrade: *websocket\r$/im.test(text), "there is no Upgrade field");
    assert(/^connection: *upgrade\r$/im.test(text), "no Connection field");
  }
}));

Deno.test(check("serve() refuses what is no handshake", async (stage) => {
  stage.serve(serve);
  const refusals: [string, string, RegExp][] = [
    [": 13", ": 8", /^HTTP\/1\.1 426 [^]*^sec-websocket-version: *13\r$/im],
    [`Sec-WebSocket-Key: ${KEY}\r\n`, "", /^HTTP\/1\.1 400 /],
    ["GET", "POST", /^HTTP\/1\.1 4\d\d /],
  ];

  for (const [part, instead, response] of refusals) {
    const ann = await stage.connect("ann");
    await ann.send(HANDSHAKE.replace(part, instead));
    const text = new TextDecoder().decode(await ann.receiveAll());
    assert(response.test(text), `the response to a handshake without ${part}`);
  }
}));

Deno.test(check("serve() passes messages on to everybody", {
  reveals: ["ws-server-masks"],
}, async (stage) => {
  stage.serve(serve);
  const ann = await join(stage, "ann");
  const bob = await join(stage, "bob");
  const late = await stage.connect("late");
  const bytes = Uint8Array.of(0x00, 0xff, 0xfe);

  await ann.send(frame(0x81, "hello"));
  await ann.receives(plain(0x81, "hello"));
  await bob.receives(plain(0x81, "hello"));

  await bob.send(frame(0x82, bytes));
  await ann.receives(plain(0x82, bytes));
  await bob.receives(plain(0x82, bytes));

  await ann.sendInPieces([frame(0x01, "good "), frame(0x80, "morning")]);
  await ann.receives(plain(0x81, "good morning"));
  await bob.receives(plain(0x81, "good morning"));

  await late.send(HANDSHAKE); // Until now no frame was for late.
  await late.receives("HTTP/1.1 101 ");
}));

Deno.test(check("serve() reads frames that came with the handshake", {
  reveals: ["leftover-discarded"],
}, async (stage) => {
  stage.serve(serve);
  const ann = await stage.connect("ann");
  const bob = await stage.connect("bob");
  const hello = frame(0x81, "hello");

  await ann.send(concat([toBytes(HANDSHAKE), hello]));
  await ann.receiveUntil("\r\n\r\n");
  await ann.receives(plain(0x81, "hello"));

  await bob.send(concat([toBytes(HANDSHAKE), hello.slice(0, 3)]));
  await bob.receiveUntil("\r\n\r\n");
  await bob.send(hello.slice(3));
  await bob.receives(plain(0x81, "hello"));
}));

Deno.test(check("serve() answers a ping with what it carried", {
  reveals: ["ws-no-pong"],
}, async (stage) => {
  stage.serve(serve);
  const ann = await join(stage, "ann");

  await ann.send(frame(0x89, "hi"));
  await ann.receives(plain(0x8a, "hi"));
  await ann.send(frame(0x89));
  await ann.receives(plain(0x8a));

  const pong = frame(0x8a, "a pong that nobody asked for");
  await ann.send(concat([pong, frame(0x81, "hello")]));
  await ann.receives(plain(0x81, "hello"));
}));

Deno.test(check("serve() answers a close with a close", {
  reveals: [
    "ws-no-close-handshake",
    "ws-stays-after-close",
    "ws-wrong-code",
    "timer-leak",
  ],
}, async (stage) => {
  stage.serve((listener) => serve(listener, { closeMs: 60_000 }));
  const ann = await join(stage, "ann");
  const bob = await join(stage, "bob");

  await ann.send(frame(0x88, closing(4001, "bye")));
  assertEquals(await receiveClose(ann), 4001, "the code of the answer");
  await ann.receivesEnd();
  const ms = Math.round(stage.now);
  assert(ms < 1_000, `both have said close, and the end came after ${ms} ms`);

  await bob.send(frame(0x88));
  const code = await receiveClose(bob);
  const told = `the answer to a close without a code has ${code}`;
  assert(code === 0 || code === 1000, told);
  await bob.receivesEnd();
}));

Deno.test(check("serve() says why it hangs up on a client", {
  reveals: [
    "handler-rejection-kills-server",
    "ws-no-close-handshake",
    "ws-stays-after-close",
    "ws-wrong-code",
    "timer-leak",
  ],
}, async (stage) => {
  // A server may wait for the client's end before its own: not for long, here.
  const options = { maxMessage: 1_000, closeMs: 300 };
  stage.serve((listener) => serve(listener, options));
  const bob = await join(stage, "bob");
  const faults: [number, Uint8Array][] = [
    [1002, plain(0x81, "hello")],
    [1007, frame(0x81, Uint8Array.of(0xff, 0xfe))],
    [1009, header(0x81, LONG[65_536]!)],
  ];

  for (const [code, fault] of faults) {
    const rude = await join(stage, `rude ${code}`);
    const [first, last] = [frame(0x81, "well"), frame(0x81, "and more")];
    await rude.send(concat([first, fault, last]));
    // What came before the fault is a message like any other.
    for (const client of [rude, bob]) {
      await client.receives(plain(0x81, "well"));
    }
    assertEquals(await receiveClose(rude), code, "the code of the close");
    await rude.receivesEnd();
  }

  await bob.send(frame(0x81, "still here"));
  await bob.receives(plain(0x81, "still here"));
}));

Deno.test(check("serve() reports how each connection ended", {
  reveals: [
    "handler-rejection-kills-server",
    "ws-abnormal-end",
    "ws-wrong-code",
  ],
}, async (stage) => {
  const codes: number[] = [];
  const onClose = (code: number) => codes.push(code);
  const options = { onClose, closeMs: 1_000 };
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = stage.start(() => serve(listener, options));
  const plainly = await stage.connect("plain", listener);
  await plainly.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  await plainly.receiveAll(); // That was no WebSocket.

  const ann = await join(stage, "ann", listener);
  await ann.send(frame(0x88, closing(4000)));
  await ann.receiveAll();
  const bob = await join(stage, "bob", listener);
  await bob.send(frame(0x88));
  await bob.receiveAll();
  const cat = await join(stage, "cat", listener);
  await cat.closeWrite();
  await cat.receiveAll();
  const rude = await join(stage, "rude", listener);
  await rude.send(plain(0x81, "without a mask"));
  await receiveClose(rude); // It has 1002, and was the first.
  await rude.send(frame(0x88, closing(1000)));
  await rude.receiveAll();
  const doomed = await join(stage, "doomed", listener);
  doomed.reset();
  listener.close();
  for (const client of [plainly, ann, bob, cat, rude]) client.close();

  await serving.result;
  const all = [1002, 1005, 1006, 1006, 4000];
  assertEquals(codes.sort(), all, "what onClose was told");
}));

Deno.test(check("serve() sends a close to everyone before it ends", {
  reveals: [
    "ws-no-close-handshake",
    "ws-frame-after-close",
    "ws-hangs-up-early",
    "ws-stays-after-close",
    "shutdown-waits-forever",
    "ws-wrong-code",
    "returns-before-clients",
    "timer-leak",
  ],
}, async (stage) => {
  const { signal, abort } = aborter();
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const codes: number[] = [];
  const onClose = (code: number) => codes.push(code);
  const options = { signal, closeMs: 60_000, onClose };
  const serving = stage.start(() => serve(listener, options));
  const half = await stage.connect("half", listener);
  await half.send("GET / HT");
  const ann = await join(stage, "ann", listener);
  const mute = await join(stage, "mute", listener);

  const before = stage.now;
  abort();

  assertEquals(await receiveClose(ann), 1001, "the code of the close");
  const bye = [frame(0x81, "wait"), frame(0x88, closing(1000))];
  await ann.send(concat(bye)); // The text is too late.
  await ann.receivesEnd();
  ann.close();
  assertEquals(await receiveClose(mute), 1001, "the code of the close");
  assert(!serving.settled, "serve() returned while mute was inside");
  // It never answers. On loopback, where a minute is long, it leaves.
  if (stage.network === "loopback") mute.close();
  await serving.result;
  assertEquals(codes, [1001, 1001], "what onClose was told");
  if (stage.network === "loopback") return;
  await mute.receivesEnd();
  const waited = Math.round((stage.now - before) / 1_000);
  const told = `mute was dropped after ${waited} s, and closeMs is 60 s`;
  assert(waited >= 59 && waited <= 61, told);
}));

Deno.test(check("serve() lets a client that still sends hear why", {
  reveals: ["no-lingering-close", "per-read-only"],
}, async (stage) => {
  const options = { maxMessage: 1_000, closeMs: 1_000 };
  stage.serve((listener) => serve(listener, options));
  const rude = await join(stage, "rude");

  const long = [header(0x82, LONG[65_536]!), new Uint8Array(2 ** 20)];
  const sending = rude.send(concat(long));

  assertEquals(await receiveClose(rude), 1009, "the code of the close");
  await sending;
  if (stage.network === "simulated") await drips(stage, rude, 1_000);
  await rude.receivesEnd();
}));

/** Sends a byte now and then, from a close on, and expects that `ms` end it. */
async function drips(stage: Stage, client: Actor, ms: number) {
  for (let i = 0; i < 3; i++) {
    await stage.sleep(ms * 0.3);
    await client.send("x");
  }
  await stage.sleep(ms / 2);
  const held = `${client.name} goes on sending, and its connection is open`;
  const told = `${held} ${ms * 1.4} ms after the close (closeMs: ${ms})`;
  assert(!stage.openSockets.includes("connection"), told);
}

function aborter() {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}

Deno.test(check("serve() gives up a client that answers no ping", {
  reveals: ["keepalive-heartbeat", "no-deadline", "timer-leak"],
}, async (stage) => {
  const pingMs = stage.network === "simulated" ? 30_000 : 40;
  stage.serve((listener) => serve(listener, { pingMs }));
  const cut = await join(stage, "cut"); // A cable was: it says nothing.

  await cut.receives(Uint8Array.of(0x89));
  const asked = stage.now;
  await cut.receiveAll();
  if (stage.network === "loopback") return; // Time is what it is there.
  assert(stage.now <= 100_000, `it took ${stage.now / 1_000} s`);
  const [silent, more] = [asked, stage.now - asked].map(Math.round);
  assert(silent! > 29_000, `a ping came after ${silent} ms, not ${pingMs}`);
  assert(more! > 29_000, `it had ${more} ms for a pong, not ${pingMs}`);
}));

Deno.test(check("serve() stays with a client that talks", {
  reveals: ["idle-vs-total"],
  only: "simulated", // Nobody waits minutes for a check.
}, async (stage) => {
  stage.serve((listener) => serve(listener, { pingMs: 30_000 }));
  const ann = await join(stage, "ann");

  // Her pongs wait behind what she says; that she is there is plain.
  for (let round = 0; round < 12; round++) {
    await stage.sleep(10_000);
    await ann.send(frame(0x81, `${round}`));
    await ann.receiveUntil(plain(0x81, `${round}`)); // And perhaps a ping.
  }

  // A message that takes two minutes: each of its bytes says as much.
  for (const byte of frame(0x81, "so slow")) {
    await stage.sleep(10_000);
    await ann.send(Uint8Array.of(byte));
  }
  await ann.receiveUntil(plain(0x81, "so slow"));
}));

Deno.test(check("serve() stays with a client that answers", {
  reveals: ["late-timer-closes-next", "keepalive-heartbeat", "timer-leak"],
  only: "simulated", // Nobody waits minutes for a check.
}, async (stage) => {
  stage.serve((listener) => serve(listener, { pingMs: 30_000 }));
  const ann = await join(stage, "ann");

  for (let round = 0; round < 5; round++) {
    await ann.receives(Uint8Array.of(0x89));
    const [length = 0] = await ann.receive(1);
    await ann.send(frame(0x8a, await ann.receive(length)));
  }
  await ann.send(frame(0x81, "still here"));
  await ann.receives(plain(0x81, "still here"));
}));

Deno.test(check("serve() finishes a frame before the next one", {
  reveals: ["interleaved-writers", "ignore-write-count"],
  writesAtMost: 4,
}, async (stage) => {
  stage.serve(serve);
  const ann = await join(stage, "ann");
  const bob = await join(stage, "bob");
  const cat = await join(stage, "cat");
  const [one, other] = [plain(0x81, "one, two"), plain(0x81, "and three")];

  await Promise.all([
    ann.send(frame(0x81, "one, two")),
    cat.send(frame(0x81, "and three")),
  ]);

  for (const client of [ann, bob, cat]) {
    const got = await client.receive(one.length + other.length);
    const both = got[1] === one[1] ? [one, other] : [other, one];
    assertBytes(got, concat(both), `what ${client.name} got`);
  }
}));

Deno.test(check("serve() lets nobody wait for a slow reader", {
  reveals: ["slow-client-blocks-broadcast"],
}, async (stage) => {
  stage.serve(serve);
  const ann = await join(stage, "ann");
  const slow = await join(stage, "slow");
  const data = new Uint8Array(50_000).fill(0x61);
  const [sent, passed] = [frame(0x82, data), plain(0x82, data)];

  for (let i = 0; i < 8; i++) {
    await ann.send(sent);
    await ann.receives(passed);
  }
  for (let i = 0; i < 8; i++) await slow.receives(passed);
}));

Deno.test(check("serve() outlives a client that vanishes inside a frame", {
  reveals: [
    "unawaited-write",
    "handler-rejection-kills-server",
    "timer-leak",
  ],
  writesAtMost: 8,
}, async (stage) => {
  stage.serve(serve);
  const doomed = await join(stage, "doomed");
  const ann = await join(stage, "ann");
  const bob = await join(stage, "bob");
  const song = "la ".repeat(40);

  await ann.send(frame(0x81, song));
  await doomed.receives(plain(0x81, song).slice(0, 9));
  doomed.reset();

  await ann.receives(plain(0x81, song));
  await bob.receives(plain(0x81, song));
  await bob.send(frame(0x81, "who was that?"));
  await ann.receives(plain(0x81, "who was that?"));
}));

Deno.test(check("serve() lets go of a client that never reads", {
  reveals: ["slow-client-blocks-broadcast", "unbounded-outbox"],
  only: "simulated", // The kernel's own buffers would take 4 MB first.
}, async (stage) => {
  const options = { maxQueued: 100_000, closeMs: 20 };
  stage.serve((listener) => serve(listener, options));
  const ann = await join(stage, "ann");
  const slow = await join(stage, "slow");
  const data = new Uint8Array(50_000).fill(0x61);
  const [sent, passed] = [frame(0x82, data), plain(0x82, data)];

  for (let i = 0; i < 40; i++) {
    await ann.send(sent);
    await ann.receives(passed);
  }
  const got = await slow.receiveAll();
  const told = `${got.length} bytes for slow were in memory`;
  assert(got.length < 400_000, told); // Buffers, the queue, and a frame or two.
}));

Deno.test(check("serve() sends its close behind what waits", {
  reveals: ["interleaved-writers", "ws-frame-after-close"],
  only: "simulated", // The kernel's own buffers would take 4 MB first.
}, async (stage) => {
  const { signal, abort } = aborter();
  stage.serve((listener) => serve(listener, { signal, closeMs: 1_000 }));
  const ann = await join(stage, "ann");
  const slow = await join(stage, "slow");
  const leaver = await join(stage, "leaver");
  const data = new Uint8Array(50_000).fill(0x61);
  const [sent, passed] = [frame(0x82, data), plain(0x82, data)];
  for (let i = 0; i < 8; i++) {
    await ann.send(sent);
    await ann.receives(passed);
  }

  await leaver.send(frame(0x88, closing(4000)));
  await stage.sleep(1);
  endsWell(await leaver.receiveAll(), 4000, "leaver");
  abort();
  endsWell(await slow.receiveAll(), 1001, "slow");

  // Whether the last messages still come is up to you; each that comes is whole.
  function endsWell(got: Uint8Array, code: number, who: string) {
    const whole = Math.floor(got.length / passed.length);
    const frames = Array<Uint8Array>(whole).fill(passed);
    const reason = got.subarray(whole * passed.length + 4); // Or none.
    const bye = plain(0x88, concat([closing(code), reason]));
    assertBytes(got, concat([...frames, bye]), `what ${who} got`);
  }
}));

Deno.test(check("serve() serves 200 clients", async (stage) => {
  stage.serve(serve);
  const length = stage.network === "simulated" ? 200 : 20;
  const names = Array.from({ length }, (_, i) => `client ${i}`);
  const crowd = await Promise.all(names.map((name) => join(stage, name)));

  await crowd[0]!.send(frame(0x81, "hello, everybody"));

  const hello = plain(0x81, "hello, everybody");
  await Promise.all(crowd.map((client) => client.receives(hello)));
}));
