// style: one task reads all the time into a queue; AbortSignal.timeout and any
const { Busy, TimedOut, UnexpectedEof } = Deno.errors;

/** Rejects when `signal` aborts; `end` takes the listener off. */
function abortion(signal: AbortSignal) {
  const end = new AbortController();
  const promise = new Promise<never>((_, reject) => {
    const abort = () => reject(reasonOf(signal));
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { signal: end.signal });
  });
  promise.catch(() => {});
  return { promise, end: () => end.abort() };
}

function reasonOf({ reason }: AbortSignal): unknown {
  const timeout = reason instanceof DOMException &&
    reason.name === "TimeoutError";
  return timeout ? new TimedOut(reason.message, { cause: reason }) : reason;
}

const WEEK = 7 * 24 * 3_600 * 1_000;

export async function withDeadline<T>(
  ms: number,
  run: (signal: AbortSignal) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  if (signal?.aborted) throw signal.reason;
  const controller = new AbortController();
  const timeout = AbortSignal.timeout(Math.min(Math.max(ms, 0), WEEK));
  const late = abortion(timeout);
  const aborted = signal && abortion(signal);
  try {
    return await Promise.race([
      run(controller.signal),
      late.promise,
      ...(aborted ? [aborted.promise] : []),
    ]);
  } catch (error) {
    controller.abort(error);
    throw error;
  } finally {
    late.end();
    aborted?.end();
  }
}

export async function connectWithTimeout(
  to: { hostname: string; port: number },
  ms: number,
  signal?: AbortSignal,
): Promise<Deno.TcpConn> {
  const over = AbortSignal.timeout(ms);
  try {
    const both = signal ? AbortSignal.any([over, signal]) : over;
    return await Deno.connect({ ...to, signal: both });
  } catch (error) {
    throw over.aborted && error === over.reason ? reasonOf(over) : error;
  }
}

export interface Limits {
  idleMs?: number;
  totalMs?: number;
  signal?: AbortSignal;
}

type Arrival = { bytes: Uint8Array | null } | { error: unknown };

export class TimedConn {
  #queue: Arrival[] = [];
  #wake = () => {};
  #reading = false;
  #broken: { error: unknown } | null = null;
  #closed = false;
  #until: number;

  constructor(readonly conn: Deno.Conn, readonly limits: Limits) {
    this.#until = Date.now() + (limits.totalMs ?? WEEK);
    this.#pump();
  }

  async #pump() {
    const buffer = new Uint8Array(1_024);
    for (let n: number | null = 0; n !== null;) {
      try {
        n = await this.conn.read(buffer);
        this.#queue.push({ bytes: n === null ? null : buffer.slice(0, n) });
      } catch (error) {
        this.#queue.push({ error });
        n = null;
      }
      this.#wake();
    }
  }

  async #arrival(): Promise<Uint8Array | null> {
    while (this.#queue.length === 0) {
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    const arrival = this.#queue[0]!;
    if ("error" in arrival) throw arrival.error;
    if (arrival.bytes !== null) this.#queue.shift();
    return arrival.bytes;
  }

  async #step<T>(work: () => Promise<T>): Promise<T> {
    if (this.#broken) throw this.#broken.error;
    const { idleMs = WEEK, signal } = this.limits;
    const ms = Math.min(idleMs, this.#until - Date.now());
    try {
      return await withDeadline(ms, work, signal);
    } catch (error) {
      this.#broken = { error };
      this.close();
      throw error;
    }
  }

  async read(): Promise<Uint8Array | null> {
    if (this.#reading) throw new Busy();
    this.#reading = true;
    return await this.#step(() => this.#arrival())
      .finally(() => this.#reading = false);
  }

  async tryRead(ms: number): Promise<Uint8Array | null | undefined> {
    if (this.#reading) throw new Busy();
    if (this.#queue.length === 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      const timer = setTimeout(resolve, ms);
      await this.#step(() => promise).finally(() => clearTimeout(timer));
    }
    return this.#queue.length > 0 ? await this.read() : undefined;
  }

  async write(bytes: Uint8Array): Promise<void> {
    let rest = bytes;
    while (rest.length > 0) {
      rest = rest.subarray(await this.#step(() => this.conn.write(rest)));
    }
  }

  close() {
    if (!this.#closed) this.conn.close();
    this.#closed = true;
  }
}

export async function ask(conn: TimedConn, question: string): Promise<string> {
  await conn.write(new TextEncoder().encode(question + "\n"));
  const parts: Uint8Array<ArrayBuffer>[] = [];
  do {
    const part = await conn.read();
    if (!part) throw new UnexpectedEof();
    parts.push(part.slice());
  } while (parts.at(-1)!.at(-1) !== 10);
  return (await new Blob(parts).text()).trimEnd();
}
