import { count, preview } from "../bytes.ts";
import type { RawDatagram } from "../network.ts";
import { Place } from "../place.ts";
import { carry } from "./carry.ts";
import type { Open, World } from "./world.ts";

/** A UDP socket as the program sees it, with every call recorded. */
export class StandInDatagram implements Deno.DatagramConn {
  readonly #raw: RawDatagram;
  readonly #world: World;
  readonly #open: Open;
  readonly #served: boolean;
  #receiving = 0;
  #retired = false;

  /**
   * Closes `socket` at the end of a check. What a `receive()` under way still
   * brings is too late then: the program would answer on a closed socket.
   */
  static retire(socket: StandInDatagram) {
    socket.#retired = true;
    socket.close();
  }

  constructor(raw: RawDatagram, world: World, { served = false } = {}) {
    this.#served = served;
    this.#raw = raw;
    this.#world = world;
    const { hostname, port } = raw.addr as Deno.NetAddr;
    this.#open = {
      kind: "datagram socket",
      what: `the UDP socket on ${hostname}:${port}`,
      place: Place.here(),
      close: () => raw.close(),
    };
    world.open.add(this.#open);
  }

  get addr(): Deno.Addr {
    return this.#raw.addr;
  }

  send(bytes: Uint8Array, to: Deno.Addr): Promise<number> {
    const who = this.#world.recording.nameOf(to);
    const call = { kind: "send", who, what: `send() to ${who}` };
    return this.#world.call(
      call,
      () => carry(this.#world, this.#raw, bytes, to),
      () => ({ text: `${call.what}: ${told(bytes, who)}`, bytes }),
    );
  }

  receive(
    into?: Uint8Array,
  ): Promise<[Uint8Array<ArrayBuffer>, Deno.Addr]> {
    // Several calls that wait at once are worth a word: see the catalogue.
    const what = this.#receiving++ > 0
      ? "receive() beside another"
      : "receive()";
    return this.#world.call(
      { kind: "receive", who: "", what, served: this.#served, on: this },
      () => this.#receive(into),
      ([bytes, from]) => {
        const who = this.#world.recording.nameOf(from);
        const call = what.replace("()", `() from ${who}`);
        return { who, text: `${call} → ${told(bytes, who)}`, bytes };
      },
    );
  }

  async #receive(into?: Uint8Array) {
    try {
      const received = await this.#raw.receive(into);
      if (!this.#retired) return received;
      throw new Deno.errors.Interrupted("operation canceled");
    } finally {
      this.#receiving--;
    }
  }

  close() {
    this.#raw.close();
    this.#world.open.delete(this.#open);
    this.#world.recording.note({
      side: "program",
      kind: "close",
      who: "",
      text: "close() of the UDP socket",
      place: Place.here(),
    });
  }

  joinMulticastV4(): Promise<Deno.MulticastV4Membership> {
    throw new TypeError(
      "Cannot join a multicast group during a check: there is one host only",
    );
  }

  joinMulticastV6(): Promise<Deno.MulticastV6Membership> {
    return this.joinMulticastV4() as never;
  }

  async *[Symbol.asyncIterator](): AsyncIterableIterator<
    [Uint8Array<ArrayBuffer>, Deno.Addr]
  > {
    while (true) {
      try {
        yield await this.receive();
      } catch (error) {
        const { BadResource, Interrupted } = Deno.errors;
        const closed = error instanceof BadResource ||
          error instanceof Interrupted;
        if (!closed) throw error;
        return;
      }
    }
  }
}

/** The bytes, unless the other end is one of the cast and shows them too. */
function told(bytes: Uint8Array, who: string): string {
  const inCast = !who.includes(":");
  return inCast ? count(bytes.length) : preview(bytes);
}
