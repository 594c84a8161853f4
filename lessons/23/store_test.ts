// The checks for lesson 23. Read them: they say what RESP is, and what becomes
// of a client that speaks something else.
import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  type Actor,
  assertBytes,
  assertMessages,
  check,
  concat,
  type Data,
  everySplit,
  toBytes,
} from "check";
import {
  Database,
  encodeResp,
  type Resp,
  RespDecoder,
  serve,
} from "./store.ts";

const { InvalidData } = Deno.errors;

/** All bytes that there are. */
const EVERYTHING = Uint8Array.from({ length: 256 }, (_, i) => i);

/** A command as clients send it. */
function command(...words: Data[]): Uint8Array {
  return array(...words);
}

/** An array of bulk strings as it has to look on the wire. */
function array(...words: Data[]): Uint8Array {
  return concat([toBytes(`*${words.length}\r\n`), ...words.map(bulk)]);
}

/** A bulk string as it has to look on the wire. */
function bulk(data: Data): Uint8Array {
  const bytes = toBytes(data);
  return concat([toBytes(`$${bytes.length}\r\n`), bytes, toBytes("\r\n")]);
}

// -- Part 1: replies become bytes --

Deno.test(check("encodeResp() writes each kind of reply as RESP does", {
  reveals: ["length-includes-header"],
}, () => {
  const kinds: [Resp, string, string][] = [
    ["OK", "+OK\r\n", 'the string "OK"'],
    [new Error("ERR no"), "-ERR no\r\n", 'an error that says "ERR no"'],
    [0, ":0\r\n", "the number 0"],
    [-2, ":-2\r\n", "the number -2"],
    [2n ** 63n - 1n, ":9223372036854775807\r\n", "the highest number"],
    [toBytes("hello"), "$5\r\nhello\r\n", 'the bytes of "hello"'],
    [toBytes(""), "$0\r\n\r\n", "no bytes at all"],
    [null, "$-1\r\n", "null"],
    [[], "*0\r\n", "an empty array"],
    [[1, "OK"], "*2\r\n:1\r\n+OK\r\n", "an array of 1 and OK"],
  ];
  for (const [reply, expected, what] of kinds) {
    assertBytes(encodeResp(reply), expected, what);
  }
}));

Deno.test(check("encodeResp() writes arrays in arrays", () => {
  const reply = [[toBytes("a"), null], [], [[new Error("ERR b")], 3, ""]];

  const expected =
    "*3\r\n*2\r\n$1\r\na\r\n$-1\r\n*0\r\n*3\r\n*1\r\n-ERR b\r\n:3\r\n+\r\n";
  assertBytes(encodeResp(reply), expected, "the array of arrays");
}));

Deno.test(check("encodeResp() counts bytes, and sends them as they are", {
  reveals: ["binary-through-string", "length-in-characters"],
}, () => {
  const accent = toBytes("né");
  assertBytes(encodeResp(accent), bulk("né"), 'the bytes of "né"');
  assertBytes(encodeResp([EVERYTHING]), array(EVERYTHING), "all 256 bytes");
}));

Deno.test(check("encodeResp() keeps in one line what is a line", {
  reveals: ["resp-line-injection"],
}, () => {
  const error = new Error("ERR unknown command 'x\r\n+OK'");

  const line = "-ERR unknown command 'x  +OK'\r\n";
  assertBytes(encodeResp(error), line, "an error with a line break in it");
  assertBytes(encodeResp("a\nb\rc"), "+a b c\r\n", "a string with two of them");
}));

// -- Part 2: bytes become commands --

/** The commands that `chunks` complete, with a space after each word. */
function spoken(decoder: RespDecoder, ...chunks: Data[]): Uint8Array[] {
  const commands = chunks.flatMap((chunk) => [...decoder.push(toBytes(chunk))]);
  return commands.map((words) => concat(words.map((word) => said(word))));
}

function said(word: Data): Uint8Array {
  return concat([toBytes(word), toBytes(" ")]);
}

/** The same, of what a decoder has to take. */
function taken(decoder: RespDecoder, chunk: Data, what: string): Uint8Array[] {
  try {
    return spoken(decoder, chunk);
  } catch (error) {
    if (!(error instanceof InvalidData)) throw error;
    const told = `${what} was refused: ${error.message}`;
    const refused = Object.assign(new Error(told), { name: "AssertionError" });
    Error.captureStackTrace(refused, taken); // It stands where somebody asked.
    throw refused;
  }
}

/** Expects that a decoder refuses `chunk`. */
function assertRefused(chunk: string, decoder = new RespDecoder(), why = "") {
  const shown = JSON.stringify(chunk);
  const told = shown.length <= 50 ? shown : `${shown.slice(0, 49)}…"`;
  const push = () => spoken(decoder, chunk);
  assertThrows(push, InvalidData, "", `push() of ${told}${why}`);
}

Deno.test(check("RespDecoder gives the words of a command", () => {
  const words = [...new RespDecoder().push(command("ECHO", "hello"))];

  assertEquals(words.length, 1, "commands in one command");
  assertMessages(words[0], ["ECHO", "hello"], "push() of ECHO hello");
}));

Deno.test(check("RespDecoder counts bulk strings, whatever is in them", {
  reveals: ["resp-not-binary-safe"],
}, () => {
  for (const string of ["two\r\nlines", "\r\n", "$5\r\n", "a\r\n*1\r\n"]) {
    const words = [...new RespDecoder().push(command("SET", "key", string))];
    const told = `push() of SET key ${JSON.stringify(string)}`;
    assertMessages(words.flat(), ["SET", "key", string], told);
  }
}));

Deno.test(check("RespDecoder gives empty strings, and any bytes", {
  reveals: ["encoded-twice", "binary-through-string", "zero-length-frame"],
}, () => {
  for (const string of ["", "\0", "né", EVERYTHING]) {
    const words = [...new RespDecoder().push(command("SET", "key", string))];
    assertMessages(words.flat(), ["SET", "key", string], "push() of SET");
  }
}));

