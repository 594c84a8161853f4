// style: stream writers, and one deadline that every read races with
type Ending = "clean" | "drained" | "reset" | "gave-up";

const { BrokenPipe, ConnectionReset } = Deno.errors;

export async function pipeOneWay(from: Deno.TcpConn, to: Deno.TcpConn) {
  const writer = to.writable.getWriter();
  let total = 0;
  try {
    for (;;) {
      const chunk = new Uint8Array(16_384);
      const n = await from.read(chunk);
      if (n === null) break;
      await writer.write(chunk.subarray(0, n));
      total += n;
    }
  } finally {
    writer.releaseLock(); // Closing it would close the way back, too.
  }
  await to.closeWrite();
  return total;
}

export async function relay(a: Deno.TcpConn, b: Deno.TcpConn) {
  const ways = [pipeOneWay(a, b), pipeOneWay(b, a)];
  try {
    await Promise.all(ways);
    return "clean";
  } catch (error) {
    const reset = error instanceof ConnectionReset;
    if (reset || error instanceof BrokenPipe) return "reset";
    throw error;
  } finally {
    a[Symbol.dispose](); // A failed write has closed it, perhaps.
    b[Symbol.dispose]();
    await Promise.allSettled(ways);
  }
}

export async function closeGracefully(
  conn: Deno.TcpConn,
  { drainMs = 5_000, drainBytes = 1 << 20 } = {},
): Promise<Ending> {
  const late = Promise.withResolvers<"late">();
  const timer = setTimeout(() => late.resolve("late"), drainMs);
  let drained = 0;
  try {
    await conn.closeWrite();
    while (drained <= drainBytes) {
      const reading = conn.read(new Uint8Array(4_096));
      reading.catch(() => {}); // The one that is given up, at the close.
      const n = await Promise.race([reading, late.promise]);
      if (n === "late") return "gave-up";
      if (n === null) return drained === 0 ? "clean" : "drained";
      drained += n;
    }
    return "gave-up";
  } catch (error) {
    const reset = error instanceof ConnectionReset;
    if (reset || error instanceof BrokenPipe) return "reset";
    throw error;
  } finally {
    clearTimeout(timer);
    conn.close();
  }
}
