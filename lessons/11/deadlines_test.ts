// The checks for lesson 11. Read them: they say who waits how long for what,
// and what is left of it afterwards.
import { assert, assertEquals, assertRejects } from "@std/assert";
import { assertBytes, check, type Stage, toBytes } from "check";
import {
  ask,
  connectWithTimeout,
  type Limits,
  TimedConn,
  withDeadline,
} from "./deadlines.ts";

const { Busy, TimedOut, UnexpectedEof } = Deno.errors;

/** Somebody to talk to, who does only what a check says. */
async function meet(stage: Stage, limits: Limits, name = "server") {
  const host = await stage.listen(name);
  const conn = new TimedConn(
    await Deno.connect({ port: host.addr.port }),
    limits,
  );
  return { conn, server: await host.accept() };
}

/** What a promise was rejected with, as "TimedOut: …". */
async function reasonOf(promise: Promise<unknown>): Promise<string> {
  const { name, message } = await assertRejects(() => promise, Error);
  return `${name}: ${message}`;
}

/** What a read gave, in words. */
function inWords(chunk: Uint8Array | null | undefined): string {
  if (chunk === null) return "null: the end";
  if (chunk === undefined) return "undefined: nothing came";
  return `the bytes ${JSON.stringify(new TextDecoder().decode(chunk))}`;
}

Deno.test(check("withDeadline() leaves no timer behind", {
  reveals: ["timer-leak"],
}, async () => {
  assertEquals(await withDeadline(60_000, () => Promise.resolve(7)), 7);
}));

Deno.test(check("withDeadline() gives up when the time is over", {
  reveals: ["no-deadline"],
}, async (stage) => {
  const never = () => new Promise<never>(() => {});

  await assertRejects(() => withDeadline(40, never), TimedOut);
  assert(stage.now >= 39, `it gave up after ${stage.now} ms`);
}));

Deno.test(
  check("withDeadline() tells the work that nobody waits", async (stage) => {
    const given: AbortSignal[] = [];
    const work = (signal: AbortSignal) => {
      given.push(signal);
      return new Promise<never>(() => {});
    };

    await assertRejects(() => withDeadline(40, work), TimedOut);
    await stage.sleep(1);
    const untold =
      "`run` got a signal, the time was over, and the signal never " +
      "aborted: the work goes on for nobody";
    assert(given[0]!.aborted, untold);
  }),
);

Deno.test(check("withDeadline() throws what the work throws", {
  reveals: ["timer-leak"],
}, async () => {
  const mine = new RangeError("out of cheese");
  const said = "RangeError: out of cheese";

  const reason = await reasonOf(
    withDeadline(60_000, () => Promise.reject(mine)),
  );
  assertEquals(reason, said, "the error that came first");
}));

Deno.test(check("withDeadline() leaves no timer when `run` throws at once", {
  reveals: ["timer-leak"],
}, async () => {
  const fail = () => {
    throw new RangeError("out of cheese"); // Before there is a promise at all.
  };

  const call = () => Promise.try(() => withDeadline(60_000, fail));
  await assertRejects(call, RangeError, "out of cheese");
}));

Deno.test(check("withDeadline() stops when its signal aborts", {
  reveals: ["timer-leak"],
}, async (stage) => {
  const controller = new AbortController();
  const mine = new Error("changed my mind");
  const said = "Error: changed my mind";
  const never = () => new Promise<never>(() => {});
  const wait = () => withDeadline(60_000, never, controller.signal);

  const waiting = stage.start(wait, "withDeadline() whose signal aborts");
  const reason = reasonOf(waiting.result);
  controller.abort(mine);
  assertEquals(await reason, said, "the reason of the abort");

  const name = "withDeadline() with a signal that had aborted before";
  const later = reasonOf(stage.start(wait, name).result);
  assertEquals(await later, said, "the reason of an earlier abort");
}));

