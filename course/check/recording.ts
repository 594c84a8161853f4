import { copyOf } from "./bytes.ts";
import type { Clock } from "./clock.ts";
import type { Place } from "./place.ts";

/** Who did something: the check's cast, or the learner's program. */
export type Side = "cast" | "program";

/** Something that happened on the wire, seen from one side. */
export interface Event {
  /** When: milliseconds from the beginning of the check. */
  readonly at: number;
  /** Which side. */
  readonly side: Side;
  /** A name of the cast; for the program, the name of its peer, or "". */
  readonly who: string;
  /** What was done: "connect", "accept", "read", "write", "end", "close" … */
  readonly kind: string;
  /** How the recording says it. */
  readonly text: string;
  /** The bytes that went over the wire, if any did; at most the first 256. */
  readonly bytes?: Uint8Array;
  /** How many bytes there were. */
  readonly size?: number;
  /** Where the program, or the test, called. */
  readonly place?: Place;
  /** What the call failed with. */
  readonly error?: unknown;
}

/** A call that has begun and not returned. */
export interface Waiting {
  /** What is being waited for, such as "read() from ann". */
  readonly what: string;
  /** The kind of call, as in {@linkcode Event.kind}. */
  readonly kind: string;
  /** Whose call it is. */
  readonly side: Side;
  /** The name of the peer, or of the member of the cast that waits. */
  readonly who: string;
  /** Where the call was made. */
  readonly place?: Place;
  /** Whether it is a server's, on a socket of the check: it waits rightly. */
  readonly served?: boolean;
  /** Whether it is a host's, in the background: it misses nothing. */
  readonly patient?: boolean;
}

/** How many bytes of one event are kept. */
const KEPT_BYTES = 256;

/**
 * Words that are put together only if somebody reads them: from the bytes that
 * were kept, and how many there were. Most recordings are never read.
 */
export type Words = string | ((bytes: Uint8Array, size: number) => string);

/** An event as it is noted. */
export interface Noted extends Omit<Event, "at" | "text" | "size"> {
  /** How the recording says it. */
  readonly text: Words;
}

/** A {@linkcode Waiting} whose words are put together when they are read. */
export interface Awaited extends Omit<Waiting, "what"> {
  /** See {@linkcode Waiting.what}. */
  readonly what: string | (() => string);
}

/** A place in the recording. Events are put together when somebody reads them. */
interface Slot {
  readonly at: number;
  noted?: Noted;
  /** A copy: the program may fill its buffer again, and a stream detaches it. */
  bytes?: Uint8Array;
  /** How many there were; the copy has no more than {@linkcode KEPT_BYTES}. */
  size?: number;
}

const NO_BYTES = new Uint8Array();

function said({ noted, bytes = NO_BYTES, size = 0 }: Slot): string {
  const { text } = noted!;
  return typeof text === "string" ? text : text(bytes, size);
}

/** Whether it is a call that failed with `error`; `undefined` is nobody's. */
function failedWith({ noted }: Slot, error: unknown): boolean {
  return error !== undefined && noted?.error === error;
}

/** How many events are kept; what comes later is only counted. */
const LIMIT = 4_000;

/** Everything that happened during a check on one network. */
export class Recording {
  readonly #clock: Clock;
  readonly #slots: Slot[] = [];
  readonly #waiting = new Set<Awaited>();
  readonly #names = new Map<number, string>();
  /** Names of whole addresses: two hosts may use the same port. */
  readonly #hosts = new Map<string, string>();
  /** Unix clients have no port: their address is known by its object. */
  readonly #pathless = new WeakMap<object, string>();
  #dropped = 0;
  #over = false;
  #final: readonly Event[] | undefined;

  /** Set when the program made the same fruitless call again and again. */
  loop: {
    readonly what: string;
    readonly place: Place;
    readonly times: number;
  } | undefined;

  /** Whether reads of two sockets have waited to fill the same bytes. */
  sharing = false;

  /**
   * Set while a function of the program has thrown that the check had started
   * and not asked for its result: what the cast misses may be its doing.
   */
  unheard: {
    readonly what: string;
    readonly place: Place;
    readonly error: unknown;
  } | undefined;

