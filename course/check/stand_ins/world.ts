import type { Clock } from "../clock.ts";
import { kernel } from "../errors.ts";
import { Unmet } from "../evidence.ts";
import type { RawConn } from "../network.ts";
import { Place } from "../place.ts";
import { processorTime } from "../outside.ts";
import { turn } from "../real.ts";
import type { Recording, Words } from "../recording.ts";
import { Random } from "./random.ts";

/** How hostile the network is to the program, on either network. */
export interface Adversity {
  /** The most bytes that one read of the program gets. */
  readonly readsAtMost?: number;
  /** The most bytes that one write of the program has accepted. */
  readonly writesAtMost?: number;
  /**
   * Set if the check is about the time that small writes take: everywhere else
   * connections on loopback have TCP_NODELAY from the beginning.
   */
  readonly nagle?: boolean;
  /**
   * What becomes of the n-th datagram that the program or the cast sends,
   * counted from 0. Nothing means that it arrives. `random` is a source of
   * chance with the check's seed, for this alone.
   */
  readonly datagram?: (n: number, random: Random) => Fate | undefined;
  /**
   * How the n-th accept() of the program fails, counted from 0, although a
   * client waits; it goes on waiting. Nothing means that it is accepted.
   */
  readonly acceptFails?: (n: number) => "EMFILE" | undefined;
  /**
   * How the n-th connect() of the program fails, counted from 0, before it
   * reaches anybody: no descriptor is left, no local port, nobody has answered,
   * or the queue of a Unix socket is full. (To know that nobody answers takes a
   * kernel minutes; here it fails at once.)
   */
  readonly connectFails?: (
    n: number,
  ) => keyof typeof CONNECT_FAULTS | undefined;
}

const CONNECT_FAULTS = {
  EMFILE: kernel.tooManyOpenFiles,
  EADDRNOTAVAIL: kernel.addrNotAvailable,
  ETIMEDOUT: kernel.timedOut,
  EAGAIN: kernel.wouldBlock,
};

/** What a hostile network does to a datagram. */
export type Fate =
  | "drop"
  | "duplicate"
  | "corrupt"
  | { readonly delay: number };

/** A socket that the program opened and has not closed. */
export interface Open {
  /** What it is, such as "the connection with ann". */
  readonly what: string;
  /** What kind of socket. */
  readonly kind: "connection" | "listener" | "datagram socket";
  /** Where it was opened. */
  readonly place: Place;
  /** Closes it, for a check that is over. */
  readonly close: () => void;
}

/** After how many fruitless calls in a row a program is said to loop. */
const PATIENCE = 1_000;

/**
 * The same for an accept() that the check lets fail, and that is made again in
 * one turn of the event loop: whoever leaves a pause, of any kind, ends it.
 */
const BURST = 3;

/**
 * After how many calls that ask one socket for something, all of them waiting at
 * once, a program is said to wait for none of them.
 */
const UNAWAITED = 1_000;

/** A call of the program. */
export interface Call {
  /** As in {@linkcode Waiting.kind}. */
  readonly kind: string;
  /** What it is called in the recording, such as "read() from ann". */
  readonly what: string;
  /** The peer's name, or "". */
  readonly who: string;
  /** Where the program made it, if not here. */
  readonly place?: Place;
  /** Whether no network carries it, so that one of them is enough. */
  readonly scripted?: boolean;
  /** See {@linkcode Waiting.served}. */
  readonly served?: boolean;
  /** What a read is to fill. */
  readonly into?: Uint8Array;
  /** The socket that is asked for something: a peer may have several. */
  readonly on?: object;
}

/** What a call gave, for the recording. */
export interface Said {
  readonly text: Words;
  /** The peer, where only the result tells it. */
  readonly who?: string;
  readonly bytes?: Uint8Array;
  /** Whether it brought the program no further. */
  readonly fruitless?: boolean;
}

/** What a program may use, until when, and what it has used. */
interface Budget {
  /** Milliseconds of processor time, of the whole process. */
  readonly until: number;
  readonly exceeded: () => void;
  calls: number;
}

/** To ask for the processor time takes as long as a call does. */
const CALLS_A_LOOK = 16;

