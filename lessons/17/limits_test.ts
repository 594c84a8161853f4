// The checks for lesson 17. Read them: they say what `serve()` promises.
import { assert, assertEquals } from "@std/assert";
import { check, type Stage } from "check";
import { serve } from "./limits.ts";

/** More than any client here is ready to wait. */
const A_DAY = 86_400_000;

/** An answer that comes at once. */
function shout(line: string): string {
  return line.toUpperCase();
}

/** Nobody listens to what goes wrong. */
const quiet = { onError: () => {} };

/** How long everything took since `before`. */
function took(stage: Stage, before = 0): string {
  return `it took ${Math.round(stage.now - before)} ms`;
}

// -- Many clients, and limits --

Deno.test(check("serve() answers each line, request by request", {
  reveals: ["leaked-conn", "double-close", "timer-leak"],
}, async (stage) => {
  stage.serve((listener) => serve(listener, shout));
  const ann = await stage.connect("ann");
  const bob = await stage.connect("bob");

  await ann.send("hel");
  await bob.send("one\ntwo\n");
  await bob.receives("ONE\nTWO\n");
  await ann.send("lo\n");
  await ann.receives("HELLO\n");

  await bob.closeWrite();
  await bob.receivesEnd();
}));

Deno.test(check("serve() sends an answer that is empty", {
  reveals: ["zero-length-frame"],
}, async (stage) => {
  stage.serve((listener) => serve(listener, () => ""));
  const ann = await stage.connect("ann");

  await ann.send("anything new?\nand now?\n");
  await ann.receives("\n\n");
}));

Deno.test(check("serve() answers no request that is cut short", {
  reveals: ["partial-last-line"],
}, async (stage) => {
  stage.serve((listener) => serve(listener, shout));
  const ann = await stage.connect("ann");

  await ann.send("delete one\ndelete all"); // "… that are older than a year"
  await ann.closeWrite();

  await ann.receives("DELETE ONE\n");
  await ann.receivesEnd();
}));

Deno.test(check("serve() tells one client too many that it is busy", {
  reveals: ["unlimited-clients"],
}, async (stage) => {
  stage.serve((listener) => serve(listener, shout, { maxConns: 2 }));
  const ann = await stage.connect("ann");
  const bob = await stage.connect("bob");
  const cat = await stage.connect("cat");

  await cat.receives("busy\n");
  await cat.receivesEnd();

  await ann.send("still here?\n");
  await ann.receives("STILL HERE?\n");
  await bob.send("me too\n");
  await bob.receives("ME TOO\n");
}));

Deno.test(check("serve() keeps no file for clients that it refuses", {
  reveals: ["refused-kept-open"],
}, async (stage) => {
  stage.serve((listener) => serve(listener, shout, { maxConns: 1 }));
  await stage.connect("ann");
  for (let i = 1; i <= 5; i++) {
    const client = await stage.connect(`client ${i}`); // It does not leave.
    await client.receives("busy\n");
    await client.receivesEnd();
  }

  const refused = () =>
    stage.openSockets.filter((kind) => kind === "connection").length - 1;
  // The end may have come a moment before the close.
  for (let ms = 0; ms < 100 && refused() > 0; ms++) await stage.sleep(1);
  const told = `${refused()} of 5 refused clients still have a connection`;
  assert(refused() === 0, told);
}));

Deno.test(check("serve() gives a place away when its client has left", {
  reveals: ["gone-still-counted", "unlimited-clients", "leaked-conn"],
}, async (stage) => {
  stage.serve((listener) => serve(listener, shout, { maxConns: 1 }));
  const ann = await stage.connect("ann");
  await ann.send("hello\n");
  await ann.receives("HELLO\n");

  await ann.closeWrite();
  await ann.receivesEnd();
  await stage.sleep(1); // A stream may tell of the end a little later.

  const bob = await stage.connect("bob");
  await bob.send("my turn\n");
  await bob.receives("MY TURN\n");
}));

Deno.test(check("serve() gives a place away when its client has vanished", {
  reveals: [
    "gone-still-counted",
    "leak-on-error-path",
    "handler-rejection-kills-server",
  ],
}, async (stage) => {
  stage.serve((listener) => serve(listener, shout, { maxConns: 2 }));
  const doomed = await stage.connect("doomed", undefined, { canReset: true });
  const ann = await stage.connect("ann");
  await doomed.send("hello\n");
  await doomed.receives("HELLO\n");

  doomed.reset();
  await ann.send("who was that?\n");
  await ann.receives("WHO WAS THAT?\n");
  await stage.sleep(1);

  const bob = await stage.connect("bob");
  await bob.send("my turn\n");
  await bob.receives("MY TURN\n");
}));

