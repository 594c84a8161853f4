import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { setTimeout as nodeTimeout } from "node:timers/promises";
import { promisify } from "node:util";
import { explain } from "./explain.ts";
import { processorTime } from "./outside.ts";
import { pace } from "./pace.ts";
import { type Body, type Outcome, Play, type Playbill } from "./play.ts";
import type { Stage } from "./stage.ts";
import { real } from "./real.ts";

/** As a program does at its top, before any check begins. */
const captured = {
  ...Deno,
  setTimeout,
  wait: promisify(setTimeout),
  random: Math.random,
};

type NodeError = Error & { code?: string };
type HostPort = { hostname: string; port: number };

function perform(body: Body, bill: Partial<Playbill> = {}): Promise<Outcome> {
  return new Play({
    symbol: "serve()",
    network: "simulated",
    seed: 1,
    adversity: {},
    ...bill,
  }).perform(body);
}

const networks = ["simulated", "loopback"] as const;

/** A server that never answers, and closes what it accepts. */
async function mute(listener: Deno.Listener) {
  for await (const conn of listener) {
    void Array.fromAsync(conn.readable).catch(() => {});
  }
}

/** An echo server that does what it should. */
async function echo(listener: Deno.Listener) {
  const clients: Promise<void>[] = [];
  for await (const conn of listener) {
    clients.push(conn.readable.pipeTo(conn.writable));
  }
  await Promise.all(clients);
}

/** Answers "tcp" to whoever connects, and "udp" to datagrams. */
async function both(listener: Deno.Listener, socket: Deno.DatagramConn) {
  const datagrams = (async () => {
    for await (const [, from] of socket) {
      await socket.send(new TextEncoder().encode("udp"), from);
    }
  })();
  for await (const conn of listener) {
    await conn.write(new TextEncoder().encode("tcp"));
    conn.close();
  }
  await datagrams;
}

