// expect: ignore-read-count
// read() fills the buffer, so the buffer is what goes back.
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
    const buffer = new Uint8Array(1024);
    while (await conn.read(buffer) !== null) {
      await writeAll(conn, buffer);
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
