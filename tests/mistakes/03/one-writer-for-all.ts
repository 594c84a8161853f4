// expect: one-writer-for-all
// Writes that overlap mix their bytes, so each waits until the last has ended.
/** Echoes to all clients of `listener` at once, until the last has left. */
export async function serve(listener: Deno.Listener): Promise<void> {
  const clients = new Set<Promise<void>>();
  for await (const conn of listener) {
    const client = echo(conn).finally(() => clients.delete(client));
    clients.add(client);
  }
  await Promise.all(clients);
}

let writing = Promise.resolve();

async function echo(conn: Deno.Conn): Promise<void> {
  try {
    const buffer = new Uint8Array(65_536);
    for (let n; (n = await conn.read(buffer)) !== null;) {
      const piece = buffer.subarray(0, n);
      const write = writing.then(() => writeAll(conn, piece));
      writing = write.catch(() => {});
      await write;
    }
  } catch (error) {
    const { BrokenPipe, ConnectionReset } = Deno.errors;
    const vanished = error instanceof ConnectionReset ||
      error instanceof BrokenPipe;
    if (!vanished) throw error;
  } finally {
    conn.close();
  }
}

async function writeAll(conn: Deno.Conn, data: Uint8Array): Promise<void> {
  for (let sent = 0; sent < data.length;) {
    sent += await conn.write(data.subarray(sent));
  }
}
