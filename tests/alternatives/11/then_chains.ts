// style: chained promises; what finally() tidies up goes a moment after the end
/** The longest that a timer can run; a longer one rings after 1 ms. */
const LONGEST_MS = 2 ** 31 - 1;

export function withDeadline<T>(
  ms: number,
  run: (signal: AbortSignal) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    signal?.throwIfAborted();
    const controller = new AbortController();
    const tidy = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    };
    const giveUp = (reason: unknown) => {
      tidy();
      reject(reason);
      controller.abort(reason);
    };
    const onAbort = () => giveUp(signal?.reason);
    const timer = setTimeout(
      () => giveUp(timedOut(ms)),
      Math.min(ms, LONGEST_MS),
    );
    signal?.addEventListener("abort", onAbort, { once: true });
    Promise.try(run, controller.signal).then(resolve, reject).finally(tidy);
  });
}

function timedOut(ms: number): Error {
  const waited = Math.max(0, Math.round(ms));
  return new Deno.errors.TimedOut(
    `Cannot wait any longer: nothing came in ${waited} ms`,
  );
}

export function connectWithTimeout(
  to: { hostname: string; port: number },
  ms: number,
  signal?: AbortSignal,
): Promise<Deno.TcpConn> {
  return withDeadline(
    ms,
    (signal) =>
      Deno.connect({ ...to, signal }).then((conn) => {
        if (signal.aborted) conn.close();
        return conn;
      }),
    signal,
  );
}

export interface Limits {
  idleMs?: number;
  totalMs?: number;
  signal?: AbortSignal;
}

export class TimedConn {
  readonly #conn: Deno.Conn;
  readonly #limits: Limits;
  readonly #born = performance.now();
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #fatal: Promise<never> | undefined;
  #closed = false;
  #busy = false;
  #coming: Promise<Uint8Array | null> | undefined;

  constructor(conn: Deno.Conn, limits: Limits) {
    this.#conn = conn;
    this.#limits = limits;
    this.#reader = conn.readable.getReader();
  }

  read(): Promise<Uint8Array | null> {
    return this.#lock(() => this.#soon().then((c) => this.#taken(c)));
  }

  tryRead(ms: number): Promise<Uint8Array | null | undefined> {
    return this.#lock(() => {
      const { promise, resolve } = Promise.withResolvers<undefined>();
      const timer = setTimeout(
        () => resolve(undefined),
        Math.min(ms, LONGEST_MS),
      );
      return Promise.race([this.#soon(), promise])
        .then((c) => c === undefined ? c : this.#taken(c))
        .finally(() => clearTimeout(timer));
    });
  }

  write(bytes: Uint8Array): Promise<void> {
    if (bytes.length === 0) return Promise.resolve();
    return this.#limited(() => this.#conn.write(bytes))
      .then((n) => this.write(bytes.subarray(n)));
  }

  close() {
    if (this.#closed) return;
    this.#closed = true;
    try {
      this.#conn.close();
    } catch (error) {
      // The stream closes the connection itself at its end.
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  }

  #soon() {
    this.#coming ??= this.#reader.read().then(({ value }) => value ?? null);
    this.#coming.catch(() => {});
    return this.#coming;
  }

  #taken<C>(chunk: C): C {
    this.#coming = undefined;
    return chunk;
  }

  #lock<T>(step: () => Promise<T>): Promise<T> {
    if (this.#busy) {
      return Promise.reject(new Deno.errors.Busy("somebody reads"));
    }
    this.#busy = true;
    return this.#limited(step).finally(() => this.#busy = false);
  }

  #limited<T>(step: () => Promise<T>): Promise<T> {
    if (this.#fatal) return this.#fatal;
    const { idleMs = Infinity, totalMs = Infinity, signal } = this.#limits;
    const left = this.#born + totalMs - performance.now();
    return withDeadline(Math.min(idleMs, left), step, signal)
      .catch((error) => {
        this.#fatal = Promise.reject(error);
        this.#fatal.catch(() => {});
        this.close();
        throw error;
      });
  }
}

export async function ask(conn: TimedConn, question: string): Promise<string> {
  await conn.write(new TextEncoder().encode(`${question}\n`));
  const decoder = new TextDecoder();
  let answer = "";
  while (!answer.endsWith("\n")) {
    const chunk = await conn.read();
    if (chunk === null) {
      throw new Deno.errors.UnexpectedEof(
        "Cannot return the answer: the connection ended inside it",
      );
    }
    answer += decoder.decode(chunk, { stream: true });
  }
  return answer.slice(0, -1);
}