/** What all stand-ins of a check share. */
export class World {
  /** The time of the check. */
  readonly clock: Clock;
  /** Where they note what happens. */
  readonly recording: Recording;
  /** What they do to the program's bytes. */
  readonly adversity: Adversity;
  /** The program's sockets that are open now. */
  readonly open = new Set<Open>();
  /** What the program's reads that wait now would fill, and on which socket. */
  readonly reading = new Map<Uint8Array, object | undefined>();
  /** Whether the program or the cast has used the network at all. */
  used = false;
  /** How many datagrams the program and the cast have sent. */
  datagrams = 0;
  /** Told once the program makes call after call and waits for none. */
  flooded: (unmet: Unmet) => void = () => {};
  readonly #random: Random;
  /** How many calls wait for something on each socket. */
  readonly #beside = new Map<object, number>();
  /** Set once the program waits for none of its calls. */
  #unawaited: Unmet | undefined;
  /** How many calls in a row were of no use; reads are counted by socket. */
  #fruitless = 0;
  /** How many reads of each socket were, whatever came between them. */
  readonly #vain = new Map<object, number>();
  #accepts = 0;
  #connects = 0;
  /** How many accepts have failed in this turn of the event loop. */
  #faults = 0;
  #budget: Budget | undefined;

  /** Chance that `adversity` asks for begins with `seed`. */
  constructor(
    clock: Clock,
    recording: Recording,
    adversity: Adversity,
    seed = 1,
  ) {
    this.clock = clock;
    this.recording = recording;
    this.adversity = adversity;
    this.#random = new Random(seed);
  }

  readonly #readers = new Map<string, { total: number; wake: () => void }>();