Deno.test(check("RespDecoder waits for the rest of a command", {
  reveals: ["one-read-one-message"],
}, () => {
  const decoder = new RespDecoder();
  const whole = command("ECHO", "hello");

  const early = spoken(decoder, whole.subarray(0, 20));
  assertMessages(early, [], "push() of 20 bytes of 25");

  const late = spoken(decoder, whole.subarray(20));
  assertMessages(late, ["ECHO hello "], "push() of the other 5");
}));

Deno.test(check("RespDecoder finds a command wherever it is cut", {
  reveals: ["header-single-read"],
}, () => {
  const sent = command("SET", "two\r\nlines", "");

  for (const [left, right] of everySplit(sent)) {
    const told = `a command, cut at byte ${left.length},`;
    const found = spoken(new RespDecoder(), left, right);
    assertMessages(found, ["SET two\r\nlines  "], told);
  }
  const bytes = Array.from(sent, (byte) => Uint8Array.of(byte));
  const found = spoken(new RespDecoder(), ...bytes);
  assertMessages(found, ["SET two\r\nlines  "], "a command, byte by byte,");
}));

Deno.test(check("RespDecoder gives every command that a chunk completes", {
  reveals: ["first-message-only"],
}, () => {
  const numbers = Array.from({ length: 1_000 }, (_, i) => `${i}`);
  const chunk = concat(numbers.map((number) => command("ECHO", number)));

  const all = numbers.map((number) => `ECHO ${number} `);
  assertMessages(spoken(new RespDecoder(), chunk), all, "push() of 1,000");
}));

Deno.test(check("RespDecoder keeps what begins the next command", {
  reveals: ["leftover-discarded"],
}, () => {
  const [first, second] = [command("GET", "a"), command("GET", "b")];

  for (const [left, right] of everySplit(second)) {
    const told = `two commands, cut at byte ${left.length} of the second,`;
    const found = spoken(new RespDecoder(), concat([first, left]), right);
    assertMessages(found, ["GET a ", "GET b "], told);
  }
}));

Deno.test(check("RespDecoder takes a line for a command", {
  reveals: ["encoded-twice"],
}, () => {
  const typed = "PING\r\nset  key value \n";
  const found = ["PING ", "set key value "];
  assertMessages(spoken(new RespDecoder(), typed), found, "two typed lines");
  const accent = spoken(new RespDecoder(), "GET né\n");
  assertMessages(accent, ["GET né "], "a typed line with an accent");
}));

Deno.test(check("RespDecoder passes over an empty command", {
  reveals: ["resp-blank-inline"],
}, () => {
  // redis-cli --pipe sends such a line.
  const blank = concat([command("GET", "a"), toBytes("\r\n  \r\n*0\r\n")]);
  const chunk = concat([blank, command("PING")]);

  const told = "push() of commands, and empty ones between";
  assertMessages(spoken(new RespDecoder(), chunk), ["GET a ", "PING "], told);
}));

Deno.test(check("RespDecoder gives commands that nobody overwrites", {
  reveals: ["stale-buffer-alias"],
}, () => {
  const decoder = new RespDecoder();
  const buffer = command("ECHO", "hello");

  const first = [...decoder.push(buffer)];
  buffer.fill(0x58); // As the next read does.
  const more = [...decoder.push(command("SET", "other", "value"))];

  const words = [...first, ...more].flat();
  const expected = ["ECHO", "hello", "SET", "other", "value"];
  assertMessages(words, expected, "two push() calls");
}));

Deno.test(check("RespDecoder refuses what is no length", {
  reveals: ["lenient-number"],
}, () => {
  for (const length of ["-2", "-1", "abc", "", "1e1", "+5"]) {
    assertRefused(`*2\r\n$4\r\nECHO\r\n$${length}\r\n`);
  }
  for (const length of ["-5", "x"]) assertRefused(`*${length}\r\n`);
}));

Deno.test(check("RespDecoder refuses a length above its limit at once", {
  reveals: ["unbounded-length"],
}, () => {
  const small = () => new RespDecoder({ maxBulk: 5, maxArgs: 2 });
  const most = command("ECHO", "hello");
  const told = "a bulk string of 5 bytes (maxBulk) among 2 (maxArgs)";
  assertMessages(taken(small(), most, told), ["ECHO hello "], told);

  assertRefused("*1\r\n$1000000000\r\n");
  assertRefused("*1000000000\r\n");
  assertRefused("*1\r\n$6\r\n", small(), ", one more than maxBulk");
  assertRefused("*3\r\n", small(), ", one more than maxArgs");
}));

Deno.test(check("RespDecoder refuses arrays inside a command", {
  reveals: ["resp-nested-bomb"],
}, () => {
  assertRefused("*1\r\n*1\r\n$4\r\nPING\r\n");
  assertRefused("*1\r\n".repeat(10_000));
}));

Deno.test(check("RespDecoder refuses all but bulk strings in a command", () => {
  for (const other of [":5", "+PING", "PING", "", "5"]) {
    assertRefused(`*1\r\n${other}\r\n`);
  }
  assertRefused("*1\r\n$4\r\nPINGPONG\r\n"); // It should end behind PING.
}));

Deno.test(check("RespDecoder refuses a line that does not end", {
  reveals: ["unbounded-line"],
}, () => {
  const decoder = new RespDecoder({ maxLine: 100 });
  const longest = `ECHO ${"x".repeat(93)}\r\n`;
  const told = "push() of a line of 100 bytes";
  const found = taken(decoder, longest, "a line of 100 bytes (maxLine)");
  assertMessages(found, [`ECHO ${"x".repeat(93)} `], told);

  assertRefused("x".repeat(1_000), new RespDecoder({ maxLine: 100 }));
  assertRefused(`*1\r\n$${"0".repeat(5_000)}`);
  assertRefused("x".repeat(101), decoder, ", one more than maxLine");
}));