Deno.test(check("serve() leaves places for other addresses", {
  reveals: ["gone-still-counted", "host-over-limit"],
  address: "127.0.0.2",
}, async (stage) => {
  stage.serve((listener) => serve(listener, shout, { maxPerHost: 1 }));
  const ann = await stage.connect("ann");
  const greedy = await stage.connect("greedy");
  const bob = await stage.connect("bob", undefined, { from: "127.0.0.2" });

  await greedy.receives("busy\n");
  await greedy.receivesEnd();

  await bob.send("hello\n");
  await bob.receives("HELLO\n");
  await ann.send("hello, bob\n");
  await ann.receives("HELLO, BOB\n");

  await ann.closeWrite();
  await ann.receivesEnd();
  await stage.sleep(1);
  const again = await stage.connect("ann again");
  await again.send("me again\n");
  await again.receives("ME AGAIN\n");
}));

Deno.test(check("serve() has a limit even if nobody sets one", {
  reveals: ["fd-limit"],
}, async (stage) => {
  stage.serve((listener) => serve(listener, shout));
  for (let i = 1; i <= 100; i++) await stage.connect(`client ${i}`);
  const extra = await stage.connect("extra");

  await extra.receives("busy\n");
  await extra.receivesEnd();
}));

Deno.test(check("serve() accepts again after accept() has failed", {
  reveals: ["accept-error-kills-server"],
  acceptFails: (n) => n === 1 ? "EMFILE" : undefined,
}, async (stage) => {
  const errors: unknown[] = [];
  const onError = (error: unknown) => errors.push(error);
  stage.serve((listener) => serve(listener, shout, { onError }));
  const ann = await stage.connect("ann");
  const bob = await stage.connect("bob"); // Meets the accept() that fails.

  await bob.send("hello\n");
  await bob.receives("HELLO\n");
  await ann.send("hello, bob\n");
  await ann.receives("HELLO, BOB\n");
  assertEquals(errors.length, 1, "onError was not told once");
}));

Deno.test(check("serve() outlives a client that resets before it is let in", {
  reveals: ["accept-error-kills-server"],
}, async (stage) => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const doomed = await stage.connect("doomed", listener, { canReset: true });
  doomed.reset(); // It is in the queue still, and accept() cannot say who it is.
  const serving = stage.start(() => serve(listener, shout, quiet));
  const ann = await stage.connect("ann", listener);

  await ann.send("hello\n");
  await ann.receives("HELLO\n");
  await ann.closeWrite();
  await ann.receivesEnd();

  listener.close();
  await serving.result;
}));

Deno.test(check("serve() leaves accept() alone for a while when it fails", {
  reveals: ["accept-busy-loop", "accept-error-kills-server"],
  acceptFails: (n) => n < 3 ? "EMFILE" : undefined,
}, async (stage) => {
  stage.serve((listener) => serve(listener, shout, quiet));
  const ann = await stage.connect("ann");

  await ann.send("hello\n");
  await ann.receives("HELLO\n");
}));

Deno.test(check("serve() waits 10 ms to a second when accept() fails", {
  reveals: ["accept-busy-loop"],
  only: "simulated", // Time is exact there.
  acceptFails: (n) => n < 3 ? "EMFILE" : undefined,
}, async (stage) => {
  const failures: number[] = [];
  const onError = () => failures.push(stage.now);
  stage.serve((listener) => serve(listener, shout, { onError }));
  const ann = await stage.connect("ann");

  await ann.send("hello\n");
  await ann.receives("HELLO\n");

  const [first = NaN, second = NaN] = failures;
  const ms = Math.round(second - first);
  const told = `it failed, and after ${ms} ms accept() was called again`;
  assert(ms >= 10 && ms <= 1_000, `${told}, not after 10 to 1,000`);
}));

