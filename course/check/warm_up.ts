// Code that has run once runs faster, and much is loaded at its first use only.
import { Play } from "./play.ts";
import { asked } from "./report.ts";
import type { Stage } from "./stage.ts";
import { stillLoading } from "./strays.ts";

/** Plays short scenes, which no report mentions, with programs of its own. */
export async function warmUp(): Promise<void> {
  const network = asked.network ?? "simulated";
  const bill = { symbol: "warmUp()", network, seed: 1, adversity: {} };
  for (const scene of [scenes.meeting, ...Object.values(scenes)]) {
    await new Play(bill).perform(scene);
  }
  stillLoading();
}

const scenes = {
  async meeting(stage: Stage) {
    stage.serve(serveEcho);
    const ann = await stage.connect("ann");
    const doomed = await stage.connect("doomed", undefined, { canReset: true });
    await ann.sendByteByByte("hello");
    await ann.receives("hello");
    doomed.reset();
    await ann.closeWrite();
    await ann.receivesEnd();
  },

  async crowd(stage: Stage) {
    stage.serve(serveEcho);
    const names = Array.from({ length: 40 }, (_, i) => `client ${i}`);
    const crowd = await Promise.all(names.map((name) => stage.connect(name)));
    const text = "hello ".repeat(1_000);
    await Promise.all(crowd.map((client) => client.send(text)));
    await Promise.all(crowd.map((client) => client.receives(text)));
  },

  async script(stage: Stage) {
    const reader = stage.reader([...Array(1_500).fill("hello"), null]);
    const buffer = new Uint8Array(4);
    await stage.within(10_000, async () => {
      while (await reader.read(buffer) !== null);
    });
    const writer = stage.writer([1, 2, 3]);
    for (let i = 0; i < 100; i++) await writer.write(buffer);
  },

  async datagrams(stage: Stage) {
    const shouting = stage.serveDatagrams(async (socket) => {
      for await (const [bytes, from] of socket) await socket.send(bytes, from);
    });
    const ann = stage.datagram("ann");
    for (let i = 0; i < 100; i++) {
      await ann.send("hello", shouting);
      await ann.receives("hello");
    }
  },
};

async function serveEcho(listener: Deno.Listener) {
  const clients: Promise<void>[] = [];
  for await (const conn of listener) clients.push(echo(conn));
  await Promise.all(clients);
}

async function echo(conn: Deno.Conn) {
  const buffer = new Uint8Array(16);
  try {
    for (let n; (n = await conn.read(buffer)) !== null;) {
      await conn.write(buffer.subarray(0, n));
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
  } finally {
    conn.close();
  }
}