Deno.test(check("RespDecoder gives what came before it refuses", {
  reveals: ["error-swallows-commands"],
}, () => {
  const incoming = new RespDecoder().push(toBytes("PING\r\n*1\r\n$x\r\n"));
  const given: Uint8Array[][] = [];

  const take = () => {
    for (const words of incoming) given.push(words);
  };
  assertThrows(take, InvalidData, "", "push() of PING, and of no command");
  assertMessages(given.flat(), ["PING"], "push() before it throws");
}));

Deno.test(check("RespDecoder copies each byte about once", {
  reveals: ["rescan-from-zero"],
}, async (stage) => {
  for (const length of [2 ** 14, 2 ** 19]) {
    const words = ["SET", "key", "x".repeat(length), ...Array(100).fill("y")];
    const sent = command(...words);
    const decoder = new RespDecoder();
    const push128 = (
      _: unknown,
      i: number,
    ) => [...decoder.push(sent.subarray(i * 128, i * 128 + 128))];

    const pieces = { length: Math.ceil(sent.length / 128) };
    const found = await stage.within(60, () => Array.from(pieces, push128));

    assertMessages(
      found.flat(2),
      words,
      "push() of 128 bytes, again and again,",
    );
  }
}));

// -- Part 3: commands, and what they act on --

/** A reply as redis-cli shows it; of an error, its first word. */
function shown(reply: Resp): string {
  if (reply === null) return "(nil)";
  if (typeof reply === "string") return reply;
  if (reply instanceof Error) return `(error) ${reply.message.split(" ")[0]}`;
  if (reply instanceof Uint8Array) {
    return JSON.stringify(new TextDecoder().decode(reply));
  }
  if (typeof reply === "object") return `[${reply.map(shown).join(", ")}]`;
  return `(integer) ${reply}`;
}

/** Has `database` run what a person typed, and expects this reply. */
function replies(database: Database, typed: string, reply: string) {
  const [name, ...args] = typed.split(" ");
  const given = shown(database.run(name!, ...args.map(toBytes)));
  if (given === reply) return;
  const told = `the reply to ${typed} should be ${reply}, and is ${given}`;
  const error = Object.assign(new Error(told), { name: "AssertionError" });
  Error.captureStackTrace(error, replies); // It stands where somebody asked.
  throw error;
}

Deno.test(check("Database.run() keeps what it is told", () => {
  const database = new Database();
  replies(database, "PING", "PONG");
  replies(database, "PING hello", '"hello"');
  replies(database, "ECHO hello", '"hello"');
  replies(database, "GET name", "(nil)");
  replies(database, "SET name ann", "OK");
  replies(database, "SET name bob", "OK");
  replies(database, "GET name", '"bob"');
  replies(database, "DBSIZE", "(integer) 1");
  replies(database, "DEL name other", "(integer) 1");
  replies(database, "GET name", "(nil)");
  replies(database, "LPUSH list a b", "(integer) 2");
  replies(database, "LPOP list", '"b"');
  replies(database, "LPOP list", '"a"');
  replies(database, "LPOP list", "(nil)");
  replies(database, "DBSIZE", "(integer) 0");
}));

Deno.test(check("Database.run() tells keys apart byte by byte", () => {
  const database = new Database();
  const keys = Array.from(EVERYTHING, (byte) => Uint8Array.of(byte));
  for (const key of keys) database.run("SET", key, key);

  for (const key of keys) {
    const value = database.run("GET", key) as Uint8Array;
    assertBytes(value, key, `the value of the key ${key}`);
  }
}));

Deno.test(check("Database.run() takes names in any case", {
  reveals: ["name-in-one-case"],
}, () => {
  const database = new Database();
  replies(database, "set Name ann", "OK");
  replies(database, "Get Name", '"ann"');
  replies(database, "get name", "(nil)"); // Keys are something else.
}));

Deno.test(check("Database.run() refuses what it does not know", {
  reveals: ["resp-unknown-command"],
}, () => {
  const database = new Database();
  replies(database, "HELLO 3", "(error) ERR");
  replies(database, "constructor", "(error) ERR");
  replies(database, "__proto__", "(error) ERR");
  replies(database, "PING", "PONG");
}));

Deno.test(check("Database.run() counts arguments", {
  reveals: ["missing-argument"],
}, () => {
  const database = new Database();
  for (const typed of ["GET", "GET a b", "SET a", "ECHO", "DEL", "TTL a b"]) {
    replies(database, typed, "(error) ERR");
  }
  replies(database, "DBSIZE", "(integer) 0");
}));

Deno.test(check("Database.run() obeys NX", () => {
  const database = new Database();
  replies(database, "SET name ann NX", "OK");
  replies(database, "SET name bob nx", "(nil)");
  replies(database, "GET name", '"ann"');
  replies(database, "SET name bob SOON", "(error) ERR");
  replies(database, "GET name", '"ann"');
  replies(database, "LPUSH list a", "(integer) 1");
  replies(database, "SET list b NX", "(nil)"); // A list is a value, too.
  replies(database, "LPOP list", '"a"');
}));

Deno.test(check("Database.run() counts exactly with INCR", {
  reveals: ["integer-rounded"],
}, () => {
  const database = new Database();
  replies(database, "INCR visits", "(integer) 1");
  replies(database, "INCR visits", "(integer) 2");
  replies(database, "GET visits", '"2"');
  replies(database, "SET below -10", "OK");
  replies(database, "INCR below", "(integer) -9");
  replies(database, "SET big 9007199254740992", "OK");
  replies(database, "INCR big", "(integer) 9007199254740993");
  replies(database, "GET big", '"9007199254740993"');
}));