Deno.test(
  check("withDeadline() tells the work of an abort, too", async (stage) => {
    const controller = new AbortController();
    const given: AbortSignal[] = [];
    const work = (signal: AbortSignal) => {
      given.push(signal);
      return new Promise<never>(() => {});
    };

    const waiting = reasonOf(withDeadline(60_000, work, controller.signal));
    await stage.sleep(1);
    controller.abort(new Error("changed my mind"));
    await waiting;
    await stage.sleep(1);
    const untold =
      "`signal` aborted, and the signal that `run` got did not: the work " +
      "goes on for nobody";
    assert(given[0]!.aborted, untold);
  }),
);

Deno.test(check("withDeadline() takes its ear off the signal", {
  reveals: ["abort-listener-leak"],
}, async (stage) => {
  using heard = overheard();
  const { signal, onabort } = heard;

  for (let i = 0; i < 1_000; i++) {
    await withDeadline(60_000, () => Promise.resolve(i), signal);
  }
  await stage.sleep(1); // Tidying up may take a moment.
  assertEquals(heard.listeners, 0, "listeners after 1,000 operations");
  const replaced =
    "`signal.onabort` is no longer what it was: it has room for one, and " +
    "belongs to whoever made the signal";
  assert(signal.onabort === onabort, replaced);
}));

Deno.test(check("withDeadline() takes its ear off when it fails", {
  reveals: ["abort-listener-leak"],
}, async (stage) => {
  using heard = overheard();
  const { signal } = heard;
  const fail = () => Promise.reject(new RangeError("out of cheese"));
  const never = () => new Promise<never>(() => {});

  for (let i = 0; i < 100; i++) {
    await assertRejects(() => withDeadline(60_000, fail, signal), RangeError);
  }
  await stage.sleep(1);
  assertEquals(heard.listeners, 0, "listeners after 100 errors of `run`");

  const late = () =>
    assertRejects(() => withDeadline(5, never, signal), TimedOut);
  await Promise.all(Array.from({ length: 10 }, late));
  await stage.sleep(1);
  assertEquals(heard.listeners, 0, "listeners after 10 timeouts");
}));

/**
 * A signal that has a handler of its own, and how many listen to it. Whoever
 * listens to one that `AbortSignal.any()` makes of it counts, too, for the one
 * keeps the other; and so does who listens to `AbortSignal.timeout()`, whose
 * timer holds the program as long as somebody does.
 */
function overheard() {
  const { signal } = new AbortController();
  const onabort = () => {};
  signal.onabort = onabort;
  const ears = new Map([[signal, earsOf(signal)]]);
  const { any, timeout } = AbortSignal;
  AbortSignal.any = (signals) => {
    const all = [...signals]; // Whatever can be iterated over will do.
    const both = any.call(AbortSignal, all);
    if (all.some((one) => ears.has(one))) ears.set(both, earsOf(both));
    return both;
  };
  AbortSignal.timeout = (ms) => {
    const late = timeout.call(AbortSignal, ms);
    ears.set(late, earsOf(late));
    return late;
  };
  return {
    signal,
    onabort,
    /** What has aborted will call nobody any more, and is let go. */
    get listeners() {
      const alive = [...ears].filter(([{ aborted }]) => !aborted);
      const handlers = alive.filter(([one]) => one !== signal && one.onabort);
      return alive.reduce((sum, [, { size }]) => sum + size, handlers.length);
    },
    [Symbol.dispose]: () => void Object.assign(AbortSignal, { any, timeout }),
  };
}

/** Who listens to `signal` from now on. */
function earsOf(signal: AbortSignal): Set<unknown> {
  const ears = new Set<unknown>();
  // Deno has one listener for all handlers, and keeps it when they are gone: it
  // is there before we listen.
  const { onabort } = signal;
  signal.onabort = () => {};
  signal.onabort = onabort;
  const { addEventListener: add, removeEventListener: remove } = signal;
  signal.addEventListener = (type: string, ear: never, options?: never) => {
    ears.add(ear);
    const { signal: end } = Object(options) as { signal?: AbortSignal };
    end?.addEventListener("abort", () => ears.delete(ear));
    add.call(signal, type, ear, options);
  };
  signal.removeEventListener = (type: string, ear: never, options?: never) => {
    ears.delete(ear);
    remove.call(signal, type, ear, options);
  };
  return ears;
}

