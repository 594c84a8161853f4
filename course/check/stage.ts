import { count, type Data, toBytes } from "./bytes.ts";
import { Actor } from "./cast/actor.ts";
import { Talker } from "./cast/talker.ts";
import { described, nameOf } from "./described.ts";
import {
  OffStage,
  type ReaderStep,
  ScriptedReader,
  ScriptedWriter,
  type WriterStep,
} from "./scripted.ts";
import { Unmet } from "./evidence.ts";
import type { Network, RawConn } from "./network.ts";
import { Place } from "./place.ts";
import type { Stagehand } from "./stagehand.ts";
import { StandInConn } from "./stand_ins/conn.ts";
import { StandInDatagram } from "./stand_ins/datagram.ts";
import { StandInListener } from "./stand_ins/listener.ts";
import type { Random } from "./stand_ins/random.ts";
import type { World } from "./stand_ins/world.ts";

/** A listener or an address. */
export type Target = Deno.NetAddr | { readonly addr: Deno.NetAddr };

/** A Unix listener of the program. */
export type UnixTarget = { readonly addr: Deno.UnixAddr };

/** How a member of the cast joins. */
export interface JoinOptions {
  /** Whether it will call `reset()`. */
  canReset?: boolean;
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
}

/** A cast member that listens, and takes the program's connections. */
export interface Host {
  /** Where it listens. */
  readonly addr: Deno.NetAddr;
  /** Takes the next connection of the program. */
  accept(): Promise<Actor>;
  /** Stops listening. */
  close(): void;
}

/** A function of the program that runs while the cast talks to it. */
export interface Running<T> {
  /** What it returns; a hang or a throw fails the check. */
  readonly result: Promise<T>;
  /** Whether it has returned or thrown. */
  readonly settled: boolean;
}

/** What a check plays on: one network, one program, and the cast. */
export class Stage {
  readonly #network: Network;
  readonly #world: World;
  readonly #hand: Stagehand;
  readonly #symbol: string;
  readonly #scripts: boolean;
  #served: Deno.NetAddr | undefined;
  /** What a function threw that was started and is not awaited yet. */
  #thrown: Error | undefined;
  readonly #servers: { close: () => void; ended: Promise<void> }[] = [];

  /** A source of chance with the check's seed. */
  readonly random: Random;

  /** `symbol` is the name of what is checked, such as "serve()". */
  constructor(network: Network, world: World, hand: Stagehand, also: {
    random: Random;
    symbol: string;
    /** Whether scripts are played, or left to the simulated network. */
    scripts: boolean;
  }) {
    this.#network = network;
    this.#world = world;
    this.#hand = hand;
    this.#symbol = also.symbol;
    this.#scripts = also.scripts;
    this.random = also.random;
  }

  /** Which network this is. */
  get network(): "simulated" | "loopback" {
    return this.#network.name;
  }

