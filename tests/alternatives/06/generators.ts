// style: generators; the stream closes at its end, where that is right
type Ending = "clean" | "drained" | "reset" | "gave-up";

async function* chunks(conn: Deno.TcpConn) {
  const buffer = new Uint8Array(1_000);
  while (true) {
    const n = await conn.read(buffer);
    if (n === null) return;
    yield buffer.slice(0, n);
  }
}

export async function pipeOneWay(from: Deno.TcpConn, to: Deno.TcpConn) {
  let total = 0;
  for await (let chunk of chunks(from)) {
    total += chunk.length;
    while (chunk.length > 0) chunk = chunk.subarray(await to.write(chunk));
  }
  await to.closeWrite();
  return total;
}

export async function relay(a: Deno.TcpConn, b: Deno.TcpConn) {
  let result = "clean";
  const way = async (from: Deno.TcpConn, to: Deno.TcpConn) => {
    try {
      await pipeOneWay(from, to);
    } catch (error) {
      if (error instanceof Deno.errors.Interrupted) return; // By the other way.
      if (!vanished(error)) throw error;
      result = "reset";
      a[Symbol.dispose]();
      b[Symbol.dispose]();
    }
  };
  try {
    await Promise.all([way(a, b), way(b, a)]);
  } finally {
    a[Symbol.dispose]();
    b[Symbol.dispose]();
  }
  return result;
}

export async function closeGracefully(
  conn: Deno.TcpConn,
  { drainMs = 5_000, drainBytes = 1 << 20 } = {},
): Promise<Ending> {
  await conn.closeWrite();
  const deadline = Date.now() + drainMs;
  const reader = conn.readable.getReader();
  let late = false;
  const alarm = setTimeout(() => {
    late = true;
    reader.cancel(); // Closes the connection.
  }, drainMs);
  let drained = 0;
  try {
    while (drained <= drainBytes && Date.now() < deadline) {
      const { done, value } = await reader.read();
      if (done && late) return "gave-up";
      if (done) return drained > 0 ? "drained" : "clean";
      drained += value.length;
    }
    await reader.cancel();
    return "gave-up";
  } catch (error) {
    if (vanished(error)) return "reset";
    throw error;
  } finally {
    clearTimeout(alarm);
  }
}

function vanished(error: unknown) {
  const { BrokenPipe, ConnectionReset } = Deno.errors;
  return error instanceof ConnectionReset || error instanceof BrokenPipe;
}
