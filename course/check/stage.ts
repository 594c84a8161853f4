import { count, type Data, toBytes } from "./bytes.ts";
import type { Actor } from "./cast/actor.ts";
import { Talker } from "./cast/talker.ts";
import {
  type ClientOptions,
  Entrance,
  type Host,
  type HostOptions,
  type JoinOptions,
  type Target,
  type UnixTarget,
} from "./entrance.ts";
import { Unmet } from "./evidence.ts";
import type { Network, RawDatagram, RawListener } from "./network.ts";
import { Program, type Running } from "./program.ts";
import {
  OffStage,
  type ReaderStep,
  ScriptedReader,
  ScriptedWriter,
  type WriterStep,
} from "./scripted.ts";
import type { Stagehand } from "./stagehand.ts";
import { StandInConn } from "./stand_ins/conn.ts";
import { StandInDatagram } from "./stand_ins/datagram.ts";
import { StandInListener } from "./stand_ins/listener.ts";
import type { Random } from "./stand_ins/random.ts";
import type { Timers } from "./stand_ins/timers.ts";
import { listenTls } from "./stand_ins/tls.ts";
import type { World } from "./stand_ins/world.ts";

/** What a check plays on: one network, one program, and the cast. */
export class Stage {
  readonly #network: Network;
  readonly #world: World;
  readonly #hand: Stagehand;
  readonly #symbol: string;
  readonly #scripts: boolean;
  readonly #timers: Timers;
  #served: Deno.NetAddr | undefined;
  readonly #entrance: Entrance;
  readonly #program: Program;

  /** A source of chance with the check's seed. */
  readonly random: Random;

  /** `symbol` is the name of what is checked, such as "serve()". */
  constructor(network: Network, world: World, hand: Stagehand, also: {
    random: Random;
    symbol: string;
    timers: Timers;
    /** Whether scripts are played, or left to the simulated network. */
    scripts: boolean;
  }) {
    this.#network = network;
    this.#world = world;
    this.#hand = hand;
    this.#symbol = also.symbol;
    this.#scripts = also.scripts;
    this.#timers = also.timers;
    this.#entrance = new Entrance(network, world, hand);
    this.#program = new Program(world, hand, also.symbol);
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
    this.#program.serve(() => server(listener), listener);
    return raw.addr;
  }