Deno.test(check("connectWithTimeout() connects", async (stage) => {
  const host = await stage.listen("server");

  const controller = new AbortController();
  const { signal } = controller;

  const conn = await connectWithTimeout(host.addr, 5_000, signal);
  const server = await host.accept();
  controller.abort(); // Too late: it has connected.
  await conn.write(toBytes("hello"));
  await server.receives("hello");
  conn.close();
}));

Deno.test(check("connectWithTimeout() gives up on a host that never answers", {
  reveals: ["no-deadline"],
}, async (stage) => {
  // Two fill the queue. The third gets no answer, as from a dead address.
  using listener = Deno.listen({
    hostname: "127.0.0.1",
    port: 0,
    tcpBacklog: 1,
  });
  await stage.connect("ann", listener);
  await stage.connect("bob", listener);
  const begin = stage.now;

  const connecting = () => connectWithTimeout(listener.addr, 50);
  await assertRejects(connecting, TimedOut);
  assert(stage.now - begin < 1_000, `${stage.now - begin} ms for 50`);
}));

Deno.test(check("connectWithTimeout() knocks no more when it has given up", {
  reveals: ["connect-goes-on"],
  only: "simulated", // The kernel knocks again after a second.
}, async (stage) => {
  using listener = Deno.listen({
    hostname: "127.0.0.1",
    port: 0,
    tcpBacklog: 1,
  });
  await stage.connect("ann", listener);
  await stage.connect("bob", listener);
  const connecting = () => connectWithTimeout(listener.addr, 50);
  await assertRejects(connecting, TimedOut);

  assertEquals(await whoComesAfterBob(stage, listener), "nobody");
}));

/** Makes room at a `listener` whose queue ann and bob fill. */
async function whoComesAfterBob(stage: Stage, listener: Deno.TcpListener) {
  (await listener.accept()).close(); // Now there is room.
  await stage.sleep(5_000);
  (await listener.accept()).close(); // That was bob, and here the queue ends.
  const third = listener.accept().then(() => "the connect went on");
  const nobody = stage.sleep(1).then(() => "nobody");
  return await Promise.race([third, nobody]);
}

Deno.test(check("connectWithTimeout() stops when its signal aborts", {
  reveals: ["connect-goes-on", "no-deadline"],
}, async (stage) => {
  using listener = Deno.listen({
    hostname: "127.0.0.1",
    port: 0,
    tcpBacklog: 1,
  });
  await stage.connect("ann", listener);
  await stage.connect("bob", listener);
  const controller = new AbortController();
  const mine = new Error("changed my mind");
  const said = "Error: changed my mind";

  const connecting = stage.start(() =>
    connectWithTimeout(listener.addr, 60_000, controller.signal)
  );
  const reason = reasonOf(connecting.result);
  await stage.sleep(5);
  controller.abort(mine);
  assertEquals(await reason, said, "the reason of the abort");

  const late = connectWithTimeout(listener.addr, 60_000, controller.signal);
  const same = await reasonOf(late);
  assertEquals(same, said, "the reason of an earlier abort");

  if (stage.network === "loopback") return; // There it would take seconds.
  assertEquals(await whoComesAfterBob(stage, listener), "nobody");
}));

Deno.test(check("TimedConn.read() gives up on a server that is silent", {
  reveals: ["timeout-without-close", "no-deadline"],
}, async (stage) => {
  const { conn, server } = await meet(stage, { idleMs: 40 });

  await assertRejects(() => conn.read(), TimedOut);
  await server.receivesEnd(); // What may come now would answer nothing.
}));

