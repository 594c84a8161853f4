// The checks for lesson 10. Read them: they say what a message is, and what is
// to become of one that is not.
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
  fail,
} from "@std/assert";
import {
  type Actor,
  assertBytes,
  assertMessages,
  check,
  concat,
  everySplit,
} from "check";
import { encodeMessage, MessageDecoder, search, serve } from "./messages.ts";

const { InvalidData, UnexpectedEof } = Deno.errors;

/** What every header says here, unless the check is about it. */
const HEAD = {
  byteorder: "little",
  "content-type": "text/json",
  "content-encoding": "utf-8",
};

/** What a Python program sends that searches for a dog. */
const QUESTION = '{"action": "search", "value": "🐶"}';
const FROM_PYTHON = message(
  '{"byteorder": "little", "content-type": "text/json", ' +
    '"content-encoding": "utf-8", "content-length": 37}',
  QUESTION,
);

/** Content that is no text. */
const EVERY_BYTE = Uint8Array.from({ length: 256 }, (_, value) => value);
const IMAGE = { "content-type": "image/dog", "content-encoding": "binary" };

const IN_CAVES = "In the caves beneath the mountains";
const ANSWERS = new Map([["ring", IN_CAVES], ["🐶", "Playing ball 🏐"]]);

/** Good messages can say what makes no sense. */
const NONSENSE = ["{", "hello", "null", "7", "[]", "", '{"action":"dance"}'];

/** The program's server, with something to find. */
function serving(listener: Deno.Listener): Promise<void> {
  return serve(listener, ANSWERS);
}

// -- What goes out --

Deno.test(
  check("encodeMessage() puts a header in front, and its length", () => {
    const { head, content } = parts(encodeMessage("hello", "text/plain"));

    assertEquals(head["content-type"], "text/plain");
    assertEquals(head["content-encoding"], "utf-8");
    assertEquals(head["content-length"], 5);
    assert(/^(little|big)$/.test(head.byteorder), "byteorder: little or big");
    assertBytes(content, "hello", "the content");

    const longer = encodeMessage("hello", `text/${"x".repeat(300)}`);
    const told = "the header has over 300 bytes; the first two bytes announce";
    assert(uint16(longer) > 300, `${told} ${uint16(longer)}`);
    assertBytes(parts(longer).content, "hello", "what follows it");
  }),
);

Deno.test(check("encodeMessage() counts bytes", {
  reveals: ["length-in-characters"],
}, () => {
  const { head, content } = parts(encodeMessage("🐶 says héllo", "text/plain"));
  const length = head["content-length"];
  assert(length === 16, `"🐶 says héllo" is 16 bytes; you announce ${length}`);
  assertBytes(content, "🐶 says héllo", "the content");

  const named = parts(encodeMessage("woof", 'text/plain; by="🐶"'));
  assertEquals(named.head["content-type"], 'text/plain; by="🐶"');
  assertBytes(named.content, "woof", "what follows a header with a dog in it");
}));

Deno.test(check("encodeMessage() sends bytes as they are", () => {
  const { head, content } = parts(encodeMessage(EVERY_BYTE, "image/dog"));

  assertEquals(head["content-encoding"], "binary");
  assertEquals(head["content-length"], 256);
  assertBytes(content, EVERY_BYTE, "the content");
}));

// -- What comes in --

Deno.test(check("MessageDecoder reads a message that comes in one piece", {
  reveals: ["first-message-only"],
}, () => {
  const head = header('"content-length":5').padEnd(0x0101); // Either way round.

  const all = push(new MessageDecoder(), message(head, "hello"));

  assertMessages(all, ["hello"], "push() of a whole message");
}));

Deno.test(check("MessageDecoder reads what Python sends", {
  reveals: ["length-endianness"],
}, () => {
  const messages = new MessageDecoder().push(FROM_PYTHON);

  const contents = messages.map(({ content }) => content);
  assertMessages(contents, [QUESTION], "push() of a message that begins 00 67");
  assertEquals({ ...messages[0]?.head }, { ...HEAD, "content-length": 37 });
}));

