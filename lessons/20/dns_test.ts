// The checks for lesson 20. Read them: they say what a DNS server promises.
// They read its answers with your own decodeMessage(), which is checked first.
import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  type Actor,
  assertBytes,
  check,
  everySplit,
  type Stage,
  type Talker,
} from "check";
import {
  answer,
  decodeMessage,
  type DnsMessage,
  encodeMessage,
  FormatError,
  type Question,
  RCODE,
  record,
  type ResourceRecord,
  serve,
  type ServeOptions,
  TYPE,
  type Zone,
} from "./dns.ts";

// -- Names and messages --

Deno.test(check("decodeMessage() reads a question", (_stage) => {
  const message = decodeMessage(HOST_ASKS);

  assertEquals(message.id, 0x61f7, "the id");
  assertEquals(message.response, false, "QR");
  assertEquals(message.opcode, 0, "the opcode");
  assertEquals(message.recursionDesired, true, "RD");
  const asked = ["www.example.test A, class 1"];
  assertEquals(asks(message), asked, "the question");
  const buffer = Uint8Array.of(9, 9, ...HOST_ASKS, 9); // It came inside more.
  const inside = buffer.subarray(2, 2 + HOST_ASKS.length);
  assertEquals(asks(decodeMessage(inside)), asked, "inside of a buffer");
}));

Deno.test(check("decodeMessage() reads what dig adds to its question", {
  reveals: ["dns-case", "dns-edns"],
}, () => {
  const { questions, additionals } = decodeMessage(DIG_ASKS);

  assertEquals(questions.map(({ name }) => name), ["wWw.example.test"]);
  assertEquals(lines(additionals), [
    "(root) OPT, class 1232, ttl 0: 000a00086908c1981c98f574",
  ]);
}));

Deno.test(check("decodeMessage() reads the answers of a real server", {
  reveals: ["dns-pointer-return"],
}, () => {
  const [address, address6, text, nobody] = [A, AAAA, TXT, NXDOMAIN]
    .map(decodeMessage);

  assertEquals(lines(address!.answers), [
    "www.example.test A, class 1, ttl 300: c0000202",
    "www.example.test A, class 1, ttl 300: c0000201",
  ]);
  assertEquals(lines(address6!.answers), [
    "www.example.test AAAA, class 1, ttl 300: 20010db8000000000000000000000001",
  ]);
  assertEquals(lines(text!.answers), [
    "example.test TXT, class 1, ttl 300: 05706c616e7409616e64207761746572",
  ]);
  assertEquals(verdict(nobody!), "NXDOMAIN: nothing, SOA");
}));

Deno.test(check("decodeMessage() reads names that go on elsewhere", {
  reveals: ["dns-pointer-return"],
}, () => {
  const alias = decodeMessage(CNAME);
  const mail = decodeMessage(MX);

  assertEquals(names(alias.answers), [
    "alias.example.test CNAME",
    "www.example.test A",
    "www.example.test A",
  ]);
  assertEquals(names(mail.answers), ["example.test MX", "example.test MX"]);
  assertEquals(names(mail.additionals), [
    "mail.example.test A",
    "backup.mail.example.test A",
    "ns.example.test A",
  ]);
}));

Deno.test(check("decodeMessage() rejects a pointer that does not lead back", {
  reveals: ["dns-pointer-loop"],
}, () => {
  // Names begin at byte 12, 0x0c.
  rejects("c00c 0001 0001", "a pointer to itself");
  rejects("c012 0001 0001 0377 7777 00", "a pointer to a name behind it");
  rejects("c012 0001 0001 c00c", "two pointers, each to the other");
}));

Deno.test(check("decodeMessage() rejects names that are too long", {
  reveals: ["dns-name-limits"],
}, () => {
  const label = (length: number) => `${byte(length)}${"61".repeat(length)}`;
  const long = label(63) + label(63) + label(63);

  const [fits] = decodeMessage(asking(`${long}${label(61)}00 00010001`))
    .questions;
  assertEquals(fits!.name.length, 63 + 1 + 63 + 1 + 63 + 1 + 61);
  rejects(`${label(64)}00 0001 0001`, "a label of 64 bytes");
  rejects(`${label(128)}00 0001 0001`, "a label of 128 bytes");
  rejects(`${long}${label(62)}00 0001 0001`, "a name of 256 bytes");
  const head = asking(`${long}00 0001 0001`, "0001 0001 0000 0000");
  const rest = hex(`${label(62)}c00c 0001 0001 00000000 0000`);
  const packet = Uint8Array.of(...head, ...rest);
  rejects(packet, "a name of 256 bytes, in two parts");
}));

Deno.test(check("decodeMessage() counts bytes, and not the letters of a name", {
  reveals: ["dns-limit-on-text"],
}, () => {
  const label = `3f${"c8".repeat(63)}`; // As text, each byte is "\\200".

  const name = `${label}${label}${label}00`;
  const { questions } = decodeMessage(asking(`${name} 0001 0001`));
  assertEquals(questions.length, 1);
}));

Deno.test(check("decodeMessage() rejects lengths with one of the two bits", {
  reveals: ["dns-pointer-bits"],
}, () => {
  // As a pointer each would lead to byte 2: a label of 1 byte, and the end.
  rejects("4002 0001 0001", "the first byte of a name is 0x40");
  rejects("8002 0001 0001", "the first byte of a name is 0x80");
}));

Deno.test(check("decodeMessage() rejects a name that contains itself", {
  reveals: ["dns-pointer-loop"],
}, () => {
  rejects("0161 c00c 0001 0001", 'a name "a", and then again from its start');
}));

Deno.test(check("decodeMessage() rejects a message that breaks off", {
  reveals: ["dns-reads-past-end"],
}, () => {
  for (const packet of [DIG_ASKS, CNAME, NXDOMAIN]) {
    for (const [start] of everySplit(packet)) {
      rejects(start, `${start.length} of ${packet.length} bytes`);
    }
  }
  rejects(new Uint8Array(), "nothing at all");
  rejects(asking("", "ffff ffff ffff ffff"), "many questions, and none came");
  const record = `00 0001 0001 00000000 ffff ${"00".repeat(99)}`;
  const short = asking(`00 0001 0001 ${record}`, "0001 0001 0000 0000");
  rejects(short, "a record with 99 of its 65,535 bytes");

  const buffer = Uint8Array.of(9, ...HOST_ASKS);
  rejects(buffer.subarray(1, HOST_ASKS.length - 2), "a part of a buffer");
}));

