// The checks for lesson 15. Read them: they say what the room promises.
import { assert, assertEquals } from "@std/assert";
import { type Actor, assertBytes, check, type Stage, toBytes } from "check";
import { Room, serve } from "./chat.ts";

const PROMPT = "Welcome to budgetchat! What shall I call you?\n";

/** A member of a room without sockets, who writes down every line. */
class Member {
  readonly #notes: string[] = [];
  readonly out = (line: string) => this.#notes.push(line) > 0;

  /** What was heard since the last time. */
  notes() {
    return lines(...this.#notes.splice(0));
  }
}

/** Lines in an order of their own: first what people say, then notices. */
function lines(...texts: string[]) {
  const ordered = texts.toSorted().reverse();
  return toBytes(ordered.map((text) => `${text}\n`).join(""));
}

/** Takes notices, and no word of anybody. */
function deafToWords(line: string) {
  return !line.startsWith("[");
}

/** Enters the room that `stage` serves, where `present` are already. */
async function enter(stage: Stage, name: string, present: string) {
  const member: Actor = await stage.connect(name, undefined, {
    canReset: name === "doomed",
  });
  await member.receives(PROMPT);
  await member.send(`${name}\n`);
  await member.receives(`* The room contains: ${present}\n`);
  return member;
}

// -- Room: no socket, and nothing waits --

Deno.test(check("Room.join() lists the others, and tells them who came", () => {
  const [ann, bob] = [new Member(), new Member()];
  const room = new Room();

  room.join("ann", ann.out);
  room.join("bob", bob.out);

  assertBytes(
    bob.notes(),
    lines("* The room contains: ann"),
    "what bob heard",
  );
  assertBytes(
    ann.notes(),
    lines("* The room contains: ", "* bob has entered the room"),
    "what ann heard",
  );
  assertEquals(room.names(), ["ann", "bob"]);
}));

Deno.test(check("Room.say() reaches everybody but the speaker", {
  reveals: ["echo-to-sender"],
}, () => {
  const [ann, bob, cat] = [new Member(), new Member(), new Member()];
  const room = new Room();
  room.join("ann", ann.out);
  room.join("bob", bob.out);
  room.join("cat", cat.out);
  for (const member of [ann, bob, cat]) member.notes();

  room.say("ann", "hello");

  assertBytes(bob.notes(), lines("[ann] hello"), "what bob heard");
  assertBytes(cat.notes(), lines("[ann] hello"), "what cat heard");
  assertBytes(ann.notes(), lines(), "what ann heard");
}));

Deno.test(check("Room.join() returns how to leave, once", () => {
  const bob = new Member();
  const room = new Room();
  room.join("bob", bob.out);
  const leave = room.join("ann", () => true);
  bob.notes();

  leave();
  leave();

  assertBytes(
    bob.notes(),
    lines("* ann has left the room"),
    "what bob heard",
  );
  assertEquals(room.names(), ["bob"]);
}));

Deno.test(check("Room.say() lets go of a member who cannot take a line", {
  reveals: ["no-leave-on-error"],
}, () => {
  const bob = new Member();
  const room = new Room();
  const leave = room.join("doomed", deafToWords);
  room.join("ann", () => true);
  room.join("bob", bob.out);
  bob.notes();

  room.say("ann", "hello");

  assertBytes(
    bob.notes(),
    lines("[ann] hello", "* doomed has left the room"),
    "what bob heard after doomed had answered false",
  );
  assertEquals(room.names(), ["ann", "bob"]);

  // Somebody else takes the name, and only then the first doomed is through.
  room.join("doomed", () => true);
  leave();
  const told = "names() after a late leave(), with somebody new of that name";
  assertEquals(room.names(), ["ann", "bob", "doomed"], told);
}));

Deno.test(check("Room.say() passes nobody over while it lets go of a member", {
  reveals: ["mutate-while-iterating"],
}, () => {
  const bob = new Member();
  const room = new Room();
  room.join("doomed", deafToWords);
  room.join("bob", bob.out);
  room.join("ann", () => true);
  bob.notes();

  room.say("ann", "hello");

  assertBytes(
    bob.notes(),
    lines("[ann] hello", "* doomed has left the room"),
    "what bob heard after doomed had answered false",
  );
}));

Deno.test(check("Room.say() lets go of two members at once", () => {
  const bob = new Member();
  const room = new Room();
  let full = false;
  room.join("one", () => !full);
  room.join("two", () => !full);
  room.join("ann", () => true);
  room.join("bob", bob.out);
  bob.notes();

  full = true; // From now on, both can take nothing, a goodbye included.
  room.say("ann", "hello");

  assertBytes(
    bob.notes(),
    lines("[ann] hello", "* one has left the room", "* two has left the room"),
    "what bob heard after one and two had answered false",
  );
  assertEquals(room.names(), ["ann", "bob"]);
}));

Deno.test(check("Room.names() is empty when all have gone", () => {
  const room = new Room();
  const leaves = Array.from(
    { length: 100 },
    (_, i) => room.join(`guest${i}`, () => true),
  );

  leaves.forEach((leave) => leave());

  assertEquals(room.names(), []);
}));

// -- serve(): the same over connections --

Deno.test(check("serve() lets people chat", async (stage) => {
  stage.serve(serve);
  const ann = await enter(stage, "ann", "");
  const bob = await enter(stage, "bob", "ann");
  await ann.receives("* bob has entered the room\n");

  await ann.send("hello\n");
  await bob.receives("[ann] hello\n");
  await bob.send("hi, ann\n");
  await ann.receives("[bob] hi, ann\n");
  await bob.closeWrite();

  await ann.receives("* bob has left the room\n");
  await bob.receivesEnd();
}));

Deno.test(check("serve() tells the others when a client vanishes", {
  reveals: ["no-leave-on-error", "unawaited-write"],
}, async (stage) => {
  stage.serve(serve);
  const doomed = await enter(stage, "doomed", "");
  const bob = await enter(stage, "bob", "doomed");
  await doomed.receives("* bob has entered the room\n");

  doomed.reset();

  await bob.receives("* doomed has left the room\n");
  await enter(stage, "ann", "bob");
  await bob.receives("* ann has entered the room\n");
}));

Deno.test(check("serve() outlives a client that vanishes inside a line", {
  reveals: ["double-close", "unawaited-write", "interleaved-writers"],
  writesAtMost: 1,
}, async (stage) => {
  stage.serve(serve);
  const doomed = await enter(stage, "doomed", "");
  const bob = await enter(stage, "bob", "doomed");
  const ann = await enter(stage, "ann", "doomed, bob");
  await bob.receives("* ann has entered the room\n");

  await ann.send(`${"la ".repeat(20)}\n`);
  await bob.receives("[ann] la");
  doomed.reset();

  const rest = " la".repeat(19);
  await bob.receives(`${rest} \n* doomed has left the room\n`);
}));

Deno.test(check("serve() sends lines whole, one after the other", {
  reveals: ["reply-after-readable", "interleaved-writers", "queue-lost-at-end"],
  writesAtMost: 3,
}, async (stage) => {
  stage.serve(serve);
  const bob = await enter(stage, "bob", "");
  const ann = await enter(stage, "ann", "bob");
  await bob.receives("* ann has entered the room\n");

  await ann.send("one\ntwo\nthree\n");

  await bob.receives("[ann] one\n[ann] two\n[ann] three\n");

  await ann.send("the last line for you\n");
  await bob.receives("[ann] the");
  await bob.closeWrite(); // He has said all, and hears what is on its way.
  await bob.receives(" last line for you\n");
}));

Deno.test(check("serve() keeps apart what clients send", {
  reveals: ["shared-buffer"],
}, async (stage) => {
  stage.serve(serve);
  const cat = await enter(stage, "cat", "");
  const ann = await enter(stage, "ann", "cat");
  const stranger = await stage.connect("stranger");
  await cat.receives("* ann has entered the room\n");
  await stranger.receives(PROMPT);

  await Promise.all([ann.send("good day\n"), stranger.send("no name!\n")]);

  await cat.receives("[ann] good day\n");
}));

Deno.test(check("serve() tells nobody about a client without a name", {
  reveals: ["announce-before-join"],
}, async (stage) => {
  stage.serve(serve);
  const ann = await enter(stage, "ann", "");
  const stranger = await stage.connect("stranger");
  await stranger.receives(PROMPT);

  const bob = await enter(stage, "bob", "ann");
  await ann.receives("* bob has entered the room\n");
  await ann.send("who is that?\n");
  await bob.receives("[ann] who is that?\n");
  await stranger.receivesNothing(10);

  stranger.close();
  await bob.send("nobody\n");
  await ann.receives("[bob] nobody\n");
}));

Deno.test(check("serve() takes a line for what stands before its end", {
  reveals: ["utf8-per-chunk", "stale-buffer-alias"],
}, async (stage) => {
  stage.serve(serve);
  const bob = await enter(stage, "bob", "");
  const ann = await stage.connect("ann");
  await ann.receives(PROMPT);

  await ann.sendByteByByte("ann\n");
  await ann.receives("* The room contains: bob\n");
  await ann.sendInPieces(["good ", "morn", "ing\nslept", " well?\nI did\n"]);

  await bob.receives("* ann has entered the room\n");
  await bob.receives("[ann] good morning\n[ann] slept well?\n[ann] I did\n");

  await ann.sendByteByByte("a café, née bar\n");
  await bob.receives("[ann] a café, née bar\n");
}));

Deno.test(check("serve() takes CR LF for an end of line, too", {
  reveals: ["crlf-kept"],
}, async (stage) => {
  stage.serve(serve);
  const bob = await enter(stage, "bob", "");
  const ann = await stage.connect("ann");
  await ann.receives(PROMPT);

  await ann.send("ann\r\n");
  await ann.receives("* The room contains: bob\n");
  await ann.send("hello\r\n");

  await bob.receives("* ann has entered the room\n[ann] hello\n");
}));

Deno.test(check("serve() forgets a name, or a word, that nobody finished", {
  reveals: ["partial-last-line"],
}, async (stage) => {
  stage.serve(serve);
  const bob = await enter(stage, "bob", "");
  const half = await stage.connect("half");
  await half.receives(PROMPT);

  await half.send("hal");
  await half.closeWrite();
  await half.receivesEnd();

  const ann = await enter(stage, "ann", "bob");
  await ann.send("hello\nand go");
  await ann.closeWrite();
  await bob.receives("* ann has entered the room\n[ann] hello\n");
  await bob.receives("* ann has left the room\n");
}));

Deno.test(check("serve() refuses a bad name", async (stage) => {
  stage.serve(serve);
  const bob = await enter(stage, "bob", "");

  const bad = ["", "two words", "under_score", "a".repeat(17)];
  for (const name of [...bad, "bob"]) {
    const ann = await stage.connect("ann");
    await ann.receives(PROMPT);
    await ann.send(`${name}\n`);
    await ann.receives("* "); // And why, in words of your own.
    const why = await ann.receiveAll();
    const ends = why.filter((byte) => byte === 0x0a).length;
    const told = `the refusal of ${JSON.stringify(name)} has ${ends} line ends`;
    assert(ends === 1 && why.at(-1) === 0x0a, `${told}; it is one line`);
  }

  await enter(stage, "a".repeat(16), "bob");
  await bob.receives(`* ${"a".repeat(16)} has entered the room\n`);
}));

Deno.test(check("serve() lets one in when two want a name at once", {
  reveals: ["await-between-check-and-set"],
}, async (stage) => {
  stage.serve(serve);
  const bob = await enter(stage, "bob", "");
  const [one, two] = [await stage.connect("one"), await stage.connect("two")];
  await Promise.all([one.receives(PROMPT), two.receives(PROMPT)]);

  await Promise.all([one.send("ann\n"), two.send("ann\n")]);

  await bob.receives("* ann has entered the room\n");
  await enter(stage, "cat", "bob, ann");
  await bob.receives("* cat has entered the room\n");
}));

Deno.test(check("serve() lists the room first", async (stage) => {
  stage.serve(serve);
  const names = ["ann", "bob", "cat"];
  const cast = await Promise.all(names.map((name) => stage.connect(name)));
  for (const member of cast) await member.receives(PROMPT);

  await Promise.all(cast.map((member) => member.send(`${member.name}\n`)));

  for (const member of cast) await member.receives("* The room contains: ");
}));

Deno.test(check("serve() takes any name that is one", {
  reveals: ["object-as-map"],
}, async (stage) => {
  stage.serve(serve);
  await enter(stage, "zoe", "");
  await enter(stage, "bob", "zoe");
  await enter(stage, "7", "zoe, bob");
  await enter(stage, "constructor", "zoe, bob, 7");
}));

Deno.test(check("serve() obeys its options", async (stage) => {
  const rules = { nameRule: /^[a-z]+\.[a-z]+$/, maxLine: 12 };
  stage.serve((listener) => serve(listener, rules));
  const bob = await enter(stage, "bob.hill", "");
  const rude = await enter(stage, "rude.boy", "bob.hill");

  await rude.send("twelve bytes\r\nthirteen byte\n");

  await bob.receives("* rude.boy has entered the room\n");
  await bob.receives("[rude.boy] twelve bytes\n");
  await bob.receives("* rude.boy has left the room\n");
}));

Deno.test(check("serve() caps the length of a line", async (stage) => {
  stage.serve(serve);
  const bob = await enter(stage, "bob", "");
  const ann = await enter(stage, "ann", "bob");
  await bob.receives("* ann has entered the room\n");

  await ann.send(`${"x".repeat(1_000)}\n`);
  await bob.receives(`[ann] ${"x".repeat(1_000)}\n`);
  await ann.send("x".repeat(5_000)); // And no end in sight.
  await bob.receives("* ann has left the room\n");
}));

Deno.test(check("serve() drops control characters", async (stage) => {
  stage.serve(serve);
  const bob = await enter(stage, "bob", "");
  const ann = await enter(stage, "ann", "bob");
  await bob.receives("* ann has entered the room\n");

  await ann.send("\x1b[2Jgone\x07, \x00all\x7f of\x9b\t it – née\n");
  await bob.receives("[ann] [2Jgone, all of it – née\n");
}));

Deno.test(check("serve() lets nobody wait for a slow reader", {
  reveals: [
    "goodbye-waits",
    "slow-client-blocks-broadcast",
    "queue-lost-at-end",
  ],
}, async (stage) => {
  const line = "x".repeat(50_000);
  stage.serve((listener) => serve(listener, { maxLine: 50_000 }));
  const bob = await enter(stage, "bob", "");
  const slow = await enter(stage, "slow", "bob"); // And never reads again.
  const ann = await enter(stage, "ann", "bob, slow");
  await bob.receives(
    "* slow has entered the room\n* ann has entered the room\n",
  );

  for (let i = 0; i < 8; i++) {
    await ann.send(`${line}\n`);
    await bob.receives(`[ann] ${line}\n`);
  }

  await slow.closeWrite(); // It has gone, and its lines wait for it still.
  await bob.receives("* slow has left the room\n");
  const waited = `[ann] ${line}\n`.repeat(8);
  await slow.receives(`* ann has entered the room\n${waited}`);
}));

Deno.test(check("serve() keeps a client that reads", {
  reveals: ["sent-still-counts"],
}, async (stage) => {
  stage.serve((listener) => serve(listener, { maxQueued: 4 }));
  const bob = await enter(stage, "bob", "");
  const ann = await enter(stage, "ann", "bob");
  await bob.receives("* ann has entered the room\n");

  for (let i = 0; i < 20; i++) {
    await ann.send(`line ${i}\n`);
    await bob.receives(`[ann] line ${i}\n`);
  }
}));

Deno.test(check("serve() lets maxQueued lines wait for a client, and no more", {
  reveals: ["unbounded-outbox"],
  only: "simulated", // Here it is known how much the buffers hold.
}, async (stage) => {
  const rules = { maxLine: 200_000, maxQueued: 50 };
  stage.serve((listener) => serve(listener, rules));
  const ann = await enter(stage, "ann", "");
  const slow = await enter(stage, "slow", "ann");
  await ann.receives("* slow has entered the room\n");
  const long = "x".repeat(200_000);

  await ann.send(`${long}\n`); // More than the buffers hold: the rest waits.
  await ann.send("la\n".repeat(45));
  await ann.receivesNothing(); // There is room for 45.
  await slow.receives(`[ann] ${long}\n${"[ann] la\n".repeat(45)}`);

  await ann.send(`${long}\n`);
  await ann.send("la\n".repeat(55));
  await ann.receives("* slow has left the room\n"); // For 55 there is none.

  await slow.receiveAll();
  await slow.send("I am still here\n");
  await ann.receivesNothing();
}));

Deno.test(check("serve() lets go of a client that never reads", {
  reveals: ["unbounded-outbox"],
}, async (stage) => {
  const rules = { maxLine: 65_536, maxQueued: 4 };
  const line = `${"x".repeat(65_535)}\n`;
  stage.serve((listener) => serve(listener, rules));
  const ann = await enter(stage, "ann", "");
  const slow = await enter(stage, "slow", "ann");
  await ann.receives("* slow has entered the room\n");

  // A kernel's own buffers take up to 4 MB before anybody notices; the
  // simulated network has 128 kB of them.
  let gone = false;
  const talk = async () => {
    for (let i = 0; i < 90 && !gone; i++) await ann.send(line);
  };
  const hear = async () => {
    await ann.receives("* slow has left the room\n");
    gone = true;
  };
  await Promise.all([talk(), hear()]);
  if (stage.network === "simulated") await slow.receiveAll();
}));

Deno.test(check("serve() keeps the order in a crowd", async (stage) => {
  stage.serve(serve);
  const names = Array.from({ length: 10 }, (_, i) => `guest${i}`);
  const crowd: Actor[] = [];
  for (const [i, name] of names.entries()) {
    crowd.push(await enter(stage, name, names.slice(0, i).join(", ")));
    for (const member of crowd.slice(0, i)) {
      await member.receives(`* ${name} has entered the room\n`);
    }
  }

  const song = Array.from({ length: 10 }, (_, i) => `line ${i}`);
  await crowd[0]!.send(`${song.join("\n")}\n`);

  const heard = song.map((line) => `[guest0] ${line}\n`).join("");
  for (const member of crowd.slice(1)) await member.receives(heard);
}));

Deno.test(check("serve() forgets those who leave", async (stage) => {
  stage.serve(serve);
  const bob = await enter(stage, "bob", "");

  for (let i = 0; i < 20; i++) {
    const guest = await enter(stage, `guest${i}`, "bob");
    await bob.receives(`* guest${i} has entered the room\n`);
    guest.close();
    await bob.receives(`* guest${i} has left the room\n`);
  }
}));

Deno.test(check("serve() returns when everyone has left", {
  reveals: ["returns-before-clients"],
}, async (stage) => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = stage.start(() => serve(listener));
  const ann = await stage.connect("ann", listener);
  await ann.receives(PROMPT);

  listener.close(); // Nobody new gets in; those inside stay.
  await ann.send("ann\n");
  await ann.receives("* The room contains: \n");
  await ann.receivesNothing(1); // Whoever returns too early has done so now.
  assert(!serving.settled, "serve() returned while ann was inside");

  ann.close();
  await serving.result;
}));
