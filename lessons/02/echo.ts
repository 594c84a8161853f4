// Lesson 02: a server and its read loop.
//
// This server listens, accepts, reads and answers: one call for each. So it
// hears one thing, from one client, and goes home. While it is there it stands
// at a door of its own choosing, and the door is open to everybody.

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
  // TODO: Who says two things hears one of them.
  const n = await conn.read(buffer) ?? 0;
  await writeAll(conn, buffer.subarray(0, n));
  return n;
}

/** You know this one: it is lesson 01's. */
async function writeAll(writer: Writer, data: Uint8Array): Promise<void> {
  for (let sent = 0; sent < data.length;) {
    sent += await writer.write(data.subarray(sent));
  }
}

/** An address in words, such as "tcp 127.0.0.1:8080". */
export function describeAddr(addr: Deno.NetAddr): string {
  // TODO: Every machine has a port of this number.
  return `port ${addr.port}`;
}

/**
 * Starts a server that echoes to one client after another.
 *
 * @throws {Deno.errors.AddrInUse} If somebody listens there already.
 */
export function startEcho(options: EchoOptions = {}): EchoServer {
  // TODO: A second server finds the door taken. And who may come in by it?
  const { hostname = "0.0.0.0", port = 7002 } = options;
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
  // TODO: The second client waits at a door where nobody looks any more.
  const conn = await listener.accept();
  // TODO: A client can vanish without a word. What becomes of the others?
  await echoConn(conn);
  conn.close();
}

// Try it by hand: `deno run -P lessons/02/echo.ts`, then `nc 127.0.0.1 7002`
// in another terminal.
if (import.meta.main) {
  const server = startEcho({ hostname: "127.0.0.1", port: 7002 });
  console.log(`Listening on ${describeAddr(server.addr)}`);
}