Deno.test(check("Database.run() refuses to count what is no integer", {
  reveals: ["integer-overflow", "lenient-number"],
}, () => {
  const database = new Database();
  for (const value of ["hello", "1.5", "", "0x10", "1e3", "\t1", "1\n"]) {
    replies(database, `SET key ${value}`, "OK");
    replies(database, "INCR key", "(error) ERR");
    replies(database, "GET key", JSON.stringify(value));
  }
  for (const value of ["9223372036854775807", "9223372036854775808"]) {
    replies(database, `SET key ${value}`, "OK");
    replies(database, "INCR key", "(error) ERR");
    replies(database, "GET key", JSON.stringify(value));
  }
}));

Deno.test(check("Database.run() refuses a value of the wrong kind", () => {
  const database = new Database();
  replies(database, "LPUSH list a", "(integer) 1");
  replies(database, "GET list", "(error) WRONGTYPE");
  replies(database, "INCR list", "(error) WRONGTYPE");
  replies(database, "SET name ann", "OK");
  replies(database, "LPUSH name a", "(error) WRONGTYPE");
  replies(database, "LPOP name", "(error) WRONGTYPE");
  replies(database, "SET list ann", "OK"); // It need not be one.
  replies(database, "GET list", '"ann"');
}));

// -- Part 4: what expires --

/** A database, and a clock that moves when the check says so. */
function timed() {
  const clock = { now: 1_700_000_000_000 };
  return { clock, database: new Database({ now: () => clock.now }) };
}

Deno.test(check("Database.run() ends what EX, PX or EXPIRE set an end to", {
  reveals: ["milliseconds-for-seconds", "expired-but-there"],
}, () => {
  const { clock, database } = timed();
  replies(database, "SET a 1 EX 10", "OK");
  replies(database, "SET b 2 px 4000 NX", "OK");
  replies(database, "SET c 3", "OK");
  replies(database, "EXPIRE c 7", "(integer) 1");
  for (const key of ["d", "e", "f", "g", "h"]) {
    replies(database, `SET ${key} 4 PX 1500`, "OK");
  }

  clock.now += 3_000;
  replies(database, "GET d", "(nil)");
  replies(database, "SET e 5 NX", "OK");
  replies(database, "DEL f", "(integer) 0");
  replies(database, "EXPIRE g 7", "(integer) 0");
  replies(database, "LPUSH h item", "(integer) 1");
  replies(database, "TTL a", "(integer) 7");
  replies(database, "TTL b", "(integer) 1");
  replies(database, "TTL c", "(integer) 4");
  clock.now += 1_500;
  replies(database, "GET b", "(nil)");
  replies(database, "GET c", '"3"');
  clock.now += 3_000;
  replies(database, "GET c", "(nil)");
  replies(database, "GET a", '"1"');
  clock.now += 3_000;
  replies(database, "INCR a", "(integer) 1");
}));

Deno.test(check("Database.run() tells the time that is left", () => {
  const { clock, database } = timed();
  replies(database, "TTL name", "(integer) -2");
  replies(database, "EXPIRE name 5", "(integer) 0");
  replies(database, "EXPIRE name soon", "(error) ERR");
  replies(database, "SET name ann", "OK");
  replies(database, "TTL name", "(integer) -1");
  for (const time of ["soon", "1e3", "1.5"]) {
    replies(database, `EXPIRE name ${time}`, "(error) ERR");
  }
  replies(database, "TTL name", "(integer) -1");
  replies(database, "EXPIRE name 5", "(integer) 1");
  clock.now += 5_001;
  replies(database, "TTL name", "(integer) -2");
  replies(database, "EXPIRE name 5", "(integer) 0");
  replies(database, "SET name bob NX", "OK"); // Nobody is there.
  replies(database, "DEL name", "(integer) 1");
}));

Deno.test(check("Database.run() refuses an end that it cannot set", () => {
  const { database } = timed();
  replies(database, "SET a 1", "OK");
  for (
    const options of [
      "EX",
      "EX soon",
      "EX 1.5",
      "PX 1e3",
      "EX 0",
      "PX -5",
      "EX 1 PX 1",
    ]
  ) {
    replies(database, `SET a 2 ${options}`, "(error) ERR");
  }
  replies(database, "GET a", '"1"');
}));

Deno.test(check("Database.run() forgets an end with SET, and not with INCR", {
  reveals: ["end-outlives-value", "end-lost"],
}, () => {
  const { clock, database } = timed();
  replies(database, "SET a 1 EX 5", "OK");
  replies(database, "SET b 1 EX 5", "OK");
  replies(database, "SET c 1 EX 5", "OK");
  replies(database, "SET a 2", "OK");
  replies(database, "DEL b", "(integer) 1");
  replies(database, "SET b 2", "OK");
  replies(database, "INCR c", "(integer) 2");
  replies(database, "TTL c", "(integer) 5");

  clock.now += 5_001;
  replies(database, "GET a", '"2"');
  replies(database, "GET b", '"2"');
  replies(database, "GET c", "(nil)");
  replies(database, "INCR c", "(integer) 1"); // The end went with the value.
  replies(database, "GET c", '"1"');
  replies(database, "TTL c", "(integer) -1");
}));

Deno.test(check("Database.run() lets a SET that NX refuses change nothing", {
  reveals: ["refused-set-changes"],
}, () => {
  const { clock, database } = timed();
  replies(database, "SET name ann EX 5", "OK");
  replies(database, "TTL name", "(integer) 5");
  replies(database, "SET name bob NX", "(nil)");
  replies(database, "TTL name", "(integer) 5");
  replies(database, "SET name bob EX 90 NX", "(nil)");
  replies(database, "TTL name", "(integer) 5");
  replies(database, "GET name", '"ann"');

  clock.now += 5_001;
  replies(database, "GET name", "(nil)");
}));