Deno.test(check("MessageDecoder reads a message wherever it was cut", {
  reveals: ["utf8-per-chunk", "one-read-one-message"],
}, () => {
  // From the end: pieces in the wrong order show in the content alone.
  for (const [left, right] of everySplit(FROM_PYTHON).toReversed()) {
    const decoder = new MessageDecoder();
    const cut = `a message cut after ${left.length} bytes`;

    assertMessages(push(decoder, left), [], `the first piece of ${cut}`);
    assertMessages(push(decoder, right), [QUESTION], `the rest of ${cut}`);
  }
}));

Deno.test(check("MessageDecoder reads a message byte by byte", {
  reveals: ["one-read-one-message"],
}, () => {
  const decoder = new MessageDecoder();

  const all = Array.from(
    FROM_PYTHON,
    (byte) => push(decoder, Uint8Array.of(byte)),
  );

  assertMessages(all.flat(), [QUESTION], "push() of single bytes");
}));

Deno.test(check("MessageDecoder reads one message after the other", () => {
  const decoder = new MessageDecoder();

  const first = push(decoder, say("one"));
  const second = push(decoder, say("two"));

  assertMessages([...first, ...second], ["one", "two"], "two push() calls");
}));

Deno.test(check("MessageDecoder keeps what follows a message", {
  reveals: ["leftover-discarded"],
}, () => {
  const decoder = new MessageDecoder();
  const [begun, rest] = everySplit(say("two"))[40]!;

  const first = push(decoder, concat([say("one"), begun]));
  const second = push(decoder, rest);

  const cut = "one and a half messages, and then the other half,";
  assertMessages([...first, ...second], ["one", "two"], cut);
}));

Deno.test(check("MessageDecoder returns every message that a chunk completes", {
  reveals: ["first-message-only"],
}, () => {
  const three = concat([say("one"), say(""), say("three")]);

  const all = push(new MessageDecoder(), three);

  assertMessages(all, ["one", "", "three"], "push() of three messages");
}));

Deno.test(check("MessageDecoder keeps what begins the next message", {
  reveals: ["leftover-discarded"],
}, () => {
  const three = concat([say("one"), say(""), say("three")]);
  for (const [left, right] of everySplit(three)) {
    const decoder = new MessageDecoder();

    const all = [...push(decoder, left), ...push(decoder, right)];

    const cut = `three messages, cut after ${left.length} bytes,`;
    assertMessages(all, ["one", "", "three"], cut);
  }
}));

Deno.test(check("MessageDecoder takes any bytes for content", {
  reveals: ["utf8-per-chunk"],
}, () => {
  const [image] = new MessageDecoder().push(say(EVERY_BYTE, IMAGE));

  assertEquals(image?.head["content-type"], "image/dog");
  assertBytes(image?.content, EVERY_BYTE, "the content");
}));

Deno.test(check("MessageDecoder returns content that nobody overwrites", {
  reveals: ["stale-buffer-alias"],
}, () => {
  const decoder = new MessageDecoder();
  const buffer = say("hello");

  const first = push(decoder, buffer);
  buffer.fill(0xff); // As the next read does.
  const second = push(decoder, say("later"));

  assertMessages([...first, ...second], ["hello", "later"], "two push() calls");
}));

Deno.test(check("MessageDecoder reads a header as UTF-8", () => {
  const type = 'text/plain; by="🐶"';

  const [message] = new MessageDecoder().push(
    say("woof", { "content-type": type }),
  );

  assertEquals(message?.head["content-type"], type);
}));

Deno.test(
  check("MessageDecoder passes over fields that it does not know", () => {
    const more = { "x-dog": { name: "🐶" }, "content-language": null };

    const all = push(new MessageDecoder(), say("hello", more));

    assertMessages(all, ["hello"], "push() of a header with more fields");
  }),
);

Deno.test(
  check("MessageDecoder takes the last of two fields of one name", () => {
    const twice = header(`"content-length":9,"content-length":5`);

    const all = push(new MessageDecoder(), message(twice, "hello"));

    assertMessages(all, ["hello"], "push() of a length of 9, and then of 5,");
  }),
);

