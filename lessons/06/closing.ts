// Lesson 06: closing well.
//
// Every byte is written, so this program closes. And yet its clients miss most
// of a page that it wrote to the last byte, and a relay between two of them
// falls silent when the first has no more to say. End conversations so that no
// byte is lost.

/** How a connection ended. */
export type Ending = "clean" | "drained" | "reset" | "gave-up";

/** How long, and for how many bytes, to wait for the peer's end. */
export interface Patience {
  /** In milliseconds, in all; 5,000 if not given. */
  drainMs?: number;
  /** In bytes, in all; 1 MiB if not given. */
  drainBytes?: number;
}

/**
 * Passes on what `from` sends until its end, ends that direction of `to`, and
 * returns how many bytes there were. The way back stays as it is, and nothing
 * is closed. Rejects, and passes on no end, if either peer has vanished.
 */
export async function pipeOneWay(
  from: Deno.TcpConn,
  to: Deno.TcpConn,
): Promise<number> {
  const buffer = new Uint8Array(65_536);
  let total = 0;
  for (let n; (n = await from.read(buffer)) !== null;) {
    await writeAll(to, buffer.subarray(0, n));
    total += n;
  }
  // TODO: `from` has no more to say, and the peer at `to` waits for more.
  return total;
}

/**
 * Passes on everything, both ways, until both have ended, and closes both.
 * Returns "reset" as soon as one of them has vanished.
 */
export async function relay(
  a: Deno.TcpConn,
  b: Deno.TcpConn,
): Promise<"clean" | "reset"> {
  // TODO: One of them has ended. What about the answer that is on its way?
  await Promise.race([pipeOneWay(a, b), pipeOneWay(b, a)]);
  a.close();
  b.close();
  return "clean";
}

/**
 * Closes a connection on which everything has been written, so that the peer
 * gets all of it. Returns how it went: "clean" if the peer ended and sent
 * nothing more, "drained" if it sent more first, which is thrown away, "reset"
 * if it vanished, and "gave-up" if it did not end in time.
 */
export async function closeGracefully(
  conn: Deno.TcpConn,
  _patience: Patience = {},
): Promise<Ending> {
  await conn.closeWrite();
  // TODO: Input that nobody has read lies in the kernel. What does closing do
  // to the output that lies beside it? And who says that anything arrived?
  conn.close();
  return "clean";
}

/** Writes all of `data`, however little the kernel takes at a time. */
async function writeAll(conn: Deno.Conn, data: Uint8Array): Promise<void> {
  for (let sent = 0; sent < data.length;) {
    sent += await conn.write(data.subarray(sent));
  }
}

/** Whether `error` is what calls throw when the peer is gone. */
function isVanished(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.BrokenPipe;
}

/** Looks at the first letters of a question, and answers with a long page. */
async function answer(conn: Deno.TcpConn): Promise<Ending> {
  using _conn = conn; // Closed, however the answering ends.
  const page = "".padEnd(3_000_000, "No byte is lost. ");
  try {
    await conn.read(new Uint8Array(3)); // It says GET, or anything else.
    const bytes = new TextEncoder().encode(`HTTP/1.0 200 OK\r\n\r\n${page}`);
    await writeAll(conn, bytes);
    return await closeGracefully(conn);
  } catch (error) {
    if (!isVanished(error)) throw error;
    return "reset";
  }
}

/** Relays to whoever listens at `port`: a server here, and a client there. */
async function forward(conn: Deno.TcpConn, port: number): Promise<string> {
  using _conn = conn; // Nobody may listen there.
  return await relay(conn, await Deno.connect({ hostname: "127.0.0.1", port }));
}

// Try it by hand: `deno run -P lessons/06/closing.ts`, then `curl 127.0.0.1:7006`
// in another terminal. With a port behind it, it relays to that port instead.
if (import.meta.main) {
  const [port] = Deno.args;
  for await (const conn of Deno.listen({ hostname: "127.0.0.1", port: 7006 })) {
    const visit = port ? forward(conn, Number(port)) : answer(conn);
    visit.then(console.log, console.error);
  }
}
