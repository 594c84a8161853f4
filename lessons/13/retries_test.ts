// The checks for lesson 13. Read them: they say which errors mean what, when a
// client tries again, and what a server does that is asked twice.
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { check, type Stage } from "check";
import {
  Dedupe,
  type Kind,
  kindOf,
  request,
  type RequestOptions,
  retry,
  type RetryOptions,
  serve,
} from "./retries.ts";

const { ConnectionRefused, ConnectionReset, NotCapable } = Deno.errors;

/** Short pauses: on loopback they are real. */
const SOON: RetryOptions = { attempts: 4, baseMs: 2, capMs: 10 };

/** A pause so long that nobody waits for its end. */
const LONG: RetryOptions = {
  attempts: 2,
  baseMs: 60_000,
  capMs: 60_000,
  random: () => 0.9,
};

/** Asks for what may be asked twice. */
const AGAIN: RequestOptions = { ...SOON, timeoutMs: 5_000, idempotent: true };

/** Asks for what must not be done twice. */
const ONCE: RequestOptions = { ...SOON, timeoutMs: 200, idempotent: false };

/** What a promise was rejected with. */
async function errorOf(promise: Promise<unknown>): Promise<Error> {
  return await assertRejects(() => promise, Error);
}

/** Asserts that `retry()` has ended within `ms` milliseconds of the abort. */
function assertEnded(ms: number) {
  assert(ms < 10_000, `after the abort it went on to wait for ${ms} ms`);
}

function assertReason(error: Error, reason: Error) {
  const said = `the abort's reason is "${reason}"`;
  assert(error === reason, `${said}, and retry() threw "${error}"`);
}

/** An address at which nobody listens any more. */
async function deadEnd(stage: Stage) {
  const { addr, close } = await stage.listen("nobody", { willClose: true });
  close();
  return { port: addr.port };
}

Deno.test(check("kindOf() knows the errors of a connection", async (stage) => {
  const refused = await errorOf(Deno.connect(await deadEnd(stage)));
  assertEquals(kindOf(refused), "refused", "nobody listens");

  const host = await stage.listen("server", { canReset: true });
  using conn = await Deno.connect({ port: host.addr.port });
  const server = await host.accept();
  const reading = errorOf(conn.read(new Uint8Array(1)));
  server.reset();
  assertEquals(kindOf(await reading), "reset", "a read after RST");
  const broken = await errorOf(conn.write(new Uint8Array(1)));
  assertEquals(kindOf(broken), "reset", "a write after RST");

  const mine = await Deno.connect({ port: host.addr.port });
  const interrupted = errorOf(mine.read(new Uint8Array(1)));
  mine.close();
  assertEquals(kindOf(await interrupted), "closed-by-us", "our own close");
}));

Deno.test(check("kindOf() knows an address that is taken", () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;

  const twice = () => Deno.listen({ hostname: "127.0.0.1", port });
  const error = assertThrows(twice, Error);
  assertEquals(kindOf(error), "in-use", "a port that is taken");
}));

Deno.test(check("kindOf() knows a missing permission", {
  reveals: ["missing-permission"],
}, async () => {
  const denied = Deno.connect({ hostname: "192.0.2.1", port: 9 });
  assertEquals(kindOf(await errorOf(denied)), "permission", "no -P for this");
  assertEquals(kindOf(new Deno.errors.PermissionDenied()), "permission");
}));

Deno.test(check("kindOf() goes by class and code, not by message", () => {
  const { errors } = Deno;
  const coded = (code: string) =>
    Object.assign(new Error(`code ${code}`), { code });
  const noName = "failed to lookup address information: Name not known";
  const kinds: [unknown, Kind][] = [
    [new errors.ConnectionRefused("os error 61, on macOS"), "refused"],
    [coded("ECONNREFUSED"), "refused"], // As node:net has it.
    [coded("ECONNRESET"), "reset"],
    [coded("EPIPE"), "reset"],
    [coded("EADDRINUSE"), "in-use"],
    [coded("EADDRNOTAVAIL"), "not-available"],
    [coded("EMFILE"), "limit"],
    [new errors.TimedOut("Connection timed out"), "timeout"],
    [new DOMException("too late", "TimeoutError"), "timeout"],
    [new errors.AddrNotAvailable("no such address"), "not-available"],
    [new errors.BadResource("closed"), "closed-by-us"],
    [new errors.UnexpectedEof("half a line"), "eof"],
    [new errors.InvalidData("what is this"), "protocol"],
    [new Error(noName), "dns"], // It has nothing else.
    [new Error("Connection refused (os error 111)"), "unknown"],
    [new TypeError("conn.raed is not a function"), "unknown"],
    ["refused", "unknown"],
    [undefined, "unknown"],
  ];
  for (const [error, kind] of kinds) {
    assertEquals(kindOf(error), kind, `the kind of ${error}`);
  }
}));