Deno.test(check("encodeMessage() writes what decodeMessage() reads", {
  reveals: ["dns-case"],
}, () => {
  assertBytes(encodeMessage(decodeMessage(HOST_ASKS)), HOST_ASKS);

  const message = query("A\\046b.Example.TEST", TYPE.MX, {
    response: true,
    opcode: 2,
    authoritative: true,
    truncated: true,
    recursionDesired: false,
    recursionAvailable: true,
    rcode: 5,
    answers: [record("a.test", "A", "192.0.2.1", 2 ** 31)],
    authorities: [record("b.test", "TXT", "hello")],
    additionals: [opt(4_096), record("c.test", "AAAA", "2001:db8::1")],
  });
  const written = encodeMessage(message);
  assertBytes(written.subarray(0, 12), hex("1234 9685 0001 0001 0001 0002"));
  const read = decodeMessage(written);
  assertEquals(asks(read), asks(message), "the question");
  assertEquals(lines(read.answers), lines(message.answers));
  assertEquals(lines(read.authorities), lines(message.authorities));
  assertEquals(lines(read.additionals), lines(message.additionals));
}));

Deno.test(check("encodeMessage() rejects names that are too long", {
  reveals: ["dns-limit-on-text", "dns-name-limits"],
}, () => {
  const label = (length: number) => "a".repeat(length);
  const long = [label(63), label(63), label(63)].join(".");
  const write = (name: string) => encodeMessage(query(name, TYPE.A));

  const throws = (name: string, what: string) =>
    assertThrows(() => write(name), FormatError, undefined, what);

  write(`${long}.${label(61)}`); // 255 bytes.
  write("\\200".repeat(63)); // One label of 63 bytes.
  throws(label(64), "a label of 64 letters");
  throws(label(192), "a label of 192 letters");
  throws(`${long}.${label(62)}`, "a name of 256 bytes");
  throws("a..b", 'the empty label in "a..b"');
}));

Deno.test(check("encodeMessage() leaves out what does not fit, and says so", {
  reveals: ["dns-cut-record", "dns-udp-size", "dns-opt-cut"],
}, () => {
  const message = query("long.example.test", TYPE.A, {
    response: true,
    answers: Array.from(
      { length: 50 },
      (_, n) => record("long.example.test", "A", `192.0.2.${n}`),
    ),
  });
  const size = encodeMessage(message).length;

  const short = encodeMessage(message, { maxSize: 512 });
  assertFits(short, 512);
  assertEquals(whole(short).truncated, true, "TC is not set");
  assertEquals(asks(whole(short)), asks(message), "the question");
  assertFits(encodeMessage(message, { maxSize: size - 1 }), size - 1);

  const all = whole(encodeMessage(message, { maxSize: size }));
  assertEquals(all.truncated, false, "all of it fits, and TC is set");
  assertEquals(all.answers.length, 50);

  const modern = { ...message, additionals: [opt(1_232)] };
  const cut = encodeMessage(modern, { maxSize: 512 });
  assertFits(cut, 512);
  assertEquals(whole(cut).additionals.some(isOpt), true, "OPT was left out");
}));

// -- What a zone answers --

Deno.test(check("answer() repeats id and question, and answers it", () => {
  const asked = query("www.example.test", TYPE.A, { id: 0xbeef });
  const reply = answer(asked, ZONE);

  assertEquals(reply.id, 0xbeef, "the id");
  assertEquals(reply.response, true, "QR");
  assertEquals(reply.recursionDesired, true, "RD");
  assertEquals(reply.recursionAvailable, false, "RA");
  assertEquals(reply.authoritative, true, "AA");
  assertEquals(asks(reply), asks(asked), "the question");
  assertEquals(lines(reply.answers).sort(), [ // In any order.
    "www.example.test A, class 1, ttl 300: c0000201",
    "www.example.test A, class 1, ttl 300: c0000202",
  ]);
  const not = query("www.example.test", TYPE.A, { recursionDesired: false });
  assertEquals(answer(not, ZONE).recursionDesired, false, "RD");
}));

Deno.test(check("answer() finds names in any letters, and repeats them", {
  reveals: ["dns-case"],
}, () => {
  const reply = answer(query("wWw.eXample.TEST", TYPE.A), ZONE);

  assertEquals(verdict(reply), "NOERROR: A A");
  assertEquals(reply.questions[0]!.name, "wWw.eXample.TEST");
  const capital = { ...ZONE, origin: "Example.TEST" };
  const own = answer(query("www.example.test", TYPE.A), capital);
  assertEquals(verdict(own), "NOERROR: A A", 'with the origin "Example.TEST"');
  const mixed = answer(query("capital.example.test", TYPE.A), ZONE);
  assertEquals(verdict(mixed), "NOERROR: A");
}));

Deno.test(check("answer() refuses names of other zones", {
  reveals: ["dns-suffix"],
}, () => {
  for (const name of ["elsewhere.test", "notexample.test", "test", ""]) {
    const reply = answer(query(name, TYPE.A), ZONE);
    assertEquals(verdict(reply), "REFUSED: nothing", `of "${name}"`);
    assertEquals(reply.authoritative, false, `AA for "${name}"`);
  }
  const apex = answer(query("example.test", TYPE.MX), ZONE);
  assertEquals(verdict(apex), "NOERROR: MX");
}));

Deno.test(check("answer() tells a missing record from a missing name", {
  reveals: ["dns-nodata-nxdomain", "dns-no-soa"],
}, () => {
  const ask = (name: string, type: number) =>
    verdict(answer(query(name, type), ZONE));

  assertEquals(ask("www.example.test", TYPE.MX), "NOERROR: nothing, SOA");
  assertEquals(ask("www.example.test", 99), "NOERROR: nothing, SOA");
  assertEquals(ask("nobody.example.test", TYPE.A), "NXDOMAIN: nothing, SOA");
  assertEquals(ask("capital.example.test", TYPE.MX), "NOERROR: nothing, SOA");
}));

Deno.test(check("answer() knows a name by the names below it", {
  reveals: ["dns-half-label", "dns-nodata-nxdomain"],
}, () => {
  // There is a host.deep.example.test.
  const reply = answer(query("deep.example.test", TYPE.A), ZONE);
  const half = answer(query("ww.example.test", TYPE.A), ZONE);

  assertEquals(verdict(reply), "NOERROR: nothing, SOA");
  assertEquals(verdict(half), "NXDOMAIN: nothing, SOA", 'of "ww.example.test"');
}));

