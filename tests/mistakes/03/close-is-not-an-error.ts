// expect: close-is-not-an-error
// A server accepts for ever.
export async function serve(listener: Deno.Listener): Promise<void> {
  const clients = new Set<Promise<void>>();
  while (true) {
    const conn = await listener.accept();
    const client = echo(conn).finally(() => clients.delete(client));
    clients.add(client);
  }
}

async function echo(conn: Deno.Conn): Promise<void> {
  try {
    const buffer = new Uint8Array(65_536);
    for (let n; (n = await conn.read(buffer)) !== null;) {
      await writeAll(conn, buffer.subarray(0, n));
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
