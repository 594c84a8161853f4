// style: reads ahead into a second buffer; a ring of bytes instead of a list
type Reader = Pick<Deno.Conn, "read">;
type Writer = Pick<Deno.Conn, "write">;

export async function pump(from: Reader, to: Writer): Promise<number> {
  const buffers = [new Uint8Array(32_768), new Uint8Array(32_768)] as const;
  let total = 0;
  let at: 0 | 1 = 0;
  let n = await from.read(buffers[at]);
  while (n !== null) {
    const other: 0 | 1 = at === 0 ? 1 : 0;
    const [next] = await Promise.all([
      from.read(buffers[other]),
      writeAll(to, buffers[at].subarray(0, n)),
    ]);
    total += n;
    n = next;
    at = other;
  }
  return total;
}

export async function swap(conn: Deno.TcpConn, data: Uint8Array) {
  let received = new Uint8Array(0);
  const listening = (async () => {
    const buffer = new Uint8Array(100_000);
    for (let n; (n = await conn.read(buffer)) !== null;) {
      const longer = new Uint8Array(received.length + n);
      longer.set(received);
      longer.set(buffer.subarray(0, n), received.length);
      received = longer;
    }
  })();
  const talking = writeAll(conn, data).then(() => conn.closeWrite());
  await Promise.all([listening, talking]);
  return received;
}

export class ConnWriter {
  readonly #ring: Uint8Array;
  #start = 0;
  #length = 0;
  #error: unknown;
  #callers: { bytes: Uint8Array; done: (error?: unknown) => void }[] = [];
  #idle: ((error?: unknown) => void)[] = [];
  #wake = () => {};

  constructor(writer: Writer, { maxQueued }: { maxQueued: number }) {
    this.#ring = new Uint8Array(maxQueued);
    this.#work(writer).catch((error) => this.#stop(error));
  }

  get queued() {
    return this.#length;
  }

  send(message: Uint8Array): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const done = (error?: unknown) => error ? reject(error) : resolve();
    if (this.#error) done(this.#error);
    else this.#callers.push({ bytes: message.slice(), done });
    this.#letIn();
    return promise;
  }

  trySend(message: Uint8Array): boolean {
    if (this.#error || this.#callers.length > 0) return false;
    return this.#put(message);
  }

  flush(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const done = (error?: unknown) => error ? reject(error) : resolve();
    if (this.#error || this.#length === 0) done(this.#error);
    else this.#idle.push(done);
    return promise;
  }

  close() {
    this.#stop(new Deno.errors.BadResource("the writer was closed"));
  }

  #stop(error: unknown) {
    this.#error ??= error;
    this.#wake();
    for (const { done } of this.#callers.splice(0)) done(error);
    for (const done of this.#idle.splice(0)) done(error);
  }

  #put(bytes: Uint8Array): boolean {
    const size = this.#ring.length;
    if (bytes.length > size - this.#length) return false;
    const end = this.#start + this.#length;
    bytes.forEach((byte, i) => this.#ring[(end + i) % size] = byte);
    this.#length += bytes.length;
    this.#wake();
    return true;
  }

  #letIn() {
    while (this.#callers[0] && this.#put(this.#callers[0].bytes)) {
      this.#callers.shift()!.done();
    }
  }

  async #work(writer: Writer) {
    while (!this.#error) {
      if (this.#length === 0) {
        for (const done of this.#idle.splice(0)) done();
        await new Promise<void>((resolve) => this.#wake = resolve);
        continue;
      }
      const end = Math.min(this.#start + this.#length, this.#ring.length);
      const n = await writer.write(this.#ring.slice(this.#start, end));
      this.#start = (this.#start + n) % this.#ring.length;
      this.#length -= n;
      this.#letIn();
    }
  }
}

export async function dispatch(
  from: Reader,
  to: ConnWriter,
  back: ConnWriter,
): Promise<number> {
  const one = new Uint8Array(1);
  let dropped = 0;
  while (await from.read(one) !== null) {
    if (one[0] === 0x3f) await back.send(Uint8Array.of(0x21));
    else if (!to.trySend(one)) dropped += 1;
  }
  return dropped;
}

async function writeAll(to: Writer, bytes: Uint8Array): Promise<void> {
  const n = await to.write(bytes);
  if (n < bytes.length) await writeAll(to, bytes.subarray(n));
}
