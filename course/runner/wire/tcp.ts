// TCP with node:net, because Deno's own connections cannot send a reset.
import { connect, createServer, type Socket } from "node:net";
import { type Events, reason, type Wire, written } from "./wire.ts";

interface Address {
  readonly hostname: string;
  readonly port: number;
}

/** Connects, and calls `events` from then on. */
export function connectTcp(
  { hostname: host, port }: Address,
  events: Events,
): Wire {
  const socket = connect({ host, port, allowHalfOpen: true });
  return new TcpWire(socket, events, written(host, port));
}

/** Listens for one client. `ready` is told the address, port and all. */
export function listenTcp(
  { hostname: host, port }: Address,
  events: Events,
  ready: (at: string) => void,
): Wire {
  const server = createServer({ allowHalfOpen: true });
  let wire: TcpWire | undefined;
  server.listen({ host, port }, () => {
    const { port } = server.address() as { port: number };
    ready(written(host, port));
  });
  server.on(
    "error",
    (error) => events.over(reason(error, written(host, port))),
  );
  const met = Promise.withResolvers<void>();
  server.on("connection", (socket) => {
    server.close(); // The first client is the only one.
    wire = new TcpWire(socket, events, written(host, port));
    met.resolve();
  });
  return {
    // What is typed before anybody is there waits for the first who comes.
    send: (bytes) => met.promise.then(() => wire!.send(bytes)),
    end: () => void met.promise.then(() => wire!.end()),
    reset: () => wire ? wire.reset() : void server.close(() => events.over()),
    close: () => wire ? wire.close() : void server.close(() => events.over()),
  };
}

class TcpWire implements Wire {
  readonly #socket: Socket;
  #over = false;

  constructor(socket: Socket, events: Events, where: string) {
    this.#socket = socket;
    const met = () =>
      events.met(written(socket.remoteAddress!, socket.remotePort!));
    if (socket.connecting) socket.on("connect", met);
    else met();
    socket.on("data", (bytes) => events.came(bytes));
    socket.on("end", () => events.ended());
    let why: string | undefined;
    socket.on("error", (error) => why = reason(error, where));
    socket.on("close", () => {
      this.#over = true;
      events.over(why);
    });
  }

  send(bytes: Uint8Array): Promise<void> {
    if (this.#over || !this.#socket.writable) return Promise.resolve();
    return new Promise((resolve) => {
      // A failure is told by the event "error".
      this.#socket.write(bytes, () => resolve());
    });
  }

  end() {
    if (!this.#over) this.#socket.end();
  }

  reset() {
    if (this.#over) return;
    const reset = () => void this.#socket.resetAndDestroy();
    if (this.#socket.connecting) this.#socket.once("connect", reset);
    else reset();
  }

  close() {
    if (this.#over) return;
    this.#socket.end();
    this.#socket.destroySoon();
  }
}
