// style: streams; signals of signals instead of timers
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

export async function serve(
  listener: Deno.TcpListener,
  answer: Answer,
  {
    signal = new AbortController().signal,
    maxConns = 100,
    maxPerHost = 100,
    maxLine = 1_024,
    idleMs = 60_000,
    headMs = 10_000,
    graceMs = 5_000,
    onError = console.error,
  }: ServeOptions = {},
): Promise<Stats> {
  const stats: Stats = { accepted: 0, refused: 0, errors: 0 };
  const hosts: string[] = [];
  const running = new Set<Promise<void>>();
  const drain = new AbortController();
  const over = new AbortController();
  const stop = () => listener[Symbol.dispose]();
  signal.aborted ? stop() : signal.addEventListener("abort", stop);
  const report = (error: unknown) => {
    stats.errors++;
    onError(error);
  };

  async function visit(conn: Deno.TcpConn) {
    const writer = conn.writable.getWriter();
    const reader = conn.readable.getReader({ mode: "byob" });
    const decoder = new TextDecoder();
    const encoder = new TextEncoder();
    const close = () => conn[Symbol.dispose]();
    over.signal.addEventListener("abort", close);
    let text = "";
    let clock = AbortSignal.any([drain.signal, AbortSignal.timeout(idleMs)]);
    try {
      while (!drain.signal.aborted) {
        const at = text.indexOf("\n");
        if (at > maxLine || (at < 0 && text.length > maxLine)) return;
        if (at >= 0) {
          const reply = await answer(text.slice(0, at), over.signal);
          await writer.write(encoder.encode(`${reply}\n`));
          if (drain.signal.aborted) break;
          text = text.slice(at + 1);
          const ms = text ? headMs : idleMs;
          clock = AbortSignal.any([drain.signal, AbortSignal.timeout(ms)]);
          continue;
        }
        clock.addEventListener("abort", close);
        const { value, done } = await reader.read(new Uint8Array(512));
        clock.removeEventListener("abort", close);
        if (done) return;
        if (text === "") {
          const head = AbortSignal.timeout(headMs);
          clock = AbortSignal.any([drain.signal, head]);
        }
        text += decoder.decode(value, { stream: true });
      }
      await conn.closeWrite();
      while (!(await reader.read(new Uint8Array(512))).done);
    } finally {
      over.signal.removeEventListener("abort", close);
      close();
    }
  }

  for (;;) {
    const next = await listener.accept().catch((error: unknown) => error);
    if (next instanceof Deno.errors.BadResource) break;
    if (next instanceof Error) {
      report(next);
      await new Promise((resolve) => setTimeout(resolve, 20));
      continue;
    }
    const conn = next as Deno.TcpConn;
    const { hostname } = conn.remoteAddr;
    const same = hosts.filter((host) => host === hostname).length;
    if (hosts.length >= maxConns || same >= maxPerHost) {
      stats.refused++;
      await conn.write(new TextEncoder().encode("busy\n")).catch(() => 0);
      conn.close();
      continue;
    }
    stats.accepted++;
    hosts.push(hostname);
    const task = visit(conn).catch((error) => {
      if (!isOfTheNetwork(error)) report(error);
    }).finally(() => {
      hosts.splice(hosts.indexOf(hostname), 1);
      running.delete(task);
    });
    running.add(task);
  }

  drain.abort();
  const late = AbortSignal.timeout(graceMs);
  await Promise.race([
    Promise.all(running),
    new Promise((resolve) => late.addEventListener("abort", resolve)),
  ]);
  over.abort();
  return stats;
}

function isOfTheNetwork(error: unknown): boolean {
  const { BadResource, BrokenPipe, ConnectionReset, Interrupted } = Deno.errors;
  return [BadResource, BrokenPipe, ConnectionReset, Interrupted]
    .some((Reason) => error instanceof Reason);
}
