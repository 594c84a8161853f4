import { count, type Data, preview, toBytes } from "../bytes.ts";
import { firstDifference } from "../bytes.ts";
import { Unmet } from "../evidence.ts";
import type { RawConn } from "../network.ts";
import { Place } from "../place.ts";
import type { Words } from "../recording.ts";
import type { Stagehand } from "../stagehand.ts";
import { Inbox } from "./inbox.ts";
import {
  cannotSend,
  inQueue,
  missing,
  missingMark,
  noEnd,
  other,
  tooMuch,
} from "./unmet.ts";

/**
 * A member of the cast with a TCP connection to the program: a client of the
 * learner's server, or the server that the learner's client talks to.
 */
export class Actor {
  /** The name in the recording. */
  readonly name: string;
  readonly #conn: RawConn;
  readonly #stage: Stagehand;
  readonly #inbox: Inbox;
  readonly #patient: boolean;
  #sent = 0;
  #left = false;

  /**
   * Takes over `conn`, and notes what happens on it. A `patient` one may wait
   * when nothing can happen any more; others say then what they miss.
   */
  constructor(name: string, conn: RawConn, stage: Stagehand, patient = false) {
    this.name = name;
    this.#patient = patient;
    this.#conn = conn;
    this.#stage = stage;
    this.#inbox = new Inbox(name, conn, stage.recording);
    stage.atEnd(() => this.#leave());
  }

  /** The address at this end. */
  get addr(): Deno.NetAddr {
    return this.#conn.localAddr;
  }

  /**
   * Sends all of `data`, in one piece.
   *
   * Waits while the program does not read and the buffers are full.
   */
  async send(data: Data): Promise<void> {
    await this.#send(toBytes(data), Place.here());
  }

  /** Sends `pieces` so that each arrives, and is dealt with, on its own. */
  async sendInPieces(pieces: readonly Data[]): Promise<void> {
    const place = Place.here();
    if (pieces.length > 1) this.#conn.setNoDelay(true);
    for (const [i, piece] of pieces.entries()) {
      if (i > 0) await this.#stage.hasRead(this.#conn, this.#sent);
      await this.#send(toBytes(piece), place);
    }
  }

  /** Sends `data` byte by byte; each byte arrives on its own. */
  async sendByteByByte(data: Data): Promise<void> {
    const bytes = toBytes(data);
    await this.sendInPieces(Array.from(bytes, (byte) => Uint8Array.of(byte)));
  }

  async #send(bytes: Uint8Array, place: Place) {
    this.#note("send", sent, bytes);
    const waiting = {
      what: () => `waits to send ${preview(bytes, 12)}`,
      kind: "send",
      place,
    };
    const work = async () => {
      for (let rest = bytes; rest.length > 0;) {
        const n = await this.#conn.write(rest);
        this.#stage.clock.activity++;
        this.#sent += n;
        rest = rest.subarray(n);
      }
    };
    const blocked = () => cannotSend(this.name, bytes, "full");
    try {
      await this.#stage.during(this.#as(waiting), work, blocked);
    } catch (error) {
      const { BrokenPipe, ConnectionReset } = Deno.errors;
      const gone = error instanceof BrokenPipe ||
        error instanceof ConnectionReset;
      if (!gone) throw error;
      throw this.#orQueued(cannotSend(this.name, bytes, "closed")).from(place);
    }
  }