for (const network of networks) {
  Deno.test(`${network}: one server has TCP and UDP on one port`, async () => {
    const { evidence } = await perform(async (stage) => {
      const server = stage.serveBoth(both);
      const ann = stage.datagram("ann");
      await ann.send("?", server);
      await ann.receives("udp", { from: server });
      const bob = await stage.connect("bob", server);
      await bob.receives("tcp");
    }, { network });

    assertEquals(evidence, undefined);
  });

  Deno.test(`${network}: silence ends a check, and says who misses what`, async () => {
    const { evidence, place } = await perform(async (stage) => {
      stage.serve(mute);
      const ann = await stage.connect("ann");
      await ann.send("hello");
      await ann.receives("hello");
    }, { network });

    assertEquals(evidence?.kind, "silence");
    assertEquals(
      evidence?.headline,
      'ann expected 5 bytes, "hello", and got nothing',
    );
    assert(place?.line.startsWith("play_test.ts:"), place?.line);
  });

  Deno.test(`${network}: an error in the background ends its check`, async () => {
    const { evidence } = await perform(async (stage) => {
      stage.serve(async (listener) => {
        for await (const conn of listener) {
          void (async () => {
            await conn.read(new Uint8Array(1));
            conn.close();
            throw new RangeError("of mine");
          })();
        }
      });
      const ann = await stage.connect("ann");
      await ann.send("x");
      await ann.receives("y");
    }, { network });

    assertEquals(evidence?.kind, "crash");
    assertEquals((evidence?.error as Error).message, "of mine");
  });

  Deno.test(`${network}: a failure names the function that was started`, async () => {
    const { evidence } = await perform(async (stage) => {
      const fail = () => Promise.reject(new RangeError("of mine"));
      await stage.start(fail, "shutdown()").result;
    }, { network });

    assertEquals(evidence?.headline, "shutdown() threw RangeError: of mine");
  });

  Deno.test(`${network}: a failure names the method that threw`, async () => {
    class Door {
      async open() {
        await this.knock();
      }
      async knock() {
        await Promise.resolve();
        throw new RangeError("of mine");
      }
    }
    const threw = async (call: () => Promise<void>, symbol: string) => {
      const { evidence } = await perform(call, { network, symbol });
      return evidence?.headline;
    };
    const [open, door] = [() => new Door().open(), new Door()];

    const told = "threw RangeError: of mine";
    assertEquals(await threw(open, "Door.knock()"), `Door.open() ${told}`);
    const knock = () => door.knock();
    assertEquals(await threw(knock, "Door.open()"), `Door.knock() ${told}`);
    assertEquals(await threw(open, "Room.join()"), `Room.join() ${told}`);
    assertEquals(await threw(open, "serve()"), `serve() ${told}`);
  });

  Deno.test(`${network}: a client in the queue of a closed listener hears why`, async () => {
    const { evidence } = await perform(async (stage) => {
      const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      const bob = await stage.connect("bob", listener);
      listener.close();
      await bob.receives("hello");
    }, { network });

    assertEquals(
      evidence?.headline,
      'bob expected 5 bytes, "hello", and got nothing, then a reset: ' +
        "your program closed the listener with bob in its queue",
    );
  });

  Deno.test(`${network}: a connection that stays open is a leak`, async () => {
    const { evidence } = await perform(async (stage) => {
      stage.serve(async (listener) => {
        for await (const conn of listener) await conn.write(Uint8Array.of(65));
      });
      const ann = await stage.connect("ann");
      await ann.receives("A");
    }, { network });

    assertEquals(evidence?.kind, "leak");
    assertEquals(
      evidence?.headline,
      "Your program never closed the connection with ann",
    );
  });

  Deno.test(`${network}: a read that gives null for ever is a loop`, async () => {
    const { evidence } = await perform(async (stage) => {
      stage.serve(async (listener) => {
        for await (const conn of listener) {
          while (true) await conn.read(new Uint8Array(8));
        }
      });
      const ann = await stage.connect("ann");
      await ann.closeWrite();
      await ann.receivesEnd();
    }, { network });

    assertEquals(evidence?.recording.loop?.what, "read() from ann");
  });

  Deno.test(`${network}: a read that asks for 0 bytes is known by that`, async () => {
    const { evidence } = await perform(async (stage) => {
      stage.serve(async (listener) => {
        for await (const conn of listener) {
          while (true) await conn.read(new Uint8Array(0));
        }
      });
      const ann = await stage.connect("ann");
      await ann.send("hello");
      await ann.receivesEnd();
    }, { network });

    const what = "read() from ann into 0 bytes";
    assertEquals(evidence?.recording.loop?.what, what);
    const [read] = evidence!.recording.program("read");
    assertEquals(read?.text, `${what} → 0 bytes`);
  });

  Deno.test(`${network}: reads and writes are as short as asked`, async () => {
    const { evidence } = await perform(async (stage) => {
      stage.serve(async (listener) => {
        for await (const conn of listener) {
          const buffer = new Uint8Array(8);
          assertEquals(await conn.read(buffer), 2);
          assertEquals(await conn.write(buffer), 3);
          conn.close();
        }
      });
      const ann = await stage.connect("ann");
      await ann.send("ab");
      await ann.receives("ab\0");
    }, { network, adversity: { readsAtMost: 2, writesAtMost: 3 } });

    assertEquals(evidence, undefined);
  });

  Deno.test(`${network}: accept() fails as asked, and its client waits`, async () => {
    const { evidence } = await perform(async (stage) => {
      stage.serve(async (listener) => {
        const { message } = await assertRejects(() => listener.accept(), Error);
        assertEquals(message, "Too many open files (os error 24)");
        const conn = await listener.accept();
        assertEquals(conn.remoteAddr.hostname, "127.0.0.2");
        conn.close();
      });
      const ann = await stage.connect("ann", undefined, { from: "127.0.0.2" });
      await ann.receivesEnd();
    }, {
      network,
      adversity: { acceptFails: (n) => n === 0 ? "EMFILE" : undefined },
    });

    assertEquals(evidence, undefined);
  });

  Deno.test(`${network}: datagrams meet the fate that is asked for`, async () => {
    const fates = ["drop", "duplicate", "corrupt", { delay: 5 }] as const;
    const { evidence } = await perform(async (stage) => {
      const ann = stage.datagram("ann");
      const bob = stage.datagram("bob");
      for (const letter of ["a", "b", "c", "d", "e"]) {
        await ann.send(letter, bob.addr);
      }
      await bob.receives("b");
      await bob.receives("b");
      await bob.receives("C");
      await bob.receives("e");
      await bob.receives("d");
    }, { network, adversity: { datagram: (n) => fates[n] } });

    assertEquals(evidence, undefined);
  });

  Deno.test(`${network}: chance loses the same datagrams for the same seed`, async () => {
    const lost = async (seed: number) => {
      const fates: boolean[] = [];
      const { evidence } = await perform(async (stage) => {
        const ann = stage.datagram("ann");
        const bob = stage.datagram("bob");
        for (let n = 0; n < 20; n++) await ann.send("hello", bob.addr);
        assertEquals(stage.datagrams, 20);
      }, {
        network,
        seed,
        adversity: {
          datagram: (_, random) => {
            fates.push(random.next() < 0.5);
            return fates.at(-1) ? "drop" : undefined;
          },
        },
      });
      assertEquals(evidence, undefined);
      return fates;
    };

    assertEquals(await lost(1), await lost(1));
    assertNotEquals(await lost(1), await lost(2));
  });

  Deno.test(`${network}: pieces arrive one by one`, async () => {
    const { evidence } = await perform(async (stage) => {
      const reads: number[] = [];
      stage.serve(async (listener) => {
        for await (const conn of listener) {
          const buffer = new Uint8Array(64);
          for (let n; (n = await conn.read(buffer)) !== null;) reads.push(n);
          conn.close();
        }
      });
      const ann = await stage.connect("ann");
      await ann.sendInPieces(["he", "llo", "!"]);
      await ann.closeWrite();
      await ann.receivesEnd();
      assertEquals(reads, [2, 3, 1]);
    }, { network });

    assertEquals(evidence, undefined);
  });

  Deno.test(`${network}: a server must end when its listener closes`, async () => {
    const { evidence } = await perform(async (stage) => {
      stage.serve(async (listener) => {
        await mute(listener);
        await new Promise(() => {});
      });
      await stage.connect("ann");
    }, { network });

    assertEquals(evidence?.kind, "unfinished");
    assertEquals(
      evidence?.headline,
      "serve() did not end after its socket had closed and everybody had left",
    );
  });

  Deno.test(`${network}: a server must end when the check closes its listener`, async () => {
    const { evidence } = await perform(async (stage) => {
      stage.serve(async () => await new Promise(() => {}));
      await stage.connect("ann"); // And she stays.
      await stage.close();
    }, { network });

    assertEquals(
      evidence?.headline,
      "serve() did not end after its socket had closed",
    );
  });
}

