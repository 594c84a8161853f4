// Lesson 17, solved: limits, drain and shutdown.
//
// A server for requests of one line. It says no before the system has to, waits
// for nobody longer than it said, and finishes what it has begun before it goes.

/**
 * Answers one request, a line without its end, with another. `signal` aborts
 * when nobody waits for the answer any more.
 */
export type Answer = (
  request: string,
  signal: AbortSignal,
) => string | Promise<string>;

/** Settings of a server. */
export interface ServeOptions {
  /** Aborts when the server is to finish. */
  readonly signal?: AbortSignal;
  /** How many clients are served at a time. Default: 100. */
  readonly maxConns?: number;
  /** How many of them may come from one address. Default: 100. */
  readonly maxPerHost?: number;
  /** How long a request may be, in characters. Default: 1,024. */
  readonly maxLine?: number;
  /** How long its first byte may take, in milliseconds. Default: a minute. */
  readonly idleMs?: number;
  /** How long the rest of it may take, all in all. Default: 10 s. */
  readonly headMs?: number;
  /** How long answers that have begun may take at the end. Default: 5 s. */
  readonly graceMs?: number;
  /** Told what the answer or accept() threw. Default: `console.error`. */
  readonly onError?: (error: unknown) => void;
}

/** What a server has done. */
export interface Stats {
  /** Clients that were served. */
  accepted: number;
  /** Clients that were told "busy". */
  refused: number;
  /** What `onError` was told, counted. */
  errors: number;
}

type Limits = Required<Omit<ServeOptions, "signal">>;

const DEFAULTS: Limits = {
  maxConns: 100,
  maxPerHost: 100,
  maxLine: 1_024,
  idleMs: 60_000,
  headMs: 10_000,
  graceMs: 5_000,
  onError: console.error,
};

/**
 * Serves the clients of `listener` until the signal aborts or the listener
 * closes. Then answers that have begun get `graceMs`, and nobody else anything.
 */
export async function serve(
  listener: Deno.TcpListener,
  answer: Answer,
  { signal, ...options }: ServeOptions = {},
): Promise<Stats> {
  const limits = { ...DEFAULTS, ...options };
  const stats: Stats = { accepted: 0, refused: 0, errors: 0 };
  const fail = (error: unknown) => {
    stats.errors++;
    limits.onError(error);
  };
  const visits = new Map<Deno.TcpConn, Promise<void>>();
  const drain = new AbortController();
  const end = new AbortController();
  const stop = () => listener[Symbol.dispose](); // It may be closed already.
  signal?.addEventListener("abort", stop);
  if (signal?.aborted) stop(); // What has happened is not told again.

  for await (const conn of arrivals(listener, fail)) {
    if (isFull([...visits.keys()], conn, limits)) {
      stats.refused++;
      await refuse(conn); // Five bytes find room: this waits for nobody.
      continue;
    }
    stats.accepted++;
    const lines = requests(conn, limits, drain.signal);
    const visit = talk(conn, lines, (line) => answer(line, end.signal), fail)
      .catch(unlessGone)
      .finally(() => visits.delete(conn));
    visits.set(conn, visit);
  }

  signal?.removeEventListener("abort", stop);
  drain.abort(); // Whoever has not asked for anything may go.
  const over = Promise.withResolvers<void>();
  const timer = setTimeout(over.resolve, limits.graceMs);
  // Some answers never come: nobody can end a promise from outside.
  await Promise.race([Promise.all(visits.values()), over.promise]);
  clearTimeout(timer);
  end.abort();
  visits.keys().forEach((conn) => conn[Symbol.dispose]());
  return stats;
}