Deno.test(check("Database.sweep() removes what nobody asks for any more", {
  reveals: ["expired-kept"],
}, () => {
  const { clock, database } = timed();
  for (let i = 1; i <= 500; i++) replies(database, `SET ${i} x EX ${i}`, "OK");
  replies(database, "SET name ann", "OK");

  clock.now += 300_500;
  database.sweep();
  replies(database, "DBSIZE", "(integer) 201");
  clock.now += 300_000;
  database.sweep();
  replies(database, "DBSIZE", "(integer) 1");
}));

// -- Part 5: connections --

/** The rest of a line, without its end. */
async function line(client: Actor): Promise<string> {
  let text = "";
  while (!text.endsWith("\r\n")) {
    text += new TextDecoder().decode(await client.receive(1));
  }
  return text.slice(0, -2);
}

Deno.test(check("serve() answers commands, however they arrive", {
  reveals: ["generator-abandoned", "timer-leak"],
}, async (stage) => {
  stage.serve(serve);
  const ann = await stage.connect("ann");

  await ann.sendByteByByte(command("SET", "poem", "two\r\nlines"));
  await ann.receives("+OK\r\n");
  await ann.send("GET poem\r\n");
  await ann.receives(bulk("two\r\nlines"));
  await ann.send("GET nothing\r\n");
  await ann.receives("$-1\r\n");
}));

Deno.test(check("serve() answers every command that a read brings, in order", {
  reveals: ["first-message-only"],
}, async (stage) => {
  stage.serve(serve);
  const ann = await stage.connect("ann");
  const numbers = Array.from({ length: 1_000 }, (_, i) => `${i}`);

  await ann.send(concat(numbers.map((number) => command("ECHO", number))));
  await ann.receives(concat(numbers.map(bulk)));
}));

Deno.test(check("serve() keeps apart what clients send", {
  reveals: ["global-session"],
}, async (stage) => {
  stage.serve(serve);
  const ann = await stage.connect("ann");
  const bob = await stage.connect("bob");

  await ann.sendInPieces(["*2\r\n$4\r\nECHO\r\n$15\r\n", "ann", " is"]);
  await bob.send("ECHO 1234\r\n"); // As many bytes as ann has still to send.
  await bob.receives(bulk("1234"));
  await ann.send(" here too\r\n");
  await ann.receives(bulk("ann is here too"));
}));

Deno.test(check("serve() goes on after a command that it does not know", {
  reveals: ["resp-unknown-command"],
}, async (stage) => {
  stage.serve(serve);
  const ann = await stage.connect("ann");

  await ann.send("HELLO 3\r\n"); // As redis-cli -3 says first.
  await ann.receives("-ERR ");
  await line(ann);
  await ann.send("PING\r\n");
  await ann.receives("+PONG\r\n");
}));

Deno.test(check("serve() counts the arguments of its own commands, too", {
  reveals: ["missing-argument"],
}, async (stage) => {
  stage.serve(serve);
  const ann = await stage.connect("ann");

  for (const few of ["BLPOP jobs", "SUBSCRIBE", "PUBLISH news", "BLPOP"]) {
    await ann.send(`${few}\r\nPING\r\n`);
    const reply = await line(ann);
    const told = `the reply to ${few} should be -ERR, and is ${reply}`;
    assert(reply.startsWith("-ERR "), told);
    await ann.receives("+PONG\r\n");
  }
}));

Deno.test(check("serve() takes the names of its own commands in any case", {
  reveals: ["name-in-one-case"],
}, async (stage) => {
  stage.serve(serve);
  const ann = await stage.connect("ann");

  await ann.send("PING\r\nLPUSH jobs sweep cook\r\nBLPOP jobs 0\r\n");
  await ann.receives("+PONG\r\n:2\r\n*2\r\n$4\r\njobs\r\n$4\r\ncook\r\n");
  await ann.send("Blpop jobs 0\r\n");
  await ann.receives(array("jobs", "sweep"));
  await ann.send("PING\r\nPUBLISH news hello\r\n");
  await ann.receives("+PONG\r\n:0\r\n");
  await ann.send("publish news hello\r\n");
  await ann.receives(":0\r\n");
  await ann.send("PING\r\nSUBSCRIBE news\r\n");
  await ann.receives("+PONG\r\n*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n");
  await ann.send("subscribe sport\r\n");
  await ann.receives("*3\r\n$9\r\nsubscribe\r\n$5\r\nsport\r\n:2\r\n");
}));

Deno.test(check("serve() says what is wrong, and hangs up", {
  reveals: ["handler-rejection-kills-server", "error-swallows-commands"],
}, async (stage) => {
  stage.serve((listener) => serve(listener, { maxBulk: 5 }));
  const bob = await stage.connect("bob");

  for (const wrong of ["$6\r\n", "$x\r\n", "*1\r\n".repeat(10_000)]) {
    const ann = await stage.connect("ann");
    await ann.send(`PING\r\n*1\r\n${wrong}`);
    await ann.receives("+PONG\r\n-ERR Protocol error");
    await line(ann);
    await ann.receivesEnd();
  }

  await bob.send("ECHO hello\r\n");
  await bob.receives(bulk("hello"));
}));

Deno.test(check("serve() writes all of a reply, bit by bit", {
  reveals: ["ignore-write-count"],
  writesAtMost: 7,
}, async (stage) => {
  stage.serve(serve);
  const ann = await stage.connect("ann");

  await ann.send(concat([command("ECHO", EVERYTHING), command("PING")]));
  await ann.receives(concat([bulk(EVERYTHING), toBytes("+PONG\r\n")]));
}));