Deno.test(check("retry() waits longer after each failure, up to a limit", {
  reveals: ["retry-at-once"],
  only: "simulated", // Time is exact there.
}, async (stage) => {
  const to = await deadEnd(stage);
  const times: number[] = [];
  const run = () => {
    times.push(stage.now);
    return Deno.connect(to);
  };

  const almost = () => 0.999_999;
  const pauses = { attempts: 6, baseMs: 1_000, capMs: 5_000, random: almost };
  await assertRejects(() => retry(run, pauses), ConnectionRefused);

  const rounded = times.map((time) => Math.round(time / 100) / 10);
  assertEquals(rounded, [0, 1, 3, 7, 12, 17], "seconds");
  const wait = stage.now - times.at(-1)!;
  assertEquals(wait, 0, "milliseconds of waiting after the last failure");
}));

Deno.test(check("retry() spreads clients that failed together", {
  reveals: ["no-jitter", "retry-at-once"],
  only: "simulated", // Time is exact there.
}, async (stage) => {
  const to = await deadEnd(stage);
  const times: number[] = [];
  const run = (attempt: number) => {
    if (attempt === 2) times.push(stage.now);
    return Deno.connect(to);
  };
  // The cap is below the pause, and spreads the clients all the same.
  const pauses = { attempts: 2, baseMs: 20_000, capMs: 10_000 };
  const client = () =>
    retry(run, { ...pauses, random: () => stage.random.next() });

  await Promise.allSettled(Array.from({ length: 100 }, client));
  const early = times.filter((time) => time < 5_000).length;
  const moments = new Set(times).size;
  const back = `100 clients came back, at ${moments} different times`;
  assert(moments > 90, `${back}: baseMs is 20,000, capMs is 10,000`);
  const half = `${early} of 100 clients came back in the first half of 10 s`;
  assert(early > 30 && early < 70, `${half}, and about 50 should`);
}));

Deno.test(check("retry() gives the result of the first success", {
  reveals: ["timer-leak"],
}, async (stage) => {
  const to = await deadEnd(stage);
  const attempts: number[] = [];
  const run = async (attempt: number) => {
    attempts.push(attempt);
    if (attempt < 3) await Deno.connect(to);
    return "up";
  };

  assertEquals(await retry(run, SOON), "up");
  assertEquals(attempts, [1, 2, 3]);
}));

Deno.test(check("retry() gives up at once where waiting does not help", {
  reveals: ["retry-everything"],
}, async () => {
  let calls = 0;
  const run = () => {
    calls++;
    return Deno.connect({ hostname: "192.0.2.1", port: 9 });
  };

  await assertRejects(() => retry(run, SOON), NotCapable);
  assertEquals(calls, 1, "attempts without the permission");
}));

Deno.test(check("retry() asks `retryable`, if it is given", async () => {
  const mine = new RangeError("out of cheese");
  const run = (attempt: number) =>
    attempt < 2 ? Promise.reject(mine) : Promise.resolve(attempt);

  const retryable = (error: unknown) => error === mine;
  assertEquals(await retry(run, { ...SOON, retryable }), 2);
}));

Deno.test(
  check("retry() throws the last error, and the others as cause", async () => {
    const run = (attempt: number) =>
      Promise.reject(new ConnectionReset(`attempt ${attempt}`));

    const error = await errorOf(retry(run, SOON));
    assertEquals(error.message, "attempt 4", "the error of 4 attempts");
    const { cause } = error;
    assert(Array.isArray(cause), `the cause is no array, but ${cause}`);
    assertEquals(
      cause.map(({ message }) => message),
      ["attempt 1", "attempt 2", "attempt 3"],
      "the messages in the cause",
    );
  }),
);

