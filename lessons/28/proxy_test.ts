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
  const named = "passedOn() where Connection names X-Secret and X-More";
  assertEquals(passed, [["host", "a"], ["x-other", "2"]], named);

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
  assertEquals(forwardedFor(alone), "192.0.2.7", "X-Forwarded-For");

  const chain = passedOn(
    [["x-forwarded-for", "198.51.100.1"], ["host", "a"]],
    "192.0.2.7",
  );
  const addresses = "198.51.100.1, 192.0.2.7";
  assertEquals(
    forwardedFor(chain),
    addresses,
    "X-Forwarded-For behind another",
  );

  const lines = passedOn(
    [["x-forwarded-for", "198.51.100.1"], ["x-forwarded-for", "203.0.113.9"]],
    "192.0.2.7",
  );
  const all = "198.51.100.1, 203.0.113.9, 192.0.2.7";
  assertEquals(forwardedFor(lines), all, "X-Forwarded-For behind two others");

  const hidden = passedOn(
    [["connection", "X-Forwarded-For"], ["x-forwarded-for", "198.51.100.1"]],
    "192.0.2.7",
  );
  const said = forwardedFor(hidden); // What was there goes; this one is ours.
  const told = `Connection names X-Forwarded-For, and that says "${said}"`;
  assert(said.endsWith("192.0.2.7"), told);
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
  first.release(true); // Twice is fine.
  await stage.sleep(5); // Some pools have it back a moment later.
  const second = await pool.get(NEVER);
  assert(second.reused, "a connection was released, and get() opened another");
  await second.conn.write(new TextEncoder().encode("again"));
  await one.receives("again");
  first.release(true); // It is not first's any more.
  const third = await pool.get(NEVER);
  assert(!third.reused, "two leases have one connection, released twice");
  third.release(false);

  second.release(false);
  second.release(false);
  await one.receivesEnd();
  pool.close();
}));

Deno.test(check("Pool never has more than max connections", {
  reveals: ["pool-over-max"],
}, async (stage) => {
  const { pool } = await pooled(stage, { max: 2 });

  const asked = Array.from({ length: 5 }, () => lease(stage, pool));
  const [first, second] = await Promise.all([
    asked[0]!.result,
    asked[1]!.result,
  ]);
  await stage.sleep(5);
  const open = connections(stage);
  assert(open <= 2, `there are ${open} connections, and max is 2`);

  first.release(true);
  (await asked[2]!.result).release(true);
  const fourth = await asked[3]!.result;
  second.release(false); // There is a place for one, and two want it.
  const rest = [asked[4]!, lease(stage, pool)].map(({ result }) => result);
  const next = await Promise.race(rest);
  await stage.sleep(5);
  const then = connections(stage);
  assert(then <= 2, `there are ${then} connections, and max is 2`);
  fourth.release(true);
  next.release(true);
  for (const one of await Promise.all(rest)) one.release(true);
  pool.close();
}));

Deno.test(check("Pool gives a place back when connecting fails", {
  reveals: ["pool-place-lost"],
}, async (stage) => {
  const { host, pool } = await pooled(stage, { max: 1 }, {
    willClose: true,
  });
  host.close();

  for (let i = 0; i < 3; i++) {
    const asked = lease(stage, pool);
    await assertRejects(() => asked.result, Error, "", "get() from nobody");
  }
  // The second waits for the place that the first has; both hear of it.
  const both = [lease(stage, pool), lease(stage, pool)];
  await Promise.all(both.map(({ result }) => {
    return assertRejects(() => result, Error, "", "get() from nobody");
  }));
  pool.close();
}));

Deno.test(check("Pool forgets whoever waits no longer", {
  reveals: ["pool-place-lost", "pool-waits-on"],
}, async (stage) => {
  const { pool } = await pooled(stage, { max: 1 });
  const impatient = new AbortController();

  const ann = await lease(stage, pool).result;
  const { signal } = impatient;
  const bob = lease(stage, pool, { signal, name: "get(), given up," });
  const cat = lease(stage, pool);
  impatient.abort();
  await assertRejects(() => bob.result, Error, "", "get() that was aborted");
  ann.release(true);
  (await cat.result).release(true);
  (await lease(stage, pool).result).release(true);
  pool.close();
}));

Deno.test(check("Pool gives a place back when connecting is given up", {
  reveals: ["pool-place-lost", "pool-waits-on"],
  only: "simulated", // How many fit into a full queue differs from OS to OS.
}, async (stage) => {
  const { host, pool } = await pooled(stage, { max: 1 }, { tcpBacklog: 0 });
  await stage.connect("filler", host.addr); // It takes the only place.
  const impatient = new AbortController();

  const { signal } = impatient;
  const bob = lease(stage, pool, { signal, name: "get(), given up," });
  await stage.sleep(500); // He is knocking.
  impatient.abort();
  await assertRejects(() => bob.result, Error, "", "get() that was aborted");
  await host.accept(); // It is the filler's. Now there is room again.

  (await lease(stage, pool).result).release(true);
  pool.close();
}));

Deno.test(check("Pool closes a connection that is not used for idleMs", {
  reveals: ["pool-keeps-idle", "pool-closes-used"],
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
  assert(ms <= 1_100, `it was kept for ${ms} ms unused, and idleMs is 1000`);
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
  const seen = "two spoke unasked, and its connection was kept";
  assert(stage.now < 10_000, seen);

  const third = await lease(stage, pool).result;
  assert(!third.reused, "get() lent a connection that spoke unasked");
  third.release(true);
  pool.close();
}));

Deno.test(check("Pool notices at once when an unused connection ends", {
  reveals: ["idle-pool-race"],
}, async (stage) => {
  const { host, pool } = await pooled(stage, { max: 1 });

  const first = await pool.get(NEVER);
  const one = await host.accept();
  first.release(true);
  await one.closeWrite();
  await one.receivesEnd();
  const told = "get() can lend a connection that had ended a while ago";
  assert(stage.now < 10_000, told);
  await stage.sleep(5); // Some streams tell of an end a moment later.

  const second = await lease(stage, pool).result;
  assert(!second.reused, "get() lent a connection that had ended");
  second.release(true);
  pool.close();
}));

Deno.test(check("Pool notices at once when an unused connection is reset", {
  reveals: ["idle-pool-race"],
  only: "simulated",
}, async (stage) => {
  const { host, pool } = await pooled(stage, { max: 1 }, { canReset: true });

  const first = await pool.get(NEVER);
  const one = await host.accept();
  first.release(true);
  one.reset();
  await stage.sleep(5);

  const second = await lease(stage, pool).result;
  assert(!second.reused, "get() lent a connection that had been reset");
  second.release(true);
  pool.close();
}));

Deno.test(check("Pool opens a new connection for whoever needs a fresh one", {
  reveals: ["pool-over-max", "pool-not-fresh"],
}, async (stage) => {
  const { host, pool } = await pooled(stage, { max: 1 });

  const first = await pool.get(NEVER);
  const one = await host.accept();
  first.release(true);
  const second = await lease(stage, pool, { fresh: true }).result;
  assert(!second.reused, "get() lent a kept connection as a fresh one");
  await one.receivesEnd();

  const waiting = lease(stage, pool, { fresh: true });
  second.release(true);
  const third = await waiting.result;
  assert(
    !third.reused,
    "get() had to wait, and lent a used one as a fresh one",
  );
  third.release(true);
  pool.close();
}));

Deno.test(check("Pool closes everything in the end", {
  reveals: ["pool-waits-on", "timer-leak", "pool-close-leaves"],
}, async (stage) => {
  const { host, pool } = await pooled(stage, { max: 2 });

  const [first, second] = [await pool.get(NEVER), await pool.get(NEVER)];
  const [one, two] = [await host.accept(), await host.accept()];
  const waiting = lease(stage, pool, { name: "get(), given up," });
  pool.close();
  await assertRejects(() => waiting.result, Error, "", "get() before close()");
  first.release(true);
  await one.receivesEnd();
  second.release(true);
  await two.receivesEnd();

  const { host: another, pool: unused } = await pooled(stage, { max: 2 });
  (await unused.get(NEVER)).release(true);
  const three = await another.accept();
  unused.close();
  await three.receivesEnd();
  await assertRejects(
    () => unused.get(NEVER),
    Error,
    "",
    "get() after close()",
  );
  const told = "a connection stayed open until its idleMs were over";
  assert(stage.now < 10_000, told);
}));

// -- Part 3: who gets the next request --

Deno.test(check("Balancer gives each upstream its share", {
  reveals: ["balance-one-sided", "timer-leak"],
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

  // Who comes back from an illness owes nothing: it has nothing more to do.
  const [[one, two], other] = balanced(2);
  for (let i = 0; i < 10; i++) other.report(other.pick([one!])!, true);
  const next = Array.from({ length: 4 }, () => {
    const picked = other.pick()!;
    other.report(picked, true);
    return picked === two ? "two" : "one";
  });
  const told = "two got 10 requests while one was avoided; the next 4 went to";
  assert(next.join() === "one,two,one,two", `${told} ${next.join(", ")}`);
  other.stop();
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

  report(false, false, undefined);
  const early = "two failures, failAfter is 3, and it was taken out";
  assert(isPicked(balancer, sick!), early);
  report(true, false, false);
  const told = "two failures since a success, and it is not picked";
  assert(isPicked(balancer, sick!), told);
  report(false);
  const still = "three failures in a row, and it is still picked";
  assert(!isPicked(balancer, sick!), still);
  assert(isPicked(balancer, well!), "the other one is well, and not picked");
  balancer.stop();
}));

