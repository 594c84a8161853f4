// The checks for lesson 27. Read them: they say how a crowd is counted, and what
// a server has to bear. Where milliseconds matter, time is simulated.
import { assert, assertEquals } from "@std/assert";
import { type Actor, check, type Stage } from "check";
import {
  listen,
  type Load,
  loadTest,
  percentile,
  type Report,
  serve,
} from "./crowd.ts";

const HERE = { hostname: "127.0.0.1", port: 0 };

/** One message of four bytes on each connection. */
const SHORT = { messages: 1, everyMs: 1, size: 4 };

/** What is compared, for whoever reads the difference. */
const REPORT = "the report";

/** What a report counts, without its times. */
function counted({ connected, answered, errors }: Report) {
  return { connected, answered, errors };
}

/** Says it if a report's times are not those that the plan gives. */
function assertTimes(
  report: Report,
  due: Pick<Report, "p50" | "p99" | "max">,
  of?: string,
) {
  const told = ({ p50, p99, max }: typeof due) =>
    [p50, p99, max].map(Math.round).join(", ");
  const near = ["p50", "p99", "max"] as const;
  assert(
    near.every((name) => Math.abs(report[name] - due[name]) <= 3),
    `p50, p99 and max ${of ? `of ${of} ` : ""}are ${told(report)} ms, ` +
      `and should be ${told(due)} ms`,
  );
}

/** Sends back what comes, message by message, until the end. */
async function echo(clerk: Actor, { messages, size }: Omit<Load, "conns">) {
  for (let n = 0; n < messages; n++) {
    await clerk.send(await clerk.receive(size));
  }
}

// -- Percentiles --

Deno.test(check("percentile() gives the value that so many do not exceed", {
  reveals: ["percentile-off-by-one", "percentile-between"],
}, () => {
  const hundred = Array.from({ length: 100 }, (_, i) => i + 1);
  assertEquals(percentile(hundred, 50), 50, "p50 of 1 to 100");
  assertEquals(percentile(hundred, 99), 99, "p99 of 1 to 100");
  assertEquals(percentile(hundred, 100), 100, "p100 of 1 to 100");
  assertEquals(percentile(hundred, 0), 1, "p0 of 1 to 100");

  assertEquals(percentile([10, 20, 30, 40], 50), 20, "p50 of four");
  assertEquals(percentile([10, 20, 30, 40], 51), 30, "p51 of four");
  assertEquals(percentile([10, 20, 30, 40], 75), 30, "p75 of four");
}));

Deno.test(check("percentile() of one value is that value, of none NaN", {
  reveals: ["percentile-off-by-one", "percentile-between"],
}, () => {
  const all = [0, 1, 50, 99, 100];
  const ones = all.map((p) => percentile([7], p));
  assertEquals(ones, [7, 7, 7, 7, 7], `each percentile of 7 alone, p ${all}`);
  assertEquals(percentile([], 50), NaN, "p50 of none");
}));

Deno.test(check("percentile() loses nothing to fractions", () => {
  const hundred = Array.from({ length: 100 }, (_, i) => i + 1);
  for (const p of [7, 55]) {
    const fraction = `p / 100 * 100 is ${p / 100 * 100}`;
    assertEquals(percentile(hundred, p), p, `for p = ${p}, where ${fraction}`);
  }
}));

// -- A crowd, and what it meets --

Deno.test(check("loadTest() sends each message and takes it back", {
  reveals: [
    "one-after-another",
    "ends-with-open-sockets",
    "ignore-write-count",
  ],
  readsAtMost: 3,
  writesAtMost: 5,
}, async (stage) => {
  const plan = { messages: 3, everyMs: 1, size: 10 };
  const shop = await stage.listen("shop");
  const test = stage.start(() => loadTest([shop.addr], { conns: 2, ...plan }));
  const ann = await shop.accept();
  const bob = await shop.accept();

  await Promise.all([echo(ann, plan), echo(bob, plan)]);
  await Promise.all([ann.receivesEnd(), bob.receivesEnd()]);

  const report = await test.result;
  const met = { connected: 2, answered: 6, errors: {} };
  assertEquals(counted(report), met, REPORT);
}));

