// expect: served-in-turn
// All are let in at once. Their conversations go into a queue.
export async function serve(listener: Deno.Listener): Promise<void> {
  let queue = Promise.resolve();
  for await (const conn of listener) {
    queue = queue.then(() => echo(conn));
  }
  await queue;
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
