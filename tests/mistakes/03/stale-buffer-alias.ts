// expect: stale-buffer-alias
// Reading and writing each have a loop, with a queue between them. The queue
// holds views of the one buffer that the next read fills.
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
    const queue: Uint8Array[] = [];
    const reading = { over: false, wake: () => {} };
    await Promise.all([
      read(conn, queue, reading),
      write(conn, queue, reading),
    ]);
  } catch (error) {
    const { BrokenPipe, ConnectionReset } = Deno.errors;
    const vanished = error instanceof ConnectionReset ||
      error instanceof BrokenPipe;
    if (!vanished) throw error;
  } finally {
    conn.close();
  }
}

type Reading = { over: boolean; wake: () => void };

async function read(conn: Deno.Conn, queue: Uint8Array[], reading: Reading) {
  const buffer = new Uint8Array(65_536);
  for (let n; (n = await conn.read(buffer)) !== null;) {
    queue.push(buffer.subarray(0, n));
    reading.wake();
  }
  reading.over = true;
  reading.wake();
}

async function write(conn: Deno.Conn, queue: Uint8Array[], reading: Reading) {
  while (!reading.over || queue.length > 0) {
    const data = queue.shift();
    if (data) await writeAll(conn, data);
    else await new Promise<void>((resolve) => reading.wake = resolve);
  }
}

async function writeAll(conn: Deno.Conn, data: Uint8Array): Promise<void> {
  for (let sent = 0; sent < data.length;) {
    sent += await conn.write(data.subarray(sent));
  }
}