Deno.test(check("MessageDecoder accepts a header of 65,535 bytes", () => {
  const longest = header('"content-length":5').padEnd(65_535);

  const all = push(new MessageDecoder(), message(longest, "hello"));

  assertMessages(all, ["hello"], "push() with the longest header that fits");
}));

Deno.test(
  check("MessageDecoder refuses a header that is no JSON object", () => {
    for (const header of ["", "{", "hello", "null", "7", '"text"', "[]"]) {
      const bad = message(header, "hello");

      const told = `push() of a header ${header || "of no bytes"}`;
      assertThrows(
        () => push(new MessageDecoder(), bad),
        InvalidData,
        "",
        told,
      );
    }
  }),
);

Deno.test(check("MessageDecoder refuses a header that lacks a field", () => {
  const whole = { ...HEAD, "content-length": 5 };
  for (const field of Object.keys(whole)) {
    const bad = message(JSON.stringify({ ...whole, [field]: undefined }));

    const told = `push() of a header without ${field}`;
    assertThrows(() => push(new MessageDecoder(), bad), InvalidData, "", told);
  }
}));

Deno.test(check("MessageDecoder finds no field in a __proto__", () => {
  const sly = message(header('"__proto__":{"content-length":5}'), "hello");

  const told = "push() of a header with its content-length in a __proto__";
  assertThrows(() => push(new MessageDecoder(), sly), InvalidData, "", told);
}));

Deno.test(check("MessageDecoder refuses a length that is no number", {
  reveals: ["json-type-unchecked"],
}, () => {
  for (const length of ['"5"', "null", "true", "[5]", "{}"]) {
    const bad = message(header(`"content-length":${length}`), "hello");

    const told = `push() of a header with a content-length of ${length}`;
    assertThrows(() => push(new MessageDecoder(), bad), InvalidData, "", told);
  }
}));

Deno.test(check("MessageDecoder refuses a number that is no length", () => {
  for (const length of ["-1", "1.5", "1e400"]) {
    const bad = message(header(`"content-length":${length}`), "hello");

    const told = `push() of a header with a content-length of ${length}`;
    assertThrows(() => push(new MessageDecoder(), bad), InvalidData, "", told);
  }
}));

Deno.test(
  check("MessageDecoder accepts as much as it was told to accept", () => {
    const longest = "a".repeat(64);

    const all = push(new MessageDecoder(64), say(longest));

    assertMessages(all, [longest], "push() of 64 bytes, with 64 allowed,");
  }),
);

Deno.test(check("MessageDecoder refuses more than it was told to accept", {
  reveals: ["unbounded-length"],
}, () => {
  for (const length of [65, 2 ** 31, 2 ** 53 + 2, 1e300]) {
    const bad = message(header(`"content-length":${length}`));

    const told = `push() of a header that announces ${length} bytes`;
    assertThrows(
      () => push(new MessageDecoder(64), bad),
      InvalidData,
      "",
      told,
    );
  }
}));

Deno.test(check("MessageDecoder accepts nothing after a header it refused", {
  reveals: ["resync-after-error"],
}, () => {
  for (const bad of ["hello", "{}", header('"content-length":65537')]) {
    const decoder = new MessageDecoder();
    assertThrows(() => push(decoder, message(bad)), InvalidData);

    const next = {
      "one more byte": Uint8Array.of(0),
      "a good message": say("hello"),
    };
    for (const [what, chunk] of Object.entries(next)) {
      const told = `push() of ${what}, after a header ${bad}`;
      assertThrows(() => push(decoder, chunk), InvalidData, "", told);
    }
  }
}));

Deno.test(check("MessageDecoder accepts the end between two messages", {
  reveals: ["clean-eof-is-error"],
}, () => {
  const decoder = new MessageDecoder();
  decoder.push(concat([say("hello"), say("")]));
  decoder.end();

  new MessageDecoder().end(); // Nobody has to say anything.
}));

Deno.test(check("MessageDecoder refuses the end inside a message", {
  reveals: ["eof-mid-message-ok"],
}, () => {
  for (const [begun] of everySplit(say("hello"))) {
    const decoder = new MessageDecoder();
    decoder.push(begun);

    const told = `end() after ${begun.length} bytes of a message`;
    assertThrows(() => decoder.end(), UnexpectedEof, "", told);
  }
}));