Deno.test("an hour of simulated time costs less than a second", async () => {
  const started = real.now();
  const { evidence } = await perform(async (stage) => {
    const waits = [1, 2, 4, 8].map((s) => s * 60_000);
    for (const ms of waits) await new Promise((go) => setTimeout(go, ms));
    await new Promise((_, reject) => {
      const signal = AbortSignal.timeout(5_000);
      signal.addEventListener("abort", () => reject(signal.reason));
    }).catch((error) => assertEquals(error.name, "TimeoutError"));
    assertEquals(stage.now, 905_000);
    assertEquals(performance.now(), 905_000);
  });

  assertEquals(evidence, undefined);
  assert(real.now() - started < 1_000);
});

Deno.test("what cannot be called alone outside a check, cannot inside either", async () => {
  const { now } = performance;
  const { getRandomValues } = crypto;
  assertThrows(now, TypeError, "Illegal invocation");
  const { evidence } = await perform(() => {
    assertThrows(now, TypeError, "Illegal invocation");
    assertThrows(() => getRandomValues(new Uint8Array(1)), TypeError);
    assertEquals(typeof (0, Date.now)(), "number");
  });

  assertEquals(evidence, undefined);
});

Deno.test("whoever took hold of a function before is in the check, too", async () => {
  const numbers: number[] = [];
  for (let i = 0; i < 2; i++) {
    const { evidence, used } = await perform(async (stage) => {
      numbers.push(captured.random());
      using listener = captured.listen({ hostname: "127.0.0.1", port: 0 });
      using conn = await captured.connect(listener.addr as HostPort);
      using theirs = await listener.accept();
      await conn.write(new Uint8Array(3));
      assertEquals(await theirs.read(new Uint8Array(9)), 3);
      await captured.wait(50_000);
      await new Promise((resolve) => captured.setTimeout(resolve, 40_000));
      assertEquals(stage.now, 90_000);
    });
    assertEquals(evidence, undefined);
    assert(used);
  }
  assertEquals(numbers[0], numbers[1]);

  const before = real.now();
  await captured.wait(20); // Nobody plays any more.
  assert(real.now() - before >= 19);
  assertNotEquals(captured.random(), captured.random());
});

