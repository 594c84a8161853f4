// style: races, of each wait against what may end it; signals are the clocks
export type Answer = (
  request: string,
  signal: AbortSignal,
) => string | Promise<string>;

export interface ServeOptions {
  signal?: AbortSignal;
  maxConns?: number;
  maxPerHost?: number;
  maxLine?: number;
  idleMs?: number;
  headMs?: number;
  graceMs?: number;
  onError?: (error: unknown) => void;
}

export interface Stats {
  accepted: number;
  refused: number;
  errors: number;
}

const encoder = new TextEncoder();

/** What `wait` gives, unless the signal aborts first: then its reason. */
async function unless<T>(signal: AbortSignal, wait: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const end = () => reject(signal.reason);
  wait.catch(() => {}); // Whoever loses the race may fail as it likes.
  if (signal.aborted) end();
  signal.addEventListener("abort", end);
  try {
    return await Promise.race([wait, promise]);
  } finally {
    signal.removeEventListener("abort", end);
  }
}

async function* linesOf(
  conn: Deno.TcpConn,
  drain: AbortSignal,
  { maxLine = 1_024, idleMs = 60_000, headMs = 10_000 }: ServeOptions,
): AsyncGenerator<string> {
  const buffer = new Uint8Array(1_024);
  const decoder = new TextDecoder();
  let text = "";
  while (!drain.aborted) {
    let clock = AbortSignal.timeout(text ? headMs : idleMs);
    while (!text.includes("\n") && text.length <= maxLine) {
      const signal = AbortSignal.any([clock, drain]);
      const n = await unless(signal, conn.read(buffer));
      if (n === null) return;
      if (text === "") clock = AbortSignal.timeout(headMs);
      text += decoder.decode(buffer.subarray(0, n), { stream: true });
    }
    const [line = "", ...rest] = text.split("\n");
    if (line.length > maxLine) return;
    text = rest.join("\n");
    yield line;
  }
}

export async function serve(
  listener: Deno.TcpListener,
  answer: Answer,
  options: ServeOptions = {},
): Promise<Stats> {
  const { maxConns = 100, maxPerHost = 100, graceMs = 5_000 } = options;
  const { signal, onError = console.error } = options;
  const told = signal ?? new AbortController().signal;
  const drain = new AbortController();
  const end = new AbortController();
  const stats = { accepted: 0, refused: 0, errors: 0 };
  const inside = new Map<Promise<void>, string>();

  function fail(error: unknown) {
    stats.errors++;
    onError(error);
  }

  async function talk(conn: Deno.TcpConn) {
    using _closing = conn;
    for await (const line of linesOf(conn, drain.signal, options)) {
      const reply = (async () => await answer(line, end.signal))();
      try {
        await unless(end.signal, reply);
      } catch (error) {
        if (!end.signal.aborted) fail(error);
        return;
      }
      let bytes = encoder.encode(`${await reply}\n`);
      while (bytes.length > 0) {
        const n = await unless(end.signal, conn.write(bytes));
        bytes = bytes.subarray(n);
      }
      if (drain.signal.aborted) await leave(conn);
    }
  }

  /** Waits until the client has read all and ended, and says nothing more. */
  async function leave(conn: Deno.TcpConn) {
    await conn.closeWrite();
    const buffer = new Uint8Array(1_024);
    while (await unless(end.signal, conn.read(buffer)) !== null);
  }

  while (!told.aborted) {
    let conn: Deno.TcpConn;
    try {
      conn = await unless(told, listener.accept());
    } catch (error) {
      if (told.aborted || error instanceof Deno.errors.BadResource) break;
      fail(error);
      await new Promise((resolve) => setTimeout(resolve, 20));
      continue;
    }
    const host = conn.remoteAddr.hostname;
    const same = [...inside.values()].filter((other) => other === host).length;
    if (inside.size >= maxConns || same >= maxPerHost) {
      stats.refused++;
      conn.write(encoder.encode("busy\n"))
        .catch(() => {})
        .finally(() => conn.close());
      continue;
    }
    stats.accepted++;
    const visit: Promise<void> = talk(conn)
      .catch(() => {}) // Late, gone, or sent home.
      .finally(() => inside.delete(visit));
    inside.set(visit, host);
  }

  listener[Symbol.dispose]();
  drain.abort();
  const timer = setTimeout(() => end.abort(), graceMs);
  await Promise.all(inside.keys());
  clearTimeout(timer);
  return stats;
}
