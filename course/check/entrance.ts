import { Actor } from "./cast/actor.ts";
import { Unmet } from "./evidence.ts";
import type { Network, RawConn, RawListener, TlsSettings } from "./network.ts";
import { Place } from "./place.ts";
import type { Stagehand } from "./stagehand.ts";
import type { World } from "./stand_ins/world.ts";

/** A listener or an address. */
export type Target = Deno.NetAddr | { readonly addr: Deno.NetAddr };

/** A Unix listener of the program. */
export type UnixTarget = { readonly addr: Deno.UnixAddr };

/** How a member of the cast joins. */
export interface JoinOptions {
  /** Whether it will call `reset()`. */
  canReset?: boolean;
  /** Speaks TLS, which is to be had on loopback only. */
  tls?: TlsSettings;
}

/** How a client of the program joins. */
export interface ClientOptions extends JoinOptions {
  /** The address that it comes from; 127.0.0.1 if it is not given. */
  from?: string;
}

/** How a member of the cast listens. */
export interface HostOptions extends JoinOptions {
  /** The address; 127.0.0.1 if it is not given. */
  hostname?: string;
  /** The port; one that is free, if it is not given. */
  port?: number;
  /** How many connections may wait to be accepted. */
  tcpBacklog?: number;
  /**
   * Whether it will call `close()`. Nobody else on this machine gets its port
   * then, before the check is over.
   */
  willClose?: boolean;
}

/** A cast member that listens, and takes the program's connections. */
export interface Host {
  /** Where it listens. */
  readonly addr: Deno.NetAddr;
  /** Takes the next connection of the program. */
  accept(): Promise<Actor>;
  /**
   * Stops listening.
   *
   * @throws {TypeError} If it came without `willClose`: whoever connects to its
   * port then could meet somebody else's listener.
   */
  close(): void;
}

/** How members of the cast come to a connection with the program. */
export class Entrance {
  readonly #network: Network;
  readonly #world: World;
  readonly #hand: Stagehand;

  constructor(network: Network, world: World, hand: Stagehand) {
    this.#network = network;
    this.#world = world;
    this.#hand = hand;
  }

  /** Connects a new client to `to`. It is called `name` in the recording. */
  async connect(
    name: string,
    to: Target,
    options: ClientOptions,
  ): Promise<Actor> {
    const place = Place.here();
    const { hostname, port } = "addr" in to ? to.addr : to;
    this.#world.used = true;
    const waiting = { side: "cast", who: name, kind: "connect" } as const;
    const what = `connects to ${hostname}:${port}`;
    this.#world.recording.note({ ...waiting, text: "connects" });
    const raw = await this.#hand.during(
      { ...waiting, what, place },
      () => this.#dial(name, { hostname, port, place }, options),
      () => cannotConnect(name, `${hostname}:${port}`, "gets no answer"),
    );
    this.#world.recording.name(raw.localAddr.port, name);
    return new Actor(name, raw, this.#hand);
  }

  /** As {@linkcode Entrance.connect}, to a Unix socket of the program. */
  async connectUnix(name: string, { addr }: UnixTarget): Promise<Actor> {
    const place = Place.here();
    const path = addr.path!;
    const waiting = { side: "cast", who: name, kind: "connect" } as const;
    this.#world.used = true;
    this.#world.recording.note({ ...waiting, text: `connects to ${path}` });
    const raw = await this.#hand.during(
      { ...waiting, what: `connects to ${path}`, place },
      async () => {
        try {
          return await this.#network.connectUnix(path);
        } catch (error) {
          const { ConnectionRefused, NotFound } = Deno.errors;
          const nobody = error instanceof ConnectionRefused ||
            error instanceof NotFound;
          if (!nobody) throw error;
          throw cannotConnect(name, path, "nobody listens there").from(place);
        }
      },
      () => cannotConnect(name, path, "gets no answer"),
    );
    this.#world.recording.name(raw.localAddr, name);
    return new Actor(name, raw, this.#hand);
  }

