import { nameOf } from "../described.ts";
import type { RawConn, RawListener } from "../network.ts";
import { Place } from "../place.ts";
import { StandInConn } from "./conn.ts";
import type { Open, World } from "./world.ts";

/** A listener as the program sees it, with every call recorded. */
export class StandInListener implements Deno.TcpListener {
  readonly #raw: RawListener;
  readonly #world: World;
  readonly #open: Open;
  readonly #made: (raw: RawConn, world: World) => StandInConn;
  /** A client that waits on, because the accept() that met it failed. */
  #kept: RawConn | undefined;

  /** `made` makes what the program gets of what the network accepts. */
  constructor(
    raw: RawListener,
    world: World,
    made = (raw: RawConn, world: World) => new StandInConn(raw, world),
  ) {
    this.#made = made;
    this.#raw = raw;
    this.#world = world;
    this.#open = {
      kind: "listener",
      what: `the listener on ${where(raw.addr)}`,
      place: Place.here(),
      close: () => this.#shut(),
    };
    world.open.add(this.#open);
  }

  get addr(): Deno.NetAddr {
    return this.#raw.addr;
  }

  accept(): Promise<Deno.TcpConn> {
    const names = this.#world.recording;
    return this.#world.call(
      { kind: "accept", who: "", what: "accept()", on: this },
      () => this.#accept(),
      ({ remoteAddr }) => ({ text: `accept() → ${names.nameOf(remoteAddr)}` }),
    ).then((raw) => this.#made(raw, this.#world));
  }

  async #accept(): Promise<RawConn> {
    const fault = this.#world.acceptFault();
    const conn = this.#kept ?? await this.#raw.accept();
    this.#kept = fault && conn;
    if (fault) throw fault;
    return conn;
  }

  #shut() {
    this.#raw.close();
    this.#kept?.close();
    this.#kept = undefined;
  }

  close() {
    const text = "close() of the listener";
    try {
      this.#shut();
    } catch (error) {
      this.#noteClose(`${text} ✗ ${nameOf(error)}`, error);
      throw error;
    }
    this.#world.open.delete(this.#open);
    this.#noteClose(text);
  }

  #noteClose(text: string, error?: unknown) {
    this.#world.recording.note({
      side: "program",
      kind: "close",
      who: "",
      text,
      place: Place.here(),
      ...(error !== undefined && { error }),
    });
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<Deno.TcpConn> {
    return {
      next: async () => {
        try {
          return { value: await this.accept(), done: false };
        } catch (error) {
          const { BadResource, Interrupted } = Deno.errors;
          const closed = error instanceof BadResource ||
            error instanceof Interrupted;
          if (!closed) throw error;
          return { value: undefined, done: true };
        }
      },
      // Leaving the loop closes the listener, as in Deno.
      return: (value?: unknown) => {
        this[Symbol.dispose]();
        return Promise.resolve({ value, done: true });
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  ref() {
    this.#raw.ref();
  }

  unref() {
    this.#raw.unref();
  }

  [Symbol.dispose]() {
    if (this.#world.open.has(this.#open)) this.close();
  }
}

function where(addr: Deno.Addr): string {
  if ("path" in addr) return String(addr.path);
  const { hostname, port } = addr as Deno.NetAddr;
  return `${hostname}:${port}`;
}
