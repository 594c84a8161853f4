// A listener, and clients who come before, while and after it accepts.
import type { RawConn, RawListener } from "../network.ts";
import type { Room } from "./conversation.ts";

const STEPS = 10;

/** Listens, connects, accepts, closes and resets, at random. */
export async function listening({ network, random, log }: Room): Promise<void> {
  const hostname = "127.0.0.1";
  const first = network.listen({ hostname, port: 0 });
  const { port } = first.addr;
  const listeners: RawListener[] = [first];
  const conns: RawConn[] = [];
  const abrupt: RawConn[] = [];
  let accepting = 0;
  const keep = (conn: RawConn, what: string) => {
    conns.push(conn);
    return what;
  };
  const accept = async (listener: RawListener) => {
    accepting++;
    try {
      return keep(await listener.accept(), "a client");
    } finally {
      accepting--;
    }
  };
  for (let i = 0; i < STEPS; i++) {
    const what = random.below(12);
    const listener = listeners.at(-1)!;
    if (what < 4) {
      await log.step(
        "somebody connects",
        () =>
          network.connect({ hostname, port })
            .then((conn) => keep(conn, "connected")),
      );
    } else if (what >= 11) {
      await log.step(
        "somebody connects who can reset",
        () =>
          network.connectAbrupt({ hostname, port })
            .then((conn) => (abrupt.push(conn), "connected")),
      );
    } else if (what >= 10) {
      const last = abrupt.pop();
      if (last) await log.step("somebody resets", () => last.reset!());
    } else if (what < 7) {
      await log.step("accept", () => accept(listener));
    } else if (what < 8) await log.step("close", () => void listener.close());
    else if (what < 9 || accepting > 0) {
      const last = conns.at(-1);
      if (last) await log.step("the latest leaves", () => last.close());
    } else {
      await log.step("listen", () => {
        listeners.push(network.listen({ hostname, port }));
        return "listens";
      });
    }
  }
  listeners.forEach(closeQuietly);
  await log.over(); // Somebody may be connecting still.
  [...conns, ...abrupt].forEach(closeQuietly);
}

function closeQuietly(open: RawListener | RawConn) {
  try {
    open.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}
