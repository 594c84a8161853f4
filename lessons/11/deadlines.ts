// Lesson 11: deadlines and cancellation.
//
// A client that asks a server, and a server that may never answer: it may be
// silent, drip, or come too late. This client gives up in time, or so it seems:
// something of what it gave up is always left. Find out what, and end it.

/** The longest that a timer can run; a longer one rings after 1 ms. */
const LONGEST_MS = 2 ** 31 - 1;

/**
 * Does `run`, which gets `ms` milliseconds for it. What it returns or throws
 * in time is the result. Its signal aborts when nobody waits for it any more.
 *
 * @throws {Deno.errors.TimedOut} When the time is over.
 * @throws The reason of `signal`, when that aborts.
 */
export async function withDeadline<T>(
  ms: number,
  run: (signal: AbortSignal) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  signal?.throwIfAborted();
  const controller = new AbortController();
  const over = Promise.withResolvers<never>();
  // TODO: Nobody waits any more, and `run` works on.
  const giveUp = (reason: unknown) => over.reject(reason);
  const timeOut = () => giveUp(timedOut(ms));
  const abort = () => giveUp(signal?.reason);
  // TODO: The work took a moment. The program runs on for the whole minute.
  setTimeout(timeOut, Math.min(ms, LONGEST_MS));
  signal?.addEventListener("abort", abort);
  return await Promise.race([run(controller.signal), over.promise]);
}

function timedOut(ms: number): Error {
  const waited = Math.max(0, Math.round(ms));
  return new Deno.errors.TimedOut(
    `Cannot wait any longer: nothing came in ${waited} ms`,
  );
}

/** Connects within `ms` milliseconds, or throws as `withDeadline()` does. */
export function connectWithTimeout(
  to: { hostname: string; port: number },
  ms: number,
  signal?: AbortSignal,
): Promise<Deno.TcpConn> {
  // TODO: The time is over, and the kernel goes on knocking for two minutes.
  return withDeadline(ms, () => Deno.connect(to), signal);
}

/** How long a connection may take, and who may end it. */
export interface Limits {
  /** How long one read or write may make no progress, in milliseconds. */
  idleMs?: number;
  /** How long everything together may take, from the constructor on. */
  totalMs?: number;
  /** Ends every call that waits, with its reason. */
  signal?: AbortSignal;
}

/**
 * A connection that waits for nothing longer than its limits allow. When a call
 * fails, the connection is closed, and each later call fails with that error
 * (Busy alone is no such failure).
 */
export class TimedConn {
  readonly #conn: Deno.Conn;
  readonly #limits: Limits;
  readonly #buffer = new Uint8Array(16_384);
  #closed = false;

  /** From now on `conn` belongs to this object. */
  constructor(conn: Deno.Conn, limits: Limits) {
    this.#conn = conn;
    this.#limits = limits;
  }

  /**
   * Gives the bytes that come next, for the caller to keep; null means the end.
   *
   * @throws {Deno.errors.Busy} While another `read()` waits.
   */
  read(): Promise<Uint8Array | null> {
    // TODO: Two read at once. Each gets a part, and none gets the message.
    return this.#limited(() => this.#next());
  }

  /** As `read()`, but gives undefined if nothing comes in `ms` milliseconds. */
  async tryRead(ms: number): Promise<Uint8Array | null | undefined> {
    // TODO: Nothing comes, and later something does. The next read never sees it.
    const pause = Promise.withResolvers<undefined>();
    const giveUp = () => pause.resolve(undefined);
    const timer = setTimeout(giveUp, Math.min(ms, LONGEST_MS));
    try {
      return await this.#limited(() =>
        Promise.race([this.#next(), pause.promise])
      );
    } finally {
      clearTimeout(timer);
    }
  }

  /** Sends all of `bytes`. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let sent = 0; sent < bytes.length;) {
      const rest = bytes.subarray(sent);
      sent += await this.#limited(() => this.#conn.write(rest));
    }
  }

  /** Hangs up. Twice is fine. */
  close() {
    if (this.#closed) return;
    this.#closed = true;
    this.#conn.close();
  }

  #next(): Promise<Uint8Array | null> {
    return this.#conn.read(this.#buffer).then((n) =>
      n === null ? null : this.#buffer.slice(0, n)
    );
  }

  /** Waits for one step: until the idle limit. */
  #limited<T>(step: () => Promise<T>): Promise<T> {
    // TODO: The server is late, and its answer comes when you ask the next
    // question. Another sends one byte a minute, and one signal is never heard.
    const { idleMs = Infinity } = this.#limits;
    return withDeadline(idleMs, step);
  }
}

/**
 * Sends `question` in a line, and returns the line that answers it.
 *
 * @throws {Deno.errors.UnexpectedEof} If the server ends before its newline.
 */
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

// Try it by hand: `nc -l 127.0.0.1 7011` in one terminal, and in another
// `deno run -P lessons/11/deadlines.ts`, with limits if you like.
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
