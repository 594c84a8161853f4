// expect: host-over-limit
// Objects are never equal, so addresses are compared as text: all of them.
export type Answer = (
  request: string,
  signal: AbortSignal,
) => string | Promise<string>;

export interface ServeOptions {
  readonly signal?: AbortSignal;
  readonly maxConns?: number;
  readonly maxPerHost?: number;
  readonly maxLine?: number;
  readonly idleMs?: number;
  readonly headMs?: number;
  readonly graceMs?: number;
  readonly onError?: (error: unknown) => void;
}

export interface Stats {
  accepted: number;
  refused: number;
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
  const stop = () => listener[Symbol.dispose]();
  signal?.addEventListener("abort", stop);
  if (signal?.aborted) stop();

  for await (const conn of arrivals(listener, fail)) {
    if (isFull([...visits.keys()], conn, limits)) {
      stats.refused++;
      await refuse(conn);
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
  drain.abort();
  const over = Promise.withResolvers<void>();
  const timer = setTimeout(over.resolve, limits.graceMs);
  await Promise.race([Promise.all(visits.values()), over.promise]);
  clearTimeout(timer);
  end.abort();
  visits.keys().forEach((conn) => conn[Symbol.dispose]());
  return stats;
}

async function* arrivals(
  listener: Deno.TcpListener,
  fail: (error: unknown) => void,
): AsyncGenerator<Deno.TcpConn> {
  while (true) {
    try {
      yield await listener.accept();
    } catch (error) {
      if (error instanceof Deno.errors.BadResource) return;
      fail(error);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

function isFull(
  others: Deno.TcpConn[],
  conn: Deno.TcpConn,
  { maxConns, maxPerHost }: Limits,
): boolean {
  const from = JSON.stringify(conn.remoteAddr);
  const same = others.filter(({ remoteAddr }) =>
    JSON.stringify(remoteAddr) === from
  );
  return others.length >= maxConns || same.length >= maxPerHost;
}

async function refuse(conn: Deno.TcpConn): Promise<void> {
  using _closing = conn;
  await writeAll(conn, "busy\n").catch(unlessGone);
}

async function talk(
  conn: Deno.TcpConn,
  lines: AsyncIterable<string>,
  answer: (line: string) => string | Promise<string>,
  fail: (error: unknown) => void,
): Promise<void> {
  using _closing = conn;
  for await (const line of lines) {
    let reply;
    try {
      reply = await answer(line);
    } catch (error) {
      return fail(error);
    }
    await writeAll(conn, `${reply}\n`);
  }
}

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
      if (drain.aborted) return await goodbye(conn);
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
    if (text === "") due = performance.now() + headMs;
    text += decoder.decode(buffer.subarray(0, n), { stream: true });
  }
}

async function goodbye(conn: Deno.TcpConn): Promise<void> {
  await conn.closeWrite();
  const buffer = new Uint8Array(4_096);
  while (await conn.read(buffer) !== null);
}

async function writeAll(conn: Deno.TcpConn, text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  for (let sent = 0; sent < bytes.length;) {
    sent += await conn.write(bytes.subarray(sent));
  }
}

function unlessGone(error: unknown) {
  const { BadResource, BrokenPipe, ConnectionReset, Interrupted } = Deno.errors;
  const reasons = [BadResource, BrokenPipe, ConnectionReset, Interrupted];
  if (!reasons.some((Reason) => error instanceof Reason)) throw error;
}

export function terminated(): AbortSignal {
  const controller = new AbortController();
  const windows = Deno.build.os === "windows";
  const names = windows ? ["SIGINT"] as const : ["SIGINT", "SIGTERM"] as const;
  const stop = () => {
    for (const name of names) Deno.removeSignalListener(name, stop);
    controller.abort();
  };
  for (const name of names) Deno.addSignalListener(name, stop);
  return controller.signal;
}

if (import.meta.main) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 7017 });
  const stats = await serve(listener, async (line) => {
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    return line.toUpperCase();
  }, { signal: terminated(), maxConns: 3 });
  console.log(stats);
}
