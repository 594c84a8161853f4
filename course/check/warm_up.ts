// Code that has run once runs faster, and much is loaded at its first use only.
import { Play } from "./play.ts";
import { asked } from "./report.ts";
import type { Stage } from "./stage.ts";
import { stillLoading } from "./strays.ts";

/** Plays a short scene, which no report mentions, with a server of its own. */
export async function warmUp(): Promise<void> {
  const network = asked.network ?? "simulated";
  const bill = { symbol: "warmUp()", network, seed: 1, adversity: {} };
  for (let i = 0; i < 3; i++) await new Play(bill).perform(scene);
  stillLoading();
}

async function scene(stage: Stage) {
  stage.serve(async (listener) => {
    const clients: Promise<void>[] = [];
    for await (const conn of listener) clients.push(echo(conn));
    await Promise.all(clients);
  });
  const ann = await stage.connect("ann");
  const doomed = await stage.connect("doomed", undefined, { canReset: true });
  await ann.sendByteByByte("hello");
  await ann.receives("hello");
  doomed.reset();
  await ann.closeWrite();
  await ann.receivesEnd();
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
