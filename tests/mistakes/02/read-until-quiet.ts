// expect: read-until-quiet
// Whoever has said nothing for some seconds has gone, and others wait outside.

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
  for (let n; (n = await orQuiet(conn.read(buffer))) !== null; echoed += n) {
    await writeAll(conn, buffer.subarray(0, n));
  }
  return echoed;
}

/** Null if nothing comes for five seconds. */
async function orQuiet(read: Promise<number | null>) {
  const quiet = Promise.withResolvers<null>();
  const timer = setTimeout(quiet.resolve, 5_000, null);
  try {
    return await Promise.race([read, quiet.promise]);
  } finally {
    clearTimeout(timer);
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