Deno.test("a date of this moment has the simulated time", async () => {
  const { evidence } = await perform(async (stage) => {
    await stage.sleep(90_000);

    assertEquals(new Date().toJSON(), "2026-01-01T00:01:30.000Z");
    assertEquals(
      Date().slice(0, 15),
      String(new Date(Date.now())).slice(0, 15),
    );
    assertEquals(new Date(0).getTime(), 0);
    assert(new Date() instanceof Date);

    const { Now } = Temporal;
    const moment = "2026-01-01T00:01:30";
    assertEquals(String(Now.instant()), `${moment}Z`);
    assertEquals(String(Now.zonedDateTimeISO("UTC")), `${moment}+00:00[UTC]`);
    assertEquals(String(Now.plainDateTimeISO("UTC")), moment);
    assertEquals(String(Now.plainDateISO("UTC")), moment.slice(0, 10));
    assertEquals(String(Now.plainTimeISO("UTC")), moment.slice(11));
    const here = Now.instant().toZonedDateTimeISO(Now.timeZoneId());
    assertEquals(String(Now.zonedDateTimeISO()), String(here));
  });

  assertEquals(evidence?.headline, undefined);
});

Deno.test("a program may ask what time it is until the time has come", async () => {
  const { evidence } = await perform(async (stage) => {
    const until = performance.now() + 3;
    while (performance.now() <= until) await Promise.resolve();
    assertEquals(stage.now, 4);
    const date = Date.now();
    while (Date.now() === date);
    assertEquals(stage.now, 5);
  });

  assertEquals(evidence, undefined);
});

Deno.test("within() stops what goes on using the processor", async () => {
  const { evidence, used } = await perform(async (stage) => {
    const reader = stage.reader(Array.from({ length: 1e6 }, () => "x"));
    await stage.within(20, async () => {
      for (;;) await reader.read(new Uint8Array(1));
    });
  });

  assertEquals(evidence?.kind, "slow");
  assertEquals(used, false); // A scripted reader needs no network.
});

Deno.test("within() counts what was done without a call", async () => {
  const { evidence } = await perform(async (stage) => {
    const busy = () => {
      for (const start = processorTime(); processorTime() < start + 200;);
      return "done";
    };
    assertEquals(await stage.within(10_000, busy), "done");
    await stage.within(5, busy);
  });

  assertEquals(evidence?.kind, "slow");
  // On a slower machine there are more of them.
  const allowed = `used ${Math.ceil(5 * pace())} ms of processor time`;
  assertMatch(evidence!.headline, new RegExp(allowed));
});

