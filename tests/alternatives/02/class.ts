// style: a class, a loop of accept() that knows why it ended, and a pause
import { setImmediate } from "node:timers/promises";

type Reader = { read(into: Uint8Array): Promise<number | null> };
type Writer = { write(bytes: Uint8Array): Promise<number> };

export async function echoConn(conn: Reader & Writer): Promise<number> {
  const buffer = new Uint8Array(100);
  let total = 0;
  for (let n; (n = await conn.read(buffer)) !== null; total += n) {
    let sent = 0;
    while (sent < n) sent += await conn.write(buffer.subarray(sent, n));
  }
  return total;
}

export const describeAddr = ({ transport, hostname, port }: Deno.NetAddr) =>
  `${transport} ${hostname}:${port}`;

class Server {
  readonly #listener: Deno.TcpListener;
  readonly #ended: Promise<void>;

  constructor(hostname: string, port: number) {
    this.#listener = Deno.listen({ hostname, port });
    this.#ended = this.#serve();
  }

  get addr() {
    return this.#listener.addr;
  }

  async #serve() {
    while (true) {
      try {
        using conn = await this.#listener.accept();
        await this.#talk(conn);
      } catch (error) {
        if (error instanceof Deno.errors.BadResource) return;
        throw error;
      }
      await setImmediate(); // Others may have something to do.
    }
  }

  async #talk(conn: Deno.Conn) {
    try {
      await echoConn(conn);
    } catch (error) {
      if (!(error instanceof Error && "code" in error)) throw error;
    }
  }

  shutdown() {
    this.#listener.close();
    return this.#ended;
  }
}

export function startEcho(
  { hostname = "127.0.0.1", port = 0 }: { hostname?: string; port?: number } =
    {},
) {
  return new Server(hostname, port);
}