Deno.test(check("TimedConn.read() fails after it has given up", {
  reveals: ["timeout-without-close"],
}, async (stage) => {
  const { conn, server } = await meet(stage, { idleMs: 40 });

  await assertRejects(() => conn.read(), TimedOut);
  await assertRejects(() => conn.read(), TimedOut);
  await assertRejects(() => conn.write(toBytes("?")), TimedOut);
  conn.close(); // It is closed. Saying so again is fine.
  await server.receivesEnd();
}));

Deno.test(check("TimedConn.read() waits for whoever keeps talking", {
  reveals: ["idle-vs-total", "late-timer-closes-next"],
  only: "simulated", // Five seconds cost nothing there.
}, async (stage) => {
  const { conn, server } = await meet(stage, { idleMs: 200 });
  const dripping = drip(stage, server, "tick ", { times: 33, everyMs: 150 });

  for (let i = 0; i < 33; i++) assertBytes(await conn.read(), "tick ");
  assertEquals(inWords(await conn.read()), "null: the end");
  conn.close();
  await dripping;
}));

/** Sends `word` again and again, and then the end. */
async function drip(
  stage: Stage,
  server: { send: (word: string) => Promise<void>; close: () => void },
  word: string,
  { times, everyMs }: { times: number; everyMs: number },
) {
  for (let i = 0; i < times; i++) {
    await stage.sleep(everyMs);
    await server.send(word).catch(() => {}); // Nobody may be there any more.
  }
  server.close();
}

Deno.test(check("TimedConn.read() ends what drips for ever", {
  reveals: ["per-read-only"],
  only: "simulated", // Real pauses of 50 ms are longer on a busy machine.
}, async (stage) => {
  const { conn, server } = await meet(stage, { idleMs: 200, totalMs: 500 });
  const dripping = drip(stage, server, ".", { times: 20, everyMs: 50 });
  const readAll = async () => {
    while (await conn.read() !== null);
  };

  await assertRejects(readAll, TimedOut);
  const { now } = stage;
  assert(now > 450 && now < 600, `it ended after ${now} ms, and not after 500`);
  await dripping;
}));

Deno.test(check("TimedConn.read() has what is left of the total", {
  only: "simulated", // Time is exact there.
}, async (stage) => {
  const { conn } = await meet(stage, { totalMs: 500 });

  await stage.sleep(400); // The constructor has run, and nobody calls.
  await assertRejects(() => conn.read(), TimedOut);
  const told = `read() gave up ${stage.now} ms after the constructor, and ` +
    "totalMs is 500";
  assert(stage.now < 510, told);
}));

Deno.test(check("TimedConn.read() stops when its signal aborts", {
  reveals: ["abort-after-connect"],
}, async (stage) => {
  const controller = new AbortController();
  const { signal } = controller;
  const { conn, server } = await meet(stage, { idleMs: 60_000, signal });
  const mine = new Error("changed my mind");
  const said = "Error: changed my mind";

  const reading = stage.start(() => conn.read());
  const reason = reasonOf(reading.result);
  await stage.sleep(5);
  controller.abort(mine);

  assertEquals(await reason, said, "the reason of the abort");
  await server.receivesEnd();
}));

Deno.test(check("TimedConn.read() refuses a second reader", {
  reveals: ["two-readers"],
}, async (stage) => {
  const { conn, server } = await meet(stage, { idleMs: 60_000 });

  const first = stage.start(() => conn.read());
  const second = stage.start(() => conn.read());
  await assertRejects(() => second.result, Busy);
  const third = stage.start(() => conn.tryRead(100));
  await assertRejects(() => third.result, Busy, "", "tryRead() beside read()");

  await server.send("for the first");
  assertBytes(await first.result, "for the first");
  conn.close();
}));

