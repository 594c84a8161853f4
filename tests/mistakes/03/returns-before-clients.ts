// expect: returns-before-clients
// The last step of many: no await, the errors caught, every socket closed. Who
// calls serve() takes its return for the end of all conversations.
export async function serve(listener: Deno.Listener): Promise<void> {
  for await (const conn of listener) {
    echo(conn);
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