  /**
   * Runs a server of the program on a listener of its own. When the check is
   * over the listener closes, and the server has to end.
   */
  serve(
    server: (listener: Deno.TcpListener) => Promise<unknown>,
  ): Deno.NetAddr {
    const hostname = "127.0.0.1";
    const raw = this.#network.listen({ hostname, port: 0 });
    const listener = new StandInListener(raw, this.#world);
    this.#served = raw.addr;
    this.#run(() => server(listener), listener);
    return raw.addr;
  }

  /** As {@linkcode Stage.serve}, for a server of datagrams. */
  serveDatagrams(
    server: (socket: Deno.DatagramConn) => Promise<unknown>,
    hostname = "127.0.0.1",
  ): Deno.NetAddr {
    const raw = this.#network.listenDatagram({ hostname, port: 0 });
    const socket = new StandInDatagram(raw, this.#world, { served: true });
    this.#served = raw.addr as Deno.NetAddr;
    this.#run(() => server(socket), socket);
    return this.#served;
  }

  #run(server: () => Promise<unknown>, door: { close: () => void }) {
    this.#world.used = true;
    const symbol = this.#symbol;
    const ended = (async () => {
      try {
        await server();
        const returns = { side: "program", who: "", kind: "return" } as const;
        this.#world.recording.note({ ...returns, text: `${symbol} returns` });
      } catch (error) {
        this.#hand.fail(
          new Unmet({
            kind: "crash",
            headline: `${symbol} threw ${described(error)}`,
            error,
          }).from(this.#world.recording.placeOf(error) ?? Place.of(error)),
        );
      }
    })();
    this.#servers.push({ close: () => closeQuietly(door), ended });
  }

  /**
   * Connects a new client to the served listener, or to `to`. It is called
   * `name` in the recording.
   */
  async connect(
    name: string,
    to: Target | undefined = this.#served,
    options: ClientOptions = {},
  ): Promise<Actor> {
    const place = Place.here();
    if (to === undefined) {
      throw new TypeError(`Cannot connect "${name}": nothing is served yet`);
    }
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

  /** As {@linkcode Stage.connect}, to a Unix socket of the program. */
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

  /**
   * The folder in which the program's Unix sockets lie, empty at first. The
   * real one has nothing to do with it, and only the simulated network has it:
   * a permission for the kernel's would have to name each path.
   */
  get folder(): string {
    const { files } = this.#network;
    if (files) return files.folder;
    throw new TypeError("Cannot give a folder: loopback has none");
  }

  /** Expects that nobody listens at `to`: a client that tries is refused. */
  async refuses(name: string, to: Target): Promise<void> {
    const place = Place.here();
    const { hostname, port } = "addr" in to ? to.addr : to;
    const tries = { side: "cast", who: name, kind: "connect" } as const;
    const text = `tries to connect to ${hostname}`;
    this.#world.recording.note({ ...tries, text });
    try {
      const raw = await this.#network.connect({ hostname, port });
      this.#world.recording.name(raw.localAddr.port, name);
      raw.close();
    } catch (error) {
      if (error instanceof Deno.errors.ConnectionRefused) return;
      // Somebody did listen, and stopped while this client was in the queue.
      if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
    }
    const headline =
      `${name} expected to be refused at ${hostname}, and was let in`;
    throw new Unmet({ kind: "admitted", who: name, headline }).from(place);
  }

  async #dial(
    name: string,
    { place, ...to }: { hostname: string; port: number; place: Place },
    { canReset = false, ...more }: ClientOptions,
  ): Promise<RawConn> {
    try {
      if (canReset || more.from !== undefined) {
        return await this.#network.connectAbrupt({ ...to, ...more });
      }
      return await this.#network.connect(to);
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
      const where = `${to.hostname}:${to.port}`;
      throw cannotConnect(name, where, "nobody listens there").from(place);
    }
  }

  /**
   * Brings a new client, and the connection with it as the program has it: for
   * a function that is given a connection instead of a listener.
   */
  async meet(
    name: string,
    options: JoinOptions = {},
  ): Promise<[Actor, Deno.TcpConn]> {
    const door = this.#network.listen({ hostname: "127.0.0.1", port: 0 });
    const accepted = door.accept();
    const actor = await this.connect(name, door, options);
    const conn = new StandInConn(await accepted, this.#world);
    door.close();
    return [actor, conn];
  }

  /** Opens a listener for the program to connect to. */
  async listen(
    name: string,
    { canReset = false, ...where }: HostOptions = {},
  ): Promise<Host> {
    const options = { hostname: "127.0.0.1", port: 0, ...where };
    const raw = canReset
      ? await this.#network.listenAbrupt(options)
      : this.#network.listen(options);
    this.#world.recording.name(raw.addr.port, name);
    let open = true;
    const close = () => {
      if (open) raw.close();
      open = false;
    };
    this.#hand.atEnd(close);
    return {
      addr: raw.addr,
      close,
      accept: async () => {
        const place = Place.here();
        const as = { side: "cast", who: name, kind: "accept" } as const;
        const conn = await this.#hand.during(
          { ...as, what: "waits for a connection", place },
          () => raw.accept(),
          () => this.#noConnection(name),
        );
        this.#world.recording.note({ ...as, text: "accepts" });
        return new Actor(name, conn, this.#hand);
      },
    };
  }

  #noConnection(name: string): Unmet {
    const kind = "silence";
    const error = this.#thrown;
    const did = error ? `threw ${described(error)}` : "made none";
    const headline =
      `${name} expected a connection, and ${this.#symbol} ${did}`;
    return new Unmet({ kind, who: name, headline, ...(error && { error }) });
  }

  /** Opens a UDP socket for a member of the cast; port 0 is one that is free. */
  datagram(name: string, hostname = "127.0.0.1", port = 0): Talker {
    const raw = this.#network.listenDatagram({ hostname, port });
    this.#world.used = true;
    this.#world.recording.name(raw.addr, name);
    return new Talker(name, raw, this.#hand, this.#world);
  }

  /**
   * Starts a function of the program, to go on while the cast acts. `name` is
   * what a failure calls it, if it is not what the check is about: "shutdown()".
   */
  start<T>(call: () => Promise<T>, name?: string): Running<T> {
    const running = { settled: false, result: this.#called(call, name) };
    const settle = () => void (running.settled = true);
    running.result.then(settle, settle);
    return running;
  }

  async #called<T>(call: () => Promise<T>, name?: string): Promise<T> {
    const symbol = name ?? this.#symbol;
    const waiting = { side: "program", kind: "call", who: "" } as const;
    const done = name && this.#world.recording.wait({ ...waiting, what: name });
    try {
      const result = await call();
      const returns = { side: "program", who: "", kind: "return" } as const;
      this.#world.recording.note({ ...returns, text: `${symbol} returns` });
      return result;
    } catch (error) {
      if (error instanceof Error) this.#thrown = error;
      this.#world.recording.note({
        side: "program",
        who: "",
        kind: "throw",
        text: `${symbol} throws ${nameOf(error)}`,
        place: this.#world.recording.placeOf(error) ?? Place.of(error),
        error,
      });
      throw error;
    } finally {
      if (done) done();
    }
  }