// -- The client --

Deno.test(check("search() asks, and returns what the server found", {
  writesAtMost: 50,
}, async (stage) => {
  const host = await stage.listen("host");
  using conn = await Deno.connect({ port: host.addr.port });
  const searching = stage.start(() => search(conn, "🐶"));
  const server = await host.accept();

  const { head, content } = await receiveMessage(server);
  assertEquals(head["content-type"], "text/json");
  assertEquals(json(content), { action: "search", value: "🐶" });
  await server.sendInPieces(everySplit(found("Playing ball 🏐"))[90]!);

  assertEquals(await searching.result, "Playing ball 🏐");
}));

Deno.test(
  check("search() leaves the connection open for the next", async (stage) => {
    const host = await stage.listen("host");
    using conn = await Deno.connect({ port: host.addr.port });
    const server = await host.accept();

    for (const name of ["ring", "dog"]) {
      const searching = stage.start(() => search(conn, name));
      await receiveMessage(server);
      await server.send(found(`a ${name}`));
      assertEquals(await searching.result, `a ${name}`);
    }
  }),
);

Deno.test(check("search() rejects when the server ends inside its answer", {
  reveals: ["eof-mid-message-ok"],
}, async (stage) => {
  for (const begun of ["", "\0", found("a ring").subarray(0, 40)]) {
    const host = await stage.listen("host");
    using conn = await Deno.connect({ port: host.addr.port });
    const searching = stage.start(() => search(conn, "ring"));
    const server = await host.accept();
    await receiveMessage(server);

    await server.send(begun);
    await server.closeWrite();

    const told =
      `search() at the end, after ${begun.length} bytes of an answer`;
    await assertRejects(() => searching.result, UnexpectedEof, "", told);
  }
}));

// -- The server --

Deno.test(check("serve() answers what Python asks", {
  reveals: ["first-message-only"],
  writesAtMost: 50,
}, async (stage) => {
  stage.serve(serving);
  const ann = await stage.connect("ann");

  await ann.send(FROM_PYTHON);
  assertBytes(await resultFor(ann), "Playing ball 🏐", "the answer to ann");

  await ann.sendByteByByte(request("ring"));
  assertBytes(await resultFor(ann), IN_CAVES, "the answer to ann");
}));

Deno.test(check("serve() answers every message of a chunk", {
  reveals: ["first-message-only", "leftover-discarded"],
}, async (stage) => {
  stage.serve(serving);
  const ann = await stage.connect("ann");

  await ann.send(concat([request("ring"), request("🐶")]));
  assertBytes(await resultFor(ann), IN_CAVES, "the answer to ann");
  assertBytes(await resultFor(ann), "Playing ball 🏐", "the answer to ann");

  await ann.closeWrite();
  await ann.receivesEnd();
}));

Deno.test(check("serve() sends every answer before it hangs up", {
  reveals: ["reply-after-readable", "exit-before-flush", "interleaved-writers"],
}, async (stage) => {
  stage.serve(serving);
  const ann = await stage.connect("ann");
  const long = ["a", "b", "c"].map((letter) => letter.repeat(60_000));
  const dogs = [...long, "one", "more"];

  await ann.send(concat(dogs.map((dog) => say(dog, IMAGE))));
  await ann.closeWrite();
  await stage.sleep(10); // She takes her time, and the buffers are full.

  for (const dog of dogs) {
    assertBytes((await receiveMessage(ann)).content, dog, "what came back");
  }
  await ann.receivesEnd();
}));

Deno.test(check("serve() says when it finds nothing", async (stage) => {
  stage.serve(serving);
  const ann = await stage.connect("ann");

  for (const name of ["dragon", "constructor", "__proto__", ""]) {
    await ann.send(request(name));
    assertStringIncludes(text(await resultFor(ann)), "No match for");
  }
}));

Deno.test(
  check(
    "serve() reads text as its header says it is written",
    async (stage) => {
      stage.serve((listener) => serve(listener, new Map([["café", "open"]])));
      const ann = await stage.connect("ann");
      const latin = Uint8Array.from(
        '{"action":"search","value":"café"}',
        (letter) => letter.charCodeAt(0),
      );

      await ann.send(say(latin, { "content-encoding": "iso-8859-1" }));

      assertBytes(await resultFor(ann), "open", "the answer to ann");
    },
  ),
);

