import type { SimulatedFiles } from "./simulated/files.ts";

/** One end of a TCP connection, as a network offers it: bytes, no streams. */
export interface RawConn {
  /** The address at this end. */
  readonly localAddr: Deno.NetAddr;
  /** The address at the other end. */
  readonly remoteAddr: Deno.NetAddr;
  /** See `Deno.Conn.read`. */
  read(into: Uint8Array): Promise<number | null>;
  /** See `Deno.Conn.write`. May accept a part only. */
  write(bytes: Uint8Array): Promise<number>;
  /** Ends this direction (FIN). Twice is fine. */
  closeWrite(): Promise<void>;
  /** Closes both directions. Throws BadResource the second time. */
  close(): void;
  /** Ends the connection with RST, where the network can do that. */
  reset?(): void;
  /** Ends TCP below TLS, and says nothing in TLS; for the cast's side of it. */
  cut?(): void;
  /** See `Deno.TcpConn.setNoDelay`. */
  setNoDelay(on?: boolean): void;
  /** See `Deno.TcpConn.setKeepAlive`. */
  setKeepAlive(on?: boolean): void;
  /** See `Deno.Conn.ref`. */
  ref(): void;
  /** See `Deno.Conn.unref`. */
  unref(): void;
}

/** One end of a TLS connection, as a network offers it to the program. */
export interface RawTlsConn extends RawConn {
  /** See `Deno.TlsConn.handshake`. */
  handshake(): Promise<Deno.TlsHandshakeInfo>;
}

/** TLS for the program. Only the kernel's network has it. */
export interface Secure {
  /** See `Deno.listenTls`; the conns that it accepts are `RawTlsConn`. */
  listen(options: Deno.ListenTlsOptions & Deno.TlsCertifiedKeyPem): RawListener;
  /** See `Deno.connectTls`. */
  connect(options: Deno.ConnectTlsOptions): Promise<RawTlsConn>;
  /** See `Deno.startTls`. */
  start(conn: RawConn, options: Deno.StartTlsOptions): Promise<RawTlsConn>;
}

/** How a member of the cast speaks TLS, as a server or as a client. */
export interface TlsSettings {
  /** A server's certificate, in PEM. */
  readonly cert?: string;
  /** Its key. */
  readonly key?: string;
  /** The authority that a client trusts, in PEM. */
  readonly ca?: string;
  /** The protocols that it speaks, the best one first (ALPN, RFC 7301). */
  readonly alpn?: readonly string[];
}

/** A listening TCP socket, as a network offers it. */
export interface RawListener {
  /** The address that it listens on. */
  readonly addr: Deno.NetAddr;
  /** See `Deno.Listener.accept`. */
  accept(): Promise<RawConn>;
  /** See `Deno.Listener.close`. */
  close(): void;
  /** See `Deno.Listener.ref`. */
  ref(): void;
  /** See `Deno.Listener.unref`. */
  unref(): void;
}

/** A UDP socket, as a network offers it. */
export interface RawDatagram {
  /** The address that it is bound to. */
  readonly addr: Deno.Addr;
  /** See `Deno.DatagramConn.send`. */
  send(bytes: Uint8Array, to: Deno.Addr): Promise<number>;
  /** See `Deno.DatagramConn.receive`. */
  receive(into?: Uint8Array): Promise<[Uint8Array<ArrayBuffer>, Deno.Addr]>;
  /** See `Deno.DatagramConn.close`. */
  close(): void;
}

/** How to listen; see `Deno.TcpListenOptions`. */
export interface ListenOptions {
  /** The address to bind; "0.0.0.0" if it is not given, as in Deno. */
  hostname?: string;
  /** The port; 0 or none lets the network choose. */
  port?: number;
  /** How many connections may wait to be accepted; 511 if not given. */
  tcpBacklog?: number;
  /** Speaks TLS; of effect with `listenAbrupt()` alone. */
  tls?: TlsSettings;
}

/** Where to connect to; see `Deno.ConnectOptions`. */
export interface ConnectOptions {
  /** A name or an address; "127.0.0.1" if it is not given, as in Deno. */
  hostname?: string;
  /** The port, 1 to 65,535. */
  port: number;
  /** Gives up the attempt; of no effect once the connection is there. */
  signal?: AbortSignal;
  /** The address to come from; of effect with `connectAbrupt()` alone. */
  from?: string;
  /** Speaks TLS; of effect with `connectAbrupt()` alone. */
  tls?: TlsSettings;
}

/** What carries bytes during a check: the simulated network, or the kernel. */
export interface Network {
  /** As a failed check names it. */
  readonly name: "simulated" | "loopback";
  /** The folder for its Unix sockets, if they lie in one of its own. */
  readonly files?: SimulatedFiles;
  /** TLS, if it is to be had. */
  readonly tls?: Secure;
  /** See `Deno.listen`. */
  listen(options: ListenOptions): RawListener;
  /** See `Deno.connect`. */
  connect(options: ConnectOptions): Promise<RawConn>;
  /** See `Deno.listen` for Unix sockets; its `addr` is a `Deno.UnixAddr`. */
  listenUnix(path: string): RawListener;
  /** See `Deno.connect` for Unix sockets. */
  connectUnix(path: string): Promise<RawConn>;
  /** See `Deno.listenDatagram`. */
  listenDatagram(options: { hostname?: string; port?: number }): RawDatagram;
  /** As {@linkcode Network.connect}, by a peer that is able to reset. */
  connectAbrupt(options: ConnectOptions): Promise<RawConn>;
  /** As {@linkcode Network.listen}, by a peer that is able to reset. */
  listenAbrupt(options: ListenOptions): Promise<RawListener>;
}