  /** `unmet`, which says something else of a client that was never accepted. */
  #orQueued(unmet: Unmet): Unmet {
    const calls = this.#stage.recording.program();
    const met = `accept() → ${this.name}`;
    return !calls.some(({ text }) => text === met) &&
        calls.some(({ text }) => text === "close() of the listener")
      ? inQueue(unmet)
      : unmet;
  }

  /** Expects exactly these bytes next. Says so at the first that differs. */
  async receives(data: Data): Promise<void> {
    const expected = toBytes(data);
    const what = () => `waits for ${preview(expected, 12)}`;
    let same = 0; // So many bytes are as they should be.
    await this.#receive(what, this.#holds(expected.length), (ending) => {
      const fresh = this.#inbox.after(same).subarray(0, expected.length - same);
      const at = firstDifference(fresh, expected.subarray(same));
      if (at >= 0 && at < fresh.length) {
        return other(this.name, expected, this.#inbox.bytes);
      }
      same += fresh.length;
      if (ending === undefined) return;
      const unmet = missing(this.name, expected, this.#inbox.bytes, ending);
      return ending === "reset" ? this.#orQueued(unmet) : unmet;
    });
    this.#inbox.take(expected.length);
  }

  /** Receives exactly `length` bytes, and returns them. */
  async receive(length: number): Promise<Uint8Array<ArrayBuffer>> {
    const what = `waits for ${count(length)}`;
    await this.#receive(
      what,
      this.#holds(length),
      (ending) =>
        ending && missing(this.name, length, this.#inbox.bytes, ending),
    );
    return this.#inbox.take(length);
  }

  /** Receives all bytes up to `mark`, and returns them and the mark. */
  async receiveUntil(mark: Data): Promise<Uint8Array<ArrayBuffer>> {
    const wanted = toBytes(mark);
    let end = -1;
    await this.#receive(
      () => `waits for ${preview(wanted, 12)}`,
      () => (end = endOf(wanted, this.#inbox.bytes)) >= 0,
      (ending) =>
        ending && missingMark(this.name, wanted, this.#inbox.bytes, ending),
    );
    return this.#inbox.take(end);
  }

  /** Whether so many bytes have come. */
  #holds(length: number): () => boolean {
    return () => this.#inbox.length >= length;
  }

  /** Waits for `enough`; `fault` says what is wrong, if anything is. */
  async #receive(
    what: string | (() => string),
    enough: () => boolean,
    fault: (ending?: "silence" | "end" | "reset") => Unmet | undefined,
  ) {
    const waiting = this.#as({ what, kind: "receive", place: Place.here() });
    const unmet = (ending?: "silence" | "end" | "reset") =>
      fault(ending)?.from(waiting.place);
    await this.#stage.during(waiting, async () => {
      for (;;) {
        const wrong = unmet();
        if (wrong) throw wrong;
        if (enough()) return;
        const { ending } = this.#inbox;
        if (ending !== "open") throw unmet(ending);
        await this.#inbox.more();
      }
    }, () => unmet("silence")!);
  }

  /**
   * Receives until the program ends its sending, and returns it all. A reset
   * on the way is a failure.
   */
  async receiveAll(): Promise<Uint8Array<ArrayBuffer>> {
    await this.#untilEnd(() => undefined);
    return this.#inbox.take(this.#inbox.length);
  }

  /** Expects the end of the program's sending, and not one byte before it. */
  async receivesEnd(): Promise<void> {
    await this.#untilEnd((inbox) =>
      inbox.length > 0 ? tooMuch(this.name, "the end", inbox.bytes) : undefined
    );
  }

  async #untilEnd(fault: (inbox: Inbox) => Unmet | undefined) {
    const place = Place.here();
    const waiting = this.#as({ what: "waits for the end", kind: "end", place });
    await this.#stage.during(waiting, async () => {
      for (;;) {
        const wrong = fault(this.#inbox);
        if (wrong) throw wrong.from(place);
        if (this.#inbox.ending === "end") return;
        if (this.#inbox.ending === "reset") {
          const unmet = noEnd(this.name, this.#inbox.bytes, "reset");
          throw this.#orQueued(unmet).from(place);
        }
        await this.#inbox.more();
      }
    }, () => noEnd(this.name, this.#inbox.bytes, "silence"));
  }

  /**
   * Expects that nothing comes, not even the end: on the simulated network
   * until nothing can happen any more; on loopback for `ms` milliseconds.
   */
  async receivesNothing(ms = 50): Promise<void> {
    const place = Place.here();
    if (this.#inbox.length === 0 && this.#inbox.ending === "open") {
      await this.#stage.silence(this.#inbox.more(), ms);
    }
    const { bytes, ending } = this.#inbox;
    if (bytes.length > 0) {
      throw tooMuch(this.name, "nothing", bytes).from(place);
    }
    if (ending === "open") return;
    throw new Unmet({
      kind: ending,
      who: this.name,
      headline: `${this.name} expected nothing, and got the ${ending}`,
    }).from(place);
  }

  /** Ends the sending direction (FIN); receiving goes on. */
  async closeWrite(): Promise<void> {
    this.#note("closeWrite", "ends its sending (FIN)");
    await this.#conn.closeWrite();
  }

  /** Closes the connection. Twice is fine. */
  close() {
    if (this.#left) return;
    this.#note("close", "leaves");
    this.#leave();
  }

  /**
   * Vanishes with RST.
   *
   * @throws {TypeError} If it joined without `canReset`.
   */
  reset() {
    if (this.#conn.reset === undefined) {
      throw new TypeError(
        `Cannot reset as "${this.name}": it joined without { canReset: true }`,
      );
    }
    this.#note("reset", "vanishes (RST)");
    this.#left = true;
    this.#conn.reset();
  }

  /**
   * Ends TCP below TLS, as somebody on the way can, and says nothing in TLS.
   *
   * @throws {TypeError} If it joined without `tls`.
   */
  cut() {
    if (this.#conn.cut === undefined) {
      throw new TypeError(
        `Cannot cut off "${this.name}": it joined without tls`,
      );
    }
    this.#note("cut", "is cut off (FIN, and nothing in TLS)");
    this.#left = true;
    this.#conn.cut();
  }

  #leave() {
    if (this.#left) return;
    this.#left = true;
    try {
      this.#conn.close();
    } catch (error) {
      // The connection may have gone away by itself, by a reset.
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  }

  #as(waiting: { what: string | (() => string); kind: string; place: Place }) {
    const patient = this.#patient && { patient: true };
    return { side: "cast", who: this.name, ...waiting, ...patient } as const;
  }

  #note(kind: string, text: Words, bytes?: Uint8Array) {
    this.#stage.recording.note({
      side: "cast",
      who: this.name,
      kind,
      text,
      ...(bytes && { bytes }),
    });
  }
}

function sent(bytes: Uint8Array, size: number): string {
  return `→ ${preview(bytes, 24, size)}`;
}

/** Where `mark` ends in `bytes` for the first time; -1 if it is not there. */
function endOf(mark: Uint8Array, bytes: Uint8Array): number {
  const at = bytes.findIndex((_, i) =>
    mark.every((b, k) => bytes[i + k] === b)
  );
  return at < 0 ? -1 : at + mark.length;
}