  /**
   * Calls a function of the program, which may use `ms` milliseconds of
   * processor time. They are counted the same on a busy machine; allow ten
   * times what a plain solution needs, for a slower one.
   */
  async within<T>(ms: number, call: () => T | Promise<T>): Promise<T> {
    const unmet = new Unmet({
      kind: "slow",
      headline:
        `${this.#symbol} used ${ms} ms of processor time, and this work needs far less`,
    }).from(Place.here());
    const over = Promise.withResolvers<never>();
    this.#world.budget(ms, () => over.reject(unmet));
    over.promise.catch(() => {}); // Whoever waits for the result hears of it.
    try {
      const result = await Promise.race([call(), over.promise]);
      if (this.#world.exceedsBudget()) throw unmet;
      return result;
    } finally {
      this.#world.liftBudget();
    }
  }

  /** A reader for the program that gives exactly these `steps`. */
  reader(steps: readonly ReaderStep[]): ScriptedReader {
    this.#readScript();
    return new ScriptedReader(this.#world, steps);
  }

  /**
   * A writer for the program that takes at most so many bytes a time, again
   * and again from the first; everything, if nothing is said. `given` is what the
   * program has to write: one that writes far more is stopped, and fails.
   */
  writer(
    accepts: readonly WriterStep[] = [Infinity],
    { given }: { given?: Data } = {},
  ): ScriptedWriter {
    this.#readScript();
    if (given === undefined) return new ScriptedWriter(this.#world, accepts);
    const expected = toBytes(given);
    const stop = {
      after: 2 * expected.length,
      exceeded: () => this.#hand.fail(this.#wroteTooMuch(expected, writer)),
    };
    const writer = new ScriptedWriter(this.#world, accepts, stop);
    return writer;
  }

  /** A check that begins with a script says the same on any network. */
  #readScript() {
    if (!this.#scripts && !this.#world.used) throw new OffStage();
  }

  #wroteTooMuch(expected: Uint8Array, { received }: ScriptedWriter): Unmet {
    const headline =
      `${this.#symbol} was given ${count(expected.length)} to write, and has ` +
      `written ${count(received.length)} already`;
    return new Unmet({ kind: "extra", expected, received, headline });
  }

  /** Waits `ms` milliseconds; on the simulated network they cost nothing. */
  sleep(ms: number): Promise<void> {
    return this.#world.clock.sleep(ms);
  }

  /** Milliseconds since the check began, simulated or real. */
  get now(): number {
    return this.#world.clock.now;
  }

  /** Which sockets of the program are open, such as "listener". */
  get openSockets(): string[] {
    return [...this.#world.open].map(({ kind }) => kind);
  }

  /** Closes what is served, and waits until the servers have ended. */
  async close(): Promise<void> {
    for (const { close, ended } of this.#servers.splice(0)) {
      close();
      const waiting = { side: "cast", who: "the check", kind: "end" } as const;
      const what = `waits for ${this.#symbol} to end`;
      await this.#hand.during(
        { ...waiting, what },
        () => ended,
        () =>
          new Unmet({
            kind: "unfinished",
            headline:
              `${this.#symbol} did not end after its socket had closed and everybody had left`,
          }),
      );
    }
  }
}

function cannotConnect(name: string, where: string, why: string): Unmet {
  return new Unmet({
    kind: "refused",
    who: name,
    headline: `${name} cannot connect to ${where}: ${why}`,
  });
}

/** Closes a door that the program may have closed itself. */
function closeQuietly(door: { close: () => void }) {
  try {
    door.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}