  #reader(near: Deno.NetAddr, far: Deno.NetAddr) {
    const key = `${near.port}-${far.port}`;
    const reader = this.#readers.get(key) ?? { total: 0, wake: () => {} };
    this.#readers.set(key, reader);
    return reader;
  }

  /** Notes that the program has read `n` more bytes from `conn`. */
  countRead(conn: RawConn, n: number) {
    const reader = this.#reader(conn.remoteAddr, conn.localAddr);
    reader.total += n;
    reader.wake();
  }

  /** Waits until the program has read `total` bytes from the peer at `conn`. */
  async hasRead(conn: RawConn, total: number): Promise<void> {
    const reader = this.#reader(conn.localAddr, conn.remoteAddr);
    while (reader.total < total) {
      await new Promise<void>((resolve) => reader.wake = resolve);
    }
  }

  /** `text` with names for addresses; see {@linkcode Recording.named}. */
  named(text: string): string {
    return this.recording.named(text);
  }

  /** Where the program calls from now, if the recording has room for it. */
  here(): Place {
    return this.recording.full ? Place.nowhere : Place.here();
  }

  /** Decides about the next datagram. */
  fate(): Fate | undefined {
    const n = this.datagrams++;
    return this.adversity.datagram?.(n, this.#random);
  }

  /** What the next accept() of the program fails with, if it does. */
  acceptFault(): Error | undefined {
    const code = this.adversity.acceptFails?.(this.#accepts++);
    if (code === undefined) return;
    this.#faults++;
    turn().then(() => this.#faults = 0);
    return kernel.tooManyOpenFiles();
  }

  /** What the next connect() of the program fails with, if it does. */
  connectFault(): Error | undefined {
    const code = this.adversity.connectFails?.(this.#connects++);
    return code && CONNECT_FAULTS[code]();
  }

  /**
   * Makes a call of the program, and records it: that it waits, what it gave,
   * or what it failed with. A program that makes the same fruitless call again
   * and again is stopped there, so that the check can say so.
   *
   * @throws {Unmet} At once, if it waits for none of its calls: nothing else
   * stops a loop without `await`.
   */
  call<T>(
    call: Call,
    make: () => Promise<T>,
    said: (result: T) => Said,
  ): Promise<T> {
    const { on, what, place = this.here() } = call;
    const beside = on ? (this.#beside.get(on) ?? 0) + 1 : 0;
    if (beside > UNAWAITED) this.#flood(what, place);
    if (this.#unawaited) throw this.#unawaited;
    if (on) this.#beside.set(on, beside);
    return this.#called({ ...call, place }, make, said);
  }

  #flood(what: string, place: Place) {
    const headline =
      `Your program called ${what} a thousand times, and waited for none of them`;
    this.#unawaited ??= new Unmet({ kind: "unawaited", headline }).from(place);
    this.recording.stop(); // What its calls give from now on, nobody asked for.
    this.recording.loop = undefined; // Nor was a call in vain what kept it going.
    this.flooded(this.#unawaited);
  }

  async #called<T>(
    call: Call & { place: Place },
    make: () => Promise<T>,
    said: (result: T) => Said,
  ): Promise<T> {
    const { kind, what, who, place, served = false, into, on } = call;
    if (!call.scripted) this.used = true;
    if (this.#stopsHere()) return await new Promise(() => {}); // It ends here.
    const common = { side: "program", kind, who, place } as const;
    const done = this.recording.wait({
      ...common,
      what,
      ...(served && { served }),
    });
    if (into) {
      this.recording.sharing ||= this.#overlaps(into, on);
      this.reading.set(into, on);
    }
    // What is sent leaves at once; what is received comes at the end of a call.
    const sends = kind === "write" || kind === "send";
    const sent = sends ? this.recording.reserve() : undefined;
    const note = (event: Said & { error?: unknown }) =>
      (sent ?? this.recording.reserve())({ ...common, ...event });
    try {
      const result = await make();
      const event = said(result);
      note(event);
      if (event.fruitless) await this.#fruitlessCall(call, done);
      else this.#fruitfulCall(call);
      return result;
    } catch (error) {
      const text = `${what} ✗ ${shortName(error)}`;
      note({ text, error });
      await this.#fruitlessCall(call, done);
      throw error;
    } finally {
      if (into) this.reading.delete(into);
      if (on) this.#beside.set(on, this.#beside.get(on)! - 1);
      done();
    }
  }

  /** Whether a read of another socket than `on` waits to fill some of `into`. */
  #overlaps(into: Uint8Array, on: object | undefined): boolean {
    const end = into.byteOffset + into.length;
    return this.reading.entries().some(([other, by]) =>
      by !== on && other.buffer === into.buffer &&
      other.byteOffset < end &&
      into.byteOffset < other.byteOffset + other.length
    );
  }

  /**
   * Allows the program `ms` milliseconds of processor time from now on. Soon
   * after that one of its calls never returns, and `exceeded` is called.
   */
  budget(ms: number, exceeded: () => void) {
    this.#budget = { until: processorTime() + ms, exceeded, calls: 0 };
  }

  /** Whether the program has used up its budget, if it has one. */
  exceedsBudget(): boolean {
    if (this.#budget === undefined) return false;
    return this.#overspent(this.#budget);
  }

  /** The same, at a call of the program: the processor is asked now and then. */
  #stopsHere(): boolean {
    if (this.#budget === undefined) return false;
    if (++this.#budget.calls % CALLS_A_LOOK > 0) return false;
    return this.#overspent(this.#budget);
  }

  #overspent({ until, exceeded }: Budget): boolean {
    if (processorTime() <= until) return false;
    exceeded();
    return true;
  }

  /** Lifts what {@linkcode World.budget} has set. */
  liftBudget() {
    this.#budget = undefined;
  }

  #fruitfulCall({ on }: Call) {
    this.#fruitless = 0;
    if (on) this.#vain.delete(on);
  }

  #fruitlessCall(
    { kind, what, place, on }: Call & { place: Place },
    done: () => void,
  ): Promise<void> {
    // Nothing that is done between two reads makes the second one less vain. And
    // whoever hangs up on a thousand connections ends a read on each of them.
    const reads = kind === "read" && on !== undefined;
    const vain = reads ? (this.#vain.get(on) ?? 0) + 1 : 0;
    if (reads) this.#vain.set(on, vain);
    const times = reads ? vain : ++this.#fruitless;
    if (times < PATIENCE && this.#faults < BURST) return Promise.resolve();
    if (this.#unawaited) return new Promise(() => {}); // It is over already.
    this.recording.loop ??= { what, place, times };
    done(); // It waits for nothing: it is the check that holds it here.
    return new Promise(() => {}); // The loop ends here; silence follows.
  }
}

/**
 * What an error is called; a plain Error of the kernel by its code. TLS has one
 * class for all that can go wrong with a peer, and says what it was.
 */
function shortName(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof Deno.errors.InvalidData) {
    return `InvalidData: ${error.message.replace(/^[^:"]*: /, "")}`;
  }
  const coded = error.name === "Error" && "code" in error;
  return coded ? String(error.code) : error.name;
}