Deno.test(check("serve() outlives a client that it refuses", {
  reveals: ["handler-rejection-kills-server"],
  acceptFails: (n) => n === 1 ? "EMFILE" : undefined,
}, async (stage) => {
  const limits = { maxConns: 1, onError: () => {} };
  stage.serve((listener) => serve(listener, shout, limits));
  const ann = await stage.connect("ann");
  const doomed = await stage.connect("doomed", undefined, { canReset: true });
  doomed.reset(); // It has waited in the queue, and nobody hears the "busy".
  const bob = await stage.connect("bob");

  await bob.receives("busy\n");
  await bob.receivesEnd();
  await ann.send("still there?\n");
  await ann.receives("STILL THERE?\n");
}));

Deno.test(check("serve() outlives answers that fail", {
  reveals: ["handler-rejection-kills-server", "leak-on-error-path"],
}, async (stage) => {
  const errors: string[] = [];
  const onError = (error: unknown) => errors.push((error as Error).message);
  const answer = (line: string) => {
    if (line === "later") return Promise.reject(new Error("in a promise"));
    throw new Error("at once");
  };
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = stage.start(() => serve(listener, answer, { onError }));
  const ann = await stage.connect("ann", listener);
  const bob = await stage.connect("bob", listener);

  await ann.send("later\n");
  await ann.receivesEnd();
  await bob.send("now\n");
  await bob.receivesEnd();

  assertEquals(errors, ["in a promise", "at once"]);
  listener.close();
  const counted = { accepted: 2, refused: 0, errors: 2 };
  assertEquals(await serving.result, counted, "what serve() has counted");
}));

// -- Clocks: each client gets time, and no more --

Deno.test(check("serve() ends the visit of an idle client", {
  reveals: ["no-deadline"],
}, async (stage) => {
  stage.serve((listener) => serve(listener, shout, { idleMs: 40 }));
  const ann = await stage.connect("ann");
  await ann.send("hello\n");
  await ann.receives("HELLO\n");
  await ann.receivesEnd();

  const mute = await stage.connect("mute");
  await mute.receivesEnd();
}));

// A matter of milliseconds, and loopback's are a matter of luck.
Deno.test(check("serve() waits headMs for a request, however it drips", {
  reveals: ["per-read-only", "no-deadline"],
  only: "simulated",
}, async (stage) => {
  const limits = { headMs: 1_000, idleMs: A_DAY };
  stage.serve((listener) => serve(listener, shout, limits));
  const ann = await stage.connect("ann");

  await stage.sleep(5_000); // Before the first byte another clock runs.
  await ann.send("h");
  await stage.sleep(600);
  await ann.send("e");
  await stage.sleep(600);

  await ann.receivesEnd();
  assert(stage.now <= 6_200, `${took(stage, 5_000)}, with headMs: 1000`);

  const bob = await stage.connect("bob");
  const before = stage.now;
  await bob.send("one\ntw"); // The rest of the second one never comes.
  await bob.receives("ONE\n");
  await bob.receivesEnd();
  const late = `${took(stage, before)}, with headMs: 1000`;
  assert(stage.now - before <= 1_200, late);
}));

Deno.test(check("serve() waits anew for each request", {
  reveals: ["idle-vs-total"],
  only: "simulated", // Time is exact there.
}, async (stage) => {
  const limits = { idleMs: 1_000, headMs: 500 };
  stage.serve((listener) => serve(listener, shout, limits));
  const ann = await stage.connect("ann");

  for (let i = 0; i < 4; i++) {
    await stage.sleep(800);
    await ann.send("hel");
    await stage.sleep(400);
    await ann.send("lo\n");
    await ann.receives("HELLO\n");
  }
}));

Deno.test(check("serve() hurries nobody who waits for an answer", {
  reveals: ["late-timer-closes-next"],
}, async (stage) => {
  const answer = async (line: string) => {
    await stage.sleep(60);
    return shout(line);
  };
  const limits = { idleMs: 30, headMs: 30 };
  stage.serve((listener) => serve(listener, answer, limits));
  const ann = await stage.connect("ann");

  await ann.send("take your time\n");
  await ann.receives("TAKE YOUR TIME\n");
}));