  /** Records with the time of `clock`, and counts activity there. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What happened, in order. */
  get events(): readonly Event[] {
    // Once it is over it stays as it is, and many ask.
    if (this.#over) return this.#final ??= this.#composed();
    return this.#composed();
  }

  #composed(): readonly Event[] {
    return this.#told.map((slot) => {
      const { at, noted, bytes, size } = slot;
      return {
        ...noted!,
        at,
        who: this.named(noted!.who),
        text: this.named(said(slot)),
        ...(bytes && { bytes, size: size! }),
      };
    });
  }

  /** The places that have been filled in. */
  get #told(): Slot[] {
    return this.#slots.filter(({ noted }) => noted);
  }

  /** Whether the next events are only counted. */
  get full(): boolean {
    return this.#slots.length >= LIMIT;
  }

  /** How many events there were. */
  get length(): number {
    return this.#slots.length + this.#dropped;
  }

  /** How many more events there were than are kept. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Which calls have not returned, oldest first. */
  get waiting(): readonly Waiting[] {
    return [...this.#waiting].map((waiting) => ({
      ...waiting,
      who: this.named(waiting.who),
      what: this.named(
        typeof waiting.what === "string" ? waiting.what : waiting.what(),
      ),
    }));
  }

  /** `text` with names for addresses that had none when it was written. */
  named(text: string): string {
    return text.replace(
      /(?:127\.\d+\.\d+\.\d+|\[?::[\w.:]*\]?):(\d+)/g,
      (address, port) =>
        this.#hosts.get(address) ?? this.#names.get(Number(port)) ?? address,
    );
  }

  /** Calls the peer at `port`, or at an address without one, by `name`. */
  name(at: number | Deno.Addr, name: string) {
    if (typeof at === "number") this.#names.set(at, name);
    else if ("hostname" in at) {
      this.#hosts.set(`${at.hostname}:${at.port}`, name);
      if (!this.#names.has(at.port)) this.#names.set(at.port, name);
    } else this.#pathless.set(at, name);
  }

  /** What the peer at `addr` is called. */
  nameOf(addr: Deno.Addr): string {
    if ("path" in addr) {
      return this.#pathless.get(addr) ?? addr.path ?? "a Unix client";
    }
    const { hostname, port } = addr as Deno.NetAddr;
    const whole = `${hostname}:${port}`;
    return this.#hosts.get(whole) ?? this.#names.get(port) ?? whole;
  }

  /** Adds an event that happens now. */
  note(event: Noted) {
    this.reserve()(event);
  }

  /**
   * Keeps a place for an event that begins now, and is known later: what a
   * write causes elsewhere comes behind it. Returns how to fill it in.
   */
  reserve(): (event: Noted) => void {
    this.#clock.activity++;
    const slot: Slot = { at: this.#clock.now };
    if (this.full) return () => void this.#dropped++;
    this.#slots.push(slot);
    return (noted) => this.#fill(slot, noted);
  }

  #fill(slot: Slot, noted: Noted) {
    this.#clock.activity++;
    if (this.#over) return;
    slot.noted = noted;
    if (noted.bytes === undefined) return;
    slot.bytes = copyOf(noted.bytes, KEPT_BYTES);
    slot.size = noted.bytes.length;
  }

  /** Adds an event right behind the call that failed with its error. */
  noteBehindCause(event: Noted) {
    const cause = this.#slots.findLastIndex((slot) =>
      failedWith(slot, event.error)
    );
    if (cause < 0) return this.note(event);
    const slot = { at: this.#slots[cause]!.at };
    this.#slots.splice(cause + 1, 0, slot);
    this.#fill(slot, event);
  }

  /** Notes that a call waits, until the function that it returns is called. */
  wait(waiting: Awaited): () => void {
    this.#clock.activity++;
    if (!this.#over) this.#waiting.add(waiting);
    return () => {
      this.#clock.activity++;
      if (!this.#over) this.#waiting.delete(waiting);
    };
  }

  /** Whether the recording has been stopped. */
  get over(): boolean {
    return this.#over;
  }

  /** Keeps what is recorded as it is: what follows is only cleaning up. */
  stop() {
    this.#over = true;
  }

  /** Where the program made the call that failed with `error`, if it did. */
  placeOf(error: unknown): Place | undefined {
    const made = this.#slots.findLast((slot) => failedWith(slot, error));
    return made?.noted?.place;
  }

  /** The program's events of one kind, or all of them. */
  program(kind?: string): Event[] {
    return this.events.filter((event) =>
      event.side === "program" && (kind === undefined || event.kind === kind)
    );
  }
}