Deno.test(check("loadTest() waits for an answer, however late it is", {
  reveals: ["sleep-sync"],
  only: "simulated", // Nobody waits ten minutes for a check.
}, async (stage) => {
  const shop = await stage.listen("shop");
  const test = stage.start(() => loadTest([shop.addr], { conns: 1, ...SHORT }));
  const ann = await shop.accept();

  const message = await ann.receive(SHORT.size);
  await ann.send(message.subarray(0, 1));
  await stage.sleep(600_000);
  await ann.send(message.subarray(1)); // Until here it is no answer.

  const report = await test.result;
  const met = { connected: 1, answered: 1, errors: {} };
  assertEquals(counted(report), met, REPORT);
  const times = { p50: 600_000, p99: 600_000, max: 600_000 };
  assertTimes(report, times, "a message whose last byte was so late");
}));

Deno.test(check("loadTest() keeps everybody until the last is done", {
  reveals: ["never-at-once"],
}, async (stage) => {
  const load = { conns: 2, rampPerSec: 20, ...SHORT };
  const shop = await stage.listen("shop");
  const test = stage.start(() => loadTest([shop.addr], load));
  const ann = await shop.accept();
  await echo(ann, SHORT);

  await ann.receivesNothing(); // Not even the end.
  const bob = await shop.accept();
  await echo(bob, SHORT);

  await ann.receivesEnd();
  await bob.receivesEnd();
  assertEquals((await test.result).answered, 2, "how many were answered");
}));

Deno.test(check("loadTest() finds p50, p99 and max among its times", {
  reveals: ["sorted-as-text"],
  only: "simulated",
}, async (stage) => {
  const shop = await stage.listen("shop");
  const test = stage.start(() => loadTest([shop.addr], { conns: 3, ...SHORT }));
  const clerks = [await shop.accept(), await shop.accept()];
  clerks.push(await shop.accept());

  for (const [i, ms] of [9, 91, 900].entries()) {
    await stage.sleep(ms); // They are answered after 9, 100 and 1,000 ms.
    await echo(clerks[i]!, SHORT);
  }

  assertTimes(await test.result, { p50: 100, p99: 1_000, max: 1_000 });
}));

Deno.test(check("loadTest() lets so many come in a second", {
  reveals: ["ramp-ignored", "ramp-drifts"],
  only: "simulated",
}, async (stage) => {
  const shop = await stage.listen("shop");
  const slowly = { conns: 4, rampPerSec: 10, ...SHORT };
  await assertRamp(stage, shop, slowly);
  await assertRamp(stage, shop, { ...slowly, conns: 400, rampPerSec: 4_000 });
}));

/** Lets a crowd in, and says who came at another time than planned. */
async function assertRamp(
  stage: Stage,
  shop: Awaited<ReturnType<Stage["listen"]>>,
  load: Load & { rampPerSec: number },
) {
  const begun = stage.now;
  const test = stage.start(() => loadTest([shop.addr], load));
  for (let i = 0; i < load.conns; i++) {
    const clerk = await shop.accept();
    const came = Math.round(stage.now - begun);
    const planned = Math.round(i * 1_000 / load.rampPerSec);
    await echo(clerk, load);
    assert(
      Math.abs(came - planned) <= 3,
      `client ${i} came after ${came} ms, and was to come after ${planned} ms`,
    );
  }
  await test.result;
}

Deno.test(check("loadTest() sends no message before it is due", {
  reveals: ["messages-too-soon"],
  only: "simulated",
}, async (stage) => {
  const load = { conns: 1, messages: 4, everyMs: 100, size: 4 };
  const shop = await stage.listen("shop");
  const test = stage.start(() => loadTest([shop.addr], load));
  const clerk = await shop.accept();

  for (let n = 0; n < load.messages; n++) {
    const message = await clerk.receive(load.size);
    const came = Math.round(stage.now);
    await clerk.send(message);
    assert(
      Math.abs(came - n * 100) <= 5,
      `message ${n} came after ${came} ms, and was due after ${n * 100} ms`,
    );
  }
  await test.result;
}));