/** The clients of `listener`, until it closes. */
async function* arrivals(
  listener: Deno.TcpListener,
  fail: (error: unknown) => void,
): AsyncGenerator<Deno.TcpConn> {
  while (true) {
    try {
      yield await listener.accept();
    } catch (error) {
      if (error instanceof Deno.errors.BadResource) return; // It is closed.
      fail(error);
      // It has reset before we let it in, and the next one need not wait.
      if (error instanceof Deno.errors.NotConnected) continue;
      // EMFILE: the client still waits, and each accept() fails until there is
      // a free descriptor. Asking at once would only burn the processor.
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** Whether there is no room for `conn` beside `others`. */
function isFull(
  others: Deno.TcpConn[],
  { remoteAddr: { hostname } }: Deno.TcpConn,
  { maxConns, maxPerHost }: Limits,
): boolean {
  const same = others.filter((other) => other.remoteAddr.hostname === hostname);
  return others.length >= maxConns || same.length >= maxPerHost;
}

/** Says no, so that nobody has to guess. */
async function refuse(conn: Deno.TcpConn): Promise<void> {
  using _closing = conn;
  await writeAll(conn, "busy\n").catch(unlessGone);
}

/** One client, request by request. */
async function talk(
  conn: Deno.TcpConn,
  lines: AsyncIterable<string>,
  answer: (line: string) => string | Promise<string>,
  fail: (error: unknown) => void,
): Promise<void> {
  // Others close it, too. It is fine to dispose of what is closed already; a
  // second close() would throw.
  using _closing = conn;
  for await (const line of lines) {
    let reply;
    try {
      reply = await answer(line);
    } catch (error) {
      return fail(error); // It ends this conversation, and no other.
    }
    // Nobody hurries a client that does not read: it keeps its place. A server
    // in the open would give this a deadline, too.
    await writeAll(conn, `${reply}\n`);
  }
}

/** What one client asks. Where that takes too long, `conn` is closed. */
async function* requests(
  conn: Deno.TcpConn,
  { maxLine, idleMs, headMs }: Limits,
  drain: AbortSignal,
): AsyncGenerator<string> {
  const buffer = new Uint8Array(4_096);
  const decoder = new TextDecoder();
  const close = () => conn[Symbol.dispose]();
  let due = performance.now() + idleMs;
  for (let text = "";;) {
    const end = text.indexOf("\n");
    if ((end < 0 ? text.length : end) > maxLine) return;
    if (end >= 0) {
      yield text.slice(0, end);
      if (drain.aborted) return await goodbye(conn); // That was the last one.
      text = text.slice(end + 1);
      due = performance.now() + (text === "" ? idleMs : headMs);
      continue;
    }
    drain.addEventListener("abort", close);
    const timer = setTimeout(close, due - performance.now());
    const n = await conn.read(buffer).finally(() => {
      clearTimeout(timer);
      drain.removeEventListener("abort", close);
    });
    if (n === null) return;
    // One clock for all bytes but the first, however slowly they drip.
    if (text === "") due = performance.now() + headMs;
    text += decoder.decode(buffer.subarray(0, n), { stream: true });
  }
}

/**
 * Ends the sending, and reads on until the client's end. Over bytes that nobody
 * has read, close() resets; what is on its way to the client would be lost.
 */
async function goodbye(conn: Deno.TcpConn): Promise<void> {
  await conn.closeWrite();
  const buffer = new Uint8Array(4_096);
  while (await conn.read(buffer) !== null);
}

/** Writes all of `text`, however little the kernel takes at a time. */
async function writeAll(conn: Deno.TcpConn, text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  for (let sent = 0; sent < bytes.length;) {
    sent += await conn.write(bytes.subarray(sent));
  }
}

/** The client vanished, or was let go. Any other error is a bug of ours. */
function unlessGone(error: unknown) {
  const { BadResource, BrokenPipe, ConnectionReset, Interrupted } = Deno.errors;
  const reasons = [BadResource, BrokenPipe, ConnectionReset, Interrupted];
  if (!reasons.some((Reason) => error instanceof Reason)) throw error;
}

/** Aborts at the first SIGTERM or SIGINT. The next one ends the process. */
export function terminated(): AbortSignal {
  const controller = new AbortController();
  const windows = Deno.build.os === "windows"; // It has no SIGTERM to hear.
  const names = windows ? ["SIGINT"] as const : ["SIGINT", "SIGTERM"] as const;
  const stop = () => {
    for (const name of names) Deno.removeSignalListener(name, stop);
    controller.abort();
  };
  for (const name of names) Deno.addSignalListener(name, stop);
  return controller.signal;
}

// Try it by hand: `deno run -P solutions/17/limits.ts`, then `nc 127.0.0.1 7017`
// in four other terminals. It takes a second to shout.
if (import.meta.main) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 7017 });
  const stats = await serve(listener, async (line) => {
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    return line.toUpperCase();
  }, { signal: terminated(), maxConns: 3 });
  console.log(stats);
}
