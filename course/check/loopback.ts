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
  /**
   * Which system's habits to make up for.
   *
   * @default {Deno.build.os}
   */
  readonly os?: typeof Deno.build.os;
}

/** The kernel's own network, on the addresses that never leave the machine. */
export class LoopbackNetwork implements Network {
  readonly name = "loopback";
  readonly #hurried: boolean;
  readonly #os: typeof Deno.build.os;

  /** Nothing is opened yet. */
  constructor(
    { hurried = false, os = Deno.build.os }: LoopbackOptions = {},
  ) {
    this.#hurried = hurried;
    this.#os = os;
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
    const socket = real.listenDatagram({
      transport: "udp",
      port: 0,
      ...options,
    }) as RawDatagram;
    return this.#os === "windows" ? untold(socket) : socket;
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

/**
 * `socket`, which is not told that an earlier datagram met a port where nobody
 * is. Windows says so by rejecting the next `receive()` (WSAECONNRESET, see
 * WSARecvFrom); elsewhere a socket that is not connected never hears of it.
 */
export function untold(socket: RawDatagram): RawDatagram {
  const receive = socket.receive.bind(socket);
  return Object.assign(socket, {
    async receive(into?: Uint8Array) {
      while (true) {
        try {
          return await receive(into);
        } catch (error) {
          if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
        }
      }
    },
  });
}