Deno.test(check("Balancer avoids an upstream if there is another", {
  reveals: ["balance-picks-again", "balance-gives-up"],
}, () => {
  const [[one, two], balancer] = balanced(2, { failAfter: 1 });

  for (let i = 0; i < 4; i++) {
    const picked = balancer.pick([one!]);
    assert(picked === two, "pick() gave an upstream that was to be avoided");
    balancer.report(picked!, true);
  }
  balancer.report(balancer.pick([one!])!, false); // The other one is ill now.
  const picked = balancer.pick([one!]);
  assert(picked === one, "nobody else was there, and nobody was picked");
  balancer.report(one!, false);
  assertEquals(balancer.pick(), undefined, "all are unwell");
  balancer.stop();
}));

Deno.test(check("Balancer examines all upstreams every checkMs", {
  reveals: [
    "health-never-back",
    "health-one-strike",
    "health-not-in-row",
    "health-ignored",
  ],
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
  assert(
    isPicked(balancer, one!),
    "one bad examination, failAfter is 2, and it was taken out",
  );
  await stage.sleep(1_000);
  assert(
    !isPicked(balancer, one!),
    "two bad examinations, and it is still picked",
  );
  assert(isPicked(balancer, two!), "the other one is well, and not picked");
  ill.clear();
  await stage.sleep(1_000);
  assert(isPicked(balancer, one!), "it is well again, and does not come back");
  ill.add(one!);
  await stage.sleep(1_000);
  const told = "one bad examination since a success, and it is not picked";
  assert(isPicked(balancer, one!), told);
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

// -- Part 4: one request, and its answer --

Deno.test(check("serve() passes on a request, and its answer", {
  reveals: [
    "hop-by-hop-forwarded",
    "forwarded-for-lost",
    "proxy-closes-client",
    "pool-never-reuses",
    "timer-leak",
    "leaked-conn",
  ],
}, async (stage) => {
  const one = await upstream(stage, "one", async (actor, { target }) => {
    const fields = "Connection: Keep-Alive, X-Hop\r\nX-Hop: 1\r\nX-Kept: 2\r\n";
    const body = `you asked for ${target}`;
    await actor.send(`HTTP/1.1 404 Not Found\r\n${fields}${sized(body)}`);
  });
  serving(stage, [one], { failAfter: 1 });
  const ann = await stage.connect("ann");
  const fields =
    "Host: a.example\r\nX-Kept: 1\r\nConnection: X-Hop\r\nX-Hop: 2";

  for (const target of ["/one", "/two?three=4"]) {
    await ann.send(`GET ${target} HTTP/1.1\r\n${fields}\r\n\r\n`);
    const answer = await answerOf(ann);
    const told = answer.status === 503
      ? "404 is an answer, and no failure of its upstream"
      : `the answer to GET ${target}`;
    assertEquals(answer.status, 404, told);
    assertEquals(text(answer.body), `you asked for ${target}`);
    assertEquals(answer.fields.get("x-kept"), "2");
    assertEquals(answer.fields.get("x-hop"), undefined, "X-Hop in the answer");
    await stage.sleep(5); // Its connection may come back a moment later.
  }

  for (const { line, fields } of one.got) {
    assert(/^GET \/(one|two\?three=4) HTTP\/1.1$/.test(line), line);
    assertEquals(fields.get("host"), "a.example", "Host");
    assertEquals(fields.get("x-kept"), "1", "X-Kept in the request");
    assertEquals(fields.get("x-hop"), undefined, "X-Hop in the request");
    const asks = fields.get("x-forwarded-for");
    assertEquals(asks, "127.0.0.1", "X-Forwarded-For");
  }
  assertEquals(one.conns, 1, "two requests, and so many connections");
}));

Deno.test(check("serve() passes bodies on, however they end", {
  reveals: ["proxy-framing-lost"],
}, async (stage) => {
  const one = await upstream(stage, "one", async (actor, { target, body }) => {
    const head = "HTTP/1.1 200 OK\r\n";
    const chunks = `5\r\n${text(body).slice(0, 5)}\r\n7\r\n there!\r\n`;
    const chunked = `Transfer-Encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`;
    const answers: Record<string, string> = {
      "/length": head + sized(text(body)),
      "/chunks": head + chunked,
      "/head": `${head}Content-Length: 1000\r\n\r\n`,
      "/nothing": "HTTP/1.1 204 No Content\r\n\r\n",
      "/same": "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
    };
    await actor.send(answers[target] ?? `${head}\r\nuntil the end`);
    if (target === "/end") actor.close();
  });
  serving(stage, [one]);
  const ann = await stage.connect("ann");
  const chunks = "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
  const requests: [string, string, string, string][] = [
    ["POST /length", "Content-Length: 5\r\n\r\nhello", "hello", "hello"],
    ["PUT /length", "Content-Length: 0\r\n\r\n", "", ""],
    ["POST /chunks", chunks, "hello", "hello there!"],
    ["POST /length", chunks, "hello", "hello"],
    ["GET /length", "Content-Length: 5\r\n\r\nhello", "hello", "hello"],
    ["HEAD /head", "\r\n", "", ""],
    ["GET /nothing", "\r\n", "", ""],
    ["GET /same", "\r\n", "", ""],
    ["GET /end", "\r\n", "", "until the end"],
    ["POST /length", "Content-Length: 4\r\n\r\nlast", "last", "last"],
  ];

  for (const [line, rest, sent, wanted] of requests) {
    const request = `${line} HTTP/1.1\r\nHost: a\r\n${rest}`;
    await ann.sendInPieces(request.match(/[^]{1,40}/g)!);
    const { body, fields } = await answerOf(ann, line);
    assertBytes(body, wanted, `the body of the answer to ${line}`);
    assertBytes(one.got.at(-1)!.body, sent, `the body of ${line}`);
    if (!line.startsWith("HEAD")) continue;
    assertEquals(fields.get("content-length"), "1000", "the length for HEAD");
  }
}));

Deno.test(
  check("serve() answers requests that come together", async (stage) => {
    const one = await upstream(stage, "one", async (actor, { target }) => {
      await actor.send(`HTTP/1.1 200 OK\r\n${sized(target)}`);
    });
    serving(stage, [one]);
    const ann = await stage.connect("ann");
    const targets = ["/one", "/two", "/three"];

    const asked = targets.map((target) =>
      `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`
    );
    await ann.send(asked.join("")); // She does not wait for the first answer.
    for (const target of targets) {
      const { body } = await answerOf(ann);
      assertEquals(text(body), target, `the answer to GET ${target}`);
    }
  }),
);

Deno.test(check("serve() asks nothing where the upstream wants to end", {
  reveals: ["upstream-close-ignored"],
}, async (stage) => {
  const ends: Record<string, string> = {
    "/close": "HTTP/1.1 200 OK\r\nConnection: close\r\n",
    "/old": "HTTP/1.0 200 OK\r\n", // Which ends where nobody says otherwise.
  };
  const one = await upstream(stage, "one", async (actor, { target }) => {
    await actor.send(ends[target] + sized("well"));
  });
  serving(stage, [one]);
  const ann = await stage.connect("ann");

  for (const [target, said] of Object.entries(ends)) {
    for (let i = 0; i < 2; i++) {
      await ann.send(`GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`);
      assertEquals((await answerOf(ann)).status, 200);
      await stage.sleep(5); // Its connection may come back a moment later.
    }
    const { nth } = one.got.at(-1)!;
    const head = said.trimEnd().replace("\r\n", ", ");
    const told = `one said that it ends (${head}), and was asked there again`;
    assert(nth === 1, told);
  }
}));

Deno.test(check("serve() brings old clients nothing new", {
  reveals: ["proxy-framing-lost"],
}, async (stage) => {
  const one = await upstream(stage, "one", async (actor) => {
    await actor.send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
    const fields = "Transfer-Encoding: chunked\r\n\r\n";
    await actor.send(`HTTP/1.1 200 OK\r\n${fields}5\r\nhello\r\n0\r\n\r\n`);
  });
  serving(stage, [one]);
  const old = await stage.connect("old");

  await old.send("GET / HTTP/1.0\r\n\r\n");
  const [head, body] = text(await old.receiveAll()).split("\r\n\r\n");

  const told = `HTTP/1.0 has no 1xx, and old got ${head}`;
  assert(!/^HTTP\/1.1 1/.test(head!), told);
  assert(!/transfer-encoding/i.test(head!), `the answer begins with ${head}`);
  assertEquals(body, "hello");
}));

Deno.test(check("serve() brings an answer that comes before the body has", {
  reveals: ["http-answer-waits", "no-lingering-close"],
}, async (stage) => {
  const one = await upstream(stage, "one", async (actor) => {
    await actor.send(`HTTP/1.1 413 Too Large\r\n${sized("no room")}`);
    await actor.receiveAll();
  }, { body: false });
  serving(stage, [one]);
  const ann = await stage.connect("ann");

  await ann.send(post("Content-Length: 9000000\r\n") + "x".repeat(50_000));
  const { status, body } = await answerOf(ann);
  assert(status === 413, `one has answered at once, and ann got ${status}`);
  assertEquals(text(body), "no room");
  await ann.send("x".repeat(200_000));
  await ann.closeWrite();
  await ann.receiveAll();
}));

Deno.test(check("serve() asks nothing in the middle of an upload", {
  reveals: ["upload-goes-on"],
}, async (stage) => {
  let rest = "";
  const one = await upstream(stage, "one", async (actor, { line }) => {
    if (line.startsWith("GET")) return await sayWell(actor);
    await actor.receives("x".repeat(100));
    await actor.send(`HTTP/1.1 413 Too Large\r\n${sized("no room")}`);
    rest = text(await actor.receiveAll());
  }, { body: false });
  serving(stage, [one], { timeoutMs: 4_000 });
  const ann = await stage.connect("ann");
  const bob = await stage.connect("bob");

  await ann.send(post("Content-Length: 9000\r\n") + "x".repeat(100));
  assertEquals((await answerOf(ann)).status, 413);
  await bob.send("GET /bob HTTP/1.1\r\nHost: a\r\n\r\n");
  const { status } = await answerOf(bob);
  ann.close();
  await stage.sleep(5);

  const told = "ann's body was not at its end, and one got GET /bob inside it";
  assert(!rest.includes("GET /bob"), told);
  assertEquals(status, 200, "the answer to GET /bob");
}));

Deno.test(check("serve() lets client and upstream agree to go on", {
  reveals: ["http-expect", "hop-by-hop-forwarded"],
}, async (stage) => {
  const one = await stage.listen("one");
  serving(stage, [one]);
  const ann = await stage.connect("ann");

  await ann.send(post("Content-Length: 5\r\nExpect: 100-continue\r\n"));
  const actor = await one.accept();
  const head = text(await actor.receiveUntil("\r\n\r\n"));
  if (/\r\nexpect: *100-continue\r\n/i.test(head)) {
    await actor.send("HTTP/1.1 100 Continue\r\n\r\n");
  }
  const told = text(await ann.receiveUntil("\r\n\r\n"));
  assert(told.startsWith("HTTP/1.1 100 "), `ann was told ${told}`);
  await ann.send("hello");
  await actor.receives("hello");
  const hints = "Link: </a>\r\nConnection: X-Hop\r\nX-Hop: 1\r\n\r\n";
  await actor.send(`HTTP/1.1 103 Early Hints\r\n${hints}`);
  const { line, fields } = await headOf(ann);
  assert(line.startsWith("HTTP/1.1 103 "), `one said 103, and ann got ${line}`);
  assertEquals(fields.get("link"), "</a>", "Link in the 103");
  assertEquals(fields.get("x-hop"), undefined, "X-Hop in the 103");
  await actor.send(`HTTP/1.1 200 OK\r\n${sized("thanks")}`);
  assertEquals(text((await answerOf(ann)).body), "thanks");
}));

Deno.test(check("serve() passes pieces on before the rest has come", {
  reveals: ["proxy-buffers"],
}, async (stage) => {
  const one = await stage.listen("one");
  serving(stage, [one]);
  const ann = await stage.connect("ann");
  const chunked = "Transfer-Encoding: chunked\r\n\r\n";

  await ann.send(`POST / HTTP/1.1\r\nHost: a\r\n${chunked}5\r\nhello\r\n`);
  const actor = await one.accept();
  await actor.receiveUntil("\r\n\r\n");
  assertBytes(await dataOf(actor, 5), "hello", "what has reached one");
  await actor.send(`HTTP/1.1 200 OK\r\n${chunked}2\r\nhi\r\n`);
  await ann.receiveUntil("\r\n\r\n");
  assertBytes(await dataOf(ann, 2), "hi", "what has reached ann");
  await ann.send("3\r\nann\r\n0\r\n\r\n");
  assertBytes(await dataOf(actor, 3), "ann", "what has reached one");
  await actor.send("3\r\none\r\n0\r\n\r\n");
  assertBytes(await dataOf(ann, 3), "one", "what has reached ann");
}));

Deno.test(check("serve() passes on a large body, up and down", {
  reveals: ["ignore-write-count", "proxy-framing-lost"],
}, async (stage) => {
  const book = stage.random.bytes(200_000);
  const length = `Content-Length: ${book.length}\r\n`;
  const one = await upstream(stage, "one", async (actor, { body }) => {
    const head = new TextEncoder().encode(`HTTP/1.1 200 OK\r\n${length}\r\n`);
    await actor.send(concat([head, body]));
  });
  serving(stage, [one]);
  const ann = await stage.connect("ann");

  const head = new TextEncoder().encode(post(length));
  const sending = ann.send(concat([head, book]));
  const { body } = await answerOf(ann);
  await sending;

  assertBytes(body, book, "the book that came back");
}));

Deno.test(check("serve() reads no faster than a client does", {
  reveals: ["unbounded-outbox"],
  only: "simulated", // A kernel's buffers grow.
}, async (stage) => {
  let sent = 0;
  const one = await upstream(stage, "one", async (actor) => {
    await actor.send("HTTP/1.1 200 OK\r\nContent-Length: 26214400\r\n\r\n");
    for (; sent < 400; sent++) await actor.send(new Uint8Array(65_536));
  });
  serving(stage, [one]);
  const ann = await stage.connect("ann");

  await ann.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  await ann.receives("HTTP/1.1 200");
  await stage.sleep(50); // She reads no further.

  assert(sent < 250, `${sent} of 400 pages have left, and are in memory`);
}));

Deno.test(check("serve() refuses what is unclear, and passes none of it on", {
  reveals: ["http-reads-on", "proxy-forwards-unclear"],
  only: "simulated",
}, async (stage) => {
  const one = await upstream(stage, "one", sayWell, { body: false });
  serving(stage, [one]);

  for (const [name, lines] of Object.entries(UNCLEAR)) {
    const ann = await stage.connect("ann");
    await ann.send(`POST /unclear HTTP/1.1\r\nHost: a\r\n${lines}${SMUGGLED}`);
    const { status } = await answerOf(ann);
    const passed = one.got.filter(({ target }) => target !== "/smuggled");
    const told = `one was asked for ${passed[0]?.line}, with ${name}`;
    assert(passed.length === 0, told);
    // For an unknown coding there is a status of its own (RFC 9112, 6.1).
    const other = name.includes("coding") && status === 501;
    assertEquals(status, other ? 501 : 400, `the answer to ${name}`);
    await ann.receivesEnd();
    assert(one.got.length === 0, `GET /smuggled was run, behind ${name}`);
  }
}));

// -- Part 5: when something fails --

Deno.test(check("serve() asks another upstream if one is not there", {
  reveals: ["upstream-error-escapes", "no-retry"],
}, async (stage) => {
  const two = await upstream(stage, "two", async (actor, { line }) => {
    const head = "HTTP/1.1 200 OK\r\n";
    const none = line.startsWith("HEAD");
    await actor.send(
      head + (none ? "Content-Length: 4\r\n\r\n" : sized("well")),
    );
  });
  const nobody = await stage.listen("nobody", { willClose: true });
  nobody.close();
  serving(stage, [nobody, two], { failAfter: 100 });
  const ann = await stage.connect("ann");

  for (const method of ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]) {
    await ann.send(`${method} / HTTP/1.1\r\nHost: a\r\n\r\n`);
    const { status } = await answerOf(ann, method);
    assertEquals(status, 200, `the answer to ${method}, with two at hand`);
  }
}));

Deno.test(check("serve() leaves an upstream alone that has failed", {
  reveals: ["health-ignored", "no-retry", "upstream-error-escapes"],
}, async (stage) => {
  const sick = await upstream(stage, "sick", hangUp);
  const well = await upstream(stage, "well");
  serving(stage, [sick, well], { failAfter: 2 });
  const ann = await stage.connect("ann");

  for (let i = 0; i < 6; i++) {
    await ann.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    const { status } = await answerOf(ann);
    assertEquals(status, 200, "the answer to GET, with well at hand");
  }
  const tries = sick.got.length;
  assert(tries === 2, `sick was tried ${tries} times, and failAfter is 2`);
}));

Deno.test(check("serve() leaves one alone that always stops in the middle", {
  reveals: ["health-ignored"],
  only: "simulated",
}, async (stage) => {
  const sick = await upstream(stage, "sick", async (actor) => {
    await actor.send(
      "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nonly a part",
    );
    actor.close();
  });
  const well = await upstream(stage, "well");
  serving(stage, [sick, well], { failAfter: 2 });

  for (let i = 0; i < 6; i++) {
    const ann = await stage.connect("ann");
    await ann.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    await ann.receiveAll(); // From sick, it is a part.
    ann.close();
  }
  const tries = sick.got.length;
  assert(tries === 2, `sick broke off ${tries} times, and failAfter is 2`);
}));

Deno.test(check("serve() asks again elsewhere, if it can", {
  reveals: ["balance-picks-again", "no-retry"],
}, async (stage) => {
  const sick = await upstream(stage, "sick", hangUp);
  const well = await upstream(stage, "well", async (actor, { target }) => {
    if (target === "/long") return void await actor.receiveAll();
    await sayWell(actor);
  });
  serving(stage, [sick, well], { failAfter: 100 });
  const bob = await stage.connect("bob");
  const ann = await stage.connect("ann");

  await bob.send("GET /long HTTP/1.1\r\nHost: a\r\n\r\n");
  await until(stage, () => well.got.length > 0);
  if (well.got.length === 0) {
    const { status } = await answerOf(bob);
    assertEquals(status, 200, "the answer to GET /long, with well at hand");
  }
  const before = sick.got.length;
  await ann.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n"); // Sick has less to do.
  const { status } = await answerOf(ann);
  const tries = sick.got.length - before;
  assert(tries < 2, "sick had failed, and was asked again, and not well");
  assertEquals(status, 200, "the answer to GET, with well at hand");
}));

Deno.test(check("serve() asks again if a kept connection has just ended", {
  reveals: ["idle-pool-race", "retry-non-idempotent", "upstream-error-escapes"],
}, async (stage) => {
  const both = Promise.withResolvers<void>();
  // It closes a connection that is asked a second time: the request and the
  // end have met on their way.
  const one = await upstream(stage, "one", async (actor, request) => {
    if (request.nth > 1) return actor.close();
    if (one.got.length > 1) both.resolve();
    await both.promise;
    await actor.send(`HTTP/1.1 200 OK\r\n${sized("well")}`);
  });
  serving(stage, [one], { failAfter: 1 });
  const [ann, bob] = [await stage.connect("ann"), await stage.connect("bob")];
  for (const client of [ann, bob]) {
    await client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  }
  await Promise.all([answerOf(ann), answerOf(bob)]); // Two are kept now.

  for (const method of ["GET", "GET", "DELETE"]) {
    await ann.send(`${method} / HTTP/1.1\r\nHost: a\r\n\r\n`);
    const { status } = await answerOf(ann);
    const told = status === 503
      ? "a kept connection may end; that is no failure of its upstream"
      : `the answer to ${method}`;
    assertEquals(status, 200, told);
  }
  await ann.send(post("Content-Length: 5\r\n") + "hello");
  await answerOf(ann);
  const posts = one.got.filter(({ line }) => line.startsWith("POST")).length;
  assert(
    posts <= 1,
    `POST was sent ${posts} times, and nobody knows its effect`,
  );
}));

Deno.test(check("serve() does nothing twice that must be done once", {
  reveals: ["retry-non-idempotent", "upstream-error-escapes"],
}, async (stage) => {
  const one = await upstream(stage, "one", hangUp);
  const two = await upstream(stage, "two", hangUp);
  serving(stage, [one, two], { retries: 3, failAfter: 100 });

  for (
    const [method, body] of [
      ["POST", "\r\n"],
      ["POST", sized("hello")],
      ["PATCH", "\r\n"],
    ]
  ) {
    const before = one.got.length + two.got.length;
    const ann = await stage.connect("ann");
    await ann.send(`${method} / HTTP/1.1\r\nHost: a\r\n${body}`);
    const { status } = await answerOf(ann);
    const times = one.got.length + two.got.length - before;
    const told = `${method} was sent ${times} times`;
    assert(times <= 1, `${told}, and nobody knows its effect`);
    assertEquals(status, 502, `the answer to ${method}`);
  }
}));

Deno.test(check("serve() sends no part of a request for the whole", {
  reveals: ["retry-without-body", "upstream-error-escapes"],
}, async (stage) => {
  const sick = await upstream(stage, "sick", hangUp);
  const well = await upstream(stage, "well", async (actor, { body }) => {
    const told = `well was sent ${body.length} of 5 bytes, after sick was`;
    assert(body.length === 5, told);
    await actor.send(`HTTP/1.1 200 OK\r\n${sized("well")}`);
  });
  serving(stage, [sick, well]);
  const bodies = [
    "Content-Length: 5\r\n\r\nhello",
    "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
  ];

  for (const body of [...bodies, ...bodies]) {
    const ann = await stage.connect("ann");
    await ann.send(`PUT / HTTP/1.1\r\nHost: a\r\n${body}`);
    const { status } = await answerOf(ann);
    assert([200, 502].includes(status), `PUT was answered with ${status}`);
  }
}));

Deno.test(check("serve() asks no more often than retries says", {
  reveals: ["retry-storm", "no-retry", "upstream-error-escapes"],
  only: "simulated",
}, async (stage) => {
  const names = ["one", "two", "three", "four"];
  const sick = await Promise.all(
    names.map((name) => upstream(stage, name, hangUp)),
  );
  serving(stage, sick, { retries: 2, failAfter: 100 });
  const ann = await stage.connect("ann");

  await ann.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const { status } = await answerOf(ann);
  const tries = sick.map(({ got }) => got.length);
  const all = tries.reduce((sum, n) => sum + n);
  const told = `the upstreams were asked ${tries} times`;
  assert(all <= 3, `${told}, more often than once and 2 retries`);
  assert(all === 3, `${told}, fewer times than once and 2 retries`);
  assertEquals(status, 502);
}));

Deno.test(check("serve() takes no part of an answer for the whole", {
  reveals: ["proxy-false-whole"],
}, async (stage) => {
  const begun: Record<string, string> = {
    "/length": "Content-Length: 1000\r\n\r\nonly a part",
    "/chunks": "Transfer-Encoding: chunked\r\n\r\nb\r\nonly a part\r\n",
    "/chunk": "Transfer-Encoding: chunked\r\n\r\n10\r\nonly a part",
  };
  const one = await upstream(stage, "one", async (actor, { target }) => {
    await actor.send(`HTTP/1.1 200 OK\r\n${begun[target]}`);
    actor.close();
  });
  serving(stage, [one], { failAfter: 100 });

  for (const target of Object.keys(begun)) {
    const ann = await stage.connect("ann");
    await ann.send(`GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`);
    const came = text(await ann.receiveAll());
    const told = `one sent a part of ${target}, and ann got a whole: ${came}`;
    assert(!isWhole(came) || came.startsWith("HTTP/1.1 502"), told);
  }
}));

Deno.test(check("serve() takes no part of a request for the whole", {
  reveals: ["proxy-false-whole", "client-gone-goes-on"],
}, async (stage) => {
  const one = await stage.listen("one");
  serving(stage, [one]);
  const chunked = "Transfer-Encoding: chunked\r\n";

  for (const rest of ["", "no size\r\n"]) {
    const ann = await stage.connect("ann");
    await ann.send(post(chunked) + "5\r\nhello\r\n");
    const actor = await one.accept();
    await actor.receiveUntil("\r\n\r\n");
    assertBytes(await dataOf(actor, 5), "hello", "what has reached one");
    await ann.send(rest);
    await ann.closeWrite();
    const came = text(await actor.receiveAll());
    const told = `ann sent a part, and one got a whole: hello, then ${came}`;
    assert(came === "", told);
    await ann.receiveAll();
    ann.close();
  }
}));

Deno.test(check("serve() adds nothing to an answer that has broken off", {
  reveals: ["pool-place-lost", "proxy-lies"],
  only: "simulated",
}, async (stage) => {
  const begun = "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nonly a part";
  const sick = await upstream(stage, "sick", async (actor) => {
    await actor.send(begun);
    actor.close();
  });
  const well = await upstream(stage, "well");
  serving(stage, [sick, well], { failAfter: 100, maxPerUpstream: 1 });

  for (let i = 0; i < 4; i++) {
    const ann = await stage.connect("ann");
    await ann.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    const came = text(await ann.receiveAll());
    const lost = "sick has broken off before, and ann waited in vain";
    assert(stage.now < 10_000, lost);
    const body = bodyIn(came);
    const both = body.includes("only a part") && !body.endsWith("only a part");
    assert(!both, `GET / was answered: ${came}`);
  }
}));

Deno.test(check("serve() says 502 for what is no answer", {
  reveals: ["upstream-error-escapes"],
}, async (stage) => {
  const wrong = [
    "220 mail.example ESMTP\r\n",
    "HTTP/2 200 OK\r\n\r\n",
    "HTTP/1.1 200 OK\r\nno field\r\n\r\n",
    "\0".repeat(20_000),
    "HTTP/1.1 200 OK\r\nX: 1", // And then the end.
  ];

  let said = "";
  const one = await upstream(stage, "one", async (actor) => {
    await actor.send(said);
    actor.close();
  });
  serving(stage, [one], { failAfter: 100 });

  for (const bytes of wrong) {
    said = bytes;
    const ann = await stage.connect("ann");
    await ann.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    const { status } = await answerOf(ann);
    assertEquals(status, 502, `the answer when one says ${bytes.slice(0, 30)}`);
  }
}));

Deno.test(check("serve() answers HEAD with a head alone", async (stage) => {
  const one = await upstream(stage, "one", async (actor, { target }) => {
    if (target === "/dead") return hangUp(actor);
    await actor.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n");
  });
  serving(stage, [one], { failAfter: 100 });

  for (const target of ["/well", "/dead"]) {
    const ann = await stage.connect("ann");
    const fields = "Host: a\r\nConnection: close\r\n\r\n";
    await ann.send(`HEAD ${target} HTTP/1.1\r\n${fields}`);
    const came = text(await ann.receiveAll());
    const [head, ...body] = came.split("\r\n\r\n");
    const told = `ann asked for the head of ${target}, and got ${head}`;
    assertEquals(body.join("\r\n\r\n"), "", `the body, where ${told}`);
  }
}));

Deno.test(check("serve() passes on no answer that is unclear", {
  reveals: ["upstream-error-escapes"],
  only: "simulated",
}, async (stage) => {
  let said = "";
  const one = await upstream(stage, "one", async (actor) => {
    await actor.send(`HTTP/1.1 200 OK\r\n${said}\r\nhello`);
  });
  serving(stage, [one], { failAfter: 100 });
  const unclear = [
    "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
    "Content-Length: 5\r\nContent-Length: 6\r\n",
    "Content-Length: 5x\r\n",
    "Content-Length : 5\r\n",
    "X: a\r\n folded\r\n",
  ];

  for (const lines of unclear) {
    said = lines;
    const ann = await stage.connect("ann");
    await ann.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    const { status } = await answerOf(ann);
    assertEquals(status, 502, `the answer where the upstream says ${lines}`);
  }
}));

Deno.test(check("serve() says 504 for an upstream that is too slow", {
  reveals: [
    "retry-after-timeout",
    "no-deadline",
    "upstream-error-escapes",
    "pool-place-lost",
    "proxy-lies",
  ],
  only: "simulated",
}, async (stage) => {
  const one = await upstream(stage, "one", async (actor, { target }) => {
    if (target === "/late") await stage.sleep(1_500);
    await actor.send(`HTTP/1.1 200 OK\r\n${sized(target)}`);
  });
  const limits = { timeoutMs: 1_000, failAfter: 100, maxPerUpstream: 1 };
  serving(stage, [one], limits);
  const ann = await stage.connect("ann");

  await ann.send("GET /late HTTP/1.1\r\nHost: a\r\n\r\n");
  const { status } = await answerOf(ann);
  const asked = `one was asked ${one.got.length} times, within 2 timeouts`;
  assert(one.got.length === 1, asked);
  const ms = Math.round(stage.now);
  assert(
    ms <= 1_200,
    `one's answer was awaited ${ms - 1_000} ms after its deadline`,
  );
  assertEquals(status, 504, "the answer for one that is too slow");
  await stage.sleep(1_000); // What comes late is nobody's answer.
  const bob = await stage.connect("bob");
  await bob.send("GET /next HTTP/1.1\r\nHost: a\r\n\r\n");
  const before = stage.now;
  const body = text((await answerOf(bob)).body);
  const lost = "one was slow once, and bob, who came later, waited in vain";
  assert(stage.now - before < 1_000, lost);
  assert(body === "/next", `GET /next was answered: ${body}`);
}));

Deno.test(check("serve() waits timeoutMs for a connection", {
  reveals: ["retry-after-timeout", "no-deadline", "upstream-error-escapes"],
  only: "simulated", // How many fit into a full queue differs from OS to OS.
}, async (stage) => {
  const one = await stage.listen("one", { tcpBacklog: 0 });
  await stage.connect("filler", one.addr); // It takes the only place.
  serving(stage, [one], { timeoutMs: 1_000 });
  const ann = await stage.connect("ann");

  await ann.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const { status } = await answerOf(ann);
  const late = `${took(stage)}, and one lets nobody in`;
  assert(stage.now <= 1_200, late);
  assertEquals(status, 504, "the answer where one lets nobody in");
}));

Deno.test(check("serve() waits timeoutMs for a head, however it drips", {
  reveals: ["no-deadline", "per-read-only"],
  only: "simulated",
}, async (stage) => {
  const drips: Record<string, string[]> = {
    "/letters": [..."HTTP/1.1 200 OK"],
    "/news": Array(15).fill("HTTP/1.1 102 Processing\r\n\r\n"),
  };
  const one = await upstream(stage, "one", async (actor, { target }) => {
    for (const drip of drips[target]!) {
      await actor.send(drip);
      await stage.sleep(300);
    }
    await actor.receiveAll(); // That was all.
  });
  serving(stage, [one], { timeoutMs: 1_000, failAfter: 100 });

  for (const target of Object.keys(drips)) {
    const ann = await stage.connect("ann");
    const before = stage.now;
    await ann.send(`GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`);
    let line;
    do ({ line } = await headOf(ann)); while (line.startsWith("HTTP/1.1 1"));
    const ms = Math.round(stage.now - before);
    assert(ms <= 1_200, `it took ${ms} ms, and timeoutMs is 1000`);
    assertEquals(line.slice(0, 12), "HTTP/1.1 504", `the answer to ${target}`);
  }
}));

Deno.test(check("serve() is patient with an answer that keeps coming", {
  reveals: ["idle-vs-total"],
  only: "simulated",
}, async (stage) => {
  const one = await upstream(stage, "one", async (actor) => {
    await actor.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n");
    for (const piece of ["ab", "cd", "ef", "gh", "ij"]) {
      await actor.send(piece);
      await stage.sleep(400);
    }
  });
  serving(stage, [one], { timeoutMs: 1_000 });
  const ann = await stage.connect("ann");

  await ann.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const { body } = await answerOf(ann);
  assertBytes(body, "abcdefghij", "the answer to ann");
}));

Deno.test(check("serve() waits timeoutMs for the next piece of an answer", {
  reveals: ["no-deadline"],
  only: "simulated",
}, async (stage) => {
  const one = await upstream(stage, "one", async (actor) => {
    await actor.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    await actor.receiveAll(); // That was all.
  });
  serving(stage, [one], { timeoutMs: 1_000 });
  const ann = await stage.connect("ann");

  await ann.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  await ann.receiveAll(); // A part, and the end.
  assert(stage.now <= 1_200, `${took(stage)}, and ended after its deadline`);
}));

Deno.test(check("serve() blames no upstream for a client that is slow", {
  reveals: ["upstream-clock-runs-on"],
  only: "simulated",
}, async (stage) => {
  const one = await upstream(stage, "one", async (actor, { body }) => {
    await stage.sleep(800);
    await actor.send(`HTTP/1.1 200 OK\r\n${sized(text(body))}`);
  });
  serving(stage, [one], { timeoutMs: 1_000, bodyMs: 2_000 });
  const ann = await stage.connect("ann");

  await ann.send(post("Content-Length: 10\r\n"));
  for (const piece of ["ab", "cd", "ef", "gh", "ij"]) {
    await stage.sleep(300); // 1.5 s in all, and she is within her own limit.
    await ann.send(piece);
  }
  const { status, body } = await answerOf(ann);
  assert(status === 200, `ann was slow, and was answered with ${status}`);
  assertEquals(text(body), "abcdefghij");
}));

Deno.test(check("serve() says 503 while all are unwell, and comes back", {
  reveals: ["health-never-back", "health-ignored", "upstream-error-escapes"],
  only: "simulated",
}, async (stage) => {
  let ill = true;
  const one = await upstream(stage, "one", async (actor) => {
    if (ill) return actor.close();
    await actor.send(`HTTP/1.1 200 OK\r\n${sized("")}`);
  });
  serving(stage, [one], { checkMs: 1_000, failAfter: 2, retries: 0 });
  const get = async () => {
    const ann = await stage.connect("ann");
    await ann.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    return (await answerOf(ann)).status;
  };
  const statuses = [await get(), await get(), await get()];
  assertEquals(statuses, [502, 502, 503], "answers while one is unwell");
  ill = false;
  await stage.sleep(2_100);
  const told = "one has been well for two examinations, and does not come back";
  assert(await get() === 200, told);
}));

Deno.test(check("serve() ends what it does for a client that has left", {
  reveals: ["client-gone-goes-on"],
}, async (stage) => {
  const one = await stage.listen("one");
  serving(stage, [one], { failAfter: 100 });

  const doomed = await stage.connect("doomed", undefined, { canReset: true });
  await doomed.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const waiting = await one.accept();
  await waiting.receiveUntil("\r\n\r\n");
  doomed.reset();
  await hears(stage, waiting.receivesEnd(), "doomed has vanished");

  const bob = await stage.connect("bob", undefined, { canReset: true });
  await bob.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const silent = await one.accept();
  await silent.receiveUntil("\r\n\r\n");
  await silent.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
  await bob.receiveUntil("half"); // The rest may take an hour.
  bob.reset();
  await hears(stage, silent.receivesEnd(), "bob has vanished");

  const cat = await stage.connect("cat", undefined, { canReset: true });
  await cat.send(post("Content-Length: 5\r\n"));
  await stage.sleep(5); // Her body comes later.
  await cat.send("hello");
  const working = await one.accept();
  await working.receiveUntil("hello");
  await stage.sleep(5); // She waits for the answer now, as the others did.
  cat.reset();
  const all = "cat has vanished behind her body";
  await hears(stage, working.receivesEnd(), all);

  const ann = await stage.connect("ann");
  await ann.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const streaming = await one.accept();
  await streaming.receiveUntil("\r\n\r\n");
  await streaming.send("HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n");
  await streaming.send(new Uint8Array(200_000));
  await ann.receives("HTTP/1.1 200");
  ann.close();
  await hears(stage, streaming.receivesEnd(), "ann has left");
}));

Deno.test(check("serve() ends an answer whose client breaks off its body", {
  reveals: ["client-gone-goes-on"],
  only: "simulated",
}, async (stage) => {
  const one = await stage.listen("one");
  serving(stage, [one]);
  const doomed = await stage.connect("doomed", undefined, { canReset: true });

  await doomed.send(post("Content-Length: 9\r\n") + "half");
  const actor = await one.accept();
  await actor.receiveUntil("half");
  await actor.send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
  await doomed.receiveUntil("half"); // There is more to come, both ways.
  doomed.reset();
  await hears(stage, actor.receivesEnd(), "doomed has vanished");
}));

Deno.test(check("serve() asks nothing for a client that has left the queue", {
  only: "simulated",
}, async (stage) => {
  const one = await upstream(stage, "one", async (actor, { target }) => {
    if (target === "/bob") await stage.sleep(500);
    await sayWell(actor);
  });
  serving(stage, [one], { maxPerUpstream: 1 });
  const bob = await stage.connect("bob");
  const doomed = await stage.connect("doomed", undefined, { canReset: true });

  await bob.send("GET /bob HTTP/1.1\r\nHost: a\r\n\r\n");
  await until(stage, () => one.got.length > 0);
  await doomed.send("GET /doomed HTTP/1.1\r\nHost: a\r\n\r\n");
  await stage.sleep(100); // There is no connection for her yet.
  doomed.reset();
  assertEquals((await answerOf(bob)).status, 200);
  await bob.send("GET /next HTTP/1.1\r\nHost: a\r\n\r\n");
  assertEquals((await answerOf(bob)).status, 200);

  const asked = one.got.map(({ target }) => target).join(", ");
  const told = `doomed has left, and one was asked for ${asked}`;
  assert(asked === "/bob, /next", told);
}));

Deno.test(check("serve() ends nothing of others when a client leaves", {
  reveals: ["client-gone-ends-others"],
  only: "simulated",
}, async (stage) => {
  const gone = Promise.withResolvers<void>();
  const one = await upstream(stage, "one", async (actor, { target }) => {
    if (target === "/slow") await gone.promise;
    await sayWell(actor);
  });
  serving(stage, [one]);
  const ann = await stage.connect("ann");
  const bob = await stage.connect("bob");

  await ann.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  assertEquals((await answerOf(ann)).status, 200);
  const length = "Content-Length: 5";
  await bob.send(`POST /slow HTTP/1.1\r\nHost: a\r\n${length}\r\n\r\nhello`);
  await until(stage, () => one.got.length === 2);
  ann.close(); // She had all that she asked for.
  await stage.sleep(20);
  gone.resolve();

  const { status } = await answerOf(bob);
  assert(status === 200, `ann has left, and bob was answered with ${status}`);
}));

Deno.test(check("serve() blames no upstream for clients that have left", {
  reveals: ["client-gone-blamed", "pool-place-lost"],
  only: "simulated",
}, async (stage) => {
  let heard = 0;
  const one = await upstream(stage, "one", async (actor, { target }) => {
    if (target === "/bob") await stage.sleep(500);
    if (["/ann", "/bob"].includes(target)) return await sayWell(actor);
    const begun = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf";
    if (target === "/half") await actor.send(begun);
    await actor.receiveAll();
    heard++;
  });
  serving(stage, [one], { failAfter: 1, maxPerUpstream: 1 });

  for (const [i, target] of ["/none", "/half"].entries()) {
    const doomed = await stage.connect("doomed", undefined, { canReset: true });
    await doomed.send(`GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`);
    if (target === "/half") await doomed.receiveUntil("half");
    else await until(stage, () => one.got.length > 0);
    doomed.reset();
    await until(stage, () => heard > i);

    const ann = await stage.connect("ann");
    await ann.send("GET /ann HTTP/1.1\r\nHost: a\r\n\r\n");
    const before = stage.now;
    const { status } = await answerOf(ann);
    const lost = `doomed has left GET ${target}, and ann waited in vain`;
    assert(stage.now - before < 10_000, lost);
    const told = `doomed has left GET ${target}, and ann was answered with`;
    assert(status === 200, `${told} ${status}`);
  }

  const bob = await stage.connect("bob");
  await bob.send("GET /bob HTTP/1.1\r\nHost: a\r\n\r\n");
  await until(stage, () => one.got.some(({ target }) => target === "/bob"));
  const doomed = await stage.connect("doomed", undefined, { canReset: true });
  await doomed.send("GET /queue HTTP/1.1\r\nHost: a\r\n\r\n");
  await stage.sleep(100); // There is no connection for her yet.
  doomed.reset();
  await stage.sleep(100);
  const ann = await stage.connect("ann");
  await ann.send("GET /ann HTTP/1.1\r\nHost: a\r\n\r\n");
  const { status } = await answerOf(ann);
  const told = "doomed has left GET /queue, and ann was answered with";
  assert(status === 200, `${told} ${status}`);
}));

Deno.test(check("serve() blames no upstream for what a client does wrong", {
  reveals: ["client-fault-blamed"],
  only: "simulated", // A kernel's buffers grow.
}, async (stage) => {
  const one = await upstream(stage, "one", async (actor, { target }) => {
    if (target === "/ann") return await sayWell(actor);
    if (target === "/") return void await actor.receiveAll();
    const length = "Content-Length: 2000000";
    await actor.send(`HTTP/1.1 200 OK\r\n${length}\r\n\r\n`);
    await actor.send(new Uint8Array(2_000_000));
  }, { body: false });
  serving(stage, [one], { failAfter: 1, bodyMs: 1_000 });
  const chunked = "Transfer-Encoding: chunked\r\n";
  const wrong: [string, string][] = [
    ["sent a chunk that is none", post(chunked) + "no size\r\n"],
    ["sent half a body", post("Content-Length: 9\r\n") + "half"],
    ["read nothing", "GET /book HTTP/1.1\r\nHost: a\r\n\r\n"],
  ];

  for (const [what, request] of wrong) {
    const bob = await stage.connect("bob");
    await bob.send(request);
    await stage.sleep(3_000); // He does no more than that.
    const ann = await stage.connect("ann");
    await ann.send("GET /ann HTTP/1.1\r\nHost: a\r\n\r\n");
    const { status } = await answerOf(ann);
    const told = `bob ${what}, and ann was answered with ${status}`;
    assert(status === 200, told);
    bob.close();
  }
}));

Deno.test(check("serve() counts no client that has left as a request", {
  reveals: ["pick-not-reported"],
  only: "simulated",
}, async (stage) => {
  let over = false;
  const answer = async (actor: Actor, { target }: Got) => {
    if (target !== "/long") return await sayWell(actor);
    await actor.receiveAll();
    over = true;
  };
  const one = await upstream(stage, "one", answer);
  const two = await upstream(stage, "two", answer);
  serving(stage, [one, two]);

  const doomed = await stage.connect("doomed", undefined, { canReset: true });
  await doomed.send("GET /long HTTP/1.1\r\nHost: a\r\n\r\n");
  await until(stage, () => one.got.length + two.got.length > 0);
  doomed.reset();
  await until(stage, () => over);
  const before = [one.got.length, two.got.length];

  const ann = await stage.connect("ann");
  for (let i = 0; i < 4; i++) {
    await ann.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assertEquals((await answerOf(ann)).status, 200);
  }
  const shares = [one, two].map(({ got }, i) => got.length - before[i]!);
  const told = `doomed has left, and of 4 requests ${shares.join(" and ")}`;
  assertEquals(shares, [2, 2], `${told} went to one and two`);
}));

// -- Part 6: many clients, and the end --

Deno.test(check("serve() refuses what is too large", {
  reveals: ["proxy-no-limit"],
  only: "simulated",
}, async (stage) => {
  const one = await upstream(stage, "one");
  serving(stage, [one], { maxBody: 1_000 });
  const large: [string, string, number][] = [
    ["a target", `GET /${"a".repeat(10_000)} HTTP/1.1\r\nHost: a\r\n\r\n`, 431],
    [
      "a head",
      `GET / HTTP/1.1\r\nHost: a\r\n${"X: 1\r\n".repeat(3_000)}\r\n`,
      431,
    ],
    ["a length", post("Content-Length: 1001\r\n"), 413],
    ["a chunk", post("Transfer-Encoding: chunked\r\n") + "3e9\r\n", 413],
  ];

  for (const [what, request, wanted] of large) {
    const ann = await stage.connect("ann");
    await ann.send(request);
    const { status } = await answerOf(ann);
    // A target has a status of its own, too (RFC 9110, 15.5.15).
    const other = what === "a target" && status === 414;
    assertEquals(
      status,
      other ? 414 : wanted,
      `the answer to ${what}, too large`,
    );
    await ann.receivesEnd();
  }
}));

Deno.test(check("serve() waits headMs for a head, and bodyMs for a body", {
  reveals: ["no-deadline", "per-read-only", "idle-vs-total"],
  only: "simulated",
}, async (stage) => {
  const one = await upstream(stage, "one");
  serving(stage, [one], { headMs: 1_000, bodyMs: 1_000, timeoutMs: 60_000 });

  for (const begun of ["", "GET / HT", post("Content-Length: 1000\r\n")]) {
    const before = stage.now;
    const ann = await stage.connect("ann");
    await ann.send(begun);
    const drops = begun === "" ? 0 : 3;
    for (let i = 0; i < drops; i++) {
      await stage.sleep(300);
      await ann.send("x");
    }
    const came = text(await ann.receiveAll()); // A 408, or nothing.
    const [blamed] = came.match(/^HTTP\/1.1 5../) ?? [];
    assertEquals(blamed, undefined, "the answer to ann, who was too slow");
    assert(stage.now - before <= 1_300, took(stage));
  }

  const dan = await stage.connect("dan");
  const came = stage.now;
  await stage.sleep(800); // A head has one second, and this is a part of it.
  await dan.send("G");
  await stage.sleep(150);
  await dan.send("E");
  await dan.receiveAll();
  const ms = Math.round(stage.now - came);
  assert(ms <= 1_300, `from his coming dan's head took ${ms} ms, headMs: 1000`);

  const bob = await stage.connect("bob");
  for (let i = 0; i < 2; i++) {
    await bob.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assertEquals((await answerOf(bob)).status, 200);
  }
  const before = stage.now;
  await bob.receiveAll(); // He asks for nothing more.
  assert(stage.now - before <= 1_300, took(stage));

  const cat = await stage.connect("cat");
  await cat.send(post("Content-Length: 1500\r\n"));
  for (let i = 0; i < 3; i++) {
    await stage.sleep(600); // Each byte earns 1 ms of it back.
    await cat.send(new Uint8Array(500));
  }
  assertEquals((await answerOf(cat)).status, 200, "the answer to cat");
}));

Deno.test(check("serve() waits no longer than bodyMs for a client to read", {
  reveals: ["no-deadline"],
  only: "simulated", // A kernel's buffers grow.
}, async (stage) => {
  const one = await upstream(stage, "one", async (actor) => {
    const length = "Content-Length: 2000000";
    await actor.send(`HTTP/1.1 200 OK\r\n${length}\r\n\r\n`);
    await actor.send(new Uint8Array(2_000_000));
  });
  serving(stage, [one], { bodyMs: 1_000 });
  const ann = await stage.connect("ann");

  await ann.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  await ann.receives("HTTP/1.1 200"); // She reads no further.
  await stage.sleep(5_000);

  const open = connections(stage);
  const late = "ann does not read, and 4 s after its deadline (bodyMs)";
  assert(open === 0, `${late} ${open} connections are open`);
}));

Deno.test(check("serve() lingers no longer than lingerMs", {
  reveals: ["no-deadline", "per-read-only"],
  only: "simulated",
}, async (stage) => {
  const one = await upstream(stage, "one", async (actor) => {
    await actor.send(`HTTP/1.1 413 Too Large\r\n${sized("no room")}`);
    await actor.receiveAll();
  }, { body: false });
  serving(stage, [one], { lingerMs: 1_000 });
  const ann = await stage.connect("ann");

  await ann.send(post("Content-Length: five\r\n")); // No upstream sees that.
  assertEquals((await answerOf(ann)).status, 400);
  await ann.receivesEnd(); // And she does not end.
  await stage.sleep(5_000);
  const late = "ann does not end, and 4 s after its deadline (lingerMs)";
  assert(connections(stage) === 0, `${late} her connection is open`);

  const cat = await stage.connect("cat");
  await cat.send(post("Content-Length: five\r\n"));
  assertEquals((await answerOf(cat)).status, 400);
  await cat.receivesEnd();
  for (let i = 0; i < 3; i++) {
    await stage.sleep(300);
    await cat.send("x");
  }
  await stage.sleep(500);
  const drips = "cat goes on sending, and her connection is open 1.4 s";
  const held = `${drips} after her answer (lingerMs: 1000)`;
  assert(connections(stage) === 0, held);

  const bob = await stage.connect("bob");
  await bob.send(
    post("Transfer-Encoding: chunked\r\n") + "5\r\nhello\r\n",
  );
  assertEquals((await answerOf(bob)).status, 413);
  await bob.receivesEnd();
  await bob.send("0\r\n\r\n"); // That was all of his body.
  await stage.sleep(5_000);
  const still =
    "bob's upload has ended, he has not, and 4 s after its deadline";
  const open = `${still} (lingerMs) his connection is open`;
  assert(connections(stage) === 0, open);
}));

Deno.test(check("serve() has room for maxConns, and tells the others", {
  reveals: ["unlimited-clients", "no-lingering-close"],
}, async (stage) => {
  const one = await upstream(stage, "one");
  serving(stage, [one], { maxConns: 2 });
  const get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  const inside = [await stage.connect("ann"), await stage.connect("bob")];

  for (const client of inside) {
    await client.send(get);
    assertEquals((await answerOf(client)).status, 200);
  }
  const cat = await stage.connect("cat");
  await cat.send(get);
  assertEquals((await answerOf(cat)).status, 503, "the answer to cat");
  await cat.receivesEnd();
  const [ann, bob] = inside;
  await ann!.closeWrite();
  await ann!.receivesEnd();
  await bob!.send(get);
  assertEquals((await answerOf(bob!)).status, 200, "the answer to bob");
  await stage.sleep(1); // A stream may tell of ann's end a little later.
  const dan = await stage.connect("dan");
  await dan.send(get);
  const told = "the answer to dan, after ann has left";
  assertEquals((await answerOf(dan)).status, 200, told);
}));

Deno.test(check("serve() finishes its answers before it ends", {
  reveals: [
    "pool-close-leaves",
    "no-drain-on-shutdown",
    "shutdown-waits-forever",
  ],
}, async (stage) => {
  const one = await stage.listen("one");
  const { listener, running, controller } = stoppable(stage, [one]);
  const idle = await stage.connect("idle", listener);
  const ann = await stage.connect("ann", listener);
  await idle.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const actor = await one.accept();
  await actor.receiveUntil("\r\n\r\n");
  await actor.send(`HTTP/1.1 200 OK\r\n${sized("the first one")}`);
  await answerOf(idle); // She asks for nothing more.
  await stage.sleep(5); // Its connection may come back a moment later.
  await ann.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  await actor.receiveUntil("\r\n\r\n");
  const bob = await stage.connect("bob", listener);
  await bob.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const other = await one.accept();
  await other.receiveUntil("\r\n\r\n");
  await other.send(`HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf`);
  await bob.receiveUntil("half");
  const cat = await stage.connect("cat", listener);
  await cat.send("GET / HT");
  await stage.sleep(5); // That has come, and asks for nothing yet.

  controller.abort();
  await idle.receivesEnd();
  await cat.receiveAll();
  assert(stage.now < 4_000, took(stage));
  await stage.refuses("late", listener);
  await actor.send(`HTTP/1.1 200 OK\r\n${sized("the last one")}`);

  const { body } = await answerOf(ann);
  assertEquals(text(body), "the last one");
  await ann.receivesEnd();
  ann.close();
  await bob.send("GET /more HTTP/1.1\r\nHost: a\r\n\r\n"); // It is too late.
  await other.send(" done");
  await bob.receives(" done");
  await bob.receivesEnd();
  bob.close();
  assert(stage.now < 4_000, took(stage));
  await running.result;
  await stage.sleep(5); // What closes a moment later is closed, too.
  const left = `serve() has ended, and has left ${connections(stage)} open`;
  assert(connections(stage) === 0, left);
  await actor.receivesEnd();
  assert(stage.now < 4_000, took(stage));
}));

Deno.test(check("serve() gives up on an answer after graceMs", {
  reveals: ["shutdown-waits-forever", "no-drain-on-shutdown"],
  only: "simulated",
}, async (stage) => {
  const one = await stage.listen("one");
  const { listener, running, controller } = stoppable(stage, [one], {
    graceMs: 1_000,
    timeoutMs: 60_000,
  });
  const ann = await stage.connect("ann", listener);
  await ann.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const actor = await one.accept();
  await actor.receiveUntil("\r\n\r\n");

  const before = stage.now;
  controller.abort();
  await stage.sleep(900);
  assert(!running.settled, "serve() did not wait for the answer");
  await running.result;
  const waited = `it took ${Math.round(stage.now - before)} ms to give up`;
  assert(stage.now - before <= 1_300, `${waited}, and graceMs is 1000`);
  await ann.receiveAll();
  await actor.receivesEnd();
  assert(stage.now < 30_000, took(stage));
}));

Deno.test(check("serve() never lies while its upstreams fail", {
  reveals: ["proxy-lies", "retry-non-idempotent"],
  only: "simulated",
}, async (stage) => {
  const { random } = stage;
  const ports = await moody(stage, ["one", "two", "three"]);
  const limits = { timeoutMs: 100, checkMs: 250, failAfter: 2, retries: 1 };
  serving(stage, ports, limits);
  const counts = new Map<string, number>();

  await Promise.all(["ann", "bob", "cat"].map(async (name) => {
    for (let i = 0; stage.now < 2_000; i++) {
      const client = await stage.connect(name);
      const method = random.next() < 0.5 ? "GET" : "POST";
      const target = `/${name}/${i}`;
      const fields = "Host: a\r\nConnection: close\r\nContent-Length: 0\r\n";
      await client.send(`${method} ${target} HTTP/1.1\r\n${fields}\r\n`);
      const came = text(await client.receiveAll());
      const seen = verdict(came, page(target));
      assert(seen !== "wrong", `${method} ${target} was answered: ${came}`);
      counts.set(seen, (counts.get(seen) ?? 0) + 1);
      client.close();
      await stage.sleep(random.below(700));
    }
  }));

  const { right = 0, honest = 0, cut = 0 } = Object.fromEntries(counts);
  const all = `${right} right, ${honest} honest, and ${cut} cut answers`;
  assert(honest + cut > 0, `nothing failed: ${all}`);
  assert(right > honest + cut, `most answers failed: ${all}`);
}));

// -- What the cast says and hears --

/** `name` in lower case. */
function lower(name: string): string {
  return name.toLowerCase();
}

/** What X-Forwarded-For says, in one line of `fields` or in several. */
function forwardedFor(fields: [string, string][]): string {
  return fields.filter(([name]) => name === "x-forwarded-for")
    .map(([, value]) => value).join(", ");
}

/** A pool, and whom it connects to. */
async function pooled(
  stage: Stage,
  options: Partial<PoolOptions>,
  where: { canReset?: boolean; tcpBacklog?: number; willClose?: boolean } = {},
) {
  const host = await stage.listen("one", where);
  const { hostname, port } = host.addr;
  const pool = new Pool({ hostname, port }, {
    max: 2,
    idleMs: 60_000,
    ...options,
  });
  return { host, pool };
}

/** Asks a pool for a connection. A failure calls that `name`. */
function lease(
  stage: Stage,
  pool: Pool,
  { signal = NEVER, fresh = false, name = "get()" } = {},
) {
  return stage.start(() => pool.get(signal, { fresh }), name);
}

/** How many connections of the program are open. */
function connections(stage: Stage): number {
  return stage.openSockets.filter((kind) => kind === "connection").length;
}

/** A balancer of so many upstreams that are examined once a day. */
function balanced(
  count: number,
  options: Partial<ConstructorParameters<typeof Balancer>[1]> = {},
): [Upstream[], Balancer] {
  const upstreams = Array.from({ length: count }, (_, i) => {
    return { hostname: "127.0.0.1", port: i + 1 };
  });
  const probe = () => Promise.resolve();
  const whole = { checkMs: A_DAY, failAfter: 3, probe, ...options };
  return [upstreams, new Balancer(upstreams, whole)];
}

/** Picks `wanted`, whoever else has to be picked for that. */
function pickOf(balancer: Balancer, wanted: Upstream) {
  const others: Upstream[] = [];
  let picked = balancer.pick();
  while (picked !== undefined && picked !== wanted && others.length < 10) {
    others.push(picked);
    picked = balancer.pick();
  }
  others.forEach((other) => balancer.report(other));
  return {
    found: picked === wanted,
    report: (ok?: boolean) => picked && balancer.report(picked, ok),
  };
}

/** Whether `wanted` can be picked. */
function isPicked(balancer: Balancer, wanted: Upstream): boolean {
  const { found, report } = pickOf(balancer, wanted);
  report();
  return found;
}

/** What an upstream was asked. */
interface Got {
  readonly line: string;
  readonly target: string;
  readonly fields: Map<string, string>;
  readonly body: Uint8Array;
  /** Which request it is on its connection, from 1. */
  readonly nth: number;
}

type Answering = (actor: Actor, request: Got) => Promise<void> | void;

/** An upstream: what it was asked, and on how many connections. */
interface Serving {
  readonly addr: Deno.NetAddr;
  readonly got: Got[];
  conns: number;
}

/** An upstream that answers each request. */
async function upstream(
  stage: Stage,
  name: string,
  answer: Answering = sayWell,
  { body = true } = {},
): Promise<Serving> {
  const got: Got[] = [];
  const host = await stage.host(name, async (actor) => {
    serving.conns++;
    for (let nth = 1;; nth++) {
      const request = { ...await requestOf(actor, body), nth };
      got.push(request);
      await answer(actor, request);
    }
  });
  const serving = { addr: host.addr, got, conns: 0 };
  return serving;
}

async function sayWell(actor: Actor) {
  await actor.send(`HTTP/1.1 200 OK\r\n${sized("well")}`);
}

/** Does what it was asked, and never tells. */
function hangUp(actor: Actor) {
  actor.close();
}

/** Runs the proxy in front of `upstreams`, which are examined once a day. */
function serving(
  stage: Stage,
  upstreams: { addr: Deno.NetAddr }[],
  options: Partial<ProxyOptions> = {},
) {
  const whole = proxyOptions(upstreams, options);
  return stage.serve((listener) => serve(listener, whole));
}

/** The same, for a check that ends it. */
function stoppable(
  stage: Stage,
  upstreams: { addr: Deno.NetAddr }[],
  options: Partial<ProxyOptions> = {},
) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const controller = new AbortController();
  const { signal } = controller;
  const whole = proxyOptions(upstreams, { signal, ...options });
  const running = stage.start(() => serve(listener, whole));
  return { listener, controller, running };
}

function proxyOptions(
  upstreams: { addr: Deno.NetAddr }[],
  options: Partial<ProxyOptions>,
): ProxyOptions {
  const addresses = upstreams.map(({ addr: { hostname, port } }) => {
    return { hostname, port };
  });
  return { upstreams: addresses, checkMs: A_DAY, ...options };
}

/** What no upstream should see: it stands inside something else. */
const SMUGGLED = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";

/** The lines behind the first two of a request that is unclear. */
const UNCLEAR: Record<string, string> = {
  "a length beside chunks":
    "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
  "two lengths": "Content-Length: 0\r\nContent-Length: 36\r\n\r\n",
  "a length of 0x0": "Content-Length: 0x0\r\n\r\n",
  "a coding called xchunked": "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
  "a space in front of the colon": "Content-Length : 36\r\n\r\n",
  "a folded line": "X: a\r\n Content-Length: 36\r\n\r\n",
  "a bare CR": "X: a\rContent-Length: 36\r\n\r\n",
  "a bare LF": "X: a\nContent-Length: 36\r\n\r\n",
  "a NUL": "X: a\0b\r\n\r\n",
  "two hosts": "Host: b\r\n\r\n",
};

/** The beginning of a request with a body. */
function post(fields: string): string {
  return `POST / HTTP/1.1\r\nHost: a\r\n${fields}\r\n`;
}

/** A body, and the last field in front of it. */
function sized(body: string): string {
  return `Content-Length: ${body.length}\r\n\r\n${body}`;
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** Receives a head: its first line, and its fields. */
async function headOf(actor: Actor) {
  const [line = "", ...lines] = text(await actor.receiveUntil("\r\n\r\n"))
    .trimEnd().split("\r\n");
  const fields = new Map(lines.map((line) => {
    const [name, ...value] = line.split(":");
    return [lower(name!), value.join(":").trim()];
  }));
  return { line, fields };
}

/** Receives one request of the proxy. */
async function requestOf(actor: Actor, withBody: boolean) {
  const { line, fields } = await headOf(actor);
  const [, target = ""] = line.split(" ");
  const none = new Uint8Array();
  const body = withBody ? await bodyOf(actor, fields, none) : none;
  return { line, target, fields, body };
}

/** Receives one answer, to a request that begins with `method`. */
async function answerOf(actor: Actor, method = "GET") {
  const { line, fields } = await headOf(actor);
  const status = Number(line.slice(9, 12));
  const none = method.startsWith("HEAD") || [204, 304].includes(status);
  const body = none ? new Uint8Array() : await bodyOf(actor, fields);
  return { status, fields, body };
}

/** Receives a body. One that does not tell its length goes to the end. */
async function bodyOf(
  actor: Actor,
  fields: Map<string, string>,
  otherwise?: Uint8Array,
): Promise<Uint8Array> {
  const length = fields.get("content-length");
  if (length !== undefined) return await actor.receive(Number(length));
  if (!fields.has("transfer-encoding")) {
    return otherwise ?? await actor.receiveAll();
  }
  const chunks: Uint8Array[] = [];
  for (;;) {
    const size = parseInt(text(await actor.receiveUntil("\r\n")), 16);
    const chunk = await actor.receive(size + 2);
    if (size === 0) return concat(chunks);
    chunks.push(chunk.subarray(0, size));
  }
}

/** Receives `n` bytes of data, in however many chunks they come. */
async function dataOf(actor: Actor, n: number): Promise<Uint8Array> {
  let data = new Uint8Array();
  while (data.length < n) {
    const size = parseInt(text(await actor.receiveUntil("\r\n")), 16);
    const chunk = await actor.receive(size + 2);
    data = concat([data, chunk.subarray(0, size)]);
  }
  return data;
}

/** Expects that an upstream hears of it. */
async function hears(stage: Stage, heard: Promise<void>, what: string) {
  const told = heard.then(() => true);
  const late = stage.sleep(1_000).then(() => false);
  const was = await Promise.race([told, late]);
  assert(was, `${what}, and one goes on making the answer`);
}

/** Waits until something has happened, and no longer than half a second. */
async function until(stage: Stage, happened: () => boolean) {
  for (let i = 0; i < 100 && !happened(); i++) await stage.sleep(5);
}

/** How long everything took until now. */
function took(stage: Stage): string {
  return `it took ${Math.round(stage.now) / 1_000} s`;
}

/** Whether an answer has come to the end that it tells of. */
function isWhole(answer: string): boolean {
  const [head = "", ...rest] = answer.split("\r\n\r\n");
  const body = rest.join("\r\n\r\n");
  const [, length] = head.match(/^content-length: *(\d+)/im) ?? [];
  if (length !== undefined) return body.length >= Number(length);
  return /^transfer-encoding/im.test(head) ? body.endsWith("0\r\n\r\n") : true;
}

/** The body in an answer, in however many chunks, and all that follows it. */
function bodyIn(answer: string): string {
  const [head = "", ...rest] = answer.split("\r\n\r\n");
  let left = rest.join("\r\n\r\n");
  if (!/^transfer-encoding/im.test(head)) return left;
  for (let data = "";;) {
    const at = left.indexOf("\r\n") + 2;
    const size = parseInt(left, 16);
    if (!(size > 0)) return data + left.slice(at + 2); // The last, or none.
    data += left.slice(at, at + size);
    left = left.slice(at + size + 2);
  }
}

/** What an answer is, if a right one has this body. */
function verdict(answer: string, body: string) {
  if (/^HTTP\/1\.1 50[234] /.test(answer)) return "honest";
  if (!answer.includes("\r\n\r\n") || !isWhole(answer)) return "cut";
  const right = answer.startsWith("HTTP/1.1 200 ") && bodyIn(answer) === body;
  return right ? "right" : "wrong";
}

/** What an upstream says when it is asked for `target`. */
function page(target: string): string {
  return `${target} `.repeat(20);
}

/** Upstreams that fail now and then, and vanish, and come back. */
async function moody(stage: Stage, names: string[]) {
  const { random } = stage;
  const done = new Set<string>();
  const serve = async (actor: Actor) => {
    for (;;) {
      const { line, target } = await requestOf(actor, true);
      const told = `${line} was sent a second time`;
      assert(!line.startsWith("POST") || !done.has(line), told);
      done.add(line);
      const head = "HTTP/1.1 200 OK\r\n";
      const answer = head + sized(page(target));
      const mood = random.next();
      if (mood < 0.05) return; // It is done, and nobody hears of it.
      if (mood < 0.1) await stage.sleep(500);
      if (mood < 0.15) return await actor.send("what do you mean?\r\n");
      if (mood < 0.3) {
        return await actor.send(answer.slice(0, random.below(answer.length)));
      }
      const unasked = mood < 0.35 ? "HTTP/1.1 200 OK\r\n" + sized("lies") : "";
      await actor.send(answer + unasked);
      if (mood < 0.45) return; // It keeps no connection.
    }
  };
  return await Promise.all(names.map(async (name) => {
    const first = await stage.host(name, serve, { willClose: true });
    const comeAndGo = async () => {
      for (let host = first;;) {
        await stage.sleep(200 + random.below(600));
        host.close();
        await stage.sleep(random.below(300));
        const { port } = first.addr;
        host = await stage.host(name, serve, { port, willClose: true });
      }
    };
    comeAndGo();
    return first;
  }));
}
