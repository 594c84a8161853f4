// expect: shared-buffer
// One client at a time is served, so one buffer is enough for all of them.

type Reader = { read(into: Uint8Array): Promise<number | null> };
type Writer = { write(bytes: Uint8Array): Promise<number> };

async function writeAll(writer: Writer, data: Uint8Array) {
  for (let sent = 0; sent < data.length;) {
    sent += await writer.write(data.subarray(sent));
  }
}

const buffer = new Uint8Array(1_024);

export async function echoConn(conn: Reader & Writer) {
  let echoed = 0;
  let n = await conn.read(buffer);
  while (n !== null) {
    await writeAll(conn, buffer.subarray(0, n));
    echoed += n;
    n = await conn.read(buffer);
  }
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
