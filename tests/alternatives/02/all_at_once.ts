// style: every client at once, each piped from its stream to its own writer
type Reader = { read(into: Uint8Array): Promise<number | null> };
type Writer = { write(bytes: Uint8Array): Promise<number> };

async function* chunksOf(reader: Reader) {
  while (true) {
    const chunk = new Uint8Array(65_536);
    const n = await reader.read(chunk);
    if (n === null) return;
    yield chunk.subarray(0, n);
  }
}

export async function echoConn(conn: Reader & Writer): Promise<number> {
  let echoed = 0;
  for await (let chunk of chunksOf(conn)) {
    echoed += chunk.length;
    while (chunk.length > 0) chunk = chunk.subarray(await conn.write(chunk));
  }
  return echoed;
}

export function describeAddr(addr: Deno.NetAddr): string {
  return [addr.transport, [addr.hostname, addr.port].join(":")].join(" ");
}

export function startEcho(options: { hostname?: string; port?: number } = {}) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0, ...options });
  const clients: Promise<void>[] = [];
  const door = (async () => {
    for await (const conn of listener) {
      // The stream closes the connection, whichever way it ends.
      clients.push(conn.readable.pipeTo(conn.writable).catch(() => {}));
    }
  })();
  return {
    addr: listener.addr,
    async shutdown() {
      listener.close();
      await door;
      await Promise.all(clients);
    },
  };
}
