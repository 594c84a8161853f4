import { copyOf } from "../bytes.ts";
import type { Clock } from "../clock.ts";
import { kernel } from "../errors.ts";
import type { ConnectOptions, ListenOptions, Network } from "../network.ts";
import {
  checkedPort,
  clash,
  isV6,
  isWildcard,
  reaches,
  resolve,
  unmapped,
} from "./addresses.ts";
import { SimulatedConn } from "./conn.ts";
import { SimulatedDatagram } from "./datagram.ts";
import { SimulatedFiles } from "./files.ts";
import { SimulatedListener } from "./listener.ts";

/** The ports that the network chooses itself, among those of RFC 6335. */
const FIRST_EPHEMERAL = 50_001;
const LAST_EPHEMERAL = 65_535;

/**
 * A network inside this process: it needs no permission and no luck.
 *
 * It keeps the promises of the kernel's loopback, held to one list with it by
 * `network_test.ts`, and it does the same thing each time.
 */
export class SimulatedNetwork implements Network {
  readonly name = "simulated";
  /** The folder in which its Unix sockets lie. */
  readonly files: SimulatedFiles;
  readonly #clock: Clock;
  readonly #listeners = new Set<SimulatedListener>();
  readonly #datagrams = new Set<SimulatedDatagram>();
  /** Who connected last from each port. */
  readonly #clients = new Map<number, SimulatedConn>();
  #nextPort = FIRST_EPHEMERAL;

  /** Opens a network whose time is that of `clock`. */
  constructor(clock: Clock) {
    this.#clock = clock;
    this.files = new SimulatedFiles(clock);
  }

