// The checks for lesson 16. Read them: they say what each program wants, and
// they measure on the kernel's own sockets what an option does.
import { assert, assertEquals } from "@std/assert";
import { assertBytes, check, type Stage } from "check";
import {
  FOR,
  IN_DENO,
  measure,
  type Option,
  request,
  twoListeners,
  watch,
  type Wish,
} from "./options.ts";

const HELLO = new TextEncoder().encode("hello");
const FRAME = "\0\0\0\x05hello";
const OTHER = "\0\0\0\x05world";

Deno.test(check("request() gives the body of the answer, however it comes", {
  reveals: ["interleaved-writers"],
  readsAtMost: 2,
  writesAtMost: 3,
}, async (stage) => {
  const shop = await stage.listen("shop");
  using conn = await Deno.connect({ port: shop.addr.port });
  const clerk = await shop.accept();
  const asking = stage.start(() => request(conn, HELLO));

  await clerk.receives(FRAME);
  await clerk.send(OTHER);

  assertBytes(await asking.result, "world");
}));

Deno.test(check("request() gives the kernel a question in one piece", {
  reveals: ["many-small-writes"],
}, async (stage) => {
  const [conn, writer] = scripted(stage, OTHER);

  await request(conn, HELLO);

  assertBytes(writer.received, FRAME, "the question");
  assertEquals(writer.writes, 1, "writes for one question");
}));

Deno.test(
  check(
    "request() sends and gets more than two bytes can count",
    async (stage) => {
      const long = "x".repeat(66_051);
      const frame = `\0\x01\x02\x03${long}`;
      const [conn, writer] = scripted(stage, frame);

      const answer = await request(conn, new TextEncoder().encode(long));

      assertBytes(writer.received, frame, "the question");
      assertBytes(answer, long, "the answer");
    },
  ),
);

Deno.test(check("request() costs no wait of 40 milliseconds", {
  reveals: ["many-small-writes"],
  only: "loopback", // Who waits for whom is the kernel's affair.
  nagle: true,
}, async (stage) => {
  const shop = await stage.listen("shop");
  using conn = await Deno.connect({ port: shop.addr.port });
  const clerk = await shop.accept();
  const asking = stage.start(() => measure(() => request(conn, HELLO), 5));
  for (let round = 0; round < 5; round++) {
    await clerk.receives(FRAME);
    await clerk.send(OTHER);
  }

  const ms = await asking.result;
  assert(ms < 20, `a question took ${Math.round(ms)} ms`);
}));

Deno.test(check("measure() finds what two writes cost, and NODELAY saves", {
  only: "loopback", // Nagle's algorithm lives in the kernel.
  nagle: true,
}, async (stage) => {
  if (Deno.build.os !== "linux") return; // Others confirm at once here.
  const shop = await stage.listen("shop");
  using conn = await Deno.connect({ port: shop.addr.port });
  const clerk = await shop.accept();
  const inTwo = async () => {
    await conn.write(HELLO.subarray(0, 2));
    await conn.write(HELLO.subarray(2));
    await conn.read(new Uint8Array(2));
  };
  const answers = async (rounds: number) => {
    for (let round = 0; round < rounds; round++) {
      await clerk.receives("hello");
      await clerk.send("ok");
    }
  };

  // A kernel confirms at once in the beginning, and when the answer was late.
  let slow = 0;
  for (let round = 0; round < 10 && slow < 20; round++) {
    const [ms] = await Promise.all([measure(inTwo, 1), answers(1)]);
    slow = Math.max(slow, ms);
  }
  conn.setNoDelay(true);
  const [fast] = await Promise.all([measure(inTwo, 3), answers(3)]);

  assert(slow > 20, `two writes took ${slow} ms`);
  assert(fast < 10, `two writes with TCP_NODELAY took ${fast} ms`);
}));

Deno.test(check("watch() gives up on a peer that is silent", {
  reveals: ["silence-never-ends", "keepalive-heartbeat", "timer-leak"],
}, async (stage) => {
  const shop = await stage.listen("shop");
  const conn = await Deno.connect({ port: shop.addr.port });
  const clerk = await shop.accept();
  const watching = stage.start(() => watch(conn, { everyMs: 20, missMs: 70 }));

  await clerk.receives("?");
  await clerk.send("!");
  await clerk.receives("?"); // It hears, and says nothing any more.

  const came = await Promise.race([watching.result, stage.sleep(2_000)]);
  assert(
    came !== undefined,
    "2 s of silence, and watch() goes on: missMs is 70",
  );
  assertEquals(came, "silent", "what watch() says of a silent peer");
}));

Deno.test(check("watch() waits as long as missMs says, and asks meanwhile", {
  reveals: ["silence-never-ends", "looks-when-it-asks"],
  only: "simulated", // Nobody waits ten seconds for a check.
}, async (stage) => {
  const shop = await stage.listen("shop");
  const conn = await Deno.connect({ port: shop.addr.port });
  const clerk = await shop.accept();
  const before = stage.now;
  const watching = stage.start(() =>
    watch(conn, { everyMs: 1_000, missMs: 9_500 })
  );

  for (let round = 0; round < 8; round++) await clerk.receives("?");

  await Promise.race([watching.result, stage.sleep(60_000)]);
  const ms = Math.round(stage.now - before);
  // One that looks at its clock very often may be a little late.
  assert(ms >= 9_500 && ms <= 9_600, `${ms} ms passed: missMs is 9500`);
}));

