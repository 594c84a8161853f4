// expect: stale-buffer-alias
// The bytes are in the buffer already. Why copy them?

const LONGEST_MS = 2 ** 31 - 1;

export async function withDeadline<T>(
  ms: number,
  run: (signal: AbortSignal) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  signal?.throwIfAborted();
  const controller = new AbortController();
  const over = Promise.withResolvers<never>();
  const giveUp = (reason: unknown) => {
    over.reject(reason);
    controller.abort(reason);
  };
  const timeOut = () => giveUp(timedOut(ms));
  const abort = () => giveUp(signal?.reason);
  const timer = setTimeout(timeOut, Math.min(ms, LONGEST_MS));
  signal?.addEventListener("abort", abort);
  try {
    return await Promise.race([run(controller.signal), over.promise]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  }
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
  return withDeadline(ms, async (signal) => {
    const conn = await Deno.connect({ ...to, signal });
    if (signal.aborted) conn.close();
    return conn;
  }, signal);
}

export interface Limits {
  idleMs?: number;
  totalMs?: number;
  signal?: AbortSignal;
}

export class TimedConn {
  readonly #conn: Deno.Conn;
  readonly #limits: Limits;
  readonly #end: number;
  readonly #buffer = new Uint8Array(16_384);
  #chunk: Promise<Uint8Array | null> | undefined;
  #reading = false;
  #failure: unknown;
  #closed = false;

  constructor(conn: Deno.Conn, limits: Limits) {
    this.#conn = conn;
    this.#limits = limits;
    this.#end = performance.now() + (limits.totalMs ?? Infinity);
  }

  read(): Promise<Uint8Array | null> {
    return this.#take(() => this.#next());
  }

  async tryRead(ms: number): Promise<Uint8Array | null | undefined> {
    const pause = Promise.withResolvers<undefined>();
    const timer = setTimeout(() => pause.resolve(undefined), ms);
    try {
      return await this.#take(() =>
        Promise.race([this.#next(), pause.promise])
      );
    } finally {
      clearTimeout(timer);
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let sent = 0; sent < bytes.length;) {
      const rest = bytes.subarray(sent);
      sent += await this.#limited(() => this.#conn.write(rest));
    }
  }

  close() {
    if (this.#closed) return;
    this.#closed = true;
    this.#conn.close();
  }

  async #take<T>(wait: () => Promise<T>): Promise<T> {
    if (this.#reading) {
      throw new Deno.errors.Busy("Cannot read: somebody else is reading");
    }
    this.#reading = true;
    try {
      const chunk = await this.#limited(wait);
      if (chunk !== undefined) this.#chunk = undefined;
      return chunk;
    } finally {
      this.#reading = false;
    }
  }

  #next(): Promise<Uint8Array | null> {
    return this.#chunk ??= this.#conn.read(this.#buffer).then((n) =>
      n === null ? null : this.#buffer.subarray(0, n)
    );
  }

  async #limited<T>(step: () => Promise<T>): Promise<T> {
    if (this.#failure !== undefined) throw this.#failure;
    const { idleMs = Infinity, signal } = this.#limits;
    const left = this.#end - performance.now();
    try {
      if (left <= 0) throw timedOut(left);
      return await withDeadline(Math.min(idleMs, left), step, signal);
    } catch (error) {
      this.#failure = error;
      this.close();
      throw error;
    }
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

if (import.meta.main) {
  const [idleMs = 2_000, totalMs = 10_000] = Deno.args.map(Number);
  const to = { hostname: "127.0.0.1", port: 7011 };
  const conn = await connectWithTimeout(to, idleMs);
  const server = new TimedConn(conn, { idleMs, totalMs });
  try {
    console.log(await ask(server, "How are you?"));
  } finally {
    server.close();
  }
}