Deno.test(check("serve() hangs up on a line that is too long", {
  reveals: ["unbounded-line"],
}, async (stage) => {
  const limits = { maxLine: 2_000, headMs: A_DAY, idleMs: A_DAY };
  let longest = 0;
  const measured = (line: string) => {
    longest = Math.max(longest, line.length);
    return shout(line);
  };
  stage.serve((listener) => serve(listener, measured, limits));
  const ann = await stage.connect("ann");

  await ann.send("a".repeat(2_000) + "\n");
  await ann.receives("A".repeat(2_000) + "\n");
  await ann.send("a".repeat(2_001));
  await ann.receivesEnd();
  assert(stage.now <= 60_000, `${took(stage)} to hang up`);

  const bob = await stage.connect("bob");
  await bob.send("a".repeat(2_001) + "\n");
  await stage.sleep(5); // He may be reset, with what nobody has read.
  const told = `${longest} characters were answered, with maxLine: 2000`;
  assert(longest <= 2_000, told);
}));

Deno.test(check("serve() holds no room for a request that has not come", {
  reveals: ["allocate-before-check"],
}, async (stage) => {
  const limits = { maxLine: 1_000_000, idleMs: A_DAY };
  stage.serve((listener) => serve(listener, shout, limits));
  for (let i = 1; i <= 20; i++) await stage.connect(`client ${i}`);
  const last = await stage.connect("last");

  await last.send("is everybody here?\n");
  await last.receives("IS EVERYBODY HERE?\n");

  const each = Math.round(stage.readBuffers / 21);
  assert(each <= 100_000, `each silent client costs ${each} bytes of buffers`);
}));

// -- The end --

Deno.test(check("serve() finishes an answer before it ends", {
  reveals: [
    "exit-before-flush",
    "no-drain-on-shutdown",
    "shutdown-waits-forever",
    "timer-leak",
  ],
}, async (stage) => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const [controller, gate] = [new AbortController(), gated()];
  const limits = { idleMs: A_DAY, graceMs: 60_000, signal: controller.signal };
  const serving = stage.start(() => serve(listener, gate.answer, limits));
  const ann = await stage.connect("ann", listener);
  await ann.send("hello\n");
  await gate.reached;

  controller.abort();
  await stage.sleep(5);
  gate.open();

  await ann.receives("HELLO\n");
  await ann.receivesEnd();
  ann.close(); // She has what she waited for.
  await serving.result;
  assert(stage.now <= 50_000, `${took(stage)} to end`);
}));

Deno.test(check("serve() sends the last byte of an answer before it ends", {
  reveals: ["exit-before-flush", "no-drain-on-shutdown", "double-close"],
}, async (stage) => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const controller = new AbortController();
  const { signal } = controller;
  const asked = Promise.withResolvers<void>();
  const repeat = (line: string) => {
    asked.resolve();
    return line.repeat(100_000);
  };
  const serving = stage.start(() => serve(listener, repeat, { signal }));
  const ann = await stage.connect("ann", listener);
  await ann.send("book\n");
  await asked.promise;
  await stage.sleep(1); // The answer fills the buffers, and has to wait.

  controller.abort();
  await stage.sleep(5); // Ann has not begun to read.

  await ann.receives("book".repeat(100_000) + "\n");
  await ann.receivesEnd();
  ann.close();
  await serving.result;
}));

Deno.test(check("serve() ends without waiting for idle clients", {
  reveals: ["shutdown-waits-forever"],
}, async (stage) => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const controller = new AbortController();
  const { signal } = controller;
  const limits = { idleMs: A_DAY, headMs: A_DAY, graceMs: 60_000, signal };
  const serving = stage.start(() => serve(listener, shout, limits));
  await stage.connect("ann", listener); // Never says a word.
  const cat = await stage.connect("cat", listener);
  await cat.send("hel"); // Half a request is none.
  const bob = await stage.connect("bob", listener);
  await bob.send("hello\n");
  await bob.receives("HELLO\n");
  await stage.connect("dan", listener); // Comes in at the last moment.

  controller.abort();

  await bob.receivesEnd();
  await serving.result;
  assert(stage.now <= 50_000, `${took(stage)} to end`);
  await stage.sleep(1); // An accept() that waited keeps the port for a moment.
  Deno.listen({ hostname: "127.0.0.1", port: listener.addr.port }).close();
}));

Deno.test(check("serve() gives up on an answer after graceMs", {
  reveals: ["shutdown-waits-forever", "no-drain-on-shutdown"],
}, async (stage) => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const [controller, gate] = [new AbortController(), gated()];
  const limits = { graceMs: 60, signal: controller.signal };
  const serving = stage.start(() => serve(listener, gate.answer, limits));
  const ann = await stage.connect("ann", listener);
  await ann.send("hello\n");
  const theirs = await gate.reached;

  controller.abort();
  await stage.sleep(20);
  assert(!theirs.aborted, "the answer was given up at once");
  assert(!serving.settled, "serve() did not wait for the answer");
  await stage.refuses("late", listener);

  await serving.result;
  assert(theirs.aborted, "the answer was not told that nobody waits for it");
  await ann.receivesEnd();
  assert(stage.now <= 4_000, `${took(stage)} to end`);
}));

