import { assertEquals } from "@std/assert";
import {
  bytes,
  connected,
  listenHere,
  type Promised,
  readOnce,
  rejects,
  waits,
  type Wire,
} from "./promised.ts";

const PIPE = ["BrokenPipe", "Broken pipe (os error 32)", "EPIPE"] as const;

/** More than all buffers hold. */
const MUCH = new Uint8Array(32 << 20);

/** Writes until a write has to wait. */
async function fill(wire: Wire, conn: Deno.TcpConn) {
  let accepted = 0;
  while (true) {
    let returned = false;
    const write = conn.write(MUCH).then((n) => {
      returned = true;
      accepted += n;
    });
    await wire.arrived();
    if (!returned) return { waiting: write, accepted: () => accepted };
    await write;
  }
}

/** Reads to the end, or to an error: how many bytes came, and what then. */
async function readOn(conn: Deno.TcpConn) {
  const buffer = new Uint8Array(1 << 20);
  let total = 0;
  try {
    for (let n; (n = await conn.read(buffer)) !== null;) total += n;
    return { total, last: null };
  } catch (error) {
    return { total, last: (error as Error).name };
  }
}

/** Closing while something is under way. See shutdown(2), RFC 9293 3.10.7. */
export const hangingUpPromises: Promised = {
  "closeWrite() waits for a write that waits": async (wire) => {
    const { near, far } = await connected();
    const { waiting, accepted } = await fill(wire, near);
    const ending = near.closeWrite();
    await waits(wire, ending);
    const { total, last } = await readOn(far);
    await waiting;
    await ending;
    assertEquals({ total, last }, { total: accepted(), last: null });
    near.close();
    far.close();
  },
  "close() ends a write that waits; what was accepted arrives": async (
    wire,
  ) => {
    const { near, far } = await connected();
    const { waiting, accepted } = await fill(wire, near);
    near.close();
    const name = await waiting.catch((error) => error.name);
    assertEquals(name, "Interrupted");
    assertEquals(await readOn(far), { total: accepted(), last: null });
    far.close();
  },
  "close() with more to come destroys what was not sent yet": async (wire) => {
    const { near, far } = await connected();
    const accepted = await near.write(MUCH);
    near.close();
    await wire.arrived();
    assertEquals(await far.write(bytes("more")), 4);
    await wire.arrived();
    const { total, last } = await readOn(far);
    assertEquals(total < accepted, true);
    assertEquals(last, "ConnectionReset");
    await rejects(() => far.write(bytes("x")), ...PIPE);
    far.close();
  },
  "close() with more to come leaves what has arrived": async (wire) => {
    const { near, far } = await connected();
    await near.write(bytes("last words"));
    near.close();
    await wire.arrived();
    assertEquals(await far.write(bytes("more")), 4);
    await wire.arrived();
    await rejects(() => far.write(bytes("x")), ...PIPE);
    assertEquals(await readOnce(far), "last words");
    assertEquals(await readOnce(far), null);
    far.close();
  },
  "a write after closeWrite() tells of a reset first": async (wire) => {
    using listener = listenHere();
    const peer = await wire.abrupt(listener.addr.port);
    const conn = await listener.accept();
    await conn.closeWrite();
    peer.reset!();
    await wire.arrived();
    const reset = "Connection reset by peer (os error 104)";
    const write = () => conn.write(bytes("x"));
    await rejects(write, "ConnectionReset", reset, "ECONNRESET");
    await rejects(write, ...PIPE);
    conn.close();
  },
  "read() into no room is 0, whatever became of the connection": async () => {
    const { near, far } = await connected();
    near.close();
    assertEquals(await near.read(new Uint8Array()), 0);
    assertEquals(await far.read(new Uint8Array()), 0);
    far.close();
  },
  "closeWrite() after a reset is fine": async (wire) => {
    using listener = listenHere();
    const peer = await wire.abrupt(listener.addr.port);
    const conn = await listener.accept();
    peer.reset!();
    await wire.arrived();
    await conn.closeWrite();
    const name = await readOnce(conn).catch((error) => error.name);
    assertEquals(name, "ConnectionReset");
    conn.close();
  },
};