// A second of silence, and ten messages that were due in it.
Deno.test(check("loadTest() counts from when a message was due", {
  reveals: ["sorted-as-text", "coordinated-omission"],
  only: "simulated",
}, async (stage) => {
  const plan = { messages: 10, everyMs: 100, size: 4 };
  const shop = await stage.listen("shop");
  const test = stage.start(() => loadTest([shop.addr], { conns: 1, ...plan }));
  const ann = await shop.accept();

  await stage.sleep(1_000);
  await echo(ann, plan);

  const due = "ten messages due from 0 to 900 ms";
  // One has waited 1,000 ms, the next one 900, and so on to 100.
  assertTimes(await test.result, { p50: 500, p99: 1_000, max: 1_000 }, due);
}));

Deno.test(check("loadTest() counts the time for which it was held up itself", {
  reveals: ["coordinated-omission"],
  only: "simulated",
}, async (stage) => {
  const load = { conns: 2, rampPerSec: 10, ...SHORT };
  const shop = await stage.listen("shop");
  const test = stage.start(() => loadTest([shop.addr], load));

  stage.burn(1_000); // Something else needs the processor for a second.
  await echo(await shop.accept(), SHORT);
  await echo(await shop.accept(), SHORT); // It was to come after 100 ms.

  assertTimes(await test.result, { p50: 900, p99: 1_000, max: 1_000 });
}));

Deno.test(check("loadTest() counts the time at the door", {
  reveals: ["coordinated-omission"],
  only: "simulated",
}, async (stage) => {
  const shop = await stage.listen("shop", { tcpBacklog: 0 });
  const test = stage.start(() => loadTest([shop.addr], { conns: 2, ...SHORT }));
  await stage.sleep(500);
  await echo(await shop.accept(), SHORT);

  // The queue was full, so the kernel knocks again after a second.
  await echo(await shop.accept(), SHORT);

  assertTimes(await test.result, { p50: 500, p99: 1_000, max: 1_000 });
}));

Deno.test(check("loadTest() counts connections that fail, by their errors", {
  reveals: [
    "shared-buffer",
    "unchecked-echo",
    "lost-errors",
    "one-error-ends-all",
  ],
}, async (stage) => {
  const shop = await stage.listen("shop", { canReset: true });
  const test = stage.start(() => loadTest([shop.addr], { conns: 4, ...SHORT }));
  const ann = await shop.accept();
  const doomed = await shop.accept();
  const leaver = await shop.accept();
  const liar = await shop.accept();

  await doomed.receive(SHORT.size);
  doomed.reset();
  await leaver.receive(SHORT.size);
  leaver.close();
  const lie = await liar.receive(SHORT.size);
  lie[lie.length - 1]! ^= 1;
  const truth = await ann.receive(SHORT.size);
  await Promise.all([liar.send(lie), ann.send(truth)]);

  const errors = { ECONNRESET: 1, UnexpectedEof: 1, InvalidData: 1 };
  const met = { connected: 4, answered: 1, errors };
  assertEquals(counted(await test.result), met, REPORT);
}));

Deno.test(check("loadTest() goes on when a descriptor or a port is missing", {
  reveals: ["fd-limit", "lost-errors"],
  connectFails: (n) =>
    n === 1 ? "EMFILE" : n === 2 ? "EADDRNOTAVAIL" : undefined,
}, async (stage) => {
  const shop = await stage.listen("shop");
  const test = stage.start(() => loadTest([shop.addr], { conns: 4, ...SHORT }));

  await echo(await shop.accept(), SHORT);
  await echo(await shop.accept(), SHORT);

  const errors = { EMFILE: 1, EADDRNOTAVAIL: 1 };
  const report = await test.result;
  const met = { connected: 2, answered: 2, errors };
  assertEquals(counted(report), met, REPORT);
}));

