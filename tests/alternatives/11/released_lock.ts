// style: streams: a reader whose lock is released when the time is over
const { Busy, TimedOut, UnexpectedEof } = Deno.errors;

export async function withDeadline<T>(
  ms: number,
  run: (signal: AbortSignal) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const stop = new AbortController();
  const both = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
  both.throwIfAborted();
  const timer = setTimeout(() => stop.abort(new TimedOut("late")), ms);
  const aborted = new Promise<never>((_, reject) => {
    both.onabort = () => reject(both.reason);
  });
  return await Promise.race([aborted, Promise.try(run, both)]).finally(() => {
    both.onabort = null;
    clearTimeout(timer);
  });
}

export async function connectWithTimeout(
  { hostname, port }: { hostname: string; port: number },
  ms: number,
  signal?: AbortSignal,
) {
  const connect = (signal: AbortSignal) =>
    Deno.connect({ hostname, port, signal });
  return await withDeadline(ms, connect, signal);
}

export interface Limits {
  idleMs?: number;
  totalMs?: number;
  signal?: AbortSignal;
}

export class TimedConn {
  #failure?: { reason: unknown };
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #total: ReturnType<typeof setTimeout> | undefined;
  #open = true;

  constructor(private conn: Deno.Conn, private limits: Limits) {
    const { totalMs, signal } = limits;
    if (totalMs !== undefined) {
      this.#total = setTimeout(this.#timeOut, totalMs);
    }
    signal?.addEventListener("abort", this.#abort);
  }

  #abort = () => this.#fail(this.limits.signal!.reason);
  #timeOut = () => this.#fail(new TimedOut("too late"));

  #fail(reason: unknown) {
    if (!this.#open) return;
    this.#failure = { reason };
    this.close();
  }

  #reasonOr(error: unknown) {
    return this.#failure ? this.#failure.reason : error;
  }

  async #guarded<T>(work: () => Promise<T>): Promise<T> {
    if (this.#failure) throw this.#failure.reason;
    const { idleMs } = this.limits;
    const idle = idleMs && setTimeout(this.#timeOut, idleMs);
    try {
      return await work();
    } catch (error) {
      throw this.#reasonOr(error);
    } finally {
      if (idle) clearTimeout(idle);
    }
  }

  async #nextOf(reader: ReadableStreamDefaultReader<Uint8Array>) {
    const { value, done } = await reader.read();
    // The end of the stream closes the connection.
    if (done) this.#open = false;
    return done ? null : value;
  }

  read(): Promise<Uint8Array | null> {
    return this.#withReader((reader) => this.#nextOf(reader));
  }

  async tryRead(ms: number): Promise<Uint8Array | null | undefined> {
    return await this.#withReader(async (reader) => {
      let late = false;
      const timer = setTimeout(() => {
        late = true;
        reader.releaseLock();
      }, ms);
      try {
        return await this.#nextOf(reader);
      } catch (error) {
        if (late) return undefined;
        throw error;
      } finally {
        clearTimeout(timer);
      }
    });
  }

  async #withReader<T>(
    work: (reader: ReadableStreamDefaultReader<Uint8Array>) => Promise<T>,
  ): Promise<T> {
    if (this.#failure) throw this.#failure.reason;
    if (this.#reader) throw new Busy("reading already");
    const reader = this.conn.readable.getReader();
    this.#reader = reader;
    try {
      return await this.#guarded(() => work(reader));
    } finally {
      reader.releaseLock();
      this.#reader = undefined;
    }
  }

  async write(bytes: Uint8Array) {
    let sent = 0;
    while (sent < bytes.length) {
      sent += await this.#guarded(() => this.conn.write(bytes.subarray(sent)));
    }
  }

  close() {
    this.limits.signal?.removeEventListener("abort", this.#abort);
    clearTimeout(this.#total);
    if (this.#open) this.conn.close();
    this.#open = false;
  }
}

export async function ask(conn: TimedConn, question: string) {
  await conn.write(new TextEncoder().encode(question + "\n"));
  const bytes: number[] = [];
  for (;;) {
    const chunk = await conn.read();
    if (chunk === null) throw new UnexpectedEof("no newline");
    bytes.push(...chunk);
    const end = bytes.indexOf(0x0a);
    if (end < 0) continue;
    return new TextDecoder().decode(Uint8Array.from(bytes.slice(0, end)));
  }
}