Deno.test(check("serve() sends every reply before it hangs up", {
  reveals: ["eof-means-peer-gone"],
}, async (stage) => {
  stage.serve(serve);
  const ann = await stage.connect("ann");
  const long = "x".repeat(100_000);

  await ann.send(command("SET", "long", long));
  await ann.receives("+OK\r\n");
  await ann.send("GET long\r\n".repeat(5));
  await ann.closeWrite();

  await ann.receives(concat(Array(5).fill(bulk(long))));
  await ann.receivesEnd();
}));

Deno.test(check("serve() waits for a client that is slow to read", {
  reveals: ["slow-client-blocks-broadcast"],
}, async (stage) => {
  // Replies are no messages: only their client asks for more of them.
  stage.serve((listener) => serve(listener, { maxQueued: 65_536 }));
  const slow = await stage.connect("slow");
  const bob = await stage.connect("bob");
  const long = "x".repeat(50_000);

  await slow.send(command("SET", "long", long));
  await slow.send("GET long\r\n".repeat(10));
  await bob.send("PING\r\n");
  await bob.receives("+PONG\r\n");

  await slow.receives("+OK\r\n");
  await slow.receives(concat(Array(10).fill(bulk(long))));
}));

Deno.test(check("serve() reads no further while its replies wait", {
  reveals: ["replies-pile-up"],
  only: "simulated", // Its buffers hold 131,072 bytes; a kernel's grow.
}, async (stage) => {
  stage.serve(serve);
  const ann = await stage.connect("ann");
  const page = command("ECHO", "x".repeat(50_000));
  const said = 80; // 4 MB, and the same comes back.
  let taken = 0;
  const talking = (async () => {
    for (; taken < said; taken++) await ann.send(page);
  })();

  await stage.sleep(1_000); // Ann has read nothing yet.
  const held = taken * page.length - 4 * 131_072; // Two buffers on each way.
  const told = `${held} bytes wait in memory for ann, who reads nothing`;
  assert(held < 2_000_000, told);

  await ann.receives(concat(Array(said).fill(bulk("x".repeat(50_000)))));
  await talking;
}));

Deno.test(check("serve() outlives clients that leave inside a command", {
  reveals: ["handler-rejection-kills-server"],
}, async (stage) => {
  stage.serve(serve);
  const doomed = await stage.connect("doomed", undefined, { canReset: true });
  const ann = await stage.connect("ann");
  const bob = await stage.connect("bob");

  await doomed.sendInPieces(["*2\r\n$4\r\nEC", "HO\r\n$5\r\nhe"]);
  doomed.reset();
  await ann.send("*2\r\n$4\r\nECHO\r\n$5\r\nhe");
  await ann.closeWrite();
  await ann.receivesEnd();

  await bob.send("PING\r\n");
  await bob.receives("+PONG\r\n");
}));

Deno.test(check("serve() counts for fifty clients at once", async (stage) => {
  stage.serve(serve);
  const names = Array.from({ length: 50 }, (_, i) => `client ${i}`);
  const clients = await Promise.all(names.map((name) => stage.connect(name)));

  await Promise.all(clients.map(async (client) => {
    await client.send("INCR visits\r\n".repeat(20));
    await client.closeWrite();
    await client.receiveAll();
  }));

  const ann = await stage.connect("ann");
  await ann.send("GET visits\r\n");
  await ann.receives(bulk("1000"));
}));

Deno.test(check("serve() removes what has ended, within a minute", {
  reveals: ["expired-kept", "timer-leak"],
  only: "simulated", // A minute costs nothing there.
}, async (stage) => {
  stage.serve(serve);
  const ann = await stage.connect("ann");
  await ann.send("SET session ann PX 50\r\n");
  await ann.send("SET name ann\r\nDBSIZE\r\n");
  await ann.receives("+OK\r\n+OK\r\n:2\r\n");

  await stage.sleep(60_000);
  await ann.send("DBSIZE\r\n");
  await ann.receives(":1\r\n");
  await ann.send("SET session bob PX 50\r\n");
  await ann.receives("+OK\r\n");
  await stage.sleep(60_000); // Once is not enough.
  await ann.send("DBSIZE\r\n");
  await ann.receives(":1\r\n");
}));

// -- Part 6: a client that waits --

/** Sends BLPOP, and goes on when the program has it. */
async function blpop(client: Actor, ...words: string[]) {
  await client.sendInPieces([`BLPOP ${words.join(" ")}\r\n`, "\r\n"]);
}

Deno.test(check("serve() gives BLPOP what is there", async (stage) => {
  stage.serve(serve);
  const ann = await stage.connect("ann");

  await ann.send("LPUSH jobs sweep cook\r\n");
  await ann.receives(":2\r\n");
  await ann.send("BLPOP letters jobs 0\r\n");
  await ann.receives(array("jobs", "cook"));
  await ann.send("BLPOP jobs 60\r\n");
  await ann.receives(array("jobs", "sweep"));
  await ann.send("LPUSH né sweep\r\nBLPOP né 0\r\n");
  await ann.receives(":1\r\n");
  await ann.receives(array("né", "sweep"));
}));

Deno.test(check("serve() lets BLPOP wait for an item", {
  reveals: [
    "pushed-counted-late",
    "empty-list-kept",
    "gives-up-early",
    "timer-leak",
  ],
}, async (stage) => {
  stage.serve(serve);
  const ann = await stage.connect("ann");
  const bob = await stage.connect("bob");

  await blpop(ann, "jobs", "60");
  await bob.send("LPUSH jobs sweep\r\n");
  await bob.receives(":1\r\n");
  await ann.receives(array("jobs", "sweep"));
  await blpop(ann, "jobs", "0"); // As long as it takes.
  await bob.send("LPUSH jobs cook\r\n");
  await bob.receives(":1\r\n");
  await ann.receives(array("jobs", "cook"));
  await blpop(ann, "jobs", "3000000"); // Five weeks.
  await bob.send("LPUSH jobs iron\r\n");
  await bob.receives(":1\r\n");
  await ann.receives(array("jobs", "iron"));
  await bob.send("DBSIZE\r\n"); // A list without items is none.
  await bob.receives(":0\r\n");
}));

