// expect: writer-close-kills-read
// A stream's writer writes everything, and `close()` ends what it writes.
type Ending = "clean" | "drained" | "reset" | "gave-up";
type Patience = { drainMs?: number; drainBytes?: number };

export async function pipeOneWay(
  from: Deno.TcpConn,
  to: Deno.TcpConn,
): Promise<number> {
  const writer = to.writable.getWriter();
  const buffer = new Uint8Array(65_536);
  let total = 0;
  for (let n; (n = await from.read(buffer)) !== null;) {
    await writer.write(buffer.slice(0, n));
    total += n;
  }
  await writer.close();
  return total;
}

export async function relay(
  a: Deno.TcpConn,
  b: Deno.TcpConn,
): Promise<"clean" | "reset"> {
  using _a = a;
  using _b = b;
  try {
    await Promise.all([pipeOneWay(a, b), pipeOneWay(b, a)]);
    return "clean";
  } catch (error) {
    if (!isVanished(error)) throw error;
    return "reset";
  }
}

export async function closeGracefully(
  conn: Deno.TcpConn,
  { drainMs = 5_000, drainBytes = 1 << 20 }: Patience = {},
): Promise<Ending> {
  using _conn = conn;
  const alarm = setTimeout(() => conn.close(), drainMs);
  try {
    await conn.closeWrite();
    let drained = 0;
    const waste = new Uint8Array(65_536);
    for (let n; (n = await conn.read(waste)) !== null;) {
      drained += n;
      if (drained > drainBytes) return "gave-up";
    }
    return drained > 0 ? "drained" : "clean";
  } catch (error) {
    if (error instanceof Deno.errors.Interrupted) return "gave-up";
    if (!isVanished(error)) throw error;
    return "reset";
  } finally {
    clearTimeout(alarm);
  }
}

function isVanished(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.BrokenPipe;
}