Deno.test(check("retry() stops waiting when its signal aborts", {
  reveals: ["abort-goes-on", "timer-leak"],
}, async (stage) => {
  const controller = new AbortController();
  const { signal } = controller;
  const mine = new Error("changed my mind");
  const run = () => Promise.reject(new ConnectionReset("gone"));

  const trying = stage.start(() => retry(run, { ...LONG, signal }));
  await stage.sleep(5);
  controller.abort(mine);
  const error = await errorOf(trying.result);
  assertEnded(stage.now - 5);
  assertReason(error, mine);
}));

Deno.test(check("retry() does not wait after an abort during an attempt", {
  reveals: ["abort-goes-on"],
}, async (stage) => {
  const controller = new AbortController();
  const { signal } = controller;
  const mine = new Error("changed my mind");
  const run = () => {
    controller.abort(mine);
    return Promise.reject(new ConnectionReset("gone"));
  };

  const error = await errorOf(retry(run, { ...LONG, signal }));
  assertEnded(stage.now);
  assertReason(error, mine);
}));

Deno.test(check("Dedupe.run() does what has one id once", {
  reveals: ["timer-leak"],
}, async () => {
  const dedupe = new Dedupe<number>({ max: 10, ttlMs: 60_000 });
  let count = 0;
  const add = () => Promise.resolve(++count);

  assertEquals(await dedupe.run("loaf", add), 1, "loaf");
  assertEquals(await dedupe.run("loaf", add), 1, "loaf, once more");
  assertEquals(await dedupe.run("milk", add), 2, "milk");
}));

Deno.test(
  check("Dedupe.run() shares a result that is not there yet", async () => {
    const dedupe = new Dedupe<string>({ max: 10, ttlMs: 60_000 });
    const { promise, resolve } = Promise.withResolvers<string>();
    let calls = 0;
    const work = () => {
      calls++;
      return promise;
    };

    const both = [dedupe.run("loaf", work), dedupe.run("loaf", work)];
    resolve("baked");
    assertEquals(await Promise.all(both), ["baked", "baked"]);
    assertEquals(calls, 1, "calls for one id");
  }),
);

Deno.test(check("Dedupe.run() forgets a failure", async () => {
  const dedupe = new Dedupe<string>({ max: 10, ttlMs: 60_000 });
  const fail = () => Promise.reject(new RangeError("out of flour"));

  await assertRejects(() => dedupe.run("loaf", fail), RangeError);
  assertEquals(await dedupe.run("loaf", () => Promise.resolve("ok")), "ok");
}));

Deno.test(
  check("Dedupe.run() forgets the oldest, and what is old", async (stage) => {
    const dedupe = new Dedupe<number>({ max: 2, ttlMs: 1_000 });
    let count = 0;
    const add = () => Promise.resolve(++count);

    await dedupe.run("a", add);
    await dedupe.run("b", add);
    await dedupe.run("c", add); // One too many: a is forgotten.
    assertEquals(await dedupe.run("c", add), 3, "c, done last of a, b and c");
    assertEquals(await dedupe.run("b", add), 2, "b, done before c");
    assertEquals(await dedupe.run("a", add), 4, "a, which two came after");
    assertEquals(
      await dedupe.run("c", add),
      3,
      "c, done after b, though asked for before",
    );

    await stage.sleep(900);
    assertEquals(await dedupe.run("a", add), 4, "a, done 900 ms ago");
    await stage.sleep(200);
    assertEquals(await dedupe.run("a", add), 5, "a, done 1,100 ms ago");

    await dedupe.run("c", add); // Done anew, and now a is older.
    await dedupe.run("d", add);
    assertEquals(await dedupe.run("c", add), 6, "c, done anew before d alone");
  }),
);

Deno.test(check("request() returns the line that answers", {
  reveals: ["timer-leak"],
}, async (stage) => {
  const host = await stage.listen("server");
  const asking = stage.start(() => request(host.addr, "add id1 5", AGAIN));
  const server = await host.accept();

  await server.receives("add id1 5\n");
  await server.sendByteByByte("12\n");
  assertEquals(await asking.result, "12");
}));