Deno.test(check("serve() sends bytes that are no JSON back as they came", {
  reveals: ["binary-through-string"],
}, async (stage) => {
  stage.serve(serving);
  const ann = await stage.connect("ann");

  await ann.send(say(EVERY_BYTE, IMAGE));

  const { head, content } = await receiveMessage(ann);
  assertEquals(head["content-type"], "image/dog");
  assertBytes(content, EVERY_BYTE, "what came back");
}));

Deno.test(check("serve() sends JSON of another type back as it came", {
  reveals: ["content-type-guessed"],
}, async (stage) => {
  stage.serve(serving);
  const ann = await stage.connect("ann");

  for (const type of ["text/plain", "application/json"]) {
    await ann.send(say(QUESTION, { "content-type": type }));

    const { head, content } = await receiveMessage(ann);
    assertBytes(content, QUESTION, `what came back as ${type}`);
    assertEquals(head["content-type"], type);
  }
}));

Deno.test(check("serve() answers bob while ann is inside a message", {
  reveals: ["await-in-accept-loop"],
}, async (stage) => {
  stage.serve(serving);
  const ann = await stage.connect("ann");
  const bob = await stage.connect("bob");
  const [begun, rest] = everySplit(request("ring"))[40]!;

  await ann.send(begun);
  await bob.send(request("ring"));
  assertBytes(await resultFor(bob), IN_CAVES, "the answer to bob");

  await ann.send(rest);
  assertBytes(await resultFor(ann), IN_CAVES, "the answer to ann");
}));

Deno.test(check("serve() answers what it does not understand with an error", {
  reveals: ["handler-rejection-kills-server"],
}, async (stage) => {
  stage.serve(serving);
  const bob = await stage.connect("bob");

  for (const content of NONSENSE) {
    const ann = await stage.connect("ann");
    await ann.sendInPieces(apart(say(content), content));
    const answer = text(await resultFor(ann));
    assertStringIncludes(answer, "Error: ", `to ${content}`);
  }
  const cat = await stage.connect("cat");
  await cat.send(say("{}", { "content-encoding": "klingon" }));
  assertStringIncludes(text(await resultFor(cat)), "Error: ", "to Klingon");

  await bob.send(request("ring"));
  assertBytes(await resultFor(bob), IN_CAVES, "the answer to bob");
}));

Deno.test(check("serve() goes on after what it does not understand", {
  reveals: ["hangs-up-on-nonsense"],
}, async (stage) => {
  stage.serve(serving);
  const ann = await stage.connect("ann");

  for (const content of NONSENSE) {
    await ann.sendInPieces(apart(say(content), content));
    await resultFor(ann);
    await ann.send(request("ring"));
    const found = await resultFor(ann);
    assertBytes(found, IN_CAVES, `the answer to ann, after ${content},`);
  }
  await ann.send(say("{}", { "content-encoding": "klingon" }));
  await resultFor(ann);
  await ann.send(request("ring"));
  assertBytes(await resultFor(ann), IN_CAVES, "the answer after Klingon");
}));

Deno.test(
  check("serve() answers a header that is none with an error, and hangs up", {
    reveals: ["handler-rejection-kills-server", "resync-after-error"],
  }, async (stage) => {
    stage.serve(serving);
    const bob = await stage.connect("bob");

    for (const bad of ["", "hello", "{}", '{"content-length":5}']) {
      const ann = await stage.connect("ann");
      await ann.sendInPieces(apart(message(bad), bad));
      assertStringIncludes(text(await resultFor(ann)), "Error: ", `to ${bad}`);
      await ann.receivesEnd();
    }

    await bob.send(request("ring"));
    assertBytes(await resultFor(bob), IN_CAVES, "the answer to bob");
  }),
);