Deno.test(check("answer() follows an alias to what it stands for", {
  reveals: ["dns-alias"],
}, () => {
  const ask = (name: string, type: number) =>
    verdict(answer(query(name, type), ZONE));

  assertEquals(ask("alias.example.test", TYPE.A), "NOERROR: CNAME A A");
  assertEquals(ask("far.example.test", TYPE.A), "NOERROR: CNAME CNAME A A");
  assertEquals(ask("alias.example.test", TYPE.CNAME), "NOERROR: CNAME");
  assertEquals(ask("away.example.test", TYPE.A), "NOERROR: CNAME");
}));

Deno.test(check("answer() says that what an alias leads to is not there", {
  reveals: ["dns-alias-to-nothing", "dns-no-soa"],
}, () => {
  const reply = answer(query("lost.example.test", TYPE.A), ZONE);

  assertEquals(
    verdict(reply),
    "NXDOMAIN: CNAME, SOA",
    'of "lost.example.test"',
  );
  const none = verdict(answer(query("alias.example.test", TYPE.MX), ZONE));
  assertEquals(none, "NOERROR: CNAME, SOA", "no MX where the alias leads");
}));

Deno.test(check("answer() comes to an end when aliases go round", {
  reveals: ["dns-alias-circle"],
}, () => {
  const reply = answer(query("round.example.test", TYPE.A), ZONE);

  assert(reply.answers.length <= 2, "answer() repeats what it has said");
}));

Deno.test(check("answer() says NOTIMP to whatever is no question", {
  reveals: ["dns-opcode"],
}, () => {
  for (const opcode of [2, 4, 5]) { // STATUS, NOTIFY, UPDATE.
    const other = query("www.example.test", TYPE.A, { opcode });
    assertEquals(verdict(answer(other, ZONE)), "NOTIMP: nothing");
    assertEquals(answer(other, ZONE).opcode, opcode);
  }
}));

Deno.test(check("answer() says FORMERR to no question, and to two", {
  reveals: ["dns-question-count"],
}, () => {
  const { questions: [one] } = query("www.example.test", TYPE.A);

  for (const questions of [[], [one!, one!], [one!, one!, one!]]) {
    const reply = answer(query("", TYPE.A, { questions }), ZONE);
    assertEquals(verdict(reply), "FORMERR: nothing");
  }
}));

Deno.test(check("answer() gives ANY the records of one type", {
  reveals: ["udp-amplification"],
}, () => {
  const reply = answer(query("www.example.test", TYPE.ANY), ZONE);
  const kinds = new Set(reply.answers.map(({ type }) => type)).size;

  assertEquals(kinds, 1, `ANY got records of ${kinds} types`);
  const all = ZONE.records.filter(({ name, type }) =>
    name === "www.example.test" && type === reply.answers[0]!.type
  );
  const [got, of] = [reply.answers.length, all.length]; // 0 is HINFO: RFC 8482.
  assert(of === 0 || got === of, `ANY got ${got} of ${of} records of a type`);
}));

Deno.test(check("answer() answers OPT with OPT", {
  reveals: ["dns-edns"],
}, () => {
  const additionals = [opt(4_096)];
  const modern = answer(
    query("www.example.test", TYPE.A, { additionals }),
    ZONE,
  );
  const plain = answer(query("www.example.test", TYPE.A), ZONE);

  assertEquals(names(modern.additionals.filter(isOpt)), ["(root) OPT"]);
  const others = [
    query("nobody.example.test", TYPE.A, { additionals }),
    query("elsewhere.test", TYPE.A, { additionals }),
    query("www.example.test", TYPE.A, { additionals, opcode: 2 }),
  ];
  for (const other of others) {
    const no = answer(other, ZONE);
    const what = `OPT beside "${verdict(no)}"`;
    assertEquals(names(no.additionals.filter(isOpt)), ["(root) OPT"], what);
  }
  const uncalled = names(plain.additionals.filter(isOpt));
  assertEquals(uncalled, [], "the query has no OPT");
}));

// -- The server, and UDP --

Deno.test(check("serve() answers from the address that was asked", {
  reveals: ["udp-wildcard-source", "dns-edns"],
  address: "127.0.0.2",
}, async (stage) => {
  const server = serveZone(stage, {}, "127.0.0.2");
  const ann = stage.datagram("ann");

  await ann.send(DIG_ASKS, server);
  const { bytes } = await ann.receive({ from: server });
  const reply = whole(bytes);
  assertEquals(reply.id, 0x7790);
  assertEquals(reply.questions[0]!.name, "wWw.example.test");
  assertEquals(verdict(reply), "NOERROR: A A");
}));

Deno.test(check("serve() outlives packets that are no messages", {
  reveals: ["udp-handler-throws"],
}, async (stage) => {
  const server = serveZone(stage);
  const mallory = stage.datagram("mallory");
  const bob = stage.datagram("bob");

  await mallory.send("", server);
  for (const [start] of everySplit(DIG_ASKS)) {
    await mallory.send(start, server);
  }
  await mallory.send("who is www.example.test, please?", server);
  await mallory.send(new Uint8Array(1_000).fill(0xff), server);

  const reply = await ask(bob, server, query("www.example.test", TYPE.A));
  assertEquals(verdict(reply), "NOERROR: A A");
}));

Deno.test(check("serve() outlives a sender that cannot be answered", {
  reveals: ["udp-unanswerable", "udp-handler-throws"],
}, async (stage) => {
  const mallory = stage.datagram("mallory");
  const bob = stage.datagram("bob");
  const server = stage.serveBoth((listener, socket) =>
    serve(listener, fromPort0(socket, mallory), ZONE)
  );

  await mallory.send(HOST_ASKS, server);
  const reply = await ask(bob, server, query("www.example.test", TYPE.A));
  assertEquals(verdict(reply), "NOERROR: A A");
}));

Deno.test(check("serve() answers no answer", {
  reveals: ["dns-answers-answers"],
}, async (stage) => {
  const server = serveZone(stage);
  const other = stage.datagram("other"); // Another server; or its address.

  await other.send(A, server);
  await other.receivesNothing(20);
  await other.send(A.subarray(0, 50), server); // It breaks off, too.
  await other.receivesNothing(20);
}));

