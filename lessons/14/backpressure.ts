// Lesson 14: backpressure.
//
// This program is generous: whatever anybody sends, it takes at once, and keeps
// it until somebody else has time for it. So a peer that stops reading costs no
// time. It costs memory instead, and there is always a peer that stops reading.

/** What bytes come from: a connection, or anything that reads like one. */
export type Reader = Pick<Deno.Conn, "read">;

/** What bytes go to: a connection, or anything that writes like one. */
export type Writer = Pick<Deno.Conn, "write">;

/**
 * Passes on everything from `from` to `to`, and returns how many bytes it was.
 * Holds no more than two chunks of 64 KiB, however slow `to` is.
 */
export async function pump(from: Reader, to: Writer): Promise<number> {
  // TODO: By the second line all of it is in memory. How much is all?
  const all = await readToEnd(from);
  await writeAll(to, all);
  return all.length;
}

/**
 * Sends all of `data`, ends its sending, and returns all that the peer sends
 * until its end. The peer may send everything before it reads anything.
 */
export async function swap(
  conn: Deno.TcpConn,
  data: Uint8Array,
): Promise<Uint8Array> {
  // TODO: With much to say on both sides, this line never ends.
  await writeAll(conn, data);
  await conn.closeWrite();
  return await readToEnd(conn);
}

/** Sends messages on one connection, for as many as want to, and in order. */
export class ConnWriter {
  readonly #writer: Writer;
  #queue: Uint8Array[] = [];
  #queued = 0;
  #writing = false;
  #changed = Promise.withResolvers<void>();
  /** Why nothing is written any more. */
  #over: { readonly error: unknown } | undefined;

  /** Lets at most `maxQueued` bytes wait for `writer`. */
  constructor(writer: Writer, _limit: { maxQueued: number }) {
    this.#writer = writer;
  }

  /** How many bytes were accepted here, and are not written yet. */
  get queued(): number {
    return this.#queued;
  }

  /**
   * Accepts a message as soon as there is room for it; who waited longest is
   * first. Rejects when writing has failed, or the writer was closed.
   */
  send(message: Uint8Array): Promise<void> {
    // TODO: There is always room for one more. The peer has been silent for an
    // hour.
    const copy = message.slice(); // The caller may fill its buffer again.
    return this.#until(Infinity, () => this.#accept(copy));
  }

  /** Accepts a message if there is room for it now, and tells whether. */
  trySend(message: Uint8Array): boolean {
    if (this.#over) return false;
    this.#accept(message.slice());
    return true;
  }

  /** Waits until nothing is queued. Rejects as {@linkcode send} does. */
  flush(): Promise<void> {
    return this.#until(0);
  }

  /** Gives up what is queued, and lets all that wait reject. */
  close(): void {
    this.#end(new Deno.errors.Interrupted("the writer was closed"));
  }

  #accept(message: Uint8Array) {
    this.#queue.push(message);
    this.#queued += message.length;
    if (!this.#writing) this.#write();
  }

  /** The only one who writes, so that nobody writes into another's message. */
  async #write() {
    this.#writing = true;
    try {
      while (this.#queue.length > 0) {
        const batch = concat(this.#queue); // Many messages, one write.
        this.#queue = [];
        for (let sent = 0; sent < batch.length && !this.#over;) {
          const n = await this.#writer.write(batch.subarray(sent));
          sent += n;
          this.#queued -= n;
          this.#change();
        }
      }
    } catch (error) {
      this.#end(error);
    } finally {
      this.#writing = false;
    }
  }

  #end(error: unknown) {
    this.#over ??= { error };
    this.#queue = [];
    this.#change();
  }

  /** Waits until no more than `most` bytes are queued, and acts at once. */
  async #until(most: number, act: () => void = () => {}): Promise<void> {
    while (!this.#over && this.#queued > most) await this.#changed.promise;
    if (this.#over) throw this.#over.error;
    act(); // Now: after one more await there may be no room.
  }

  #change() {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

/**
 * Takes messages of one byte from `from`, until its end. A "?" asks whether
 * anybody is there, and "!" goes `back`. All others are for `to`; those that it
 * has no room for are dropped. Returns how many were.
 */
export async function dispatch(
  from: Reader,
  to: ConnWriter,
  back: ConnWriter,
): Promise<number> {
  const buffer = new Uint8Array(1_024);
  const dropped = 0;
  for (let n; (n = await from.read(buffer)) !== null;) {
    for (const message of buffer.subarray(0, n)) {
      // TODO: `to` takes nothing, and a question lies in this buffer.
      if (message === QUESTION) await back.send(ANSWER);
      else await to.send(Uint8Array.of(message));
    }
  }
  return dropped;
}

const QUESTION = "?".charCodeAt(0);
const ANSWER = new TextEncoder().encode("!");

async function writeAll(to: Writer, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) {
    sent += await to.write(bytes.subarray(sent));
  }
}

async function readToEnd(from: Reader): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  const buffer = new Uint8Array(65_536);
  for (let n; (n = await from.read(buffer)) !== null;) {
    parts.push(buffer.slice(0, n));
  }
  return concat(parts);
}

function concat(parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, p) => sum + p.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Sends numbered pages for ever, as fast as the peer takes them. */
async function feed(conn: Deno.TcpConn): Promise<void> {
  using _conn = conn;
  const writer = new ConnWriter(conn, { maxQueued: 65_536 });
  const tell = () => console.log(`${writer.queued} bytes wait`);
  const meter = setInterval(tell, 1_000);
  try {
    for (let number = 0;; number++) {
      const page = `${number}`.padEnd(63, ".").concat("\n").repeat(1_000);
      await writer.send(new TextEncoder().encode(page));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  } finally {
    clearInterval(meter);
    writer.close();
  }
}

// Try it by hand: `deno run -P lessons/14/backpressure.ts` feeds port 7014.
// With a port behind it, it swaps 16 MiB with whoever listens there.
if (import.meta.main) {
  const [port] = Deno.args;
  if (port !== undefined) {
    using conn = await Deno.connect({ port: Number(port) });
    const { length } = await swap(conn, new Uint8Array(16 << 20));
    console.log(`${length} bytes came back`);
  } else {
    for await (
      const conn of Deno.listen({ hostname: "127.0.0.1", port: 7014 })
    ) {
      feed(conn).catch((error) => console.log(`It ended with ${error.name}`));
    }
  }
}