  /** As {@linkcode Stage.serve}, for a server of TLS; on loopback only. */
  serveTls(
    server: (listener: Deno.TlsListener) => Promise<unknown>,
    certified: { cert: string; key: string },
  ): Deno.NetAddr {
    const where = { hostname: "127.0.0.1", port: 0, ...certified };
    const listener = listenTls(this.#network.tls, this.#world, where);
    this.#served = listener.addr;
    this.#program.serve(() => server(listener), listener);
    return listener.addr;
  }

  /** As {@linkcode Stage.serve}, for a server of datagrams. */
  serveDatagrams(
    server: (socket: Deno.DatagramConn) => Promise<unknown>,
    hostname = "127.0.0.1",
  ): Deno.NetAddr {
    const raw = this.#network.listenDatagram({ hostname, port: 0 });
    const socket = new StandInDatagram(raw, this.#world, { served: true });
    this.#served = raw.addr as Deno.NetAddr;
    const door = { close: () => StandInDatagram.retire(socket) };
    this.#program.serve(() => server(socket), door);
    return this.#served;
  }

  /**
   * As {@linkcode Stage.serve}, for a server that is given a listener and a UDP
   * socket with one address and one port. When the check is over both close.
   */
  serveBoth(
    server: (
      listener: Deno.TcpListener,
      socket: Deno.DatagramConn,
    ) => Promise<unknown>,
    hostname = "127.0.0.1",
  ): Deno.NetAddr {
    const [tcp, udp] = this.#onePort(hostname);
    const listener = new StandInListener(tcp, this.#world);
    const socket = new StandInDatagram(udp, this.#world, { served: true });
    this.#served = tcp.addr;
    const door = { close: () => StandInDatagram.retire(socket) };
    this.#program.serve(() => server(listener, socket), listener, door);
    return tcp.addr;
  }

  /** A listener and a UDP socket on one port that is free for both. */
  #onePort(hostname: string): [RawListener, RawDatagram] {
    for (let tries = 1;; tries++) {
      const tcp = this.#network.listen({ hostname, port: 0 });
      try {
        const { port } = tcp.addr;
        return [tcp, this.#network.listenDatagram({ hostname, port })];
      } catch (error) {
        tcp.close(); // Somebody has that port, for UDP.
        const taken = error instanceof Deno.errors.AddrInUse;
        if (!taken || tries === 10) throw error;
      }
    }
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
    if (to === undefined) {
      throw new TypeError(`Cannot connect "${name}": nothing is served yet`);
    }
    return await this.#entrance.connect(name, to, options);
  }

  /** As {@linkcode Stage.connect}, to a Unix socket of the program. */
  connectUnix(name: string, to: UnixTarget): Promise<Actor> {
    return this.#entrance.connectUnix(name, to);
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
  refuses(name: string, to: Target): Promise<void> {
    return this.#entrance.refuses(name, to);
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
  listen(name: string, options: HostOptions = {}): Promise<Host> {
    return this.#entrance.listen(
      name,
      options,
      (name) => this.#program.noConnection(name),
    );
  }

  /**
   * Opens a listener and calls `talk` with each connection of the program, in
   * the background: a server of the cast, whose connections all have its name.
   * A program that hangs up ends `talk` quietly; what differs from what it
   * expects fails the check. When it returns, the connection is closed.
   */
  host(
    name: string,
    talk: (actor: Actor) => Promise<void>,
    options: HostOptions = {},
  ): Promise<Host> {
    return this.#entrance.host(name, options, talk);
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
    return this.#program.start(call, name);
  }

  /**
   * Calls a function of the program, which may use `ms` milliseconds of
   * processor time. They are counted the same on a busy machine, and there are
   * more of them on a slow one (pace.ts). Choose a number midway, in
   * factors, between what the slowest right program takes and the quickest
   * wrong one: some three times away from either.
   */
  within<T>(ms: number, call: () => T | Promise<T>): Promise<T> {
    return this.#program.within(ms, call);
  }

  /** A reader for the program that gives exactly these `steps`. */
  reader(steps: readonly ReaderStep[]): ScriptedReader {
    this.#needNetwork();
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
    this.#needNetwork();
    if (given === undefined) return new ScriptedWriter(this.#world, accepts);
    const expected = toBytes(given);
    const stop = {
      after: 2 * expected.length,
      exceeded: () => this.#hand.fail(this.#wroteTooMuch(expected, writer)),
    };
    const writer = new ScriptedWriter(this.#world, accepts, stop);
    return writer;
  }

  /** What needs none to begin with says the same on the simulated one. */
  #needNetwork() {
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
    this.#needNetwork(); // Time alone passes sooner on the simulated one.
    return this.#world.clock.sleep(ms);
  }

  /**
   * Computes for `ms` milliseconds, without a pause: nobody else can do anything
   * meanwhile. For work that a check gives to the program.
   */
  burn(ms: number) {
    this.#world.clock.burn(ms);
  }

  /** Milliseconds since the check began, simulated or real. */
  get now(): number {
    return this.#world.clock.now;
  }

  /** How many writes to a member of the cast the program has made. */
  writesTo({ name }: Actor): number {
    const writes = this.#world.recording.program("write");
    return writes.filter(({ who }) => who === name).length;
  }

  /**
   * When the program last wrote to a member of the cast; NaN if it has not. What
   * it wrote is on its way then, even if the program goes on to compute.
   */
  lastWriteTo({ name }: Actor): number {
    const writes = this.#world.recording.program("write");
    return writes.findLast(({ who }) => who === name)?.at ?? NaN;
  }

  /** How often a timer of the program has rung until now. */
  get ringings(): number {
    return this.#timers.rung;
  }

  /** How many datagrams the program and the cast have sent until now. */
  get datagrams(): number {
    return this.#world.datagrams;
  }

  /**
   * How many bytes the program holds ready for its reads that wait now. A buffer
   * that has one of them counts whole; one that several share, by their parts.
   */
  get readBuffers(): number {
    const views = Map.groupBy(
      this.#world.reading.keys(),
      ({ buffer }) => buffer,
    );
    return views.entries().reduce((sum, [buffer, parts]) => {
      const asked = parts.reduce((size, part) => size + part.byteLength, 0);
      return sum + (parts.length > 1 ? asked : buffer.byteLength);
    }, 0);
  }

  /** Which sockets of the program are open, such as "listener". */
  get openSockets(): string[] {
    return [...this.#world.open].map(({ kind }) => kind);
  }

  /** Closes what is served, and waits until the servers have ended. */
  close(): Promise<void> {
    return this.#program.close();
  }
}