Deno.test(check("serve() sends over UDP what the asker can take", {
  reveals: ["dns-udp-size", "dns-edns", "dns-cut-record"],
}, async (stage) => {
  const server = serveZone(stage);
  const ann = stage.datagram("ann");
  const bob = stage.datagram("bob");
  const cat = stage.datagram("cat");

  const plain = await askRaw(ann, server, query("big.example.test", TYPE.TXT));
  assertFits(plain, 512);
  assertEquals(whole(plain).truncated, true, "TC is not set");

  for (const size of [1_232, 900]) {
    const modern = query("big.example.test", TYPE.TXT, {
      additionals: [opt(size)],
    });
    const all = whole(await askRaw(bob, server, modern));
    assertEquals(
      all.truncated,
      false,
      `${size} bytes were allowed, and TC is set`,
    );
    assertEquals(verdict(all), "NOERROR: TXT");
  }
  const less = query("big.example.test", TYPE.TXT, { additionals: [opt(700)] });
  assertFits(await askRaw(bob, server, less), 700);

  const tiny = query("some.example.test", TYPE.TXT, { additionals: [opt(99)] });
  const some = whole(await askRaw(cat, server, tiny));
  assertEquals(some.truncated, false, "99 counts as 512, and TC is set");
  assertEquals(verdict(some), "NOERROR: TXT");
}));

Deno.test(check("serve() sends nobody more than 1,232 bytes over UDP", {
  reveals: ["udp-amplification"],
}, async (stage) => {
  const server = serveZone(stage);
  const victim = stage.datagram("victim"); // Who is said to have asked.

  const greedy = query("huge.example.test", TYPE.TXT, {
    additionals: [opt(65_535)],
  });
  const reply = await askRaw(victim, server, greedy);
  assertFits(reply, 1_232);
  assertEquals(whole(reply).truncated, true, "TC is not set");

  await victim.send(manyAboutOneName(42), server);
  assertFits((await victim.receive()).bytes, 512);
}));

/** A query whose questions all point to the first one's name, of 255 bytes. */
function manyAboutOneName(questions: number): Uint8Array {
  const label = (length: number) => [length, ...Array(length).fill(0x61)];
  const name = [63, 63, 63, 61].flatMap(label);
  const pointer = [0xc0, 12]; // Behind the header.
  const type = [0, TYPE.A, 0, 1];
  return Uint8Array.from([
    ...[0, 7, 1, 0, 0, questions, 0, 0, 0, 0, 0, 0],
    ...[...name, 0, ...type],
    ...Array(questions - 1).fill([...pointer, ...type]).flat(),
  ]);
}

// -- TCP --

Deno.test(check("serve() answers over TCP what UDP could not hold", {
  reveals: ["dns-tcp-length", "dns-no-tcp", "leaked-conn", "timer-leak"],
}, async (stage) => {
  const server = serveZone(stage);
  const ann = stage.datagram("ann");
  const huge = query("huge.example.test", TYPE.TXT, {
    additionals: [opt(1_232)], // That is for UDP; over TCP there is room.
  });
  const short = await ask(ann, server, huge);
  assertEquals(short.truncated, true, "TC is not set");

  const again = await stage.connect("ann again", server);
  await again.send(framed(huge));
  const reply = await answerOverTcp(again);

  assertEquals(reply.truncated, false, "TC is set over TCP, too");
  assertEquals(verdict(reply), "NOERROR: TXT");
  assertEquals(reply.answers[0]!.data.length, 3_012);
}));

Deno.test(check("serve() sends all of an answer, however little is taken", {
  reveals: ["ignore-write-count"],
  writesAtMost: 1_000,
}, async (stage) => {
  serveZone(stage);
  const ann = await stage.connect("ann");

  await ann.send(framed(query("huge.example.test", TYPE.TXT)));
  const reply = await answerOverTcp(ann);
  assertEquals(reply.answers[0]!.data.length, 3_012);
}));

Deno.test(check("serve() answers a client that asks again", {
  reveals: ["dns-one-query"],
}, async (stage) => {
  serveZone(stage);
  const ann = await stage.connect("ann");

  for (const id of [1, 2, 3]) {
    await ann.send(framed(query("www.example.test", TYPE.A, { id })));
    assertEquals((await answerOverTcp(ann)).id, id, "the id");
  }
}));

Deno.test(check("serve() joins a query that comes in two pieces", {
  reveals: ["one-read-one-message"],
}, async (stage) => {
  serveZone(stage);
  const ann = await stage.connect("ann");
  const frame = framed(query("www.example.test", TYPE.A));

  await ann.sendInPieces([frame.subarray(0, 20), frame.subarray(20)]);
  assertEquals(verdict(await answerOverTcp(ann)), "NOERROR: A A");
}));

Deno.test(check("serve() answers a client while another is halfway", {
  reveals: ["state-machine-blocking"],
}, async (stage) => {
  serveZone(stage);
  const ann = await stage.connect("ann");
  const bob = await stage.connect("bob");
  const frame = framed(query("www.example.test", TYPE.A));

  await ann.send(frame.subarray(0, 20));
  await bob.send(frame);
  assertEquals(verdict(await answerOverTcp(bob)), "NOERROR: A A");
  assert(stage.now < 5_000, "bob waited for ann, who had not finished");
  await ann.send(frame.subarray(20));
  assertEquals(verdict(await answerOverTcp(ann)), "NOERROR: A A");
}));

Deno.test(check("serve() joins a query that was cut anywhere", {
  reveals: ["dns-one-query", "header-single-read"],
}, async (stage) => {
  serveZone(stage);
  const ann = await stage.connect("ann");
  const frame = framed(query("www.example.test", TYPE.A));

  for (const pieces of everySplit(frame)) {
    await ann.sendInPieces(pieces);
    assertEquals(verdict(await answerOverTcp(ann)), "NOERROR: A A");
  }
  await ann.sendByteByByte(frame);
  assertEquals(verdict(await answerOverTcp(ann)), "NOERROR: A A");
}));

Deno.test(check("serve() answers each query of one write", {
  reveals: ["dns-one-query", "first-message-only", "interleaved-writers"],
  writesAtMost: 9,
}, async (stage) => {
  serveZone(stage);
  const ann = await stage.connect("ann");
  const one = framed(query("www.example.test", TYPE.A, { id: 1 }));
  const two = framed(query("example.test", TYPE.MX, { id: 2 }));

  await ann.send(Uint8Array.of(...one, ...two, ...two.subarray(0, 9)));
  const replies = [await answerOverTcp(ann), await answerOverTcp(ann)];
  await ann.send(two.subarray(9));
  replies.push(await answerOverTcp(ann));

  const said = replies.map((reply) => `${reply.id} ${verdict(reply)}`).sort();
  assertEquals(said, ["1 NOERROR: A A", "2 NOERROR: MX", "2 NOERROR: MX"]);
}));

