// Lesson 03, solved: many clients.
//
// One loop accepts; one promise per client echoes. The set remembers which
// conversations are still going, so that `serve()` can outlast them.

/**
 * Echoes to all clients of `listener` at once. Returns when the listener has
 * closed and the last client has left.
 */
export async function serve(listener: Deno.Listener): Promise<void> {
  const clients = new Set<Promise<void>>();
  // One kind of client still ends this loop: accept() throws when the client has
  // reset before it was let in. Lesson 17 outlives that, too.
  for await (const conn of listener) {
    // Not awaited: the loop is back at `accept` before this client says a word.
    const client = echo(conn).finally(() => clients.delete(client));
    clients.add(client);
  }
  // The door is closed; the guests are still talking.
  await Promise.all(clients);
}

/** Sends back every byte, and hangs up once the client has no more to send. */
async function echo(conn: Deno.Conn): Promise<void> {
  try {
    // One for each client: in a shared one, ann would find bob's words.
    const buffer = new Uint8Array(16_384);
    for (let n; (n = await conn.read(buffer)) !== null;) {
      // Awaited: the buffer is filled again only after its bytes have left.
      await writeAll(conn, buffer.subarray(0, n));
    }
  } catch (error) {
    // Clients vanish; that ends one conversation. Uncaught, it would end them
    // all. Any other error is a bug of ours, and should be loud.
    const { BrokenPipe, ConnectionReset } = Deno.errors;
    const vanished = error instanceof ConnectionReset ||
      error instanceof BrokenPipe;
    if (!vanished) throw error;
  } finally {
    // However it ended: a connection nobody closes is a file nobody closes.
    conn.close();
  }
}

/** Writes all of `data`, however little the kernel takes at a time. */
async function writeAll(conn: Deno.Conn, data: Uint8Array): Promise<void> {
  for (let sent = 0; sent < data.length;) {
    sent += await conn.write(data.subarray(sent));
  }
}

// Try it by hand: `deno run -P solutions/03/echo.ts`, then `nc 127.0.0.1 7003`
// in two other terminals.
if (import.meta.main) {
  await serve(Deno.listen({ hostname: "127.0.0.1", port: 7003 }));
}
