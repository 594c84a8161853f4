// expect: used-after-close
// The conversation is begun, and the next client should not have to wait.
export type Reader = { read(into: Uint8Array): Promise<number | null> };

export type Writer = { write(bytes: Uint8Array): Promise<number> };

export type EchoOptions = {
  hostname?: string;
  port?: number;
};

export type EchoServer = {
  readonly addr: Deno.NetAddr;
  shutdown(): Promise<void>;
};

export async function echoConn(conn: Reader & Writer): Promise<number> {
  const buffer = new Uint8Array(1_024);
  let echoed = 0;
  for (;;) {
    const n = await conn.read(buffer);
    if (n === null) return echoed;
    await writeAll(conn, buffer.subarray(0, n));
    echoed += n;
  }
}

async function writeAll(writer: Writer, data: Uint8Array): Promise<void> {
  for (let sent = 0; sent < data.length;) {
    sent += await writer.write(data.subarray(sent));
  }
}

export function describeAddr(addr: Deno.NetAddr): string {
  return `${addr.transport} ${addr.hostname}:${addr.port}`;
}

export function startEcho(options: EchoOptions = {}): EchoServer {
  const { hostname = "127.0.0.1", port = 0 } = options;
  const listener = Deno.listen({ hostname, port });
  const serving = serve(listener);
  return {
    addr: listener.addr,
    async shutdown() {
      listener.close();
      await serving;
    },
  };
}

async function serve(listener: Deno.Listener): Promise<void> {
  for await (const conn of listener) {
    try {
      echoConn(conn);
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

if (import.meta.main) {
  const server = startEcho({ hostname: "127.0.0.1", port: 7002 });
  console.log(`Listening on ${describeAddr(server.addr)}`);
}
