// Lesson 02, solved: a server and its read loop.
//
// Two loops, one inside the other. The outer one takes the next connection from
// the queue, until the listener closes; the inner one reads, until the client
// has no more to send. What goes wrong inside stays inside.

/** Where bytes come from; `read` gives how many, or null at the end. */
export type Reader = { read(into: Uint8Array): Promise<number | null> };

/** Where bytes go; `write` gives how many it took. */
export type Writer = { write(bytes: Uint8Array): Promise<number> };

/** Where a server listens. */
export type EchoOptions = {
  /** The address. Default: 127.0.0.1, which only this machine can reach. */
  hostname?: string;
  /** The port. Default: 0, which lets the system choose a free one. */
  port?: number;
};

/** A server that is running. */
export type EchoServer = {
  /** Where it listens, with the port that the system chose. */
  readonly addr: Deno.NetAddr;
  /**
   * Stops listening. Resolves when the client that is being served has left,
   * and the port is free.
   */
  shutdown(): Promise<void>;
};

/** Sends back all that comes, to its end; returns how many bytes that were. */
export async function echoConn(conn: Reader & Writer): Promise<number> {
  const buffer = new Uint8Array(1_024);
  let echoed = 0;
  for (;;) {
    const n = await conn.read(buffer);
    // The client has no more to send. It is still there, and still reads.
    if (n === null) return echoed;
    await writeAll(conn, buffer.subarray(0, n));
    echoed += n;
  }
}

/** You know this one: it is lesson 01's. */
async function writeAll(writer: Writer, data: Uint8Array): Promise<void> {
  for (let sent = 0; sent < data.length;) {
    sent += await writer.write(data.subarray(sent));
  }
}

/** An address in words, such as "tcp 127.0.0.1:8080". */
export function describeAddr(addr: Deno.NetAddr): string {
  return `${addr.transport} ${addr.hostname}:${addr.port}`;
}

/**
 * Starts a server that echoes to one client after another.
 *
 * @throws {Deno.errors.AddrInUse} If somebody listens there already.
 */
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
  // Who is connected and not accepted yet waits in the kernel's queue. The loop
  // ends, without an error, when the listener closes. One kind of client still
  // ends it with an error: accept() throws when who waited there has reset.
  // Lesson 17 outlives that, too.
  for await (const conn of listener) {
    try {
      await echoConn(conn);
    } catch (error) {
      // Clients vanish, and nothing but that is expected to go wrong here.
      const { BrokenPipe, ConnectionReset } = Deno.errors;
      const vanished = error instanceof ConnectionReset ||
        error instanceof BrokenPipe;
      if (!vanished) throw error;
    } finally {
      conn.close();
    }
  }
}

// Try it by hand: `deno run -P lessons/02/echo.ts`, then `nc 127.0.0.1 7002`
// in another terminal.
if (import.meta.main) {
  const server = startEcho({ hostname: "127.0.0.1", port: 7002 });
  console.log(`Listening on ${describeAddr(server.addr)}`);
}
