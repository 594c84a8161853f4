// expect: handler-rejection-kills-server
// The second mistake everyone makes, one minute after the first: no await, and
// nobody to hear what the handler throws.
export async function serve(listener: Deno.Listener): Promise<void> {
  for await (const conn of listener) {
    echo(conn);
  }
}

async function echo(conn: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(65_536);
  for (let n; (n = await conn.read(buffer)) !== null;) {
    await writeAll(conn, buffer.subarray(0, n));
  }
  conn.close();
}

async function writeAll(conn: Deno.Conn, data: Uint8Array): Promise<void> {
  for (let sent = 0; sent < data.length;) {
    sent += await conn.write(data.subarray(sent));
  }
}
