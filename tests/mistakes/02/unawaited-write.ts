// expect: unawaited-write
// Each write waits for the one before, on a copy, and reading goes on meanwhile.
// At the end all is awaited; when a read throws, nothing is.

type Reader = { read(into: Uint8Array): Promise<number | null> };
type Writer = { write(bytes: Uint8Array): Promise<number> };

async function writeAll(writer: Writer, data: Uint8Array) {
  for (let sent = 0; sent < data.length;) {
    sent += await writer.write(data.subarray(sent));
  }
}

export async function echoConn(conn: Reader & Writer) {
  const buffer = new Uint8Array(1_024);
  let echoed = 0;
  let writing = Promise.resolve();
  let n = await conn.read(buffer);
  while (n !== null) {
    const piece = buffer.slice(0, n);
    writing = writing.then(() => writeAll(conn, piece));
    echoed += n;
    n = await conn.read(buffer);
  }
  await writing;
  return echoed;
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