Deno.test("what runs outside the simulation is waited for", async () => {
  const { evidence } = await perform(async (stage) => {
    stage.serve(async (listener) => {
      for await (const conn of listener) {
        const digest = await crypto.subtle.digest(
          "SHA-256",
          new Uint8Array(5_000_000),
        );
        await nodeTimeout(150);
        await conn.write(new Uint8Array(digest).subarray(0, 1));
        conn.close();
      }
    });
    const ann = await stage.connect("ann");
    const signal = AbortSignal.timeout(5_000);
    await ann.receive(1);
    assertEquals(signal.aborted, false);
  });

  assertEquals(evidence, undefined);
});

Deno.test("what a timer's callback throws belongs to its check", async () => {
  const { evidence } = await perform(async (stage) => {
    setTimeout(() => {
      throw new RangeError("late");
    }, 10);
    await stage.sleep(100);
  });

  assertEquals(evidence?.kind, "crash");
});

for (const network of networks) {
  Deno.test(`${network}: Deno.unrefTimer() reaches the timers of a check`, async () => {
    const { evidence } = await perform((stage) => {
      const timer = setTimeout(() => {}, 60_000);
      captured.unrefTimer(Number(timer));
      assertEquals(Object(timer).hasRef(), false);
      return stage.sleep(1);
    }, { network });

    assertEquals(evidence, undefined);
  });

  Deno.test(`${network}: a client that is refused has used the network`, async () => {
    const nobody = {
      transport: "tcp",
      hostname: "127.0.0.1",
      port: 9,
    } as const;
    const refused = (stage: Stage) => stage.refuses("ann", nobody);

    assertEquals(await perform(refused, { network }), { used: true });
  });

  Deno.test(`${network}: timers refuse what Deno's own refuse`, async () => {
    const calls = [
      ...[-1, NaN, Infinity, 2 ** 53].map((ms) => () =>
        AbortSignal.timeout(ms)
      ),
      () => setTimeout(undefined as never, 5),
      () => setTimeout("tick()" as never),
      () => setInterval({} as never, 5),
    ];
    const refused = () =>
      calls.map((call) => {
        const { message, code } = assertThrows(call, TypeError) as NodeError;
        return { message, code };
      });
    const outside = refused();
    const inside = () => assertEquals(refused(), outside);
    const { evidence } = await perform(inside, { network });

    assertEquals(evidence?.headline, undefined);
  });
}

Deno.test("whoever finds a full queue has no answer", async () => {
  const knocks = async (
    knock: (stage: Stage, at: Deno.TcpListener) => Promise<unknown>,
  ) => {
    const { evidence, place } = await perform(async (stage) => {
      const where = { hostname: "127.0.0.1", port: 0, tcpBacklog: 1 };
      using listener = Deno.listen(where);
      for (const name of ["ann", "bob"]) await stage.connect(name, listener);
      await knock(stage, listener);
    });
    assert(place?.inTest);
    return [evidence?.kind, evidence?.headline.replace(/:\d+/, "")];
  };

  assertEquals(
    await knocks((stage, at) => stage.refuses("cid", at)),
    [
      "admitted",
      "cid expected to be refused at 127.0.0.1, and got no answer",
    ],
  );
  assertEquals(
    await knocks((stage, at) => stage.connect("cid", at)),
    ["refused", "cid cannot connect to 127.0.0.1: gets no answer"],
  );
});