Deno.test(check("serve() answers a client that has ended its sending", {
  reveals: ["eof-means-peer-gone", "leaked-conn"],
}, async (stage) => {
  serveZone(stage);
  const ann = await stage.connect("ann");

  await ann.send(framed(query("www.example.test", TYPE.A)));
  await ann.closeWrite();

  assertEquals(verdict(await answerOverTcp(ann)), "NOERROR: A A");
  await ann.receivesEnd();
}));

Deno.test(check("serve() answers no answer over TCP", {
  reveals: ["dns-answers-answers"],
}, async (stage) => {
  serveZone(stage);
  const other = await stage.connect("other");

  await other.send(Uint8Array.of(0, A.length, ...A));
  await other.closeWrite();
  await other.receivesEnd();
}));

Deno.test(check("serve() lets TCP clients go that break off", {
  reveals: [
    "handler-rejection-kills-server",
    "leak-on-error-path",
    "leaked-conn",
  ],
}, async (stage) => {
  serveZone(stage);
  const doomed = await stage.connect("doomed", undefined, { canReset: true });
  const half = await stage.connect("half");
  const mallory = await stage.connect("mallory");
  const frame = framed(query("huge.example.test", TYPE.TXT));

  await doomed.send(frame);
  await answerOverTcp(doomed);
  doomed.reset();
  await half.send(frame.subarray(0, 9));
  await half.closeWrite();
  await half.receivesEnd();
  await mallory.send("\0\x05hello");

  const ann = await stage.connect("ann");
  await ann.send(framed(query("www.example.test", TYPE.A)));
  assertEquals(verdict(await answerOverTcp(ann)), "NOERROR: A A");
}));

Deno.test(check("serve() hangs up on TCP clients that ask nothing", {
  reveals: ["no-deadline"],
}, async (stage) => {
  serveZone(stage, { idleMs: 40 });
  const ann = await stage.connect("ann");

  await ann.receivesEnd();
}));

// A matter of milliseconds, and loopback's are a matter of luck.
Deno.test(check("serve() waits idleMs for a whole query, however it drips", {
  reveals: ["per-read-only", "no-deadline"],
  only: "simulated",
}, async (stage) => {
  serveZone(stage, { idleMs: 1_000 });
  const ann = await stage.connect("ann");
  const frame = framed(query("www.example.test", TYPE.A));

  await ann.send(frame.subarray(0, 1));
  await stage.sleep(600);
  await ann.send(frame.subarray(1, 9));
  await ann.receivesEnd();
  assert(stage.now <= 1_200, `it took ${stage.now} ms of idleMs: 1000`);
}));

Deno.test(check("serve() gives each query idleMs of its own", {
  reveals: ["dns-one-query", "late-timer-closes-next"],
  only: "simulated",
}, async (stage) => {
  serveZone(stage, { idleMs: 1_000 });
  const ann = await stage.connect("ann");

  for (const id of [1, 2, 3]) {
    await stage.sleep(600);
    await ann.send(framed(query("www.example.test", TYPE.A, { id })));
    assertEquals((await answerOverTcp(ann)).id, id);
  }
  await ann.receivesEnd();
  assert(stage.now <= 2_900, `it took ${stage.now} ms of idleMs: 1000`);
}));

// -- Asking another server --

Deno.test(check("serve() asks upstream about other names, under a new id", {
  reveals: [
    "dns-id-passed-on",
    "dns-id-not-restored",
    "dns-id-guessable",
    "timer-leak",
  ],
}, async (stage) => {
  const upstream = stage.datagram("upstream");
  const server = serveZone(stage, { upstream: upstream.addr });
  const ann = stage.datagram("ann");

  const ids: number[] = [];
  for (const letter of "abcdefgh") {
    const name = `${letter}.test`;
    await ann.send(encodeMessage(query(name, TYPE.A, { id: 7 })), server);
    const { bytes, from } = await upstream.receive();
    const asked = whole(bytes);
    assertEquals(asked.recursionDesired, true, "RD");
    assertEquals(asks(asked), [`${name} A, class 1`], "the question");
    ids.push(asked.id);
    await upstream.send(replyTo(bytes, 9), from);
    const reply = whole((await ann.receive({ from: server })).bytes);
    assertEquals(reply.id, 7, "the answer to id 7 has another id");
    assertBytes(address(reply), hex("cb00 7109"), "the address");
  }
  const asked = "upstream was asked under the asker's id";
  assert(ids.some((id) => id !== 7), asked);
  // 16 bits by chance have nothing of this; in eight of them, once in 10^16.
  const steps = ids.slice(1).map((id, i) => (id - ids[i]! + 65_536) % 65_536);
  const common = [steps, ids.map((id) => id >> 8), ids.map((id) => id & 0xff)];
  const random = common.every((values) => new Set(values).size > 1);
  assert(random, `the ids ${ids.join(", ")} have too much in common`);
}));

Deno.test(check("serve() hands on upstream's answer as it came", {
  reveals: ["dns-answer-rewritten"],
}, async (stage) => {
  const upstream = stage.datagram("upstream");
  const zone = { origin: "garden.test", records: [] };
  const server = stage.serveBoth((listener, socket) =>
    serve(listener, socket, zone, { upstream: upstream.addr })
  );
  const ann = stage.datagram("ann");

  await ann.send(encodeMessage(query("alias.example.test", TYPE.A)), server);
  const { bytes, from } = await upstream.receive();
  // In the data of its CNAME stands a pointer.
  await upstream.send(
    Uint8Array.of(...bytes.slice(0, 2), ...CNAME.slice(2)),
    from,
  );

  assertBytes((await ann.receive()).bytes, CNAME, "the answer");
}));

Deno.test(check("serve() says that it asks others, if it does", {
  reveals: ["dns-recursion-flag", "dns-opcode"],
}, async (stage) => {
  const upstream = stage.datagram("upstream");
  const alone = serveZone(stage);
  const server = serveZone(stage, { upstream: upstream.addr });
  const ann = stage.datagram("ann");
  const asked = query("www.example.test", TYPE.A);

  const without = await ask(ann, alone, asked);
  assertEquals(without.recursionAvailable, false, "RA is set without upstream");
  const reply = await ask(ann, server, asked);
  assertEquals(verdict(reply), "NOERROR: A A");
  assertEquals(reply.recursionAvailable, true, "RA is not set, with upstream");

  // Of its own names it knows best, of those that are not there, too.
  const nobody = await ask(ann, server, query("nobody.example.test", TYPE.A));
  assertEquals(verdict(nobody), "NXDOMAIN: nothing, SOA");
  // And whoever wants something to be changed has come to the wrong place.
  const update = query("elsewhere.test", TYPE.A, { opcode: 5 });
  const no = await ask(ann, server, update);
  assertEquals(verdict(no), "NOTIMP: nothing", "with upstream");
}));