Deno.test(check("TimedConn.read() gives bytes that stay as they are", {
  reveals: ["stale-buffer-alias"],
}, async (stage) => {
  const { conn, server } = await meet(stage, { idleMs: 60_000 });

  await server.send("loaf");
  const loaf = await conn.read();
  await server.send("cheese");
  const cheese = await conn.tryRead(5_000);
  await server.send("buttermilk");
  assertBytes(await conn.read(), "buttermilk");

  assertBytes(cheese, "cheese", "the second chunk, after the third read,");
  assertBytes(loaf, "loaf", "the first chunk, after the third read,");
  conn.close();
}));

Deno.test(check("TimedConn.tryRead() gives what is there, and the end", {
  reveals: ["timer-leak"],
}, async (stage) => {
  const { conn, server } = await meet(stage, { idleMs: 60_000 });

  await server.send("hello");
  assertBytes(await conn.tryRead(5_000), "hello");
  await server.closeWrite();
  assertEquals(inWords(await conn.tryRead(5_000)), "null: the end");
  conn.close();
}));

Deno.test(
  check("TimedConn.tryRead() has the limits of a read", async (stage) => {
    const controller = new AbortController();
    const { signal } = controller;
    const ann = await meet(stage, { idleMs: 20 }, "ann");
    const bob = await meet(stage, { totalMs: 20 }, "bob");
    const eve = await meet(stage, { signal }, "eve");

    const idle = () => ann.conn.tryRead(1_000);
    await assertRejects(idle, TimedOut, "", "idleMs is 20, in tryRead(1000)");
    const total = () => bob.conn.tryRead(1_000);
    await assertRejects(total, TimedOut, "", "totalMs is 20, in tryRead(1000)");
    const trying = stage.start(() => eve.conn.tryRead(1_000));
    const stopped = assertRejects(
      () => trying.result,
      Error,
      "changed my mind",
      "the signal aborted in tryRead(1000)",
    );
    await stage.sleep(5);
    controller.abort(new Error("changed my mind"));
    await stopped;
    for (const { server } of [ann, bob, eve]) await server.receivesEnd();
  }),
);

Deno.test(check("TimedConn.tryRead() loses nothing that comes too late", {
  reveals: ["race-steals-bytes", "timeout-without-close"],
}, async (stage) => {
  const { conn, server } = await meet(stage, { idleMs: 60_000 });

  assertEquals(inWords(await conn.tryRead(20)), "undefined: nothing came");
  assertEquals(inWords(await conn.tryRead(20)), "undefined: nothing came");
  await server.send("first");
  assertBytes(await conn.read(), "first");
  await server.send("second");
  assertBytes(await conn.read(), "second");
  conn.close();
}));

Deno.test(check("TimedConn.tryRead() gives late bytes once", {
  reveals: ["race-steals-bytes"],
  only: "simulated", // Only there two things happen at the same time.
}, async (stage) => {
  const { conn, server } = await meet(stage, { idleMs: 60_000 });
  const sending = drip(stage, server, "now", { times: 1, everyMs: 200 });

  // At 200 ms the time is over, and the bytes are there.
  assertBytes(await conn.tryRead(200) ?? await conn.read(), "now");
  assertEquals(inWords(await conn.read()), "null: the end");
  conn.close();
  await sending;
}));

Deno.test(check("TimedConn.write() gives up on a server that never reads", {
  reveals: ["no-deadline"],
  only: "simulated", // The kernel's buffers hold megabytes.
}, async (stage) => {
  const { conn } = await meet(stage, { idleMs: 200 });

  await assertRejects(() => conn.write(new Uint8Array(300_000)), TimedOut);
}));

Deno.test(check("TimedConn.write() waits for whoever keeps reading", {
  reveals: ["idle-vs-total"],
  only: "simulated", // The kernel's buffers hold megabytes.
}, async (stage) => {
  const { conn, server } = await meet(stage, { idleMs: 200 });

  const writing = stage.start(() => conn.write(new Uint8Array(490_000)));
  for (let i = 0; i < 7; i++) {
    await stage.sleep(150);
    await server.receive(70_000); // More than one read: it makes room.
  }
  await writing.result;
  conn.close();
}));

