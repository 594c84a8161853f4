// expect: eof-means-peer-gone
// Few large writes instead of many small ones; at the end nobody is left, or so
// it seems, to send the rest to.

type Reader = { read(into: Uint8Array): Promise<number | null> };
type Writer = { write(bytes: Uint8Array): Promise<number> };

async function writeAll(writer: Writer, data: Uint8Array) {
  for (let sent = 0; sent < data.length;) {
    sent += await writer.write(data.subarray(sent));
  }
}

export async function echoConn(conn: Reader & Writer) {
  const buffer = new Uint8Array(512);
  let filled = 0;
  let echoed = 0;
  while (true) {
    const n = await conn.read(buffer.subarray(filled));
    if (n === null) return echoed; // The client has hung up.
    filled += n;
    echoed += n;
    if (filled < buffer.length) continue;
    await writeAll(conn, buffer);
    filled = 0;
  }
}

export function describeAddr(addr: Deno.NetAddr) {
  return `${addr.transport} ${addr.hostname}:${addr.port}`;
}

export function startEcho({ hostname = "127.0.0.1", port = 0 } = {}) {
  const listener = Deno.listen({ hostname, port });
  const serving = serve(listener);
  return {
    addr: listener.addr,
    shutdown() {
      listener.close();
      return serving;
    },
  };
}

async function serve(listener: Deno.Listener) {
  for await (const conn of listener) {
    try {
      await echoConn(conn);
    } catch (error) {
      const { BrokenPipe, ConnectionReset } = Deno.errors;
      const vanished = error instanceof ConnectionReset ||
        error instanceof BrokenPipe;
      if (!vanished) throw error;
    } finally {
      conn.close();
    }
  }
}
