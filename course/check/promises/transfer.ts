import { assertEquals } from "@std/assert";
import {
  bytes,
  connected,
  type Promised,
  readOnce,
  rejects,
  waits,
} from "./promised.ts";

/** read() and write() while both ends live: see recv(2), send(2). */
export const transferPromises: Promised = {
  "read() gives bytes in order, whatever the writes": async (wire) => {
    const { near, far } = await connected();
    for (const word of ["one ", "two ", "three"]) await near.write(bytes(word));
    await wire.arrived();
    assertEquals(await readOnce(far), "one two three");
    near.close();
    far.close();
  },
  "read() gives what fits, and keeps the rest": async (wire) => {
    const { near, far } = await connected();
    await near.write(bytes("hello"));
    await wire.arrived();
    assertEquals(await readOnce(far, 2), "he");
    assertEquals(await readOnce(far), "llo");
    near.close();
    far.close();
  },
  "read() waits while nothing has come": async (wire) => {
    const { near, far } = await connected();
    const read = readOnce(far);
    await waits(wire, read);
    await near.write(bytes("x"));
    assertEquals(await read, "x");
    near.close();
    far.close();
  },
  "read() into nothing gives 0": async () => {
    const { near, far } = await connected();
    assertEquals(await far.read(new Uint8Array()), 0);
    near.close();
    far.close();
  },
  "read() twice at once is served in the order of calling": async (wire) => {
    const { near, far } = await connected();
    const reads = [readOnce(far, 1), readOnce(far, 1)];
    await near.write(bytes("ab"));
    await wire.arrived();
    assertEquals(await Promise.all(reads), ["a", "b"]);
    near.close();
    far.close();
  },
  "write() of nothing gives 0": async () => {
    const { near, far } = await connected();
    assertEquals(await near.write(new Uint8Array()), 0);
    near.close();
    far.close();
  },
  "write() of a string throws TypeError": async () => {
    const { near, far } = await connected();
    const message = "expected typed ArrayBufferView";
    const write = () => near.write("hello" as never);
    await rejects(write, "TypeError", message);
    near.close();
    far.close();
  },
  "write() takes the bytes as they are when it is called": async (wire) => {
    const { near, far } = await connected();
    const buffer = bytes("before");
    const written = near.write(buffer);
    buffer.set(bytes("after!"));
    await written;
    await wire.arrived();
    assertEquals(await readOnce(far), "before");
    near.close();
    far.close();
  },
  "write() takes a part when the buffers fill, then waits": async (wire) => {
    const { near, far } = await connected();
    const much = new Uint8Array(32 << 20);
    const n = await near.write(much);
    assertEquals(n > 0 && n < much.length, true);
    // The kernel may find room for a little more; in the end it waits.
    let blocked: Promise<unknown> = Promise.resolve();
    for (let done = true; done;) {
      done = false;
      blocked = near.write(much).then(() => done = true, (error) => error);
      await wire.arrived();
    }
    near.close();
    assertEquals((await blocked as Error).name, "Interrupted");
    far.close();
  },
  "write() goes on when the reader reads": async (wire) => {
    const { near, far } = await connected();
    const total = 8 << 20;
    const writing = (async () => {
      for (let rest = total; rest > 0;) {
        rest -= await near.write(new Uint8Array(Math.min(rest, 1 << 20)));
      }
      await near.closeWrite();
    })();
    await wire.arrived();
    let received = 0;
    const buffer = new Uint8Array(1 << 20);
    for (let n; (n = await far.read(buffer)) !== null;) received += n;
    await writing;
    assertEquals(received, total);
    near.close();
    far.close();
  },
  "setNoDelay() and setKeepAlive() are there": async () => {
    const { near, far } = await connected();
    near.setNoDelay(true);
    near.setKeepAlive(true);
    near.close();
    far.close();
  },
};