Deno.test("a rejection with undefined is blamed on no call", async () => {
  const { evidence, place } = await perform(async (stage) => {
    const [ann, conn] = await stage.meet("ann");
    const fail = async () => {
      await ann.receives("x");
      throw undefined;
    };
    void fail();
    await conn.write(Uint8Array.of(120));
    conn.close();
    await ann.receivesEnd();
    await stage.sleep(1);
  });

  assertEquals(evidence?.kind, "crash");
  assertEquals(place?.line, "");
  assertEquals(evidence?.recording.events.at(-1)?.kind, "crash");
});

Deno.test("Deno.exit() during a check is a failure", async () => {
  const { evidence } = await perform((stage) => {
    // deno-lint-ignore require-await -- It never gets that far.
    stage.serve(async () => Deno.exit(0));
    return stage.sleep(10);
  });

  assertEquals(evidence?.kind, "exit");
});

Deno.test("the same seed plays the same way, event for event", async () => {
  const told = async () => {
    const { evidence } = await perform(async (stage) => {
      stage.serve(echo);
      const names = ["ann", "bob", "cid"];
      for (const name of names) {
        const actor = await stage.connect(name);
        await actor.send(stage.random.bytes(stage.random.below(9) + 1));
        await actor.send(String(Math.random()));
      }
      await (await stage.connect("dan")).receives("never");
    });
    return JSON.stringify(evidence!.recording.events);
  };

  assertEquals(await told(), await told());
});

Deno.test("meet() brings both ends, and the program's is missed if left open", async () => {
  const { evidence } = await perform(async (stage) => {
    const [ann, conn] = await stage.meet("ann");
    await conn.write(new Uint8Array(3));
    assertEquals((await ann.receive(3)).length, 3);
    assertEquals(stage.openSockets, ["connection"]);
  });

  assertEquals(evidence?.kind, "leak");
  assertEquals(
    evidence?.headline,
    "Your program never closed the connection with ann",
  );
});

Deno.test("a scripted writer takes everything after its pause", async () => {
  const { evidence } = await perform(async (stage) => {
    const writer = stage.writer([{ pause: 5_000 }, 2]);
    const bytes = Uint8Array.of(1, 2, 3);
    assertEquals(await writer.write(bytes), 3);
    assertEquals(stage.now, 5_000);
    assertEquals(await writer.write(bytes), 2);
    assertEquals([...writer.received], [1, 2, 3, 1, 2]);
  });

  assertEquals(evidence, undefined);
});

for (const network of networks) {
  Deno.test(`${network}: the program's connects fail as the check says`, async () => {
    const { evidence } = await perform(async (stage) => {
      const host = await stage.listen("host");
      const codes: unknown[] = [];
      for (let i = 0; i < 4; i++) {
        try {
          (await Deno.connect({ port: host.addr.port })).close();
          codes.push("in");
        } catch (error) {
          codes.push((error as { code?: string }).code);
        }
      }
      assertEquals(codes, ["EMFILE", "in", "EADDRNOTAVAIL", "ETIMEDOUT"]);
    }, {
      network,
      adversity: {
        connectFails: (n) =>
          (["EMFILE", undefined, "EADDRNOTAVAIL", "ETIMEDOUT"] as const)[n],
      },
    });

    assertEquals(evidence?.headline, undefined);
  });

  Deno.test(`${network}: what is due while the program computes comes late, and when it waits for a timer`, async () => {
    const pauses = [
      () => new Promise((resolve) => setTimeout(resolve, 0)),
      () => nodeTimeout(1),
    ];
    for (const pause of pauses) await computesWith(network, pause);
  });
}

/** Computes, with these pauses, while the cast has something to do. */
async function computesWith(
  network: "simulated" | "loopback",
  pause: () => Promise<unknown>,
) {
  const { evidence } = await perform(async (stage) => {
    const begun = stage.now;
    const computed = (async () => {
      for (let i = 0; i < 10; i++) {
        stage.burn(20);
        await pause();
      }
      return stage.now;
    })();

    await stage.sleep(10);
    const rang = stage.now - begun;

    assert(rang >= 20, `it rang after ${rang} ms`);
    assert(stage.now < await computed, "it rang when all was computed");
  }, { network });

  assertEquals(evidence?.headline, undefined);
}

