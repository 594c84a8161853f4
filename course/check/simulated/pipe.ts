import { copyOf } from "../bytes.ts";
import type { Clock } from "../clock.ts";
import { kernel } from "../errors.ts";

/** Bytes that the receiver's kernel holds until they are read. */
export const RECEIVE_BUFFER = 65_536;
/** Bytes that the sender's kernel holds until there is room at the receiver. */
export const SEND_BUFFER = 65_536;

interface Pending {
  readonly bytes: Uint8Array;
  /** Set for an end, which waits for the writes before it. */
  readonly end?: true;
  readonly resolve: (n: number | null) => void;
  readonly reject: (error: Error) => void;
}

/**
 * One direction of a simulated connection: a send buffer, a receive buffer, and
 * what became of them. Bytes arrive at once; time passes only at the clock.
 */
export class Pipe {
  readonly #clock: Clock;
  #chunks: Uint8Array[] = [];
  #queued = 0;
  #readers: Pending[] = [];
  #writers: Pending[] = [];
  #ended = false;
  /** RST arrived here, and no read has reported it yet. */
  #resetToReport = false;
  #cut = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Bytes that were written and not read. */
  get queued(): number {
    return this.#queued;
  }

  /** Reads, or waits; null once the sender has ended and all is read. */
  read(into: Uint8Array): Promise<number | null> {
    return new Promise((resolve, reject) => {
      this.#readers.push({ bytes: into, resolve, reject });
      this.#move();
    });
  }

  /** Accepts what there is room for, or waits for room. */
  write(bytes: Uint8Array): Promise<number> {
    return new Promise<number | null>((resolve, reject) => {
      this.#writers.push({ bytes, resolve, reject });
      this.#move();
    }) as Promise<number>;
  }

  /** FIN: the reader gets what is queued, then the end. */
  end() {
    this.#ended = true;
    this.#move();
  }

  /** FIN, after the writes that wait for room. */
  async endAfterWrites(): Promise<void> {
    await new Promise<number | null>((resolve) => {
      // Where no write goes any more, nothing is left to be ended.
      const reject = () => resolve(0);
      const bytes = new Uint8Array();
      this.#writers.push({ bytes, end: true, resolve, reject });
      this.#move();
    });
  }

  /**
   * The sender resets. What the receiver's kernel already holds stays readable;
   * what still lay in the send buffer is lost. Returns whether the end had been
   * delivered before.
   */
  cut(): boolean {
    if (this.#cut) return false;
    // An end that has already been delivered stays an end: FIN came first.
    const delivered = this.#ended && this.#queued <= RECEIVE_BUFFER;
    this.#cut = true;
    while (this.#queued > RECEIVE_BUFFER) {
      const last = this.#chunks.pop()!;
      const keep = Math.max(0, last.length - (this.#queued - RECEIVE_BUFFER));
      this.#queued -= last.length - keep;
      if (keep > 0) this.#chunks.push(last.subarray(0, keep));
    }
    this.#ended = true;
    this.#resetToReport = !delivered;
    this.#move();
    return delivered;
  }

  /** The reader is gone: nothing is kept, and what arrives is thrown away. */
  discard() {
    this.#chunks = [];
    this.#queued = 0;
    this.#fail(this.#readers, kernel.interrupted);
  }

  /** The RST that is on record has been seen by another call. */
  takeReset(): boolean {
    const reset = this.#resetToReport;
    this.#resetToReport = false;
    return reset;
  }

  /** Ends all writes that wait for room. */
  failWriters(error: () => Error) {
    this.#fail(this.#writers, error);
  }

  #fail(pending: Pending[], error: () => Error) {
    for (const { reject } of pending.splice(0)) reject(error());
    this.#clock.activity++;
  }

  /** Lets every read and write proceed that can. */
  #move() {
    this.#clock.activity++;
    do {
      while (this.#readers.length > 0 && this.#readOne());
    } while (this.#writers.length > 0 && this.#writeOne());
  }

  #readOne(): boolean {
    const { bytes, resolve, reject } = this.#readers[0]!;
    if (this.#queued > 0) {
      resolve(this.#take(bytes));
    } else if (this.takeReset()) {
      reject(kernel.connectionReset());
    } else if (this.#ended) {
      resolve(null);
    } else {
      return false;
    }
    this.#readers.shift();
    return true;
  }

  #take(into: Uint8Array): number {
    let taken = 0;
    while (taken < into.length && this.#chunks.length > 0) {
      const first = this.#chunks[0]!;
      const part = first.subarray(0, into.length - taken);
      into.set(part, taken);
      taken += part.length;
      if (part.length === first.length) this.#chunks.shift();
      else this.#chunks[0] = first.subarray(part.length);
    }
    this.#queued -= taken;
    return taken;
  }

  #writeOne(): boolean {
    const { bytes, end = false, resolve } = this.#writers[0]!;
    const room = SEND_BUFFER + RECEIVE_BUFFER - this.#queued;
    if (end) this.#ended = true;
    else if (room <= 0) return false;
    const accepted = copyOf(bytes, room);
    if (accepted.length > 0) this.#chunks.push(accepted);
    this.#queued += accepted.length;
    this.#writers.shift();
    resolve(accepted.length);
    return true;
  }
}