Deno.test(check("serve() waits on when a stranger answers", {
  reveals: ["dns-stray-ends-wait", "udp-trusts-anyone"],
}, async (stage) => {
  const upstream = stage.datagram("upstream");
  const mallory = stage.datagram("mallory");
  const server = serveZone(stage, { upstream: upstream.addr });
  const ann = stage.datagram("ann");

  await ann.send(encodeMessage(query("elsewhere.test", TYPE.A)), server);
  const { bytes, from } = await upstream.receive();
  await mallory.send(replyTo(bytes, 66), from); // She has seen the id.
  await upstream.send(replyTo(bytes, 9), from);

  const reply = whole((await ann.receive()).bytes);
  const told = `the address from upstream, at ${place(upstream)}, ` +
    `and not from mallory, at ${place(mallory)},`;
  assertBytes(address(reply), hex("cb00 7109"), told);
}));

Deno.test(check("serve() waits on when another host answers", {
  reveals: ["dns-stray-ends-wait", "udp-trusts-anyone"],
  address: "127.0.0.3",
}, async (stage) => {
  const upstream = stage.datagram("upstream");
  const { port } = upstream.addr;
  const mallory = stage.datagram("mallory", "127.0.0.3", port);
  const server = serveZone(stage, { upstream: upstream.addr });
  const ann = stage.datagram("ann");

  await ann.send(encodeMessage(query("elsewhere.test", TYPE.A)), server);
  const { bytes, from } = await upstream.receive();
  await mallory.send(replyTo(bytes, 66), from); // From the same port.
  await upstream.send(replyTo(bytes, 9), from);

  const reply = whole((await ann.receive()).bytes);
  const told = `the address from upstream, at ${place(upstream)}, ` +
    `and not from mallory, at ${place(mallory)},`;
  assertBytes(address(reply), hex("cb00 7109"), told);
}));

Deno.test(check("serve() waits on when the answer is to another question", {
  reveals: ["dns-stray-ends-wait", "stale-reply"],
}, async (stage) => {
  const upstream = stage.datagram("upstream");
  const server = serveZone(stage, { upstream: upstream.addr });
  const ann = stage.datagram("ann");

  await ann.send(encodeMessage(query("elsewhere.test", TYPE.A)), server);
  const { bytes, from } = await upstream.receive();
  const stale = replyTo(bytes, 66);
  stale[0]! ^= 1; // Another id.
  await upstream.send(stale, from);
  await upstream.send("?", from);
  await upstream.send(replyTo(bytes, 9), from);

  const reply = whole((await ann.receive()).bytes);
  assertBytes(address(reply), hex("cb00 7109"), "the address");
}));

Deno.test(check("serve() says SERVFAIL when upstream says nothing", {
  reveals: [
    "dns-silent-deadline",
    "no-deadline",
    "udp-left-open",
    "udp-close-interrupts",
    "dns-recursion-flag",
  ],
}, async (stage) => {
  const upstream = stage.datagram("upstream");
  const server = serveZone(stage, { upstream: upstream.addr, timeoutMs: 50 });
  const ann = stage.datagram("ann");

  const reply = await ask(ann, server, query("elsewhere.test", TYPE.A));
  assertEquals(verdict(reply), "SERVFAIL: nothing");
  assertEquals(reply.recursionAvailable, true, "RA is not set, with upstream");
}));

// A matter of milliseconds, and loopback's are a matter of luck.
Deno.test(check("serve() gives upstream timeoutMs, and no more", {
  reveals: ["dns-silent-deadline", "no-deadline"],
  only: "simulated",
}, async (stage) => {
  const upstream = stage.datagram("upstream");
  const server = serveZone(stage, {
    upstream: upstream.addr,
    timeoutMs: 5_000,
  });
  const ann = stage.datagram("ann");

  await ann.send(encodeMessage(query("slow.test", TYPE.A)), server);
  const { bytes, from } = await upstream.receive();
  await stage.sleep(4_900);
  await upstream.send(replyTo(bytes, 9), from);
  const slow = whole((await ann.receive()).bytes);
  assertBytes(address(slow), hex("cb00 7109"), "the address");

  const late = await ask(ann, server, query("late.test", TYPE.A));
  assertEquals(verdict(late), "SERVFAIL: nothing");
  const took = Math.round(stage.now) - 4_900;
  assert(took <= 5_100, `it took ${took} ms of timeoutMs: 5000`);
}));

// A matter of milliseconds, and loopback's are a matter of luck.
Deno.test(check("serve() gives upstream timeoutMs, whatever strangers send", {
  reveals: [
    "dns-silent-deadline",
    "dns-stray-restarts-clock",
    "no-deadline",
  ],
  only: "simulated",
}, async (stage) => {
  const upstream = stage.datagram("upstream");
  const mallory = stage.datagram("mallory");
  const options = { upstream: upstream.addr, timeoutMs: 1_000 };
  const server = serveZone(stage, options);
  const ann = stage.datagram("ann");

  await ann.send(encodeMessage(query("elsewhere.test", TYPE.A)), server);
  const { bytes, from } = await upstream.receive();
  const stale = replyTo(bytes, 66);
  stale[0]! ^= 1; // Another id.
  for (const _ of [1, 2, 3, 4]) {
    await stage.sleep(240);
    await mallory.send("?", from);
    await upstream.send(stale, from);
  }
  const reply = whole((await ann.receive()).bytes);
  assertEquals(verdict(reply), "SERVFAIL: nothing");
  const took = Math.round(stage.now);
  assert(took <= 1_100, `it took ${took} ms of timeoutMs: 1000`);
}));

Deno.test(check("serve() answers others while it waits for upstream", {
  reveals: ["state-machine-blocking"],
}, async (stage) => {
  const upstream = stage.datagram("upstream");
  const options = { upstream: upstream.addr, timeoutMs: 60_000 };
  const server = serveZone(stage, options);
  const ann = stage.datagram("ann");
  const bob = stage.datagram("bob");

  await ann.send(encodeMessage(query("elsewhere.test", TYPE.A)), server);
  const { bytes, from } = await upstream.receive(); // And it takes its time.
  const reply = await ask(bob, server, query("www.example.test", TYPE.A));
  assertEquals(verdict(reply), "NOERROR: A A");
  assert(stage.now < 10_000, "bob waited for upstream, and never asked it");

  await upstream.send(replyTo(bytes, 9), from);
  await ann.receive();
}));

