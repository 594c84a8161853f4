import { copyOf } from "../bytes.ts";
import type { Clock } from "../clock.ts";
import { kernel } from "../errors.ts";
import type { RawDatagram } from "../network.ts";

/** The largest payload of a UDP datagram over IPv4 (RFC 768, RFC 791). */
export const MAX_DATAGRAM = 65_507;

/** What Linux keeps for a UDP socket by default (net.core.rmem_default). */
const RECEIVE_BUFFER = 212_992;

/**
 * What a datagram costs in that buffer: the kernel counts its own overhead, and
 * rounds small ones up to its blocks. Measured on Linux 6.18.
 */
function cost(length: number): number {
  if (length <= 197) return 832;
  if (length > 16_005) return length + 832;
  return Math.max(1_280, 256 + 2 ** Math.ceil(Math.log2(length + 379)));
}

/**
 * Refuses what the kernel does not even try to send, wherever it goes.
 *
 * @throws {Error} For a datagram that is too long, or that goes to port 0.
 */
export function refuse(bytes: Uint8Array, to: Deno.Addr) {
  if (!ArrayBuffer.isView(bytes)) {
    throw new TypeError("expected typed ArrayBufferView");
  }
  if (bytes.length > MAX_DATAGRAM) throw kernel.messageTooLong();
  if ((to as Deno.NetAddr).port === 0) throw kernel.invalidArgument();
}

type Received = [Uint8Array<ArrayBuffer>, Deno.NetAddr];

interface Pending {
  readonly into: Uint8Array | undefined;
  readonly resolve: (received: Received) => void;
  readonly reject: (error: Error) => void;
}

/** A simulated UDP socket. See udp(7). */
export class SimulatedDatagram implements RawDatagram {
  readonly addr: Deno.NetAddr;
  readonly #clock: Clock;
  readonly #deliver: (bytes: Uint8Array, to: Deno.NetAddr) => void;
  readonly #release: () => void;
  #queue: Received[] = [];
  #used = 0;
  #receivers: Pending[] = [];
  #closed = false;

  constructor(
    clock: Clock,
    addr: Deno.NetAddr,
    { deliver, release }: {
      /** Carries a datagram to whoever is bound to its destination. */
      deliver: (bytes: Uint8Array, to: Deno.NetAddr) => void;
      release: () => void;
    },
  ) {
    this.#clock = clock;
    this.addr = addr;
    this.#deliver = deliver;
    this.#release = release;
  }

  // deno-lint-ignore require-await -- A call on a socket rejects, it never throws.
  async send(bytes: Uint8Array, to: Deno.Addr): Promise<number> {
    this.#clock.activity++;
    if (this.#closed) throw kernel.socketClosed();
    refuse(bytes, to);
    const { hostname, port } = to as Deno.NetAddr;
    this.#deliver(copyOf(bytes), { transport: "udp", hostname, port });
    return bytes.length;
  }

  /** Takes a datagram in, or drops it when the buffer is full. Nobody is told. */
  arrive(bytes: Uint8Array<ArrayBuffer>, from: Deno.NetAddr) {
    this.#clock.activity++;
    // Several calls that wait are not served in the order of calling: Deno
    // promises none, and on the kernel the last one often comes first.
    const receiver = this.#receivers.pop();
    if (receiver !== undefined) return this.#hand(receiver, [bytes, from]);
    if (this.#used + cost(bytes.length) > RECEIVE_BUFFER) return;
    this.#used += cost(bytes.length);
    this.#queue.push([bytes, from]);
  }

  #hand({ into, resolve }: Pending, [bytes, from]: Received) {
    // Deno offers a buffer for the largest, and gives a view of its beginning.
    into ??= new Uint8Array(MAX_DATAGRAM);
    // What does not fit is discarded, silently.
    const part = bytes.subarray(0, into.length);
    into.set(part);
    const view = into.subarray(0, part.length) as Uint8Array<ArrayBuffer>;
    resolve([view, from]);
  }

  receive(into?: Uint8Array): Promise<Received> {
    this.#clock.activity++;
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(kernel.socketClosed());
      const pending = { into, resolve, reject };
      const next = this.#queue.shift();
      if (next === undefined) return this.#receivers.push(pending);
      this.#used -= cost(next[0].length);
      this.#hand(pending, next);
    });
  }

  close() {
    this.#clock.activity++;
    if (this.#closed) throw kernel.badResource();
    this.#closed = true;
    this.#release();
    for (const { reject } of this.#receivers.splice(0)) {
      reject(kernel.interrupted());
    }
  }
}