Deno.test(check("serve() ends when its listener closes, too", {
  reveals: ["shutdown-waits-forever"],
}, async (stage) => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const limits = { idleMs: A_DAY, graceMs: 60_000 };
  const serving = stage.start(() => serve(listener, shout, limits));
  const ann = await stage.connect("ann", listener);
  await ann.send("hello\n");
  await ann.receives("HELLO\n");

  listener.close();

  await ann.receivesEnd();
  await serving.result;
  assert(stage.now <= 50_000, `${took(stage)} to end`);
}));

Deno.test(check("serve() ends once, however often it is told to", {
  reveals: ["double-close", "accept-busy-loop"],
}, async (stage) => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const controller = new AbortController();
  const { signal } = controller;
  const serving = stage.start(() => serve(listener, shout, { signal }));
  const ann = await stage.connect("ann", listener);
  await ann.send("hello\n");
  await ann.receives("HELLO\n");

  listener.close();
  controller.abort();

  await ann.receivesEnd();
  await serving.result;
}));

Deno.test(check("serve() ends at once when nobody is there", {
  reveals: ["accept-busy-loop", "shutdown-waits-forever"],
}, async (stage) => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const controller = new AbortController();
  const { signal } = controller;
  const serving = stage.start(() => serve(listener, shout, { signal }));

  controller.abort();
  const stats = await serving.result;

  assertEquals(stats, { accepted: 0, refused: 0, errors: 0 });
  assert(stage.now <= 1_000, `${took(stage)} to end`);
  const late = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await serve(late, shout, { signal }); // Was told before it began.
}));

Deno.test(check("serve() resets nobody who asks once more at the end", {
  reveals: ["close-with-unread", "no-drain-on-shutdown"],
}, async (stage) => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const [controller, gate] = [new AbortController(), gated(100_000)];
  const { signal } = controller;
  const serving = stage.start(() => serve(listener, gate.answer, { signal }));
  const ann = await stage.connect("ann", listener);
  await ann.send("book\n");
  await gate.reached;

  await ann.send("more\n"); // Nobody has to answer this.
  controller.abort();
  await stage.sleep(5);
  gate.open();
  await stage.sleep(5); // Ann has not begun to read.

  await ann.receives("BOOK".repeat(100_000) + "\n");
  await ann.receiveAll(); // Up to the end, which is no reset.
  ann.close();
  await serving.result;
}));

// A thousand connections in a moment are not for every machine's kernel.
Deno.test(check("serve() counts a thousand clients", {
  reveals: ["leaked-conn"],
  only: "simulated",
  acceptFails: (n) => n === 0 ? "EMFILE" : undefined,
}, async (stage) => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const controller = new AbortController();
  const counted = { accepted: 0, refused: 0, errors: 0 };
  const onError = () => void counted.errors++;
  const limits = { maxConns: 10, signal: controller.signal, onError };
  const serving = stage.start(() => serve(listener, shout, limits));

  for (let i = 0; i < 1_000; i += 50) {
    const names = Array.from({ length: 50 }, (_, j) => `client ${i + j}`);
    const crowd = await Promise.all(
      names.map((name) => stage.connect(name, listener)),
    );
    await stage.sleep(1_000); // Nobody leaves before all have come.
    await Promise.all(crowd.map(async (client) => {
      await client.closeWrite();
      const said = await client.receiveAll(); // "busy\n", or nothing.
      counted[said.length > 0 ? "refused" : "accepted"]++;
    }));
  }
  controller.abort();

  assertEquals(await serving.result, counted, "the clients, counted");
}));

/** An answer that comes when the gate opens, and when that has been asked. */
function gated(times = 1) {
  const reached = Promise.withResolvers<AbortSignal>();
  const opened = Promise.withResolvers<void>();
  return {
    reached: reached.promise,
    open: opened.resolve,
    answer: async (line: string, signal: AbortSignal) => {
      reached.resolve(signal);
      await opened.promise;
      return shout(line).repeat(times);
    },
  };
}