Deno.test(check("serve() keeps a hundred questions apart", {
  reveals: ["state-machine-blocking", "stale-reply"],
  only: "simulated", // It is about order, and loopback has its own.
}, async (stage) => {
  const upstream = stage.datagram("upstream");
  const server = serveZone(stage, { upstream: upstream.addr });
  const ann = stage.datagram("ann");
  const hundred = Array.from({ length: 100 }, (_, n) => n);

  for (const id of hundred) {
    const asked = query(`${id}.elsewhere.test`, TYPE.A, { id });
    await ann.send(encodeMessage(asked), server);
  }
  const theirs = [];
  for (const _ of hundred) theirs.push(await upstream.receive());
  for (const n of hundred) {
    const { bytes, from } = theirs[n * 37 % 100]!; // In another order.
    const [question] = whole(bytes).questions;
    await upstream.send(replyTo(bytes, parseInt(question!.name)), from);
  }
  for (const _ of hundred) {
    const reply = whole((await ann.receive()).bytes);
    const [question] = reply.questions;
    assertEquals(question!.name, `${reply.id}.elsewhere.test`);
    assertBytes(address(reply), Uint8Array.of(203, 0, 113, reply.id));
  }
}));

Deno.test(check("serve() asks upstream for TCP clients, too", {
  reveals: ["eof-means-peer-gone", "reply-after-readable", "dns-tcp-length"],
}, async (stage) => {
  const upstream = stage.datagram("upstream");
  serveZone(stage, { upstream: upstream.addr });
  const ann = await stage.connect("ann");

  await ann.send(framed(query("elsewhere.test", TYPE.A)));
  const { bytes, from } = await upstream.receive();
  await ann.closeWrite(); // She has asked all, and waits.
  await upstream.send(replyTo(bytes, 9), from);

  const reply = await answerOverTcp(ann);
  assertEquals(reply.id, 0x1234, "the id");
  assertBytes(address(reply), hex("cb00 7109"), "the address");
}));

// A matter of milliseconds, and loopback's are a matter of luck.
Deno.test(check("serve() keeps a TCP client that waits for upstream", {
  reveals: ["late-timer-closes-next"],
  writesAtMost: 9,
  only: "simulated",
}, async (stage) => {
  const upstream = stage.datagram("upstream");
  serveZone(stage, { upstream: upstream.addr, idleMs: 1_000 });
  const ann = await stage.connect("ann");

  await ann.send(framed(query("elsewhere.test", TYPE.A)));
  const { bytes, from } = await upstream.receive();
  await stage.sleep(1_500); // Ann has asked, and is not idle.
  await upstream.send(replyTo(bytes, 9), from);

  assertBytes(
    address(await answerOverTcp(ann)),
    hex("cb00 7109"),
    "the address",
  );
}));

// -- How the cast asks --

/** A query as clients send it. */
function query(
  name: string,
  type: number,
  more: Partial<DnsMessage> = {},
): DnsMessage {
  return {
    id: 0x1234,
    response: false,
    opcode: 0,
    authoritative: false,
    truncated: false,
    recursionDesired: true,
    recursionAvailable: false,
    rcode: 0,
    questions: [{ name, type, class: 1 }],
    answers: [],
    authorities: [],
    additionals: [],
    ...more,
  };
}

/** OPT, from somebody who takes `size` bytes. */
function opt(size: number): ResourceRecord {
  const data = new Uint8Array();
  return { name: "", type: TYPE.OPT, class: size, ttl: 0, data };
}

function isOpt({ type }: ResourceRecord): boolean {
  return type === TYPE.OPT;
}

function serveZone(
  stage: Stage,
  options: ServeOptions = {},
  hostname?: string,
): Deno.NetAddr {
  return stage.serveBoth(
    (listener, socket) => serve(listener, socket, ZONE, options),
    hostname,
  );
}

/** Lets what `sender` sends seem to come from port 0, as anybody can. */
function fromPort0(
  socket: Deno.DatagramConn,
  sender: Talker,
): Deno.DatagramConn {
  const receive = socket.receive.bind(socket);
  socket.receive = async (buffer) => {
    const [bytes, from] = await receive(buffer);
    const { port } = from as Deno.NetAddr;
    const forged = { ...from as Deno.NetAddr, port: 0 };
    return [bytes, port === sender.addr.port ? forged : from];
  };
  return socket;
}

async function askRaw(
  talker: Talker,
  server: Deno.NetAddr,
  asked: DnsMessage,
): Promise<Uint8Array> {
  await talker.send(encodeMessage(asked), server);
  return (await talker.receive()).bytes;
}

async function ask(
  talker: Talker,
  server: Deno.NetAddr,
  asked: DnsMessage,
): Promise<DnsMessage> {
  return whole(await askRaw(talker, server, asked));
}

/** A query as it goes over TCP: two bytes of length, and the message. */
function framed(asked: DnsMessage): Uint8Array {
  const packet = encodeMessage(asked);
  return Uint8Array.of(packet.length >> 8, packet.length & 0xff, ...packet);
}

async function answerOverTcp(actor: Actor): Promise<DnsMessage> {
  const length = await actor.receive(2);
  return whole(await actor.receive(length[0]! << 8 | length[1]!));
}

function place({ addr }: Talker): string {
  return `${addr.hostname}:${addr.port}`;
}

/** What upstream answers to `packet`: the address 203.0.113.n. */
function replyTo(packet: Uint8Array, n: number): Uint8Array {
  const asked = whole(packet);
  const { name } = asked.questions[0]!;
  return encodeMessage({
    ...asked,
    response: true,
    recursionAvailable: true,
    answers: [record(name, "A", `203.0.113.${n}`)],
    additionals: [],
  });
}

/** The data of the first answer. */
function address({ answers }: DnsMessage): Uint8Array | undefined {
  return answers[0]?.data;
}

// -- How an answer is told --

/** Bytes from hex digits. */
function hex(digits: string): Uint8Array<ArrayBuffer> {
  const pairs = digits.match(/[0-9a-f]{2}/g) ?? [];
  return Uint8Array.from(pairs, (pair) => parseInt(pair, 16));
}

function byte(value: number): string {
  return value.toString(16).padStart(2, "0");
}

/** A query of one question, which is given from its name on. */
function asking(question: string, counts = "0001 0000 0000 0000") {
  return hex(`0007 0100 ${counts} ${question}`);
}

