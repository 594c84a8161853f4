// style: promise chains and recursion, no loop at all
type Reader = { read(into: Uint8Array): Promise<number | null> };
type Writer = { write(bytes: Uint8Array): Promise<number> };

function writeAll(writer: Writer, data: Uint8Array): Promise<void> {
  return writer.write(data).then((n) =>
    n < data.length ? writeAll(writer, data.subarray(n)) : undefined
  );
}

export function echoConn(conn: Reader & Writer, total = 0): Promise<number> {
  const buffer = new Uint8Array(32_768);
  return conn.read(buffer).then((n) => {
    if (n === null) return total;
    return writeAll(conn, buffer.subarray(0, n))
      .then(() => echoConn(conn, total + n));
  });
}

export function describeAddr(addr: Deno.NetAddr): string {
  return addr.transport + " " + addr.hostname + ":" + addr.port;
}

export function startEcho(options: Partial<Deno.TcpListenOptions> = {}) {
  const { hostname = "127.0.0.1", port = 0 } = options;
  const listener = Deno.listen({ hostname, port });
  let open = true;

  function next(): Promise<void> {
    return listener.accept().then((conn) =>
      echoConn(conn)
        .catch((error) => console.error(`A client left: ${error.message}`))
        .finally(() => conn.close())
        .then(next)
    );
  }

  const ended = next().catch((error) => {
    if (open) throw error;
  });
  return {
    addr: listener.addr,
    shutdown() {
      open = false;
      listener.close();
      return ended;
    },
  };
}