  listen(options: ListenOptions): SimulatedListener {
    const addr = this.#bind("tcp", options, this.#listeners);
    const listener = new SimulatedListener(this.#clock, addr, {
      backlog: options.tcpBacklog ?? 511,
      release: () => this.#listeners.delete(listener),
    });
    this.#listeners.add(listener);
    return listener;
  }

  async connect(options: ConnectOptions): Promise<SimulatedConn> {
    const { hostname = "127.0.0.1", signal } = options;
    this.#clock.activity++;
    signal?.throwIfAborted();
    const port = checkedPort(options.port);
    if (port === 0) throw kernel.invalidPort(port);
    const [host] = resolve(hostname, port);
    const target = isWildcard(host!) ? loopbackOf(host!) : host!;
    const open = [...this.#listeners].filter(({ open }) => open);
    const listener = find(open, target, port);
    if (listener === undefined) throw kernel.connectionRefused();
    // The kernel drops the SYN, so the client hears nothing and goes on trying.
    // Without an await where there is room: others may be about to take it.
    if (listener.full) await retransmit(this.#clock, listener, signal);
    return this.#handshake(listener, target, options.from);
  }

  #handshake(
    listener: SimulatedListener,
    target: string,
    from = loopbackOf(target),
  ): SimulatedConn {
    const { port, hostname } = listener.addr;
    const mapped = hostname === "::" && !isV6(target) ? "::ffff:" : "";
    const near: Deno.NetAddr = {
      transport: "tcp",
      hostname: from,
      port: this.#freePort(from, kernel.addrNotAvailable),
    };
    const far: Deno.NetAddr = { transport: "tcp", hostname: target, port };
    const [client, server] = SimulatedConn.pair(this.#clock, near, far);
    this.#clients.set(near.port, client);
    listener.welcome(server.seenAs(mapped));
    return client;
  }

  listenDatagram(
    options: { hostname?: string; port?: number },
  ): SimulatedDatagram {
    const addr = this.#bind("udp", options, this.#datagrams);
    const socket = new SimulatedDatagram(this.#clock, addr, {
      deliver: (bytes, to) => this.#deliver(copyOf(bytes), addr, to),
      release: () => this.#datagrams.delete(socket),
    });
    this.#datagrams.add(socket);
    return socket;
  }

  #deliver(
    bytes: Uint8Array<ArrayBuffer>,
    from: Deno.NetAddr,
    to: Deno.NetAddr,
  ) {
    const bound = from.hostname;
    const [asked] = resolve(unmapped(to.hostname), to.port);
    const host = isWildcard(asked!) ? loopbackOf(asked!) : asked!;
    if (isV6(host) && !isV6(bound)) throw kernel.afNotSupported();
    if (!isV6(host) && isV6(bound) && bound !== "::") {
      throw kernel.networkUnreachable();
    }
    // A socket on the wildcard answers from the machine's first address.
    const source = isWildcard(bound) ? loopbackOf(host) : bound;
    const target = find(this.#datagrams, host, to.port);
    const mapped = target?.addr.hostname === "::" && !isV6(source);
    const hostname = mapped ? `::ffff:${source}` : source;
    target?.arrive(bytes, { ...from, hostname }); // Else nobody is told.
  }

  listenUnix(path: string): SimulatedListener {
    return this.files.listenUnix(path);
  }

  connectUnix(path: string): Promise<SimulatedConn> {
    return this.files.connectUnix(path);
  }

  connectAbrupt(options: ConnectOptions): Promise<SimulatedConn> {
    return this.connect(options);
  }

  // deno-lint-ignore require-await -- The kernel's twin has to wait.
  async listenAbrupt(options: ListenOptions): Promise<SimulatedListener> {
    return this.listen(options);
  }

  /** Chooses the address of a socket; the port, too, if none is asked for. */
  #bind(
    transport: "tcp" | "udp",
    { hostname = "0.0.0.0", port }: ListenOptions,
    taken: Iterable<{ addr: Deno.NetAddr }>,
  ): Deno.NetAddr {
    this.#clock.activity++;
    const asked = checkedPort(port);
    const [host] = resolve(hostname, asked);
    const addr = { transport, hostname: host!, port: asked };
    if (asked === 0) addr.port = this.#freePort(host!, kernel.addrInUse);
    for (const other of taken) {
      if (clash(addr, other.addr)) throw kernel.addrInUse();
    }
    return addr;
  }

  /** The next port that is free on `hostname`, for TCP and for UDP. */
  #freePort(hostname: string, none: () => Error): number {
    const sockets = [...this.#listeners, ...this.#datagrams];
    for (let i = FIRST_EPHEMERAL; i <= LAST_EPHEMERAL; i++) {
      const port = this.#nextPort;
      this.#nextPort = port < LAST_EPHEMERAL ? port + 1 : FIRST_EPHEMERAL;
      if (this.#clients.get(port)?.isOpen) continue;
      const addr = { transport: "tcp", hostname, port } as const;
      if (!sockets.some((other) => clash(addr, other.addr))) return port;
    }
    throw none();
  }
}

/** The loopback address of the same family as `host`. */
function loopbackOf(host: string): string {
  return isV6(host) ? "::1" : "127.0.0.1";
}

function find<T extends { addr: Deno.NetAddr }>(
  sockets: Iterable<T>,
  host: string,
  port: number,
): T | undefined {
  return [...sockets].find(({ addr }) =>
    addr.port === port && reaches(addr.hostname, host)
  );
}

/**
 * Waits for room in `listener` as a kernel does: SYN is sent again after 1 s,
 * then 2, 4 … and after seven tries, 127 s, it gives up (tcp_syn_retries).
 */
async function retransmit(
  clock: Clock,
  listener: SimulatedListener,
  signal: AbortSignal | undefined,
) {
  for (let wait = 1_000; listener.full; wait *= 2) {
    if (wait > 64_000) throw kernel.timedOut();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const alarm = clock.set(wait, resolve);
    const abort = () => reject(signal!.reason);
    signal?.addEventListener("abort", abort, { once: true });
    try {
      await promise;
    } finally {
      clock.cancel(alarm);
      signal?.removeEventListener("abort", abort);
    }
  }
}
