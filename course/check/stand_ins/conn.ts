import { count, preview } from "../bytes.ts";
import { nameOf } from "../described.ts";
import type { RawConn } from "../network.ts";
import { Place } from "../place.ts";
import { streamsOf } from "./streams.ts";
import type { Open, World } from "./world.ts";

/**
 * A connection as the program sees it: `Deno.TcpConn`, over either network,
 * with every call recorded.
 */
export class StandInConn implements Deno.TcpConn {
  readonly #raw: RawConn;
  readonly #world: World;
  readonly #open: Open;
  #streams: ReturnType<typeof streamsOf> | undefined;

  constructor(raw: RawConn, world: World) {
    this.#raw = raw;
    this.#world = world;
    this.#open = {
      kind: "connection",
      get what() {
        return `the connection with ${world.recording.nameOf(raw.remoteAddr)}`;
      },
      place: Place.here(),
      close: () => raw.close(),
    };
    world.open.add(this.#open);
  }

  /** Gives up what is below `conn`, for TLS to go on with. */
  static handOver(conn: StandInConn): RawConn {
    conn.#world.open.delete(conn.#open);
    return conn.#raw;
  }

  get localAddr(): Deno.NetAddr {
    return this.#raw.localAddr;
  }

  get remoteAddr(): Deno.NetAddr {
    return this.#raw.remoteAddr;
  }

  get #peer(): string {
    return this.#world.recording.nameOf(this.remoteAddr);
  }

  read(into: Uint8Array): Promise<number | null> {
    return this.#read(into, this.#world.here());
  }

  #read(into: Uint8Array, place: Place): Promise<number | null> {
    const { readsAtMost } = this.#world.adversity;
    const asked = readsAtMost === undefined
      ? into
      : into.subarray(0, readsAtMost);
    const who = this.#peer;
    const from = `read() from ${who}`;
    const what = into.length === 0 ? `${from} into 0 bytes` : from;
    const call = { kind: "read", who, what, place, into, on: this };
    return this.#world.call(call, () => this.#raw.read(asked), (n) => {
      if (n === null) {
        return { text: `${call.what} → null`, fruitless: true };
      }
      this.#world.countRead(this.#raw, n);
      const bytes = into.subarray(0, n);
      const text = `${call.what} → ${count(n)}`;
      return { text, bytes, fruitless: n === 0 };
    });
  }

  write(bytes: Uint8Array): Promise<number> {
    return this.#write(bytes, this.#world.here());
  }

  #write(bytes: Uint8Array, place: Place): Promise<number> {
    const { writesAtMost } = this.#world.adversity;
    const offered = writesAtMost === undefined
      ? bytes
      : bytes.subarray(0, writesAtMost);
    const who = this.#peer;
    const call = { kind: "write", who, what: `write() to ${who}`, place };
    return this.#world.call(call, () => this.#raw.write(offered), (n) => {
      const { length } = bytes;
      const text = (taken: Uint8Array, size: number) =>
        size === length
          ? `${call.what}: ${preview(taken, 14, size)}`
          : `${call.what}: ${size} of ${count(length)}`;
      return { text, bytes: bytes.subarray(0, n), fruitless: n === 0 };
    });
  }

  closeWrite(): Promise<void> {
    const who = this.#peer;
    const call = { kind: "closeWrite", who, what: `closeWrite() to ${who}` };
    return this.#world.call(
      call,
      () => this.#raw.closeWrite(),
      () => ({ text: call.what }),
    );
  }

  close() {
    try {
      this.#raw.close();
    } catch (error) {
      this.#noteClose(`close() of ${this.#peer} ✗ ${nameOf(error)}`, error);
      throw error;
    }
    this.#closed("close() of");
  }

  #closed(how: string) {
    if (!this.#world.open.delete(this.#open)) return;
    this.#noteClose(`${how} ${this.#peer}`);
  }

  #noteClose(text: string, error?: unknown) {
    this.#world.recording.note({
      side: "program",
      kind: "close",
      who: this.#peer,
      text,
      place: Place.here(),
      ...(error !== undefined && { error }),
    });
  }

  /** Closes, if it is open still. */
  #tryClose(how: string) {
    if (!this.#world.open.has(this.#open)) return;
    this.#raw.close();
    this.#closed(how);
  }

  get #bothStreams() {
    return this.#streams ??= streamsOf({
      read: (into, place) => this.#read(into, place),
      write: (bytes, place) => this.#write(bytes, place),
      close: (stream) => this.#tryClose(`${stream} closes`),
    });
  }

  get readable(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.#bothStreams.readable;
  }

  get writable(): WritableStream<Uint8Array<ArrayBufferLike>> {
    return this.#bothStreams.writable;
  }

  setNoDelay(on?: boolean) {
    this.#raw.setNoDelay(on);
  }

  setKeepAlive(on?: boolean) {
    this.#raw.setKeepAlive(on);
  }

  ref() {
    this.#raw.ref();
  }

  unref() {
    this.#raw.unref();
  }

  /** Called by `using` at the end of its block, or by the program itself. */
  [Symbol.dispose]() {
    this.#tryClose("disposing closes");
  }
}