/** Answers the first message within 50 ms, or hangs up. */
async function impatient(listener: Deno.Listener) {
  for await (const conn of listener) {
    const timer = setTimeout(() => conn.close(), 50);
    const buffer = new Uint8Array(16);
    try {
      if (await conn.read(buffer)) await conn.write(buffer.subarray(0, 2));
    } catch (error) {
      if (error instanceof Deno.errors.Interrupted) continue;
      throw error;
    }
    clearTimeout(timer);
    conn.close();
  }
}

Deno.test("a machine that pauses makes no deadline pass", async () => {
  const { evidence } = await perform(async (stage) => {
    stage.serve(impatient);
    const ann = await stage.connect("ann");
    while (stage.openSockets.length < 2) await stage.sleep(1); // Accepted.
    await ann.send("hi");
    for (const end = real.now() + 200; real.now() < end;);
    await ann.receives("hi");
  }, { network: "loopback" });

  assertEquals(evidence?.headline, undefined);
});

Deno.test("on a busy machine, silence comes no sooner than the program's timers", async () => {
  // Others have the processor for 14 of each 15 ms or so.
  const others = real.setInterval(() => {
    for (const end = real.now() + 14; real.now() < end;);
  }, 0);
  const { evidence } = await perform(async (stage) => {
    stage.serve(async (listener) => {
      for await (const conn of listener) setTimeout(() => conn.close(), 1_000);
    });
    const ann = await stage.connect("ann");
    await ann.receivesEnd();
  }, { network: "loopback" });
  real.clearInterval(others);

  assertEquals(evidence?.headline, undefined);
});

Deno.test("reads of two connections into the same bytes are noted", async () => {
  const sharing = async (...parts: Uint8Array[]) => {
    const { evidence } = await perform(async (stage) => {
      const conns = [];
      for (const name of ["ann", "bob"]) {
        conns.push((await stage.meet(name))[1]);
      }
      const reads = conns.map((conn, i) => conn.read(parts[i]!));
      conns.forEach((conn) => conn.close());
      await Promise.allSettled(reads);
      assert(false, "it is over");
    });
    return evidence?.recording.sharing;
  };
  const slab = new Uint8Array(100);

  assertEquals(await sharing(slab, slab), true);
  assertEquals(await sharing(slab.subarray(0, 51), slab.subarray(50)), true);
  assertEquals(await sharing(slab.subarray(0, 50), slab.subarray(50)), false);
  assertEquals(await sharing(slab, slab.slice()), false);
});

Deno.test("lastWriteTo() is when the program wrote, however late the cast sees it", async () => {
  const { evidence } = await perform(async (stage) => {
    const [ann, conn] = await stage.meet("ann");
    assertEquals(stage.lastWriteTo(ann), NaN);
    const begun = stage.now;

    stage.burn(20);
    const writing = conn.write(new Uint8Array(2));
    stage.burn(30);
    await ann.receive(2);
    assertEquals(stage.lastWriteTo(ann) - begun, 20);
    assertEquals(stage.now - begun, 50);

    await writing;
    conn.close();
  });

  assertEquals(evidence?.headline, undefined);
});

Deno.test("readBuffers counts what waits to be filled, and a shared buffer by its parts", async () => {
  const { evidence } = await perform(async (stage) => {
    const conns = [];
    for (const name of ["ann", "bob", "cid"]) {
      conns.push((await stage.meet(name))[1]);
    }
    const slab = new Uint8Array(1_000);
    const parts = [
      new Uint8Array(64).subarray(0, 8),
      slab.subarray(0, 10),
      slab.subarray(10, 20),
    ];
    const reads = conns.map((conn, i) => conn.read(parts[i]!));
    assertEquals(stage.readBuffers, 64 + 10 + 10);

    conns.forEach((conn) => conn.close());
    await Promise.allSettled(reads);
    assertEquals(stage.readBuffers, 0);
  });

  assertEquals(evidence?.headline, undefined);
});