Deno.test(
  check("serve() takes 65,536 bytes of content, and no more", async (stage) => {
    stage.serve(serving);
    const ann = await stage.connect("ann");
    const most = "a".repeat(65_536);

    await ann.send(say(most, IMAGE));
    assertBytes((await receiveMessage(ann)).content, most, "what came back");

    await ann.send(message(header('"content-length":65537')));
    assertStringIncludes(text(await resultFor(ann)), "Error: ");
    await ann.receivesEnd();
  }),
);

Deno.test(check("serve() outlives a client that ends inside a message", {
  reveals: ["handler-rejection-kills-server"],
}, async (stage) => {
  stage.serve(serving);
  const doomed = await stage.connect("doomed");
  const bob = await stage.connect("bob");

  await doomed.send(request("ring").subarray(0, 1));
  await doomed.closeWrite();
  await doomed.receiveAll(); // Whatever it is told.

  await bob.send(request("ring"));
  assertBytes(await resultFor(bob), IN_CAVES, "the answer to bob");
}));

Deno.test(check("serve() outlives a client that vanishes inside a message", {
  reveals: ["handler-rejection-kills-server"],
}, async (stage) => {
  stage.serve(serving);
  const doomed = await stage.connect("doomed", undefined, { canReset: true });
  const bob = await stage.connect("bob");

  await doomed.send(request("ring").subarray(0, 40));
  doomed.reset();

  await bob.send(request("ring"));
  assertBytes(await resultFor(bob), IN_CAVES, "the answer to bob");
}));

// -- What the cast says and hears --

/** The bytes of `text`. */
function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** A header with all that it needs but for `fields`, which are JSON. */
function header(fields: string): string {
  return `{${fields},${JSON.stringify(HEAD).slice(1)}`;
}

/** A message on the wire: any header, and any content behind it. */
function message(head: string, content: string | Uint8Array = ""): Uint8Array {
  const text = bytes(head);
  const length = Uint8Array.of(text.length >> 8, text.length);
  const body = typeof content === "string" ? bytes(content) : content;
  return concat([length, text, body]);
}

/** A message with a good header, which says what `more` says besides. */
function say(content: string | Uint8Array, more: object = {}): Uint8Array {
  const body = typeof content === "string" ? bytes(content) : content;
  const head = { ...HEAD, "content-length": body.length, ...more };
  return message(JSON.stringify(head), body);
}

/** A message in two pieces: the recording shows its end, `last`, as text. */
function apart(message: Uint8Array, last: string): Uint8Array[] {
  const at = message.length - bytes(last).length;
  return [message.subarray(0, at), message.subarray(at)]
    .filter(({ length }) => length > 0);
}

/** A question for `value`. */
function request(value: string): Uint8Array {
  return say(JSON.stringify({ action: "search", value }));
}

/** An answer. */
function found(result: string): Uint8Array {
  return say(JSON.stringify({ result }));
}

/** The content of each message that `chunk` completes. */
function push(decoder: MessageDecoder, chunk: Uint8Array): Uint8Array[] {
  return decoder.push(chunk).map(({ content }) => content);
}

// deno-lint-ignore no-explicit-any -- What it is, is for the check to say.
function json(content: Uint8Array): any {
  try {
    return JSON.parse(text(content));
  } catch (error) {
    fail(`What should be JSON is none: ${text(content)} (${error})`);
  }
}

/** The parts of a message on the wire. */
function parts(message: Uint8Array) {
  const end = 2 + uint16(message);
  const size = `encodeMessage() gives ${message.length} bytes`;
  const claim = `the first two announce a header of ${end - 2}`;
  assert(end <= message.length, `${size}, and ${claim}`);
  return { head: json(message.slice(2, end)), content: message.slice(end) };
}

/** Receives one message of the program. */
async function receiveMessage(actor: Actor) {
  const head = json(await actor.receive(uint16(await actor.receive(2))));
  return { head, content: await actor.receive(head["content-length"]) };
}

/** The number that two bytes are, the highest first. */
function uint16([high = 0, low = 0]: Uint8Array): number {
  return high * 256 + low;
}

/** Receives an answer, and gives the result in it. */
async function resultFor(actor: Actor): Promise<Uint8Array> {
  const { head, content } = await receiveMessage(actor);
  assertEquals(head["content-type"], "text/json");
  return bytes(json(content).result);
}