Deno.test(check("request() asks again when it got no answer", {
  reveals: ["no-answer-is-final", "write-means-delivered"],
}, async (stage) => {
  const host = await stage.listen("server");
  const asking = stage.start(() => request(host.addr, "add id1 5", AGAIN));
  const first = await host.accept();
  await first.receives("add id1 5\n");
  first.close(); // The write was fine. Was the request?

  const second = await host.accept();
  await second.receives("add id1 5\n");
  await second.send("12\n");
  assertEquals(await asking.result, "12");
}));

Deno.test(check("request() takes no part of an answer for the whole", {
  reveals: ["no-answer-is-final", "reset-is-clean-eof"],
}, async (stage) => {
  const host = await stage.listen("server", { canReset: true });
  const asking = stage.start(() => request(host.addr, "add id1 5", AGAIN));
  const first = await host.accept();
  await first.receives("add id1 5\n");
  await first.sendInPieces(["1", "2"]); // It will be 120.
  first.reset();

  const second = await host.accept();
  await second.receives("add id1 5\n");
  await second.send("120\n");
  assertEquals(await asking.result, "120");
}));

Deno.test(check("request() takes no line without its end", {
  reveals: ["no-answer-is-final"],
}, async (stage) => {
  const host = await stage.listen("server");
  const asking = stage.start(() => request(host.addr, "add id1 5", AGAIN));
  const first = await host.accept();
  await first.receives("add id1 5\n");
  await first.send("12"); // It will be 120.
  first.close();

  const second = await host.accept();
  await second.receives("add id1 5\n");
  await second.send("120\n");
  assertEquals(await asking.result, "120");
}));

Deno.test(check("request() leaves a connection whose answer is late", {
  reveals: [
    "timeout-without-close",
    "no-deadline",
    "one-clock-for-all",
    "no-answer-is-final",
  ],
  only: "simulated", // Five seconds cost nothing there.
}, async (stage) => {
  const host = await stage.listen("server");
  const asking = stage.start(() => request(host.addr, "add id1 5", AGAIN));
  const late = await host.accept();
  await late.receives("add id1 5\n");

  const second = await host.accept(); // It has given up, and comes again.
  await late.receivesEnd();
  await second.receives("add id1 5\n");
  await stage.sleep(4_000); // Each attempt has five seconds of its own.
  await second.send("12\n");
  assertEquals(await asking.result, "12");
  await stage.sleep(60_000); // Nothing of an attempt rings later.
}));

Deno.test(check("request() takes no longer to connect than to ask", {
  only: "simulated", // Five seconds cost nothing there.
}, async (stage) => {
  // Two fill the queue, and the third hears nothing.
  const full = { hostname: "127.0.0.1", port: 0, tcpBacklog: 1 };
  using listener = Deno.listen(full);
  await stage.connect("ann", listener);
  await stage.connect("bob", listener);

  const error = await errorOf(request(listener.addr, "add id1 5", {
    ...AGAIN,
    attempts: 1,
  }));
  assertEquals(kindOf(error), "timeout");
  assertEquals(stage.now, AGAIN.timeoutMs, "milliseconds until it gave up");
}));

Deno.test(check("request() repeats nothing that may have been done", {
  reveals: ["retry-non-idempotent"],
}, async (stage) => {
  let asked = 0;
  const host = await stage.host("server", async (server) => {
    asked++;
    await server.receives("pay 5\n");
    server.reset(); // Has it paid? Nobody knows.
  }, { canReset: true });

  await errorOf(request(host.addr, "pay 5", ONCE));
  assert(asked === 1, `"pay 5" was asked ${asked} times`);
}));

Deno.test(check("request() repeats nothing of which a part was sent", {
  reveals: ["retry-non-idempotent"],
  only: "simulated", // No buffer there holds so long a line.
}, async (stage) => {
  let asked = 0;
  const host = await stage.host("server", async (server) => {
    asked++;
    await server.receives("pay 5, because ");
    server.reset(); // It knew enough, and may have paid.
  }, { canReset: true });

  const line = `pay 5, because ${"I say so, and ".repeat(50_000)}I owe you 5`;
  await errorOf(request(host.addr, line, ONCE));
  assert(asked === 1, `"pay 5, because …" was asked ${asked} times`);
}));

