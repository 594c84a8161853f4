// expect: eof-infinite-loop
// The end is a read of 0 bytes in other languages; here that never comes.
/** Echoes to all clients of `listener` at once, until the last has left. */
export async function serve(listener: Deno.Listener): Promise<void> {
  const clients = new Set<Promise<void>>();
  for await (const conn of listener) {
    const client = echo(conn).finally(() => clients.delete(client));
    clients.add(client);
  }
  await Promise.all(clients);
}

async function echo(conn: Deno.Conn): Promise<void> {
  try {
    const buffer = new Uint8Array(65_536);
    while (true) {
      const n = await conn.read(buffer);
      if (n === 0) break;
      if (n) await writeAll(conn, buffer.subarray(0, n));
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
