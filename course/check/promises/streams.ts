import { assertEquals } from "@std/assert";
import {
  bytes,
  connected,
  type Promised,
  readOnce,
  rejects,
  throws,
} from "./promised.ts";

const BAD = ["BadResource", "Bad resource ID"] as const;

/** `conn.readable` and `conn.writable`, as Deno makes them. */
export const streamPromises: Promised = {
  "readable and writable are the same each time": async () => {
    const { near, far } = await connected();
    assertEquals(near.readable === near.readable, true);
    assertEquals(near.writable === near.writable, true);
    near.close();
    far.close();
  },
  "readable closes the whole connection at its end": async () => {
    const { near, far } = await connected();
    await near.write(bytes("hi"));
    await near.closeWrite();
    const chunks = await Array.fromAsync(far.readable);
    assertEquals(chunks.length, 1);
    await rejects(() => far.write(bytes("x")), ...BAD);
    await throws(() => far.close(), ...BAD);
    assertEquals(await readOnce(near), null);
    near.close();
  },
  "cancel() of readable closes the connection": async () => {
    const { near, far } = await connected();
    await far.readable.cancel();
    await throws(() => far.close(), ...BAD);
    assertEquals(await readOnce(near), null);
    near.close();
  },
  "break with preventCancel keeps the connection": async () => {
    const { near, far } = await connected();
    await near.write(bytes("hi"));
    for await (const _ of far.readable.values({ preventCancel: true })) break;
    assertEquals(await far.write(bytes("x")), 1);
    near.close();
    far.close();
  },
  "close() of writable closes both directions": async () => {
    const { near, far } = await connected();
    const writer = near.writable.getWriter();
    await writer.write(bytes("bye"));
    await writer.close();
    await rejects(() => readOnce(near), ...BAD);
    assertEquals(await readOnce(far), "bye");
    assertEquals(await readOnce(far), null);
    far.close();
  },
  "abort() of writable closes the connection": async () => {
    const { near, far } = await connected();
    await near.writable.abort();
    await throws(() => near.close(), ...BAD);
    far.close();
  },
  "write() of a stream writer sends everything": async () => {
    const { near, far } = await connected();
    const sent = near.writable.getWriter().write(new Uint8Array(2 << 20));
    let received = 0;
    const buffer = new Uint8Array(65_536);
    while (received < 2 << 20) received += (await far.read(buffer))!;
    await sent;
    near.close();
    far.close();
  },
  "write() of a stream writer rejects once the connection is closed":
    async () => {
      const { near, far } = await connected();
      const writer = near.writable.getWriter();
      near.close();
      const gone = [
        "BadResource",
        "The stream's underlying resource was closed or consumed",
      ] as const;
      await rejects(() => writer.write(bytes("x")), ...gone);
      await rejects(() => writer.closed, ...gone);
      far.close();
    },
  "pipeTo() echoes everything, and ends after the end": async () => {
    const { near, far } = await connected();
    const piped = far.readable.pipeTo(far.writable);
    await near.write(bytes("echo"));
    await near.closeWrite();
    assertEquals(await readOnce(near), "echo");
    assertEquals(await readOnce(near), null);
    await piped;
    await throws(() => far.close(), ...BAD);
    near.close();
  },
  "releaseLock() loses no byte for the next reader": async () => {
    const { near, far } = await connected();
    const first = far.readable.getReader();
    const given = first.read();
    first.releaseLock();
    await rejects(() => given, "TypeError", "The reader was released.");
    await near.write(bytes("kept"));
    const second = far.readable.getReader();
    const { value } = await second.read();
    assertEquals(new TextDecoder().decode(value), "kept");
    second.releaseLock();
    near.close();
    far.close();
  },
  "a BYOB reader waits for its minimum": async () => {
    const { near, far } = await connected();
    const reader = far.readable.getReader({ mode: "byob" });
    const read = reader.read(new Uint8Array(8), { min: 8 });
    for (const part of ["abc", "def", "gh"]) await near.write(bytes(part));
    const { value } = await read;
    assertEquals(new TextDecoder().decode(value), "abcdefgh");
    reader.releaseLock();
    near.close();
    far.close();
  },
  "a second reader is refused": async () => {
    const { near, far } = await connected();
    far.readable.getReader();
    const message = "ReadableStream is locked";
    await throws(() => far.readable.getReader(), "TypeError", message);
    near.close();
    far.close();
  },
  "close() of the connection ends a reader that waits": async (wire) => {
    const { near, far } = await connected();
    const read = far.readable.getReader().read();
    await wire.arrived();
    far.close();
    const canceled = ["Interrupted", "operation canceled", "EINTR"] as const;
    await rejects(() => read, ...canceled);
    near.close();
  },
  "close() of the connection leaves its streams nothing": async () => {
    const { near, far } = await connected();
    far.close();
    const message = "The stream's underlying resource was closed or consumed";
    await rejects(
      () => far.readable.getReader().read(),
      "BadResource",
      message,
    );
    near.close();
  },
};