Deno.test(check("loadTest() sends them to all targets in turn", {
  reveals: ["ephemeral-ports"],
}, async (stage) => {
  const shop = await stage.listen("shop");
  const annex = await stage.listen("annex");
  const targets = [shop.addr, annex.addr];
  const test = stage.start(() => loadTest(targets, { conns: 4, ...SHORT }));

  for (const host of [shop, annex, shop, annex]) {
    await echo(await host.accept(), SHORT);
  }

  const report = await test.result;
  const met = { connected: 4, answered: 4, errors: {} };
  assertEquals(counted(report), met, REPORT);
}));

Deno.test(check("loadTest() reports a target at which nobody listens", {
  reveals: ["lost-errors", "one-error-ends-all"],
}, async (stage) => {
  const nobody = await stage.listen("nobody", { willClose: true });
  nobody.close();

  const load = { conns: 3, ...SHORT };
  const report = await stage.start(() => loadTest([nobody.addr], load)).result;

  const met = { connected: 0, answered: 0, errors: { ECONNREFUSED: 3 } };
  const times = { p50: NaN, p99: NaN, max: NaN };
  assertEquals(report, { ...met, ...times }, REPORT);
}));

// -- The end, when somebody has seen enough --

const A_MINUTE = 60_000;

Deno.test(check("loadTest() leaves when its signal aborts", {
  reveals: ["ends-with-open-sockets", "abort-after-connect", "abort-goes-on"],
}, async (stage) => {
  const controller = new AbortController();
  const load = { conns: 2, ...SHORT, signal: controller.signal };
  const shop = await stage.listen("shop");
  const test = stage.start(() => loadTest([shop.addr], load));
  const ann = await shop.accept();
  const bob = await shop.accept();
  await echo(ann, SHORT);
  await bob.receive(SHORT.size); // He waits for an answer.

  controller.abort();
  const begun = stage.now;

  await ann.receivesEnd();
  await bob.receivesEnd();
  const { connected, errors } = await test.result;
  assertPrompt(stage.now - begun);
  const met = { connected: 2, errors: {} };
  const what = "the report, in which the abort is no error";
  assertEquals({ connected, errors }, met, what);
}));

Deno.test(check("loadTest() sends nobody more when its signal aborts", {
  reveals: ["abort-goes-on", "timer-leak"],
  only: "simulated",
}, async (stage) => {
  const controller = new AbortController();
  const { signal } = controller;
  const plan = { messages: 2, everyMs: A_MINUTE, size: 4 };
  const load = { conns: 60, rampPerSec: 1, ...plan, signal };
  const shop = await stage.listen("shop", { tcpBacklog: 0 });
  const test = stage.start(() => loadTest([shop.addr], load));
  await echo(await shop.accept(), SHORT);
  await stage.sleep(2_500); // Nothing is due for the first. The second is in the queue, the third knocks.

  controller.abort();
  const begun = stage.now;

  const report = await test.result;
  assertPrompt(stage.now - begun);
  const met = { connected: 2, answered: 1, errors: {} };
  assertEquals(counted(report), met, REPORT);

  const again = stage.now; // Now the signal has aborted before it begins.
  const late = await loadTest([shop.addr], load);
  assertPrompt(stage.now - again, "aborted before it began,");
  const none = { connected: 0, answered: 0, errors: {} };
  assertEquals(counted(late), none, `${REPORT} after an abort before it`);
}));

function assertPrompt(ms: number, when = "after the abort") {
  assert(ms <= 1_000, `${when} it went on for ${Math.round(ms)} ms`);
}

// -- A server for a crowd --

Deno.test(check("serve() sends back all that comes, until the end", {
  reveals: ["ignore-write-count", "leaked-conn"],
  writesAtMost: 700,
}, async (stage) => {
  let worked = 0;
  const job = ({ length }: Uint8Array) => {
    worked += length;
    return [];
  };
  const listener = listen(HERE);
  const serving = stage.start(() => serve(listener, { job }), "serve()");
  let over = false;
  const ended = serving.result.then(() => over = true);
  const ann = await stage.connect("ann", listener);
  const text = "ten thousand ".repeat(500);

  await ann.send(text);
  await ann.receives(text);
  assertEquals(worked, text.length, "how many bytes the job was done with");
  listener.close(); // Ann is in.
  await ann.send("still here?");
  await ann.receives("still here?");
  await stage.sleep(1); // Time to return, for whoever does not wait for her.
  assert(!over, "serve() has returned, and ann is still there");
  await ann.closeWrite();
  await ann.receivesEnd();
  await ended;
}));

