// The checks for lesson 28. Read them: they say what a proxy passes on, what it
// makes of servers that fail, and how it ends.
import { assert, assertEquals, assertRejects } from "@std/assert";
import { type Actor, assertBytes, check, concat, type Stage } from "check";
import {
  Balancer,
  passedOn,
  Pool,
  type PoolOptions,
  type ProxyOptions,
  serve,
  type Upstream,
} from "./proxy.ts";

/** More than anybody here is ready to wait. */
const A_DAY = 86_400_000;

/** A signal that never aborts. */
const NEVER = new AbortController().signal;

// -- Part 1: what a proxy passes on --

Deno.test(check("passedOn() passes on what is for the other side", () => {
  const fields: [string, string][] = [
    ["host", "a.example"],
    ["accept", "text/html"],
    ["content-length", "5"],
    ["set-cookie", "a=1"],
    ["set-cookie", "b=2"],
  ];

  assertEquals(passedOn(fields), fields);
}));

Deno.test(check("passedOn() drops what is about one connection", {
  reveals: ["hop-by-hop-forwarded"],
}, () => {
  const own = [
    "Connection",
    "Keep-Alive",
    "Proxy-Authenticate",
    "Proxy-Authorization",
    "Proxy-Connection",
    "TE",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
  ];

  for (const name of own) {
    const fields: [string, string][] = [["host", "a"], [lower(name), "x"]];
    const told = `passedOn() of Host and ${name}`;
    assertEquals(passedOn(fields), [["host", "a"]], told);
  }
}));

Deno.test(check("passedOn() drops what Connection names", {
  reveals: ["hop-by-hop-named", "hop-by-hop-trusted"],
}, () => {
  const passed = passedOn([
    ["host", "a"],
    ["connection", "close, X-Secret"],
    ["x-secret", "1"],
    ["x-other", "2"],
    ["connection", "x-more"],
    ["x-more", "3"],
  ]);
  assertEquals(passed, [["host", "a"], ["x-other", "2"]]);

  const needed = passedOn([
    ["connection", "Content-Length, Host"],
    ["host", "a"],
    ["content-length", "5"],
  ]);
  const told = "passedOn() where Connection names Content-Length and Host";
  assertEquals(needed, [["host", "a"], ["content-length", "5"]], told);
}));

Deno.test(check("passedOn() tells for whom the proxy asks", {
  reveals: ["forwarded-for-lost"],
}, () => {
  const alone = passedOn([["host", "a"]], "192.0.2.7");
  assertEquals(forwardedFor(alone), "192.0.2.7");

  const chain = passedOn(
    [["x-forwarded-for", "198.51.100.1"], ["host", "a"]],
    "192.0.2.7",
  );
  assertEquals(forwardedFor(chain), "198.51.100.1, 192.0.2.7");
}));

// -- Part 2: connections that are kept --

Deno.test(check("Pool lends a connection again", {
  reveals: ["pool-never-reuses"],
}, async (stage) => {
  const { host, pool } = await pooled(stage, { max: 2 });

  const first = await pool.get(NEVER);
  const one = await host.accept();
  assert(!first.reused, "the first connection was lent as a used one");
  first.release(true);
  const second = await pool.get(NEVER);
  assert(second.reused, "a connection was released, and get() opened another");
  await second.conn.write(new TextEncoder().encode("again"));
  await one.receives("again");

  second.release(false);
  second.release(false); // Twice is fine.
  await one.receivesEnd();
  pool.close();
}));

Deno.test(check("Pool never has more than max connections", {
  reveals: ["pool-over-max"],
}, async (stage) => {
  const { pool } = await pooled(stage, { max: 2 });

  const asked = Array.from({ length: 5 }, () => lease(stage, pool));
  const [first, second] = await Promise.all([asked[0]!.result, asked[1]!.result]);
  await stage.sleep(20);
  const open = connections(stage);
  assert(open <= 2, `there are ${open} connections, and max is 2`);

  first.release(true);
  (await asked[2]!.result).release(true);
  const fourth = await asked[3]!.result;
  second.release(false);
  const fifth = await asked[4]!.result;
  assert(connections(stage) <= 2, `there are ${connections(stage)} connections`);
  fourth.release(true);
  fifth.release(true);
  pool.close();
}));

Deno.test(check("Pool gives a place back when connecting fails", {
  reveals: ["pool-place-lost"],
}, async (stage) => {
  const { host, pool } = await pooled(stage, { max: 1 });
  host.close();

  for (let i = 0; i < 3; i++) {
    const asked = lease(stage, pool);
    await assertRejects(() => asked.result, Error, "", "get() from nobody");
  }
  pool.close();
}));

