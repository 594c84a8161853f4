import { type Events, reason, type Wire, written } from "./wire.ts";

interface Address {
  readonly hostname: string;
  readonly port: number;
}

/** Sends datagrams to `to`, and takes them from there alone. */
export function connectUdp(to: Address, events: Events): Wire {
  const hostname = to.hostname === "localhost" ? "127.0.0.1" : to.hostname;
  const peer = { transport: "udp", hostname, port: to.port } as const;
  const wire = new UdpWire(0, hostname, events);
  wire.peer = peer;
  events.met(written(hostname, to.port));
  return wire;
}

/** Takes datagrams, and answers whoever sent the latest. */
export function listenUdp(
  { hostname, port }: Address,
  events: Events,
  ready: (at: string) => void,
): Wire {
  const wire = new UdpWire(port, hostname, events);
  ready(written(hostname, wire.port));
  return wire;
}

class UdpWire implements Wire {
  /** Where to send. Without one, it is whoever sent last. */
  peer: Deno.NetAddr | undefined;
  readonly #socket: Deno.DatagramConn;
  readonly #events: Events;
  #last: Deno.NetAddr | undefined;
  #over = false;

  constructor(port: number, hostname: string, events: Events) {
    this.#socket = Deno.listenDatagram({ transport: "udp", hostname, port });
    this.#events = events;
    this.#receive();
  }

  get port(): number {
    return (this.#socket.addr as Deno.NetAddr).port;
  }

  async #receive() {
    for await (const [bytes, from] of this.#socket) {
      const sender = from as Deno.NetAddr;
      if (this.peer && !same(this.peer, sender)) continue;
      const known = this.peer ?? this.#last;
      if (!known || !same(known, sender)) {
        this.#events.met(written(sender.hostname, sender.port));
      }
      this.#last = sender;
      this.#events.came(bytes);
    }
    this.#over = true;
    this.#events.over();
  }

  async send(bytes: Uint8Array) {
    const to = this.peer ?? this.#last;
    if (this.#over || to === undefined) return;
    try {
      await this.#socket.send(bytes, to);
    } catch (error) {
      this.#over = true;
      this.#events.over(reason(error, written(to.hostname, to.port)));
    }
  }

  end() {}

  reset() {
    this.close();
  }

  close() {
    if (!this.#over) this.#socket.close();
  }
}

function same(one: Deno.NetAddr, other: Deno.NetAddr): boolean {
  return one.hostname === other.hostname && one.port === other.port;
}
