import { assertEquals } from "@std/assert";
import {
  bytes,
  connected,
  listenHere,
  type Promised,
  readOnce,
  rejects,
  throws,
  type Wire,
} from "./promised.ts";

const BAD = ["BadResource", "Bad resource ID"] as const;
const PIPE = ["BrokenPipe", "Broken pipe (os error 32)", "EPIPE"] as const;
const RESET = [
  "ConnectionReset",
  "Connection reset by peer (os error 104)",
  "ECONNRESET",
] as const;
const CANCELED = ["Interrupted", "operation canceled", "EINTR"] as const;

/** One end, and a peer that is able to reset. */
async function withAbruptPeer({ abrupt }: Wire) {
  using listener = listenHere();
  const peer = await abrupt(listener.addr.port);
  return { conn: await listener.accept(), peer };
}

/** How connections end: FIN, RST, and one's own close. See tcp(7), RFC 9293. */
export const endingPromises: Promised = {
  "read() gives null at the end, again and again": async () => {
    const { near, far } = await connected();
    near.close();
    assertEquals(await readOnce(far), null);
    assertEquals(await readOnce(far), null);
    far.close();
  },
  "read() gives what came before the end": async () => {
    const { near, far } = await connected();
    await near.write(bytes("last words"));
    near.close();
    assertEquals(await readOnce(far), "last words");
    assertEquals(await readOnce(far), null);
    far.close();
  },
  "closeWrite() ends one direction only": async () => {
    const { near, far } = await connected();
    await near.write(bytes("question"));
    await near.closeWrite();
    assertEquals(await readOnce(far), "question");
    assertEquals(await readOnce(far), null);
    await far.write(bytes("answer"));
    assertEquals(await readOnce(near), "answer");
    near.close();
    far.close();
  },
  "closeWrite() twice is fine": async () => {
    const { near, far } = await connected();
    await near.closeWrite();
    await near.closeWrite();
    near.close();
    far.close();
  },
  "write() after closeWrite() throws BrokenPipe": async () => {
    const { near, far } = await connected();
    await near.closeWrite();
    await rejects(() => near.write(bytes("x")), ...PIPE);
    near.close();
    far.close();
  },
  "write() to a closed peer succeeds once, then BrokenPipe": async (wire) => {
    const { near, far } = await connected();
    near.close();
    assertEquals(await readOnce(far), null);
    assertEquals(await far.write(bytes("x")), 1);
    await wire.arrived();
    await rejects(() => far.write(bytes("x")), ...PIPE);
    assertEquals(await readOnce(far), null);
    far.close();
  },
  "close() ends a read that waits": async () => {
    const { near, far } = await connected();
    const read = readOnce(near);
    near.close();
    await rejects(() => read, ...CANCELED);
    far.close();
  },
  "close() leaves nothing to call": async () => {
    const { near, far } = await connected();
    near.close();
    await rejects(() => readOnce(near), ...BAD);
    await rejects(() => near.write(bytes("x")), ...BAD);
    await rejects(() => near.closeWrite(), ...BAD);
    await throws(() => near.close(), ...BAD);
    near[Symbol.dispose]();
    far.close();
  },
  "close() with unread bytes looks like the end to the peer": async (wire) => {
    const { near, far } = await connected();
    await far.write(bytes("never read"));
    await wire.arrived();
    near.close();
    await wire.arrived();
    assertEquals(await readOnce(far), null);
    await rejects(() => far.write(bytes("x")), ...PIPE);
    far.close();
  },
  "close() with unread bytes destroys what was not sent yet": async (wire) => {
    const { near, far } = await connected();
    await far.write(bytes("never read"));
    await wire.arrived();
    await near.write(new Uint8Array(32 << 20)); // As much as the buffers take.
    near.close();
    await wire.arrived();
    const buffer = new Uint8Array(1 << 20);
    let last: unknown = 0;
    while (typeof last === "number") {
      last = await far.read(buffer).catch((error) => error);
    }
    assertEquals((last as Error).name, "ConnectionReset");
    assertEquals(await readOnce(far), null);
    await rejects(() => far.write(bytes("x")), ...PIPE);
    far.close();
  },
  "reset: a peer that can do it receives like any other": async (wire) => {
    const { conn, peer } = await withAbruptPeer(wire);
    await conn.write(bytes("hello"));
    assertEquals(await readOnce(peer), "hello");
    await conn.closeWrite();
    assertEquals(await readOnce(peer), null);
    peer.close();
    conn.close();
  },
  "reset: a read that waits throws ConnectionReset": async (wire) => {
    const { conn, peer } = await withAbruptPeer(wire);
    const read = readOnce(conn);
    peer.reset!();
    await rejects(() => read, ...RESET);
    assertEquals(await readOnce(conn), null);
    await rejects(() => conn.write(bytes("x")), ...PIPE);
    conn.close();
  },
  "reset: what had come before can still be read": async (wire) => {
    const { conn, peer } = await withAbruptPeer(wire);
    await peer.write(bytes("hello"));
    await wire.arrived();
    peer.reset!();
    await wire.arrived();
    assertEquals(await readOnce(conn), "hello");
    await rejects(() => readOnce(conn), ...RESET);
    assertEquals(await readOnce(conn), null);
    conn.close();
  },
  "reset: the first write throws ConnectionReset, the next BrokenPipe": async (
    wire,
  ) => {
    const { conn, peer } = await withAbruptPeer(wire);
    peer.reset!();
    await wire.arrived();
    await rejects(() => conn.write(bytes("x")), ...RESET);
    await rejects(() => conn.write(bytes("x")), ...PIPE);
    conn.close();
  },
  "reset: a write that waits throws ConnectionReset": async (wire) => {
    const { conn, peer } = await withAbruptPeer(wire);
    const failed = failureOfWrites(conn);
    await wire.arrived();
    peer.reset!();
    assertEquals((await failed).name, "ConnectionReset");
    conn.close();
  },
  "reset behind the end: a write that waits throws BrokenPipe": async (
    wire,
  ) => {
    const { conn, peer } = await withAbruptPeer(wire);
    const failed = failureOfWrites(conn);
    await wire.arrived();
    await peer.closeWrite();
    await wire.arrived();
    peer.reset!();
    assertEquals((await failed).name, "BrokenPipe");
    assertEquals(await readOnce(conn), null);
    conn.close();
  },
  "close() with unread bytes: a write that waits throws BrokenPipe": async (
    wire,
  ) => {
    const { near, far } = await connected();
    const failed = failureOfWrites(far);
    await wire.arrived();
    near.close();
    assertEquals((await failed).name, "BrokenPipe");
    far.close();
  },
};

/** What ends writes that fill all buffers, and then wait. */
async function failureOfWrites(conn: Deno.Conn): Promise<Error> {
  try {
    while (true) await conn.write(new Uint8Array(1 << 20));
  } catch (error) {
    return error as Error;
  }
}