Deno.test(check("Pool forgets whoever waits no longer", {
  reveals: ["pool-place-lost", "pool-waits-on"],
}, async (stage) => {
  const { pool } = await pooled(stage, { max: 1 });
  const impatient = new AbortController();

  const ann = await lease(stage, pool).result;
  const bob = lease(stage, pool, impatient.signal);
  const cat = lease(stage, pool);
  impatient.abort();
  await assertRejects(() => bob.result, Error, "", "get() that was aborted");
  ann.release(true);
  (await cat.result).release(true);
  (await lease(stage, pool).result).release(true);
  pool.close();
}));

Deno.test(check("Pool closes a connection that is not used for idleMs", {
  reveals: ["pool-keeps-idle", "late-timer-closes-next"],
  only: "simulated",
}, async (stage) => {
  const { host, pool } = await pooled(stage, { max: 1, idleMs: 1_000 });

  const first = await pool.get(NEVER);
  const one = await host.accept();
  await stage.sleep(5_000); // It is used all the time.
  first.release(true);
  await stage.sleep(900);
  const second = await pool.get(NEVER);
  assert(second.reused, "a connection was gone before idleMs");
  await stage.sleep(5_000);
  await one.send("still here\r\n");
  assertEquals(await second.reader.line(100), "still here");
  second.release(true);

  const before = stage.now;
  await one.receivesEnd();
  const ms = stage.now - before;
  assert(ms <= 1_100, `it was kept for ${ms} ms, and idleMs is 1000`);
  pool.close();
}));

Deno.test(check("Pool lends no connection with bytes that are left over", {
  reveals: ["pool-leftover"],
}, async (stage) => {
  const { host, pool } = await pooled(stage, { max: 1 });

  const first = await pool.get(NEVER);
  const one = await host.accept();
  await one.send("the answer\r\nand more");
  assertEquals(await first.reader.line(100), "the answer");
  first.release(true);

  const second = await lease(stage, pool).result;
  assert(!second.reused, 'get() lent a connection with "and more" left over');
  const two = await host.accept();
  second.release(true);
  await two.send("nobody has asked");
  await two.receivesEnd();

  const third = await lease(stage, pool).result;
  assert(!third.reused, "get() lent a connection that spoke unasked");
  third.release(true);
  pool.close();
}));

Deno.test(check("Pool notices at once when an unused connection ends", {
  reveals: ["idle-pool-race"],
}, async (stage) => {
  const { host, pool } = await pooled(stage, { max: 1 }, { canReset: true });

  const first = await pool.get(NEVER);
  const one = await host.accept();
  first.release(true);
  await one.closeWrite();
  await one.receivesEnd();

  const second = await lease(stage, pool).result;
  assert(!second.reused, "get() lent a connection that had ended");
  const two = await host.accept();
  second.release(true);
  two.reset();
  await stage.sleep(20);

  const third = await lease(stage, pool).result;
  assert(!third.reused, "get() lent a connection that had been reset");
  third.release(true);
  pool.close();
}));

Deno.test(check("Pool opens a new connection for whoever needs a fresh one", {
  reveals: ["pool-over-max", "pool-not-fresh"],
}, async (stage) => {
  const { host, pool } = await pooled(stage, { max: 1 });

  const first = await pool.get(NEVER);
  const one = await host.accept();
  first.release(true);
  const second = await lease(stage, pool, NEVER, { fresh: true }).result;
  assert(!second.reused, "get() lent a kept connection as a fresh one");
  await one.receivesEnd();
  second.release(true);
  pool.close();
}));

Deno.test(check("Pool closes everything in the end", {
  reveals: ["leaked-conn", "timer-leak", "pool-waits-on"],
}, async (stage) => {
  const { host, pool } = await pooled(stage, { max: 2 });

  const [unused, used] = [await pool.get(NEVER), await pool.get(NEVER)];
  const [one, two] = [await host.accept(), await host.accept()];
  const waiting = lease(stage, pool);
  unused.release(true);
  const next = await waiting.result;
  const late = lease(stage, pool);
  next.release(true);
  const last = await late.result;
  const never = lease(stage, pool);
  last.release(true);
  (await never.result).release(true);

  pool.close();
  await one.receivesEnd();
  used.release(true);
  await two.receivesEnd();
  await assertRejects(() => pool.get(NEVER), Error, "", "get() after close()");
}));

// -- Part 3: who gets the next request --

Deno.test(check("Balancer gives each upstream its share", {
  reveals: ["balance-one-sided"],
}, () => {
  const [upstreams, balancer] = balanced(3);
  const counts = new Map<Upstream, number>();

  for (let i = 0; i < 1_000; i++) {
    const picked = balancer.pick()!;
    counts.set(picked, (counts.get(picked) ?? 0) + 1);
    balancer.report(picked, true);
  }

  const shares = upstreams.map((upstream) => counts.get(upstream) ?? 0);
  const fair = shares.every((share) => share > 300 && share < 367);
  assert(fair, `of 1000 requests the upstreams got ${shares.join(", ")}`);
  balancer.stop();
}));

