// Lesson 17: limits, drain and shutdown.
//
// A server for requests of one line. It takes whoever comes, waits as long as
// they like, and when it is told to finish it drops everything. Make it one that
// survives its worst day, and ends a good one without cutting anybody off.

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
  const stop = () => {
    listener[Symbol.dispose](); // It may be closed already.
    // TODO: Somebody may be waiting for an answer that has begun, or reading
    // a long one. Then again, somebody else may stay for ever.
    for (const conn of visits.keys()) conn[Symbol.dispose]();
  };
  signal?.addEventListener("abort", stop);
  if (signal?.aborted) stop(); // What has happened is not told again.

  // TODO: Each client takes a file descriptor, and the system has said how many
  // there are: `ulimit -n`. After the last one, this line throws EMFILE.
  for await (const conn of listener) {
    stats.accepted++;
    const lines = requests(conn, limits);
    const never = new AbortController().signal;
    const visit = talk(conn, lines, (line) => answer(line, never), fail)
      .catch(unlessGone)
      .finally(() => visits.delete(conn));
    visits.set(conn, visit);
  }

  signal?.removeEventListener("abort", stop);
  // TODO: An answer may never come.
  await Promise.all(visits.values());
  return stats;
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
    await writeAll(conn, `${reply}\n`);
  }
}

/** What one client asks. */
async function* requests(
  conn: Deno.TcpConn,
  { maxLine }: Limits,
): AsyncGenerator<string> {
  const buffer = new Uint8Array(4_096);
  const decoder = new TextDecoder();
  for (let text = "";;) {
    const end = text.indexOf("\n");
    if ((end < 0 ? text.length : end) > maxLine) return;
    if (end >= 0) {
      yield text.slice(0, end);
      text = text.slice(end + 1);
      continue;
    }
    // TODO: The rest may take a week. Or there is no rest.
    const n = await conn.read(buffer);
    if (n === null) return;
    text += decoder.decode(buffer.subarray(0, n), { stream: true });
  }
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

// Try it by hand: `deno run -P lessons/17/limits.ts`, then `nc 127.0.0.1 7017`
// in four other terminals. It takes a second to shout.
if (import.meta.main) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 7017 });
  const stats = await serve(listener, async (line) => {
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    return line.toUpperCase();
  }, { signal: terminated(), maxConns: 3 });
  console.log(stats);
}
