// What becomes of programs that would never stop by themselves.
import { assert, assertEquals } from "@std/assert";
import { type Body, type Outcome, Play } from "./play.ts";
import { real, realSleep } from "./real.ts";

function perform(symbol: string, body: Body): Promise<Outcome> {
  const bill = {
    symbol,
    network: "simulated",
    seed: 1,
    adversity: {},
  } as const;
  return new Play(bill).perform(body);
}

Deno.test("a program that writes far more than it was given is stopped", async () => {
  const { evidence } = await perform("writeAll()", async (stage) => {
    const writer = stage.writer([2], { given: "abc" });
    const data = new TextEncoder().encode("abc");
    for (let n = 0; n < 3;) n = await writer.write(data.subarray(n));
  });

  const { headline, received } = evidence!;
  assertEquals(
    headline,
    "writeAll() was given 3 bytes to write, and has written 8 bytes already",
  );
  assertEquals(new TextDecoder().decode(received), "abcbccbc");
});

Deno.test("a program that was given nothing may write what it likes", async () => {
  const { evidence } = await perform("writeAll()", async (stage) => {
    const writer = stage.writer([2]);
    for (let i = 0; i < 9; i++) await writer.write(new Uint8Array(2));
    assertEquals(writer.received.length, 18);
  });

  assertEquals(evidence, undefined);
});

Deno.test("a loop waits for nothing, and the failure does not say so", async () => {
  const { evidence } = await perform("readToEnd()", async (stage) => {
    const reader = stage.reader([null]);
    while (await reader.read(new Uint8Array(1)) !== 0);
  });

  const { headline, recording } = evidence!;
  assertEquals(
    headline,
    "Your program does not return: it goes round for ever",
  );
  assertEquals(recording.loop?.what, "read()");
  assertEquals(recording.waiting, []);
});

Deno.test("a loop of reads into a full buffer is told from the network's zeros", async () => {
  const { evidence } = await perform("readExactly()", async (stage) => {
    const reader = stage.reader(["hello"]);
    const buffer = new Uint8Array(2);
    for (let end = 0;;) end += await reader.read(buffer.subarray(end)) ?? 0;
  });

  const { recording } = evidence!;
  assertEquals(recording.loop?.what, "read() into 0 bytes");
  assertEquals(recording.events.at(-1)?.text, "read() into 0 bytes → 0 bytes");
});

Deno.test("a close that fails stands in the recording", async () => {
  const { evidence } = await perform("serve()", async (stage) => {
    const [, conn] = await stage.meet("ann");
    conn.close();
    conn.close();
  });

  const closes = evidence!.recording.program("close").map(({ text }) => text);
  assertEquals(closes, ["close() of ann", "close() of ann ✗ BadResource"]);
});

Deno.test("a function that returns while the cast acts is seen to return", async () => {
  const { evidence } = await perform("exchange()", async (stage) => {
    await stage.start(() => Promise.resolve()).result;
    throw new RangeError("to see the recording");
  });

  const told = evidence!.recording.program("return").map(({ text }) => text);
  assertEquals(told, ["exchange() returns"]);
});

Deno.test("a loop of reads that nobody waits for is stopped", async () => {
  const { evidence } = await perform("readToEnd()", (stage) => {
    const reader = stage.reader(["hello", null]);
    while (true) {
      const n: unknown = reader.read(new Uint8Array(9));
      if (n === null) break;
    }
  });

  const { kind, headline, recording } = evidence!;
  assertEquals(kind, "unawaited");
  assertEquals(
    headline,
    "Your program called read() a thousand times, and waited for none of them",
  );
  assertEquals(recording.waiting.length, 1_000);
});

Deno.test("a loop that waits for all but its reads is stopped, too", async () => {
  const { evidence } = await perform("readToEnd()", async (stage) => {
    const reader = stage.reader(["hello", null]);
    while (true) {
      const n: unknown = reader.read(new Uint8Array(9));
      if (n === null) break;
      await Promise.resolve();
    }
  });

  assertEquals(evidence?.kind, "unawaited");
  assertEquals(evidence?.recording.loop, undefined);
});

Deno.test("a server that waits for no accept() is stopped", async () => {
  const { evidence } = await perform("serve()", async (stage) => {
    stage.serve((listener) => {
      const clients: unknown[] = [];
      while (true) clients.push(listener.accept());
    });
    await stage.connect("ann");
  });

  assertEquals(
    evidence?.headline,
    "Your program called accept() a thousand times, and waited for none of them",
  );
});

Deno.test("a server that waits for no receive() is stopped", async () => {
  const { evidence } = await perform("serveEcho()", async (stage) => {
    stage.serveDatagrams((socket) => {
      const letters: unknown[] = [];
      while (true) letters.push(socket.receive());
    });
    const ann = stage.datagram("ann");
    await ann.receives("hello");
  });

  assertEquals(evidence?.kind, "unawaited");
});

Deno.test("whoever hangs up on many at once goes round no loop", async () => {
  const { evidence } = await perform("serve()", async (stage) => {
    const crowd = 1_500; // More than a loop may go round in vain.
    stage.serve(async (listener) => {
      const conns: Deno.Conn[] = [];
      while (conns.length < crowd) conns.push(await listener.accept());
      const reads = conns.map((conn) => conn.read(new Uint8Array(1)));
      for (const conn of conns) conn.close();
      await Promise.allSettled(reads);
    });
    for (let i = 0; i < crowd; i++) await stage.connect(`client ${i}`);
  });

  assertEquals(evidence, undefined);
});

Deno.test("many writes may go out beside each other", async () => {
  const { evidence } = await perform("serve()", async (stage) => {
    stage.serve(async (listener) => {
      using conn = await listener.accept();
      const writes = Array.from(
        { length: 1_500 },
        () => conn.write(new Uint8Array(10)),
      );
      await Promise.all(writes);
    });
    const ann = await stage.connect("ann");
    assertEquals((await ann.receiveAll()).length, 15_000);
  });

  assertEquals(evidence, undefined);
});

for (const network of ["simulated", "loopback"] as const) {
  Deno.test(`nobody hears the silence of a check whose time is over: ${network}`, async () => {
    const interrupted = Promise.withResolvers<never>();
    const stopped = new Error("Deno has stopped it");
    const bill = { symbol: "serve()", network, seed: 1, adversity: {} };
    const play = new Play({ ...bill, until: real.now() });
    const played = play.perform(async (stage) => {
      const ann = stage.datagram("ann");
      await Promise.race([ann.receive(), interrupted.promise]);
    });

    await realSleep(300); // The simulated network finds silence in 30.
    const { busyFor } = play;
    interrupted.reject(stopped);

    assertEquals((await played).evidence?.error, stopped);
    assert(busyFor >= 300, `it was busy for ${busyFor} ms`);
  });
}