Deno.test(check("Balancer picks the upstream that is least busy", {
  reveals: ["balance-ignores-load"],
}, () => {
  const [upstreams, balancer] = balanced(3);

  const picked = [1, 2, 3].map(() => balancer.pick()!);
  assertEquals(new Set(picked).size, 3, "three picks, one for each");
  balancer.report(picked[1]!, true);
  for (let i = 0; i < 3; i++) {
    const next = balancer.pick();
    const told = "the others are busy, and pick() gave one of them a request";
    assert(next === picked[1], told);
    balancer.report(next!); // The client left: that is over, too.
  }
  assertEquals(upstreams.length, 3);
  balancer.stop();
}));

Deno.test(check("Balancer takes an upstream out after failAfter failures", {
  reveals: ["health-one-strike", "health-not-in-row", "health-ignored"],
}, () => {
  const [[sick, well], balancer] = balanced(2, { failAfter: 3 });
  const report = (...results: (boolean | undefined)[]) => {
    results.forEach((ok) => pickOf(balancer, sick!).report(ok));
  };

  report(false, false, true, false, false, undefined);
  const told = "two failures in a row, and failAfter is 3; it was taken out";
  assert(isPicked(balancer, sick!), told);
  report(false);
  const still = "three failures in a row, and it is still picked";
  assert(!isPicked(balancer, sick!), still);
  assert(isPicked(balancer, well!), "the other one is well, and not picked");
  balancer.stop();
}));

Deno.test(check("Balancer avoids an upstream if there is another", {
  reveals: ["balance-picks-again"],
}, () => {
  const [[one, two], balancer] = balanced(2, { failAfter: 1 });

  for (let i = 0; i < 4; i++) {
    const picked = balancer.pick([one!]);
    assert(picked === two, "pick() gave an upstream that was to be avoided");
    balancer.report(picked!, true);
  }
  balancer.report(balancer.pick([one!])!, false); // The other one is ill now.
  assert(balancer.pick([one!]) === one, "nobody else was there, nor this one");
  balancer.report(one!, false);
  assertEquals(balancer.pick(), undefined, "all are unwell");
  balancer.stop();
}));

Deno.test(check("Balancer examines all upstreams every checkMs", {
  reveals: ["health-never-back", "health-not-in-row", "health-probe-hangs"],
  only: "simulated",
}, async (stage) => {
  const ill = new Set<Upstream>();
  const probe = async (upstream: Upstream) => {
    await stage.sleep(10);
    if (ill.has(upstream)) throw new Error("It is ill");
  };
  const options = { checkMs: 1_000, failAfter: 2, probe };
  const [[one, two], balancer] = balanced(2, options);

  ill.add(one!);
  await stage.sleep(1_500);
  assert(isPicked(balancer, one!), "one bad examination, and it was taken out");
  await stage.sleep(1_000);
  assert(!isPicked(balancer, one!), "two bad ones, and it is still picked");
  assert(isPicked(balancer, two!), "the other one is well, and not picked");
  ill.clear();
  await stage.sleep(1_000);
  assert(isPicked(balancer, one!), "it is well again, and does not come back");
  balancer.stop();
}));

Deno.test(check("Balancer gives an examination no longer than checkMs", {
  reveals: ["health-probe-hangs"],
  only: "simulated",
}, async (stage) => {
  const seen: Upstream[] = [];
  let aborted = 0;
  const probe = (upstream: Upstream, signal: AbortSignal) => {
    seen.push(upstream);
    if (upstream === two) return Promise.resolve();
    return new Promise<void>((_, reject) => {
      signal.addEventListener("abort", () => {
        aborted++;
        reject(signal.reason);
      });
    });
  };
  const options = { checkMs: 1_000, failAfter: 2, probe };
  const [[one, two], balancer] = balanced(2, options);

  await stage.sleep(3_500);
  const times = seen.filter((upstream) => upstream === two).length;
  assert(times >= 3, `one does not answer; the other was asked ${times} times`);
  const told = "its examinations never end, and it is still picked";
  assert(!isPicked(balancer, one!), told);
  const before = aborted;
  balancer.stop();
  assert(aborted > before, "stop() has not ended an examination that runs");
}));

Deno.test(check("Balancer leaves no timer after stop()", {
  reveals: ["timer-leak"],
  only: "simulated",
}, async (stage) => {
  let examined = 0;
  const probe = async () => {
    examined++;
    await stage.sleep(10);
  };
  const [, balancer] = balanced(2, { checkMs: 100, failAfter: 1, probe });

  await stage.sleep(105);
  balancer.stop();
  const before = examined;
  await stage.sleep(1_000);
  assertEquals(examined, before, "examinations after stop()");
}));
