// expect: polls-for-room
// Is there room now? No: look again in a millisecond. It works, and costs the
// same whether anything happens or not.
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
  #queue: Uint8Array[] = [];
  #queued = 0;
  #writing = false;
  #line: Promise<unknown> = Promise.resolve();
  #over: { readonly error: unknown } | undefined;

  constructor(writer: Writer, { maxQueued }: { maxQueued: number }) {
    this.#writer = writer;
    this.#maxQueued = maxQueued;
  }

  get queued(): number {
    return this.#queued;
  }

  send(message: Uint8Array): Promise<void> {
    const copy = message.slice();
    const most = this.#maxQueued - copy.length;
    const turn = this.#line.then(() =>
      this.#until(most, () => this.#accept(copy))
    );
    this.#line = turn.catch(() => {});
    return turn;
  }

  trySend(message: Uint8Array): boolean {
    const room = this.#maxQueued - this.#queued;
    if (this.#over || message.length > room) return false;
    this.#accept(message.slice());
    return true;
  }

  flush(): Promise<void> {
    return this.#until(0);
  }

  close(): void {
    this.#over ??= { error: new Deno.errors.Interrupted("it was closed") };
  }

  async #until(most: number, act: () => void = () => {}): Promise<void> {
    while (!this.#over && this.#queued > most) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    if (this.#over) throw this.#over.error;
    act();
  }

  #accept(message: Uint8Array) {
    this.#queue.push(message);
    this.#queued += message.length;
    if (!this.#writing) this.#write();
  }

  async #write() {
    this.#writing = true;
    try {
      while (this.#queue.length > 0 && !this.#over) {
        const batch = concat(this.#queue);
        this.#queue = [];
        await writeAll(this.#writer, batch);
        this.#queued -= batch.length;
      }
    } catch (error) {
      this.#over ??= { error };
    } finally {
      this.#writing = false;
    }
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
