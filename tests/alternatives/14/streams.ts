// style: web streams, and a writer whose send() returns when it is written
type Reader = Pick<Deno.Conn, "read">;
type Writer = Pick<Deno.Conn, "write">;

export async function pump(from: Reader, to: Writer): Promise<number> {
  let total = 0;
  const sink = new WritableStream<Uint8Array>({
    async write(chunk) {
      total += chunk.length;
      await writeAll(to, chunk);
    },
  });
  await ReadableStream.from(chunks(from)).pipeTo(sink);
  return total;
}

async function* chunks(from: Reader) {
  while (true) {
    const chunk = new Uint8Array(16_384);
    const n = await from.read(chunk);
    if (n === null) return;
    yield chunk.subarray(0, n);
  }
}

export async function swap(conn: Deno.TcpConn, data: Uint8Array) {
  const talk = (async () => {
    const writer = conn.writable.getWriter();
    await writer.write(data);
    writer.releaseLock();
    await conn.closeWrite();
  })();
  talk.catch(() => {}); // It is heard below, unless reading fails first.
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for await (const chunk of chunks(conn)) parts.push(chunk);
  await talk;
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

interface Job {
  readonly bytes: Uint8Array;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

export class ConnWriter {
  readonly #writer: Writer;
  readonly #max: number;
  /** Those whose bytes count, and then those who wait for room. */
  #jobs: Job[] = [];
  #waiting: Job[] = [];
  #queued = 0;
  #running: Promise<void> | undefined;
  #closed: Error | undefined;

  constructor(writer: Writer, { maxQueued }: { maxQueued: number }) {
    this.#writer = writer;
    this.#max = maxQueued;
  }

  get queued() {
    return this.#queued;
  }

  send(message: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(this.#closed);
      this.#waiting.push({ bytes: message.slice(), resolve, reject });
      this.#admit();
    });
  }

  trySend(message: Uint8Array): boolean {
    const room = this.#max - this.#queued;
    if (this.#closed || this.#waiting.length > 0 || message.length > room) {
      return false;
    }
    this.send(message).catch(() => {}); // flush() tells.
    return true;
  }

  async flush() {
    while (this.#running) await this.#running;
    if (this.#closed) throw this.#closed;
  }

  close() {
    this.#fail(new Error("closed"));
    this.#running = undefined;
  }

  #admit() {
    for (let [job] = this.#waiting; job; [job] = this.#waiting) {
      if (this.#queued + job.bytes.length > this.#max) break;
      this.#jobs.push(job);
      this.#waiting.shift();
      this.#queued += job.bytes.length;
    }
    this.#running ??= this.#run();
  }

  async #run() {
    await null; // Whoever sends in the same breath joins in.
    try {
      while (this.#jobs.length > 0) {
        const jobs = this.#jobs.splice(0);
        const sizes = jobs.map(({ bytes }) => bytes.length);
        const batch = new Uint8Array(sizes.reduce((a, b) => a + b));
        jobs.reduce((at, { bytes }) => {
          batch.set(bytes, at);
          return at + bytes.length;
        }, 0);
        try {
          await writeAll(this.#writer, batch);
          jobs.forEach(({ resolve }) => resolve());
        } catch (error) {
          jobs.forEach(({ reject }) => reject(error));
          throw error;
        }
        this.#queued -= batch.length;
        this.#admit();
      }
    } catch (error) {
      this.#fail(error as Error);
    } finally {
      this.#running = undefined;
    }
  }

  #fail(error: Error) {
    this.#closed ??= error;
    const all = [...this.#jobs.splice(0), ...this.#waiting.splice(0)];
    all.forEach(({ reject }) => reject(error));
  }
}

export async function dispatch(
  from: Reader,
  to: ConnWriter,
  back: ConnWriter,
) {
  let dropped = 0;
  for await (const chunk of chunks(from)) {
    for (const letter of new TextDecoder("latin1").decode(chunk)) {
      if (letter === "?") await back.send(new Uint8Array([0x21]));
      else {dropped += to.trySend(new Uint8Array([letter.charCodeAt(0)]))
          ? 0
          : 1;}
    }
  }
  return dropped;
}

async function writeAll(to: Writer, bytes: Uint8Array) {
  while (bytes.length > 0) bytes = bytes.subarray(await to.write(bytes));
}
