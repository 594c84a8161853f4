// expect: interleaved-writers
// Whoever has something to say writes it, as soon as there is room. Every byte of
// it, of course.
export type Reader = Pick<Deno.Conn, "read">;

export type Writer = Pick<Deno.Conn, "write">;

export async function pump(from: Reader, to: Writer): Promise<number> {
  const buffer = new Uint8Array(65_536);
  let total = 0;
  for (let n; (n = await from.read(buffer)) !== null;) {
    await writeAll(to, buffer.subarray(0, n));
    total += n;
  }
  return total;
}

export async function swap(
  conn: Deno.TcpConn,
  data: Uint8Array,
): Promise<Uint8Array> {
  const sending = writeAll(conn, data).then(() => conn.closeWrite());
  const [received] = await Promise.all([readToEnd(conn), sending]);
  return received;
}

export class ConnWriter {
  readonly #writer: Writer;
  readonly #maxQueued: number;
  #queued = 0;
  #closed = false;
  #changed = Promise.withResolvers<void>();

  constructor(writer: Writer, { maxQueued }: { maxQueued: number }) {
    this.#writer = writer;
    this.#maxQueued = maxQueued;
  }

  get queued(): number {
    return this.#queued;
  }

  async send(message: Uint8Array): Promise<void> {
    const copy = message.slice();
    while (!this.trySend(copy)) {
      if (this.#closed) throw new Deno.errors.Interrupted("it was closed");
      await this.#changed.promise;
    }
  }

  trySend(message: Uint8Array): boolean {
    const room = this.#maxQueued - this.#queued;
    if (this.#closed || message.length > room) return false;
    this.#queued += message.length;
    writeAll(this.#writer, message.slice())
      .then(() => this.#queued -= message.length)
      .catch(() => this.close())
      .finally(() => this.#change());
    return true;
  }

  async flush(): Promise<void> {
    while (this.#queued > 0 && !this.#closed) await this.#changed.promise;
  }

  close(): void {
    this.#closed = true;
    this.#change();
  }

  #change() {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}

export async function dispatch(
  from: Reader,
  to: ConnWriter,
  back: ConnWriter,
): Promise<number> {
  const buffer = new Uint8Array(1_024);
  let dropped = 0;
  for (let n; (n = await from.read(buffer)) !== null;) {
    for (const message of buffer.subarray(0, n)) {
      if (message === QUESTION) await back.send(ANSWER);
      else if (!to.trySend(Uint8Array.of(message))) dropped++;
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
