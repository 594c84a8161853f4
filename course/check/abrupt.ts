// Peers on the kernel's network that are able to send RST, or speak TLS and can
// end it without a word. Loaded only by the checks that need one.
import { once } from "node:events";
import {
  type AddressInfo,
  connect,
  createServer,
  type Server,
  type Socket,
} from "node:net";
import { copyOf } from "./bytes.ts";
import { kernel } from "./errors.ts";
import type {
  ConnectOptions,
  ListenOptions,
  RawConn,
  RawListener,
} from "./network.ts";

class NodeConn implements RawConn {
  readonly #socket: Socket;
  readonly #tcp: Socket;
  readonly localAddr: Deno.NetAddr;
  readonly remoteAddr: Deno.NetAddr;
  #error: Error | undefined;
  #ended = false;

  /** `tcp` is what lies below `socket`, if that speaks TLS. */
  constructor(socket: Socket, tcp: Socket = socket) {
    this.#socket = socket;
    this.#tcp = tcp;
    this.localAddr = {
      transport: "tcp",
      hostname: tcp.localAddress!,
      port: tcp.localPort!,
    };
    this.remoteAddr = {
      transport: "tcp",
      hostname: tcp.remoteAddress!,
      port: tcp.remotePort!,
    };
    for (const each of [socket, tcp]) {
      each.on("error", (error) => this.#error = error);
    }
    socket.on("end", () => this.#ended = true);
  }

  async read(into: Uint8Array): Promise<number | null> {
    while (true) {
      const available = this.#socket.readableLength;
      const wanted = Math.min(into.length, Math.max(1, available));
      const chunk: Uint8Array | null = this.#socket.read(wanted);
      if (chunk !== null) {
        into.set(chunk);
        return chunk.length;
      }
      if (this.#error) throw kernel.connectionReset();
      if (this.#ended || this.#socket.destroyed) return null;
      await this.#change();
    }
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      const names = ["readable", "end", "error", "close"];
      const changed = () => {
        for (const name of names) this.#socket.off(name, changed);
        resolve();
      };
      for (const name of names) this.#socket.on(name, changed);
    });
  }

  write(bytes: Uint8Array): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#socket.write(
        copyOf(bytes),
        (error) => error ? reject(kernel.brokenPipe()) : resolve(bytes.length),
      );
    });
  }

  closeWrite(): Promise<void> {
    return new Promise((resolve) => this.#socket.end(resolve));
  }

  close() {
    if (this.#socket.destroyed) return;
    this.#socket.end();
    this.#socket.destroySoon();
  }

  reset() {
    this.#tcp.resetAndDestroy();
  }

  cut() {
    this.#tcp.destroy();
  }

  setNoDelay(on = true) {
    this.#tcp.setNoDelay(on);
  }

  setKeepAlive(on = true) {
    this.#tcp.setKeepAlive(on);
  }

  ref() {
    this.#socket.ref();
  }

  unref() {
    this.#socket.unref();
  }
}

/** Connects a peer that can reset; rejects as `Deno.connect` does. */
export async function connectNode(options: ConnectOptions): Promise<RawConn> {
  const { hostname: host = "127.0.0.1", port, from, tls } = options;
  const near = from === undefined ? {} : { localAddress: from };
  const socket = connect({ host, port, allowHalfOpen: true, ...near });
  try {
    await once(socket, "connect");
  } catch (error) {
    const { code } = error as { code?: string };
    throw code === "ECONNREFUSED" ? kernel.connectionRefused() : error;
  }
  if (tls === undefined) return new NodeConn(socket);
  socket.setNoDelay(true); // A handshake is a dialogue of small messages.
  const { connect: connectTls } = await import("node:tls");
  const { ca = [], alpn = [] } = tls;
  const secure = connectTls({
    socket,
    ca,
    ALPNProtocols: [...alpn],
    servername: "localhost",
  });
  await once(secure, "secureConnect");
  return new NodeConn(secure, socket);
}

class NodeListener implements RawListener {
  readonly #server: Server;
  readonly #secure: (tcp: Socket) => Socket;
  readonly #arrived: Socket[] = [];
  #wake = () => {};
  #closed = false;
  readonly addr: Deno.NetAddr;

  /** `secure` puts TLS on top of a connection, or leaves it as it is. */
  constructor(server: Server, secure: (tcp: Socket) => Socket) {
    this.#server = server;
    this.#secure = secure;
    const { address, port } = server.address() as AddressInfo;
    this.addr = { transport: "tcp", hostname: address, port };
    server.on("connection", (socket: Socket) => {
      this.#arrived.push(socket);
      this.#wake();
    });
  }

  async accept(): Promise<RawConn> {
    while (!this.#closed) {
      const socket = this.#arrived.shift();
      if (socket) return new NodeConn(this.#secure(socket), socket);
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    throw kernel.listenerClosed();
  }

  close() {
    this.#closed = true;
    this.#server.close();
    for (const socket of this.#arrived) socket.resetAndDestroy();
    this.#wake();
  }

  ref() {
    this.#server.ref();
  }

  unref() {
    this.#server.unref();
  }
}

/** Opens a listener whose connections can reset. */
export async function listenNode(options: ListenOptions): Promise<RawListener> {
  const { hostname: host = "127.0.0.1", port = 0, tls } = options;
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
  server.listen({ host, port });
  await once(server, "listening");
  if (tls === undefined) return new NodeListener(server, (tcp) => tcp);
  const { TLSSocket } = await import("node:tls");
  const { cert = "", key = "", alpn = [] } = tls;
  const own = { isServer: true, cert, key, ALPNProtocols: [...alpn] };
  return new NodeListener(
    server,
    (tcp) => new TLSSocket(tcp, { ...own, allowHalfOpen: true } as never),
  );
}