Deno.test(check("serve() refuses a BLPOP with a time that is none", {
  reveals: ["wait-without-number"],
}, async (stage) => {
  stage.serve(serve);
  const ann = await stage.connect("ann");

  for (const time of ["abc", "-1", "0.01x", "", " "]) {
    await ann.send(command("BLPOP", "jobs", time));
    await ann.receives("-ERR ");
    await line(ann);
  }
  await ann.send("LPUSH jobs sweep\r\nBLPOP jobs abc\r\n");
  await ann.receives(":1\r\n-ERR ");
  await line(ann);
  await ann.send("DBSIZE\r\n"); // What is refused takes nothing.
  await ann.receives(":1\r\n");
}));

Deno.test(check("serve() keeps replies in order behind a BLPOP", {
  reveals: ["reply-overtakes", "first-message-only"],
}, async (stage) => {
  stage.serve(serve);
  const ann = await stage.connect("ann");
  const bob = await stage.connect("bob");

  await ann.sendInPieces(["BLPOP jobs 0\r\nPING\r\n", "BLPOP jobs 0\r\n"]);
  await ann.send("ECHO done\r\n");
  await bob.send("LPUSH jobs sweep\r\n");
  await bob.receives(":1\r\n");
  await ann.receives(concat([array("jobs", "sweep"), toBytes("+PONG\r\n")]));
  await bob.send("LPUSH jobs cook\r\n");
  await bob.receives(":1\r\n");
  await ann.receives(concat([array("jobs", "cook"), bulk("done")]));
}));

Deno.test(check("serve() says last what is wrong, behind a BLPOP too", {
  reveals: ["error-overtakes", "gives-up-early"],
}, async (stage) => {
  stage.serve(serve);
  const ann = await stage.connect("ann");

  await ann.send("BLPOP jobs 0.05\r\nPING\r\n*x\r\n");
  const missing = await line(ann);
  const overtaken = /^-ERR Protocol error/i.test(missing);
  assert(!overtaken, "ann got an error before the reply to BLPOP");
  const waited = Math.ceil(stage.now);
  const told = `the reply to BLPOP jobs 0.05 should be $-1, and is ${missing}`;
  assert(["$-1", "*-1"].includes(missing), told);
  assert(waited >= 50, `BLPOP waited ${waited} ms, and was told 0.05 s`);
  await ann.receives("+PONG\r\n-ERR Protocol error");
  await line(ann);
  await ann.receivesEnd();
}));

Deno.test(check("serve() gives items to who came first", {
  reveals: ["last-come-first-served", "blocking-pop-leak"],
}, async (stage) => {
  stage.serve(serve);
  const [ann, bob, cat] = [
    await stage.connect("ann"),
    await stage.connect("bob"),
    await stage.connect("cat"),
  ];
  await blpop(ann, "jobs", "0");
  await blpop(bob, "jobs", "0");

  await cat.send("LPUSH jobs sweep\r\n");
  await ann.receives(array("jobs", "sweep"));
  await cat.send("LPUSH jobs cook\r\n");
  await bob.receives(array("jobs", "cook"));
  await cat.receives(":1\r\n:1\r\n");

  await blpop(ann, "jobs", "0");
  await blpop(bob, "jobs", "0");
  await cat.send("LPUSH jobs iron iron\r\n"); // There is one for each.
  await ann.receives(array("jobs", "iron"));
  await bob.receives(array("jobs", "iron"));
  await cat.receives(":2\r\n");
}));

Deno.test(check("serve() lets BLPOP give up in time, and take nothing later", {
  reveals: ["gives-up-early", "blocking-pop-leak"],
}, async (stage) => {
  stage.serve(serve);
  const ann = await stage.connect("ann");

  await ann.send("BLPOP jobs 0.05\r\n");
  const missing = await line(ann);
  const waited = Math.ceil(stage.now);
  // Redis says it as a missing array, and clients take either.
  const told = `the reply to BLPOP jobs 0.05 should be $-1, and is ${missing}`;
  assert(["$-1", "*-1"].includes(missing), told);
  assert(waited >= 50, `BLPOP waited ${waited} ms, and was told 0.05 s`);
  await ann.send("LPUSH jobs sweep\r\n");
  await ann.receives(":1\r\n");
  await ann.send("LPOP jobs\r\n");
  await ann.receives(bulk("sweep"));
}));

Deno.test(check("serve() gives one item for one BLPOP, from whichever list", {
  reveals: ["blocking-pop-leak"],
}, async (stage) => {
  stage.serve(serve);
  const ann = await stage.connect("ann");
  const bob = await stage.connect("bob");

  await blpop(ann, "letters", "jobs", "0");
  await bob.send("LPUSH jobs sweep\r\n");
  await ann.receives(array("jobs", "sweep"));
  await bob.send("LPUSH letters greetings\r\n");
  await bob.receives(":1\r\n:1\r\n");
  await bob.send("LPOP letters\r\n");
  await bob.receives(bulk("greetings"));
  await bob.send("LPUSH jobs cook\r\n");
  await bob.receives(":1\r\n");
  await bob.send("LPOP jobs\r\n");
  await bob.receives(bulk("cook"));
}));