Deno.test("a timer that rings again and again keeps nobody waiting", async () => {
  const { evidence } = await perform(async (stage) => {
    stage.serve(async (listener) => {
      for await (const _ of listener) setInterval(() => {}, 20);
    });
    const ann = await stage.connect("ann");
    await ann.receives("hi");
  });

  assertEquals(
    evidence?.headline,
    'ann expected 2 bytes, "hi", and got nothing',
  );
});

Deno.test("a check that begins with a wait is left to the simulated network", async () => {
  const waits = (stage: Stage) => stage.sleep(60_000);
  const alone = await perform(waits, { network: "loopback", alone: true });
  assertEquals(alone, { used: false });

  const there = await perform(waits);
  assertEquals([there.evidence, there.used], [undefined, false]);
});

Deno.test("a function that has thrown unheard is told of beside what the cast misses", async () => {
  const { evidence } = await perform(async (stage) => {
    const ann = await stage.listen("ann");
    stage.start(() => {
      const conn = Deno.connect(ann.addr as HostPort) as unknown as Deno.Conn;
      return conn.closeWrite();
    }, "exchange()");
    await (await ann.accept()).receives("ping");
  });

  const { what, error } = evidence!.recording.unheard!;
  assertEquals(what, "exchange()");
  const told = explain(evidence!, undefined, "").split("\n\n");
  assertMatch(told[0]!, /^exchange\(\) threw TypeError: .* not a function/);
  assertMatch(told[1]!, /^ann expected 4 bytes, "ping", and got nothing/);
  assert(error instanceof TypeError);
});

Deno.test("a read through a stream has the number of its bytes, for good", async () => {
  const { evidence } = await perform(async (stage) => {
    const [ann, conn] = await stage.meet("ann");
    const reader = conn.readable.getReader();
    await ann.send("hello");
    await reader.read();
    throw new Error("to see the recording");
  });

  const [read] = evidence!.recording.program("read");
  assertEquals([read!.size, read!.bytes!.length], [5, 5]);
});

Deno.test("what a program throws when the check has ended is nobody's business", async () => {
  const { evidence } = await perform(async (stage) => {
    const ann = await stage.listen("ann");
    stage.start(async () => {
      const conn = await Deno.connect(ann.addr as HostPort);
      try {
        await conn.read(new Uint8Array(9));
      } finally {
        conn.close(); // By then the check has closed it: BadResource.
      }
    });
    await (await ann.accept()).receivesEnd();
  });

  assertEquals(evidence?.kind, "silence");
  assertEquals(evidence?.recording.unheard, undefined);
});

Deno.test("what the check has asked for is heard", async () => {
  const { evidence } = await perform(async (stage) => {
    const ann = await stage.listen("ann");
    const asking = stage.start(async () => {
      using _conn = await Deno.connect(ann.addr as HostPort);
      throw new RangeError("too long");
    });
    const actor = await ann.accept();
    await assertRejects(() => asking.result, RangeError);
    await actor.receives("ping");
  });

  assertEquals(evidence?.recording.unheard, undefined);
});

Deno.test("what another thread works out comes in the order of the calls", async () => {
  const order: number[] = [];
  const { evidence } = await perform(async (stage) => {
    const ann = await stage.listen("ann");
    await stage.start(async () => {
      using _conn = await Deno.connect(ann.addr as HostPort);
      const sizes = [4_000_000, 10, 400_000, 10];
      await Promise.all(sizes.map(async (size, i) => {
        await crypto.subtle.digest("SHA-256", new Uint8Array(size));
        order.push(i);
      }));
    }).result;
  });

  assertEquals(evidence, undefined);
  assertEquals(order, [0, 1, 2, 3]);
});