/** Expects that what is asked, or a whole packet, is no message. */
function rejects(packet: string | Uint8Array, what: string) {
  const bytes = typeof packet === "string" ? asking(packet) : packet;
  assertThrows(() => decodeMessage(bytes), FormatError, undefined, what);
}

/** Reads `packet`, which holds one message and nothing that is cut. */
function whole(packet: Uint8Array): DnsMessage {
  try {
    return decodeMessage(packet);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    assert(false, `These ${packet.length} bytes are no whole message`);
  }
}

function assertFits(packet: Uint8Array, size: number) {
  const got = packet.length;
  assert(got <= size, `${size} bytes were allowed, and ${got} came`);
}

function typeOf({ type }: Question): string {
  return Object.entries(TYPE).find(([, n]) => n === type)?.[0] ?? `${type}`;
}

/** The names and types of records. */
function names(records: ResourceRecord[]): string[] {
  return records.map((one) => `${one.name || "(root)"} ${typeOf(one)}`);
}

/** What a message asks. */
function asks({ questions }: DnsMessage): string[] {
  return questions.map((one) =>
    `${one.name} ${typeOf(one)}, class ${one.class}`
  );
}

/** All that records say. */
function lines(records: ResourceRecord[]): string[] {
  return records.map((one, i) => {
    const data = Array.from(one.data, byte).join("");
    return `${names(records)[i]}, class ${one.class}, ttl ${one.ttl}: ${data}`;
  });
}

/** How it went, what the answers are, and the SOA if it is among the others. */
function verdict({ rcode, answers, authorities }: DnsMessage): string {
  const name = Object.entries(RCODE).find(([, n]) => n === rcode)?.[0];
  const types = answers.length > 0 ? answers.map(typeOf).join(" ") : "nothing";
  const soa = authorities.some(({ type }) => type === TYPE.SOA) ? ", SOA" : "";
  return `${name ?? rcode}: ${types}${soa}`;
}

const ZONE: Zone = {
  origin: "example.test",
  records: [
    record("example.test", "SOA", "ns.example.test me.example.test 1 1 1 1 60"),
    record("example.test", "NS", "ns.example.test"),
    record("example.test", "MX", "10 mail.example.test"),
    record("www.example.test", "A", "192.0.2.1"),
    record("www.example.test", "A", "192.0.2.2"),
    record("www.example.test", "AAAA", "2001:db8::1"),
    record("www.example.test", "TXT", "hello"),
    record("Capital.Example.test", "A", "192.0.2.3"),
    record("alias.example.test", "CNAME", "WWW.example.test"),
    record("far.example.test", "CNAME", "alias.example.test"),
    record("away.example.test", "CNAME", "www.elsewhere.test"),
    record("lost.example.test", "CNAME", "nowhere.example.test"),
    record("round.example.test", "CNAME", "trip.example.test"),
    record("trip.example.test", "CNAME", "round.example.test"),
    record("host.deep.example.test", "A", "192.0.2.4"),
    record("some.example.test", "TXT", "x".repeat(400)),
    record("big.example.test", "TXT", "x".repeat(700)),
    record("huge.example.test", "TXT", "x".repeat(3_000)),
  ],
};

// -- Packets as real programs have sent them --

/** From `host -t A www.example.test`. */
const HOST_ASKS = hex(`
  61f7 0100 0001 0000 0000 0000 0377 7777 0765 7861
  6d70 6c65 0474 6573 7400 0001 0001`);

/** From `dig wWw.example.test`: with OPT, and a cookie in it. */
const DIG_ASKS = hex(`
  7790 0100 0001 0000 0000 0001 0377 5777 0765 7861
  6d70 6c65 0474 6573 7400 0001 0001 0000 2904 d000
  0000 0000 0c00 0a00 0869 08c1 981c 98f5 74`);

// The others are answers of BIND 9.18.

const A = hex(`
  1234 8500 0001 0002 0001 0001 0377 7777 0765 7861
  6d70 6c65 0474 6573 7400 0001 0001 c00c 0001 0001
  0000 012c 0004 c000 0202 c00c 0001 0001 0000 012c
  0004 c000 0201 c010 0002 0001 0000 012c 0005 026e
  73c0 10c0 4e00 0100 0100 0001 2c00 04c0 0002 35`);

const AAAA = hex(`
  1234 8500 0001 0001 0001 0001 0377 7777 0765 7861
  6d70 6c65 0474 6573 7400 001c 0001 c00c 001c 0001
  0000 012c 0010 2001 0db8 0000 0000 0000 0000 0000
  0001 c010 0002 0001 0000 012c 0005 026e 73c0 10c0
  4a00 0100 0100 0001 2c00 04c0 0002 35`);

const CNAME = hex(`
  1234 8500 0001 0003 0001 0001 0561 6c69 6173 0765
  7861 6d70 6c65 0474 6573 7400 0001 0001 c00c 0005
  0001 0000 012c 0006 0377 7777 c012 c030 0001 0001
  0000 012c 0004 c000 0201 c030 0001 0001 0000 012c
  0004 c000 0202 c012 0002 0001 0000 012c 0005 026e
  73c0 12c0 6200 0100 0100 0001 2c00 04c0 0002 35`);

const MX = hex(`
  1234 8500 0001 0002 0001 0003 0765 7861 6d70 6c65
  0474 6573 7400 000f 0001 c00c 000f 0001 0000 012c
  0009 000a 046d 6169 6cc0 0cc0 0c00 0f00 0100 0001
  2c00 0b00 1406 6261 636b 7570 c02c c00c 0002 0001
  0000 012c 0005 026e 73c0 0cc0 2c00 0100 0100 0001
  2c00 04c0 0002 19c0 4100 0100 0100 0001 2c00 04c0
  0002 1ac0 5600 0100 0100 0001 2c00 04c0 0002 35`);

const TXT = hex(`
  1234 8500 0001 0001 0001 0001 0765 7861 6d70 6c65
  0474 6573 7400 0010 0001 c00c 0010 0001 0000 012c
  0010 0570 6c61 6e74 0961 6e64 2077 6174 6572 c00c
  0002 0001 0000 012c 0005 026e 73c0 0cc0 4600 0100
  0100 0001 2c00 04c0 0002 35`);

const NXDOMAIN = hex(`
  1234 8503 0001 0000 0001 0000 066e 6f62 6f64 7907
  6578 616d 706c 6504 7465 7374 0000 0100 01c0 1300
  0600 0100 0000 3c00 2102 6e73 c013 0561 646d 696e
  c013 0000 0001 0000 0e10 0000 0258 0001 5180 0000
  003c`);