Deno.test(check("request() repeats nothing after an end without an answer", {
  reveals: ["retry-non-idempotent"],
}, async (stage) => {
  let asked = 0;
  const host = await stage.host("server", async (server) => {
    asked++;
    await server.receives("pay 5\n");
  });

  await errorOf(request(host.addr, "pay 5", ONCE));
  assert(asked === 1, `"pay 5" was asked ${asked} times`);
}));

Deno.test(check("request() repeats nothing after a silence", {
  reveals: ["retry-non-idempotent"],
  only: "simulated", // The time costs nothing there.
}, async (stage) => {
  let asked = 0;
  const host = await stage.host("server", async (server) => {
    asked++;
    await server.receives("pay 5\n");
    await server.receivesEnd(); // It pays, and the client has given up.
  });

  await errorOf(request(host.addr, "pay 5", ONCE));
  assert(asked === 1, `"pay 5" was asked ${asked} times`);
}));

Deno.test(
  check("request() repeats what has surely not been done", async (stage) => {
    const to = { ...await deadEnd(stage), hostname: "127.0.0.1" };

    const error = await errorOf(request(to, "pay 5", ONCE));
    assertEquals(kindOf(error), "refused");
    const before = Array.isArray(error.cause) ? error.cause.length : 0;
    assertEquals(1 + before, 4, "attempts that the error and its cause tell");
  }),
);

Deno.test(check("request() asks again when its server leaves half-way", {
  reveals: ["first-write-should-fail"],
  only: "simulated", // No buffer there holds so long a line.
}, async (stage) => {
  const host = await stage.listen("server");
  const line = `add id1 ${"5".padStart(200_000, "0")}`;
  const asking = stage.start(() => request(host.addr, line, AGAIN));
  const first = await host.accept();
  await first.receives("add id1 0000");

  first.close(); // Bytes of it lie unread, and more wait to be written.

  const second = await host.accept();
  await second.receives(`${line}\n`);
  await second.send("5\n");
  assertEquals(await asking.result, "5");
}));

Deno.test(check("request() gives up at once where waiting does not help", {
  reveals: ["retry-everything"],
  only: "simulated", // Time is exact there.
}, async (stage) => {
  const forbidden = { hostname: "192.0.2.1", port: 9 };

  await errorOf(request(forbidden, "add id1 5", { ...AGAIN, ...LONG }));
  const told = "milliseconds until it gave up without the permission";
  assertEquals(stage.now, 0, told);
}));

Deno.test(check("serve() adds, and answers with the sum", {
  writesAtMost: 1,
}, async (stage) => {
  stage.serve(serve);
  const ann = await stage.connect("ann");
  const bob = await stage.connect("bob");

  await ann.send("add a1 5\n");
  await ann.receives("5\n");
  await bob.sendInPieces(["add b1 7\nadd b2", " 1\n"]);
  await bob.receives("12\n13\n");
}));

Deno.test(check("serve() hangs up on what is no addition", async (stage) => {
  stage.serve(serve);
  const ann = await stage.connect("ann");

  for (const line of ["GET / HTTP/1.1", "add a1", "add a1 5x", "sub a1 5"]) {
    const mallory = await stage.connect("mallory");
    await mallory.send(`${line}\n`);
    await mallory.receivesEnd();
  }
  await ann.send("add a1 5\n");
  await ann.receives("5\n");
}));

Deno.test(check("serve() adds once, however often it is asked", {
  reveals: ["udp-retry-double-effect", "repeat-still-counts"],
}, async (stage) => {
  stage.serve(serve);
  const ann = await stage.connect("ann", undefined, { canReset: true });
  await ann.send("add a1 5\n");
  await ann.receives("5\n");
  ann.reset(); // The answer, let us say, was lost.

  const again = await stage.connect("ann again");
  await again.send("add a1 5\n");
  await again.receives("5\n");
  await again.send("add a2 5\n"); // Another one, of the same amount.
  await again.receives("10\n");
  await again.send("add a1 5\n"); // Its answer does not grow old.
  await again.receives("5\n");
}));

Deno.test(check("serve() knows a request by its id alone", async (stage) => {
  stage.serve(serve);
  const ann = await stage.connect("ann");

  await ann.send("add a1 5\n");
  await ann.receives("5\n");
  await ann.send("add a1 7\n");
  await ann.receives("5\n");
}));
