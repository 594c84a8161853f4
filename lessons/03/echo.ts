// Lesson 03: many clients.
//
// This server echoes, and it ignores everyone but one. While the first client
// is connected, the second waits in the kernel's queue, believing somebody is
// listening. Give every client a conversation of its own.

/**
 * Echoes to all clients of `listener` at once. Returns when the listener has
 * closed and the last client has left.
 */
export async function serve(listener: Deno.Listener): Promise<void> {
  for await (const conn of listener) {
    // TODO: This line meets one client and waits for it to leave.
    await echo(conn);
  }
}

/** Sends back every byte, and hangs up once the client has no more to send. */
async function echo(conn: Deno.Conn): Promise<void> {
  // TODO: A client can vanish mid-word. Then a line below throws: who hears it,
  // and which line is skipped?
  const buffer = new Uint8Array(16_384);
  for (let n; (n = await conn.read(buffer)) !== null;) {
    await writeAll(conn, buffer.subarray(0, n));
  }
  conn.close();
}

/** Writes all of `data`, however little the kernel takes at a time. */
async function writeAll(conn: Deno.Conn, data: Uint8Array): Promise<void> {
  for (let sent = 0; sent < data.length;) {
    sent += await conn.write(data.subarray(sent));
  }
}

// Try it by hand: `deno run -P lessons/03/echo.ts`, then `nc 127.0.0.1 7003`
// in two other terminals.
if (import.meta.main) {
  await serve(Deno.listen({ hostname: "127.0.0.1", port: 7003 }));
}