Deno.test(check("listen() has room for hundreds who come at once", {
  reveals: ["short-queue"],
  only: "simulated", // So many at once are not for every kernel.
}, async (stage) => {
  const listener = listen(HERE);
  stage.start(() => serve(listener));

  const names = Array.from({ length: 600 }, (_, i) => `client ${i}`);
  await Promise.all(names.map((name) => stage.connect(name, listener)));

  const ms = Math.round(stage.now);
  assert(ms < 1_000, `the last of them had to wait for ${ms} ms outside`);
  listener.close();
}));

Deno.test(check("serve() holds little for a client that is silent", {
  reveals: ["big-buffer-per-conn"],
}, async (stage) => {
  stage.serve((listener) => serve(listener));
  const names = Array.from({ length: 200 }, (_, i) => `client ${i}`);
  for (const name of names) await stage.connect(name);
  const last = await stage.connect("last");

  await last.send("is everybody here?");
  await last.receives("is everybody here?");

  const each = Math.round(stage.readBuffers / 201);
  assert(each <= 10_240, `each silent client costs ${each} bytes of buffers`);
}));

Deno.test(check("serve() outlives clients that vanish, and jobs that fail", {
  reveals: ["handler-rejection-kills-server", "lock-kept"],
}, async (stage) => {
  const told: unknown[] = [];
  const onError = (error: unknown) => told.push((error as Error).message);
  const steps = function* (bytes: Uint8Array) {
    yield;
    if (bytes[0] === "!".charCodeAt(0)) throw new Error("too hard");
  };
  const job = (bytes: Uint8Array) => {
    if (bytes[0] === "?".charCodeAt(0)) throw new Error("no such job");
    return steps(bytes);
  };
  stage.serve((listener) => serve(listener, { job, onError }));
  const doomed = await stage.connect("doomed", undefined, { canReset: true });
  const odd = await stage.connect("odd");
  const eager = await stage.connect("eager");
  const ann = await stage.connect("ann");
  await doomed.send("hello");
  await doomed.receives("hello");

  doomed.reset();
  await odd.send("?");
  await odd.receivesEnd();
  await eager.send("!");
  await eager.receivesEnd();

  await ann.send("still here?");
  await ann.receives("still here?");
  const due = ["no such job", "too hard"]; // The first step was done.
  assertEquals(told, due, "what onError() was told");
}));

Deno.test(check("serve() goes on when a descriptor is missing, and says so", {
  reveals: ["accept-error-kills-server"],
  acceptFails: (n) => n === 1 ? "EMFILE" : undefined,
}, async (stage) => {
  const told: unknown[] = [];
  const onError = (error: unknown) =>
    told.push((error as { code?: string }).code);
  stage.serve((listener) => serve(listener, { onError }));
  const ann = await stage.connect("ann");
  const bob = await stage.connect("bob"); // Meets the accept() that fails.

  await bob.send("hello");
  await bob.receives("hello");
  await ann.send("hello, bob");
  await ann.receives("hello, bob");
  assertEquals(told, ["EMFILE"], "what onError() was told");
}));

Deno.test(check("serve() leaves accept() alone for a while when it fails", {
  reveals: ["accept-busy-loop"],
  acceptFails: (n) => n < 3 ? "EMFILE" : undefined,
}, async (stage) => {
  stage.serve((listener) => serve(listener, { onError: () => {} }));
  const ann = await stage.connect("ann");

  await ann.send("hello");
  await ann.receives("hello");
}));