Deno.test(check("watch() stays with a peer that answers", {
  reveals: ["keepalive-heartbeat", "timer-leak"],
  only: "simulated", // Nobody waits ten seconds for a check.
}, async (stage) => {
  const shop = await stage.listen("shop");
  const conn = await Deno.connect({ port: shop.addr.port });
  const clerk = await shop.accept();
  const watching = stage.start(() =>
    watch(conn, { everyMs: 1_000, missMs: 3_500 })
  );

  for (let round = 0; round < 10; round++) {
    await clerk.receives("?");
    await stage.sleep(400); // The next question does not wait for an answer.
    await clerk.send("yes");
  }
  const ms = Math.round(stage.now);
  const said = `10 questions and answers took ${ms} ms: everyMs is 1,000`;
  assert(ms >= 9_400 && ms <= 11_400, said);
  await clerk.closeWrite();

  assertEquals(await watching.result, "gone", "what watch() says of an end");
}));

Deno.test(check("watch() takes a reset for the end that it is", {
  reveals: ["keepalive-heartbeat", "timer-leak"],
}, async (stage) => {
  const shop = await stage.listen("shop", { canReset: true });
  const conn = await Deno.connect({ port: shop.addr.port });
  const doomed = await shop.accept();
  const watching = stage.start(() =>
    watch(conn, { everyMs: 20, missMs: 2_000 })
  );

  await doomed.receives("?");
  await doomed.reset();

  assertEquals(await watching.result, "gone", "what watch() says of a reset");
}));

Deno.test(check("twoListeners() listens twice at one port", {
  reveals: ["reuseport-partial"],
  only: "loopback", // The kernel decides who gets a client.
}, async (stage) => {
  if (Deno.build.os !== "linux") return; // Elsewhere nobody can share.
  const [one, other] = twoListeners();
  assertEquals(other.addr.port, one.addr.port, "the other's port");
  const clients = [0, 0];
  const count = async (listener: Deno.Listener, i: number) => {
    for await (const conn of listener) {
      clients[i]!++;
      conn.close();
    }
  };
  const counted = [count(one, 0), count(other, 1)];

  for (let i = 0; i < 32; i++) {
    await (await stage.connect(`client ${i}`, one.addr)).receivesEnd();
  }
  one.close();
  other.close();
  await Promise.all(counted);

  assert(clients[0]! > 0 && clients[1]! > 0, `${clients} of 32 clients`);
}));

Deno.test(check("FOR tells two live listeners from a port in TIME_WAIT", {
  reveals: ["reuseaddr-two-listeners"],
}, () => {
  const waiting =
    "start a server where the last one's connections are in TIME_WAIT";
  assertFor(waiting, "SO_REUSEADDR");
  assertFor("have two live listeners at one port", "SO_REUSEPORT");
}));

Deno.test(check("FOR has nothing that makes messages of writes", {
  reveals: ["nodelay-flushes"],
}, () => {
  const early = "send a second small write before the first is confirmed";
  assertFor("let the peer read each write by itself", "none");
  assertFor(early, "TCP_NODELAY");
}));

Deno.test(check("FOR has nothing that limits clients", {
  reveals: ["backlog-is-max-clients"],
}, () => {
  assertFor("have at most 100 clients", "none");
}));

Deno.test(check("FOR has nothing that proves delivery", {
  reveals: ["linger-for-delivery"],
}, () => {
  assertFor("know that the other program has got everything", "none");
}));

Deno.test(check("FOR has something that ends a connection with a reset", () => {
  assertFor("end a connection with a reset", "SO_LINGER");
}));

Deno.test(check("FOR has nothing that beats the kernel's own buffer sizes", {
  reveals: ["rcvbuf-cargo"],
}, () => {
  assertFor("use all of a fast and long line", "none");
}));

Deno.test(check("IN_DENO says what Deno's sockets have", () => {
  const right: typeof IN_DENO = {
    SO_REUSEADDR: "always",
    SO_REUSEPORT: "on request",
    SO_KEEPALIVE: "on request",
    TCP_NODELAY: "on request",
    SO_RCVBUF: "never",
    SO_LINGER: "never",
    IPV6_V6ONLY: "never",
    TCP_USER_TIMEOUT: "never",
  };
  const options = Object.keys(right) as Option[];
  const [first, ...more] = options.filter((option) =>
    IN_DENO[option] !== right[option]
  );
  assert(
    first === undefined,
    `${7 - more.length} of 8 are right; ${first} is not "${IN_DENO[first!]}"`,
  );
}));

// -- What the checks need --

/** A connection that answers `frame`, and what writes down the question. */
function scripted(stage: Stage, frame: string) {
  const reader = stage.reader([frame]);
  const writer = stage.writer();
  const conn = {
    read: (into: Uint8Array) => reader.read(into),
    write: (bytes: Uint8Array) => writer.write(bytes),
    setNoDelay: () => {}, // It changes nothing here: see what is written.
  };
  return [conn, writer] as const;
}

/** Says what is wrong in the table, and leaves what is right to find. */
function assertFor(wish: Wish, option: Option | "none") {
  const said = FOR[wish];
  assert(said === option, `FOR["${wish}"] is not "${said}"`);
}
