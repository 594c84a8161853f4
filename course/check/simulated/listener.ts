import type { Clock } from "../clock.ts";
import { kernel } from "../errors.ts";
import type { RawListener } from "../network.ts";
import { turn } from "../real.ts";
import type { SimulatedConn } from "./conn.ts";

/** A simulated listening socket: a queue of connections that are complete. */
export class SimulatedListener implements RawListener {
  readonly addr: Deno.NetAddr;
  readonly #clock: Clock;
  readonly #backlog: number;
  readonly #release: () => void;
  #queue: SimulatedConn[] = [];
  #accepting: PromiseWithResolvers<SimulatedConn> | undefined;
  #closed = false;

  /** `release` is called once the address is free again. */
  constructor(
    clock: Clock,
    addr: Deno.NetAddr,
    { backlog, release }: { backlog: number; release: () => void },
  ) {
    this.#clock = clock;
    this.addr = addr;
    this.#backlog = backlog;
    this.#release = release;
  }

  /** Whether it takes clients; its address may be taken a little longer. */
  get open(): boolean {
    return !this.#closed;
  }

  /** Whether the kernel would drop a SYN now. Linux allows one more. */
  get full(): boolean {
    return this.#queue.length > this.#backlog;
  }

  /** Completes a handshake: `conn` waits here until it is accepted. */
  welcome(conn: SimulatedConn) {
    this.#clock.activity++;
    if (this.#accepting === undefined) {
      this.#queue.push(conn);
      return;
    }
    this.#accepting.resolve(conn);
    this.#accepting = undefined;
  }

  // deno-lint-ignore require-await -- A call on a socket rejects, it never throws.
  async accept(): Promise<SimulatedConn> {
    this.#clock.activity++;
    if (this.#closed) throw kernel.listenerClosed();
    if (this.#accepting !== undefined) throw kernel.busyAccept();
    const conn = this.#queue.shift();
    // Deno asks who the client is, and the kernel does not know any more.
    if (conn?.wasReset) throw kernel.notConnected();
    if (conn !== undefined) return conn;
    this.#accepting = Promise.withResolvers();
    return this.#accepting.promise;
  }

  close() {
    this.#clock.activity++;
    if (this.#closed) throw kernel.badResource();
    this.#closed = true;
    for (const conn of this.#queue.splice(0)) conn.reset();
    const pending = this.#accepting;
    this.#accepting = undefined;
    if (pending === undefined) return this.#release();
    // The address stays taken until the pending accept has been told, and that
    // is in the next turn of the event loop.
    pending.promise.catch(this.#release);
    turn().then(() => pending.reject(kernel.listenerClosed()));
  }

  ref() {}
  unref() {}
}
