import type { Clock } from "../clock.ts";
import { kernel } from "../errors.ts";
import type { RawConn } from "../network.ts";
import { Pipe } from "./pipe.ts";

/** One end of a simulated TCP connection. See tcp(7) and RFC 9293. */
export class SimulatedConn implements RawConn {
  readonly localAddr: Deno.NetAddr;
  readonly remoteAddr: Deno.NetAddr;
  readonly #clock: Clock;
  readonly #in: Pipe;
  readonly #out: Pipe;
  #peer!: SimulatedConn;
  #closed = false;
  #wroteEnd = false;
  /** RST came in: the next write fails, whatever a read has said before. */
  #wasReset = false;

  private constructor(
    clock: Clock,
    pipes: { in: Pipe; out: Pipe },
    addrs: { local: Deno.NetAddr; remote: Deno.NetAddr },
  ) {
    this.#clock = clock;
    this.#in = pipes.in;
    this.#out = pipes.out;
    this.localAddr = addrs.local;
    this.remoteAddr = addrs.remote;
  }

  /** Makes both ends of a connection between two addresses. */
  static pair(
    clock: Clock,
    near: Deno.NetAddr,
    far: Deno.NetAddr,
  ): [SimulatedConn, SimulatedConn] {
    const there = new Pipe(clock);
    const back = new Pipe(clock);
    const a = new SimulatedConn(clock, { in: back, out: there }, {
      local: near,
      remote: far,
    });
    const b = new SimulatedConn(clock, { in: there, out: back }, {
      local: { ...far },
      // A Unix client has no address but the object itself.
      remote: "path" in near ? near : { ...near },
    });
    a.#peer = b;
    b.#peer = a;
    return [a, b];
  }

  /** Whether the peer has reset it: it is no connection any more. */
  get wasReset(): boolean {
    return this.#wasReset;
  }

  /** Whether one of its ends is open still. */
  get isOpen(): boolean {
    return !this.#closed || !this.#peer.#closed;
  }

  /** This end as a dual-stack listener shows it: IPv4 in IPv6 (RFC 4291). */
  seenAs(prefix: string): this {
    for (const addr of [this.localAddr, this.remoteAddr]) {
      addr.hostname = prefix + addr.hostname;
    }
    return this;
  }

  // deno-lint-ignore require-await -- A call on a socket rejects, it never throws.
  async read(into: Uint8Array): Promise<number | null> {
    this.#clock.activity++;
    if (into.length === 0) return 0; // Nobody looks at the connection.
    if (this.#closed) throw kernel.badResource();
    return this.#in.read(into);
  }

  // deno-lint-ignore require-await -- As above.
  async write(bytes: Uint8Array): Promise<number> {
    this.#clock.activity++;
    if (!ArrayBuffer.isView(bytes)) {
      throw new TypeError("expected typed ArrayBufferView");
    }
    if (this.#closed) throw kernel.badResource();
    if (this.#wasReset || this.#wroteEnd) {
      // A reset that nobody has been told of yet is told first.
      if (this.#in.takeReset()) throw kernel.connectionReset();
      throw kernel.brokenPipe();
    }
    if (bytes.length === 0) return 0;
    if (this.#peer.#closed) {
      // It arrives where no socket is any more. The answer is RST: this write
      // was accepted, the next one fails, and what the peer's kernel had still
      // to send is lost.
      this.#wasReset = true;
      this.#in.cut();
      return bytes.length;
    }
    return this.#out.write(bytes);
  }

  async closeWrite(): Promise<void> {
    this.#clock.activity++;
    if (this.#closed) throw kernel.badResource();
    this.#wroteEnd = true;
    await this.#out.endAfterWrites();
  }

  close() {
    this.#clock.activity++;
    if (this.#closed) throw kernel.badResource();
    const unread = this.#in.queued > 0;
    this.#wroteEnd = true;
    this.#closed = true;
    this.#out.failWriters(kernel.interrupted);
    this.#out.end();
    this.#in.discard();
    // Deno sends FIN and closes; input that nobody read makes the kernel
    // answer with RST, and what lay in the send buffer is lost.
    if (unread) this.#resetPeer();
    // A peer that waits for room would wait for ever; its bytes meet RST too.
    else if (!this.#peer.#closed) {
      this.#in.failWriters(kernel.connectionReset);
    }
  }

  /** Ends the connection with RST: no FIN, nothing sent any more. */
  reset() {
    this.#clock.activity++;
    if (this.#closed) return;
    this.#closed = true;
    this.#wroteEnd = true;
    this.#out.failWriters(kernel.interrupted);
    this.#in.discard();
    this.#resetPeer();
  }

  #resetPeer() {
    // Whoever has seen the end knows that nobody answers: EPIPE, and not RST.
    const ended = this.#out.cut();
    this.#peer.#wasReset = true;
    this.#in.failWriters(ended ? kernel.brokenPipe : kernel.connectionReset);
  }

  setNoDelay() {
    if (this.#closed) throw kernel.badResource();
  }

  setKeepAlive() {
    if (this.#closed) throw kernel.badResource();
  }

  ref() {}
  unref() {}
}