Deno.test(check("TimedConn.write() ends with the total", {
  reveals: ["no-deadline"],
  only: "simulated",
}, async (stage) => {
  const { conn } = await meet(stage, { totalMs: 500 });

  await assertRejects(() => conn.write(new Uint8Array(300_000)), TimedOut);
  const told = `write() gave up ${stage.now} ms after the constructor, and ` +
    "totalMs is 500";
  assert(stage.now < 510, told);
}));

Deno.test(check("TimedConn.write() stops when its signal aborts", {
  reveals: ["abort-after-connect"],
  only: "simulated",
}, async (stage) => {
  const controller = new AbortController();
  const { signal } = controller;
  const { conn, server } = await meet(stage, { idleMs: 60_000, signal });
  const mine = new Error("changed my mind");

  const writing = stage.start(() => conn.write(new Uint8Array(300_000)));
  const reason = reasonOf(writing.result);
  await stage.sleep(5);
  controller.abort(mine);

  const said = "Error: changed my mind";
  assertEquals(await reason, said, "the reason of the abort");
  await server.receiveAll();
}));

Deno.test(check("TimedConn.close() leaves no ear on the signal", {
  reveals: ["abort-listener-leak"],
}, async (stage) => {
  using heard = overheard();
  const { signal } = heard;
  const { conn, server } = await meet(stage, { idleMs: 60_000, signal });

  for (let i = 0; i < 100; i++) {
    await server.send("tick");
    assertBytes(await conn.read(), "tick");
  }
  conn.close();
  await stage.sleep(1);
  assertEquals(heard.listeners, 0, "listeners after 100 reads");
}));

Deno.test(check("ask() returns the line that answers", async (stage) => {
  const { conn, server } = await meet(stage, { idleMs: 60_000 });

  const asking = stage.start(() => ask(conn, "how much is the loaf?"));
  await server.receives("how much is the loaf?\n");
  await server.send("2.40\n");
  assertBytes(toBytes(await asking.result), "2.40");
  conn.close();
}));

Deno.test(check("ask() joins an answer that pauses", {
  reveals: ["read-until-quiet"],
  only: "simulated", // A pause costs nothing there.
}, async (stage) => {
  const { conn, server } = await meet(stage, { idleMs: 1_000 });

  const asking = stage.start(() => ask(conn, "how much is the loaf?"));
  await server.receives("how much is the loaf?\n");
  await server.send("2.");
  await stage.sleep(900);
  await server.send("40\n");
  assertBytes(toBytes(await asking.result), "2.40");
  conn.close();
}));

Deno.test(check("ask() asks again, long after the first question", {
  reveals: ["late-timer-closes-next"],
  only: "simulated", // Waiting costs nothing there.
}, async (stage) => {
  const { conn, server } = await meet(stage, { idleMs: 1_000 });

  const loaf = stage.start(() => ask(conn, "the loaf?"));
  await server.receives("the loaf?\n");
  await server.send("2.40\n");
  assertBytes(toBytes(await loaf.result), "2.40");

  await stage.sleep(1_500); // Nobody waits for anything.
  const milk = stage.start(() => ask(conn, "the milk?"));
  await server.receives("the milk?\n");
  await server.send("1.15\n");
  assertBytes(toBytes(await milk.result), "1.15");
  conn.close();
}));

Deno.test(check("ask() reports an end inside the answer", async (stage) => {
  const { conn, server } = await meet(stage, { idleMs: 60_000 });

  const asking = stage.start(() => ask(conn, "the loaf?"));
  await server.receives("the loaf?\n");
  await server.send("2.");
  await server.closeWrite();
  await assertRejects(() => asking.result, UnexpectedEof);
  conn.close();
}));