Deno.test(check("serve() gives nothing to a client that has left", {
  reveals: ["blocking-pop-leak", "timer-leak"],
}, async (stage) => {
  stage.serve(serve);
  const ann = await stage.connect("ann");
  const doomed = await stage.connect("doomed", undefined, { canReset: true });
  await blpop(ann, "jobs", "0");
  await blpop(doomed, "jobs", "60");

  const cat = await stage.connect("cat");
  await cat.sendInPieces(["BLPOP jobs 0\r\n", "*x\r\n", "\r\n"]);

  ann.close();
  doomed.reset();
  cat.close(); // Its error would have come behind the item.
  await stage.sleep(1); // A stream may tell of it a little later.

  const bob = await stage.connect("bob");
  await bob.send("LPUSH jobs sweep\r\n");
  await bob.receives(":1\r\n");
  await bob.send("BLPOP jobs 0\r\n");
  await bob.receives(array("jobs", "sweep"));
}));

Deno.test(check("serve() runs nothing more for a client that has left", {
  reveals: ["blocking-pop-leak"],
}, async (stage) => {
  stage.serve(serve);
  const ann = await stage.connect("ann");
  const bob = await stage.connect("bob");
  await blpop(ann, "jobs", "0");
  await blpop(ann, "jobs", "0");

  ann.close();
  await bob.send("LPUSH jobs sweep\r\n"); // Ann may have it, and no other.
  await bob.receives(":1\r\n");
  await stage.sleep(1); // A stream may tell of the end a little later.
  await bob.send("LPUSH jobs cook\r\n");
  await bob.receives(":");
  await line(bob);
  await bob.send("LPOP jobs\r\n");
  await bob.receives(bulk("cook"));
}));

// -- Part 7: a client that listens --

/** What a subscriber hears. */
function message(channel: string, data: Data): Uint8Array {
  return array("message", channel, data);
}

Deno.test(check("serve() tells those who subscribe", async (stage) => {
  stage.serve(serve);
  const ann = await stage.connect("ann");
  const bob = await stage.connect("bob");
  const cat = await stage.connect("cat");

  await ann.send("SUBSCRIBE news spört\r\n");
  await ann.receives("*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n");
  await ann.receives("*3\r\n$9\r\nsubscribe\r\n$6\r\nspört\r\n:2\r\n");
  await bob.send("SUBSCRIBE news\r\n");
  await bob.receives("*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n");

  await cat.send(command("PUBLISH", "news", EVERYTHING));
  await cat.receives(":2\r\n");
  await cat.send(command("PUBLISH", "spört", "two\r\nlines"));
  await cat.receives(":1\r\n");
  await cat.send("PUBLISH weather rain\r\n");
  await cat.receives(":0\r\n");

  await ann.receives(message("news", EVERYTHING));
  await ann.receives(message("spört", "two\r\nlines"));
  await bob.receives(message("news", EVERYTHING));
}));

Deno.test(check("serve() forgets a subscriber that has left", {
  reveals: ["subscription-leak"],
}, async (stage) => {
  stage.serve(serve);
  const ann = await stage.connect("ann");
  const doomed = await stage.connect("doomed", undefined, { canReset: true });
  await ann.send("SUBSCRIBE news\r\n");
  await ann.receives("*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n");
  await doomed.send("SUBSCRIBE news\r\n");
  await doomed.receives("*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n");

  doomed.reset();
  await ann.closeWrite();
  await ann.receivesEnd(); // It has noticed.
  await stage.sleep(1); // A stream may tell of the end a little later.

  const bob = await stage.connect("bob");
  await bob.send("PUBLISH news hello\r\n");
  await bob.receives(":0\r\n");
}));

Deno.test(check("serve() sends messages whole, one after the other", {
  reveals: ["interleaved-writers"],
  writesAtMost: 3,
}, async (stage) => {
  stage.serve(serve);
  const ann = await stage.connect("ann");
  const bob = await stage.connect("bob");
  await ann.send("SUBSCRIBE news\r\n");
  await ann.receives("*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n");

  const words = ["one", "two", "three"];
  await bob.send(concat(words.map((word) => command("PUBLISH", "news", word))));
  await ann.receives(concat(words.map((word) => message("news", word))));
  await bob.receives(":1\r\n:1\r\n:1\r\n");
}));

Deno.test(check("serve() lets go of a subscriber that does not read", {
  reveals: [
    "slow-client-blocks-broadcast",
    "message-dropped",
    "unbounded-outbox",
  ],
}, async (stage) => {
  stage.serve((listener) => serve(listener, { maxQueued: 65_536 }));
  const ann = await stage.connect("ann");
  const slow = await stage.connect("slow");
  await slow.send("SUBSCRIBE news\r\n");
  await slow.receives("*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n");

  // The kernel's own buffers take some megabytes before anybody notices.
  const publish = command("PUBLISH", "news", "x".repeat(65_000));
  let heard = "1";
  for (let i = 0; i < 200 && heard === "1"; i++) {
    await ann.send(publish);
    await ann.receives(":");
    heard = await line(ann);
    // Hung up on, a stream may tell of it a little later.
    if (i % 50 === 0) await stage.sleep(1);
  }

  if (heard === "0") return void await slow.receiveAll();
  await slow.closeWrite();
  const { length } = await slow.receiveAll();
  const kept = length > 200 * 65_000;
  const told = kept ? "13 MB waited in memory for it" : "it misses messages";
  assert(false, `slow did not read, and was not hung up on: ${told}`);
}));

Deno.test(check("serve() keeps messages as far as maxQueued allows", {
  reveals: ["limit-of-its-own"],
}, async (stage) => {
  stage.serve((listener) => serve(listener, { maxQueued: 2 ** 21 }));
  const ann = await stage.connect("ann");
  const slow = await stage.connect("slow");
  await slow.send("SUBSCRIBE news\r\n");
  await slow.receives("*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n");

  const long = "x".repeat(250_000);
  for (let i = 1; i <= 7; i++) {
    await ann.send(command("PUBLISH", "news", long));
    await ann.receives(":");
    const told = `slow was let go with less than ${i / 4} MB, and 2 may wait`;
    assert(await line(ann) === "1", told);
  }
  const all = Array(7).fill(message("news", long));
  await slow.receives(concat(all));
}));