  /** Expects that nobody listens at `to`: a client that tries is refused. */
  async refuses(name: string, to: Target): Promise<void> {
    const place = Place.here();
    const { hostname, port } = "addr" in to ? to.addr : to;
    const tries = { side: "cast", who: name, kind: "connect" } as const;
    const what = `tries to connect to ${hostname}`;
    const unmet = (but: string) => {
      const headline = `${name} expected to be refused at ${hostname}, ${but}`;
      return new Unmet({ kind: "admitted", who: name, headline }).from(place);
    };
    const noAnswer = () => unmet("and got no answer");
    this.#world.used = true;
    this.#world.recording.note({ ...tries, text: what });
    const isIn = await this.#hand.during(
      { ...tries, what, place },
      async () => {
        const { ConnectionRefused, ConnectionReset, TimedOut } = Deno.errors;
        try {
          const raw = await this.#network.connect({ hostname, port });
          this.#world.recording.name(raw.localAddr.port, name);
          raw.close();
          return true;
        } catch (error) {
          if (error instanceof ConnectionRefused) return false;
          if (error instanceof TimedOut) throw noAnswer();
          // Somebody did listen, and stopped while this client was in the queue.
          if (error instanceof ConnectionReset) return true;
          throw error;
        }
      },
      noAnswer,
    );
    if (isIn) throw unmet("and was let in");
  }

  async #dial(
    name: string,
    { place, ...to }: { hostname: string; port: number; place: Place },
    { canReset = false, ...more }: ClientOptions,
  ): Promise<RawConn> {
    try {
      if (canReset || more.from !== undefined || more.tls) {
        return await this.#network.connectAbrupt({ ...to, ...more });
      }
      return await this.#network.connect(to);
    } catch (error) {
      const { ConnectionRefused, TimedOut } = Deno.errors;
      const isFull = error instanceof TimedOut;
      if (!isFull && !(error instanceof ConnectionRefused)) throw error;
      const where = `${to.hostname}:${to.port}`;
      const why = isFull ? "gets no answer" : "nobody listens there";
      throw cannotConnect(name, where, why).from(place);
    }
  }

  /** Opens a listener whose connections are met in the background. */
  async host(
    name: string,
    options: HostOptions,
    talk: (actor: Actor) => Promise<void>,
  ): Promise<Host> {
    const missing = () => new Unmet({ kind: "silence", headline: name });
    const host = await this.listen(name, options, missing, true);
    const meet = async () => {
      for (;;) this.#converse(await host.accept(), talk);
    };
    meet().catch(unlessClosed);
    return host;
  }

  /** One conversation of a host: to its end, or until the program hangs up. */
  async #converse(actor: Actor, talk: (actor: Actor) => Promise<void>) {
    try {
      await talk(actor);
    } catch (error) {
      const met = error instanceof Unmet ? error : undefined;
      if (met && GONE.includes(met.found.kind)) return;
      if (met === undefined && isClosed(error)) return; // The check is over.
      const headline = error instanceof Error ? error.message : String(error);
      this.#hand.fail(met ?? new Unmet({ kind: "assert", headline, error }));
    } finally {
      actor.close();
    }
  }

  /** Opens a listener for the program to connect to. */
  async listen(
    name: string,
    { canReset = false, willClose = false, ...where }: HostOptions,
    noConnection: (name: string) => Unmet,
    patient = false,
  ): Promise<Host> {
    const options = { hostname: "127.0.0.1", port: 0, ...where };
    const raw = canReset || options.tls
      ? await this.#network.listenAbrupt(options)
      : this.#network.listen(options);
    if (willClose) await this.#keepPort(raw);
    this.#world.recording.name(raw.addr.port, name);
    let open = true;
    const close = () => {
      if (open) raw.close();
      open = false;
    };
    this.#hand.atEnd(close);
    return {
      addr: raw.addr,
      close: () => {
        if (willClose) return close();
        throw new TypeError(
          `Cannot close "${name}": it listens without { willClose: true }`,
        );
      },
      accept: async () => {
        const place = Place.here();
        const as = { side: "cast", who: name, kind: "accept" } as const;
        const conn = await this.#hand.during(
          {
            ...as,
            what: "waits for a connection",
            place,
            ...(patient && { patient }),
          },
          () => raw.accept(),
          () => noConnection(name),
        );
        this.#world.recording.note({ ...as, text: "accepts" });
        return new Actor(name, conn, this.#hand, patient);
      },
    };
  }

  /**
   * Keeps the port of `listener` from other processes until the check is over:
   * a kernel finds no port free to which somebody is connected.
   */
  async #keepPort(listener: RawListener) {
    if (this.#network.name !== "loopback") return; // Nobody else is there.
    const { hostname, port } = listener.addr;
    const ends = await Promise.all([
      this.#network.connect({ hostname, port }),
      listener.accept(),
    ]);
    this.#hand.atEnd(() => ends.forEach((end) => end.close()));
  }
}

/** What a host meets when the program hangs up on it: nothing to fail for. */
const GONE: readonly string[] = ["end", "reset", "closed", "silence"];

function isClosed(error: unknown): boolean {
  const { BadResource, Interrupted } = Deno.errors;
  return error instanceof BadResource || error instanceof Interrupted;
}

function unlessClosed(error: unknown) {
  if (!isClosed(error)) throw error;
}

function cannotConnect(name: string, where: string, why: string): Unmet {
  return new Unmet({
    kind: "refused",
    who: name,
    headline: `${name} cannot connect to ${where}: ${why}`,
  });
}