Deno.test(check("serve() waits 10 ms to a second when accept() fails", {
  reveals: ["accept-busy-loop"],
  only: "simulated",
  acceptFails: (n) => n < 3 ? "EMFILE" : undefined,
}, async (stage) => {
  const failures: number[] = [];
  const onError = () => failures.push(stage.now);
  stage.serve((listener) => serve(listener, { onError }));
  const ann = await stage.connect("ann");

  await ann.send("hello");
  await ann.receives("hello");

  const [first = NaN, second = NaN] = failures;
  const ms = Math.round(second - first);
  const told = `it failed, and after ${ms} ms accept() was called again`;
  assert(ms >= 10 && ms <= 1_000, `${told}, not after 10 ms to a second`);
}));

/** A job of 200 ms, in steps of `stepMs`, for what begins with "!". */
class Heavy {
  /** Whether it is done. */
  done = false;
  /** How often it was interrupted, for however short a time, and 1. */
  pieces = 1;

  constructor(readonly stage: Stage, readonly stepMs = 1) {}

  readonly job = function* (this: Heavy, [first]: Uint8Array) {
    if (first !== "!".charCodeAt(0)) return;
    for (let step = 0; step * this.stepMs < 200; step++) {
      let goingOn = true;
      queueMicrotask(() => goingOn = false); // At any await.
      yield this.stage.burn(this.stepMs);
      if (!goingOn) this.pieces++;
    }
    this.done = true;
  }.bind(this);
}

Deno.test(check("serve() serves others while a job is under way", {
  reveals: ["shared-buffer", "pause-lets-nobody-in", "cpu-blocks-loop"],
}, async (stage) => {
  const heavy = new Heavy(stage);
  stage.serve((listener) => serve(listener, heavy));
  const ann = await stage.connect("ann");
  const bob = await stage.connect("bob");
  await bob.send("hello");
  await bob.receives("hello");

  await ann.send("!");
  await stage.sleep(2); // The job has begun.
  await bob.send("are you busy?");
  await bob.receives("are you busy?");
  const { pieces } = heavy;
  const unit = pieces === 1 ? "piece" : "pieces";
  assert(!heavy.done, `bob waited for ann's job, done in ${pieces} ${unit}`);

  await ann.receives("!");
  assert(heavy.done, "ann got her answer before her job was done");
}));

Deno.test(check("serve() makes nobody wait more than 50 ms for a job", {
  reveals: ["cpu-blocks-loop"],
  only: "simulated",
}, async (stage) => {
  stage.serve((listener) => serve(listener, new Heavy(stage)));
  const ann = await stage.connect("ann");
  const bob = await stage.connect("bob");
  let due = stage.now + 1; // Soon after the job has begun.
  await ann.send("!");

  for (let n = 1; n <= 8; n++) {
    await stage.sleep(Math.max(0, due - stage.now));
    await bob.send("ping"); // However late we are ourselves.
    await bob.receives("ping");
    // When it left: a job that went on at once has kept us from seeing it.
    const answered = stage.lastWriteTo(bob);
    const ms = Math.round(answered - due);
    assert(ms <= 50, `bob has waited ${ms} ms for an answer`);
    due = Math.max(due + 20, answered + 1);
  }

  await ann.receives("!");
}));

Deno.test(check("serve() takes at most five times as long as a job", {
  reveals: ["pauses-outlast-work"],
  only: "simulated",
}, async (stage) => {
  const heavy = new Heavy(stage, 0.1);
  stage.serve((listener) => serve(listener, heavy));
  const ann = await stage.connect("ann");

  const begun = stage.now;
  await ann.send("!");
  await ann.receives("!");

  const ms = Math.round(stage.now - begun);
  const done = `ann's job of 200 ms, done in ${heavy.pieces} pieces,`;
  assert(ms <= 1_000, `${done} has taken ${ms} ms; it may take 1,000 ms`);
}));

Deno.test(check("serve() and loadTest() bear 500 connections", {
  reveals: ["leaked-conn"],
}, async (stage) => {
  const listener = listen(HERE);
  const serving = stage.start(() => serve(listener), "serve()");
  const plan = { rampPerSec: 2_000, ...SHORT };

  const report = await loadTest([listener.addr], { conns: 500, ...plan });

  const met = { connected: 500, answered: 500, errors: {} };
  assertEquals(counted(report), met, REPORT);
  listener.close();
  await serving.result;
}));
