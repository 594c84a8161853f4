import type {
  ConnectOptions,
  ListenOptions,
  Network,
  RawConn,
  RawDatagram,
  RawListener,
  Secure,
} from "./network.ts";
import { real } from "./real.ts";

/** Whether this process may use the kernel's loopback. */
export function mayUseLoopback(): boolean {
  const host = "127.0.0.1";
  const { state } = Deno.permissions.querySync({ name: "net", host });
  return state === "granted";
}

/** Whether `hostname` is an address of this machine, and we may listen there. */
export function isOurs(hostname: string): boolean {
  try {
    real.listen({ hostname, port: 0 }).close();
    return true;
  } catch (error) {
    const { code, name } = error as Error & { code?: string };
    // EAFNOSUPPORT: a machine without IPv6 has no such sockets at all.
    const reasons = ["EADDRNOTAVAIL", "EAFNOSUPPORT", "NotCapable"];
    if (!reasons.includes(code ?? name)) throw error;
    return false;
  }
}

/** How the kernel's network is used. */
export interface LoopbackOptions {
  /**
   * Whether TCP connections get TCP_NODELAY: a second small write then leaves at
   * once, where Nagle's algorithm would wait 40 ms for the first to be confirmed.
   *
   * @default {false}
   */
  readonly hurried?: boolean;
}

/** The kernel's own network, on the addresses that never leave the machine. */
export class LoopbackNetwork implements Network {
  readonly name = "loopback";
  readonly #hurried: boolean;

  /** Nothing is opened yet. */
  constructor({ hurried = false }: LoopbackOptions = {}) {
    this.#hurried = hurried;
  }

  readonly tls: Secure = {
    listen: (options) => real.listenTls(options) as unknown as RawListener,
    connect: (options) => real.connectTls(options) as Promise<unknown> as never,
    start: (conn, options) =>
      real.startTls(conn as unknown as Deno.TcpConn, options) as never,
  };

  listen(options: ListenOptions): RawListener {
    const listener = real.listen(options as Deno.TcpListenOptions);
    if (!this.#hurried) return listener as RawListener;
    const accept = listener.accept.bind(listener);
    return Object.assign(listener, {
      accept: async () => hurried(await accept()),
    }) as RawListener;
  }

  async connect(options: ConnectOptions): Promise<RawConn> {
    const conn = await real.connect(options);
    return (this.#hurried ? hurried(conn) : conn) as RawConn;
  }

  listenUnix(path: string): RawListener {
    const listener = real.listen({ transport: "unix", path });
    return listener as unknown as RawListener;
  }

  async connectUnix(path: string): Promise<RawConn> {
    const conn = await real.connect({ transport: "unix", path });
    return conn as unknown as RawConn;
  }

  listenDatagram(options: { hostname?: string; port?: number }): RawDatagram {
    if (real.listenDatagram === undefined) {
      throw new TypeError("Deno.listenDatagram is not a function");
    }
    return real.listenDatagram({
      transport: "udp",
      port: 0,
      ...options,
    }) as RawDatagram;
  }

  // Deno's own connections cannot send RST; those of node:net can.

  async connectAbrupt(options: ConnectOptions): Promise<RawConn> {
    const { connectNode } = await import("./abrupt.ts");
    return await connectNode(options);
  }

  async listenAbrupt(options: ListenOptions): Promise<RawListener> {
    const { listenNode } = await import("./abrupt.ts");
    return await listenNode(options);
  }
}

/** `conn`, whose small writes wait for nothing. */
export function hurried(conn: Deno.TcpConn): Deno.TcpConn {
  try {
    conn.setNoDelay(true);
  } catch {
    // The peer has reset it, and macOS refuses options then. The program's next
    // call says what there is to say.
  }
  return conn;
}
