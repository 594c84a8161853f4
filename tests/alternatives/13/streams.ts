// style: streams of text lines, a generator of pauses, AbortSignal.any, toSorted
const GROUPS = `
refused: ConnectionRefused ECONNREFUSED
reset: ConnectionReset ConnectionAborted BrokenPipe ECONNRESET EPIPE
timeout: TimedOut TimeoutError ETIMEDOUT
in-use: AddrInUse EADDRINUSE
not-available: AddrNotAvailable EADDRNOTAVAIL
permission: NotCapable PermissionDenied EACCES
closed-by-us: Interrupted BadResource
eof: UnexpectedEof
protocol: InvalidData
limit: EMFILE ENFILE`;

export type Kind =
  | "refused"
  | "reset"
  | "timeout"
  | "in-use"
  | "not-available"
  | "permission"
  | "dns"
  | "closed-by-us"
  | "eof"
  | "protocol"
  | "limit"
  | "unknown";

export function kindOf(error: unknown): Kind {
  if (!(error instanceof Error)) return "unknown";
  const names = [error.name, (error as { code?: string }).code];
  for (const group of GROUPS.trim().split("\n")) {
    const [kind, members] = group.split(": ");
    if (members!.split(" ").some((name) => names.includes(name))) {
      return kind as Kind;
    }
  }
  return error.message.includes("lookup address") ? "dns" : "unknown";
}

export function isTransient(error: unknown): boolean {
  return /^(refused|reset|timeout|eof)$/.test(kindOf(error));
}

export interface RetryOptions {
  attempts: number;
  baseMs: number;
  capMs: number;
  random?: () => number;
  retryable?: (error: unknown) => boolean;
  signal?: AbortSignal;
}

function* pauses({ attempts, baseMs, capMs, random }: RetryOptions) {
  let longest = baseMs;
  for (let left = attempts - 1; left > 0; left--) {
    yield Math.min(longest, capMs) * (random ?? Math.random)();
    longest *= 2;
  }
}

export async function retry<T>(
  run: (attempt: number) => Promise<T>,
  options: RetryOptions,
): Promise<T> {
  const { retryable = isTransient, signal } = options;
  const errors: unknown[] = [];
  let attempt = 0;
  for (const ms of pauses(options)) {
    try {
      return await run(++attempt);
    } catch (error) {
      if (!retryable(error)) throw error;
      errors.push(error);
    }
    signal?.throwIfAborted();
    await pause(ms, signal);
  }
  return await run(++attempt).catch((error) => {
    throw Object.assign(error, { cause: errors });
  });
}

function pause(ms: number, signal = new AbortController().signal) {
  return new Promise<void>((resolve, reject) => {
    const over = AbortSignal.timeout(ms);
    over.onabort = () => resolve();
    signal.addEventListener("abort", () => reject(signal.reason), {
      once: true,
      signal: over,
    });
  });
}

export class Dedupe<R> {
  #known: Record<string, { result: Promise<R>; born: number; n: number }> = {};
  #n = 0;

  constructor(readonly limits: { max: number; ttlMs: number }) {}

  run(id: string, work: () => Promise<R>): Promise<R> {
    const { max, ttlMs } = this.limits;
    const alive = Object.entries(this.#known)
      .filter(([, { born }]) => performance.now() < born + ttlMs)
      .toSorted(([, a], [, b]) => b.n - a.n)
      .slice(0, max);
    this.#known = Object.fromEntries(alive);
    const entry = this.#known[id] ??= {
      result: work(),
      born: performance.now(),
      n: this.#n++,
    };
    const oldest = alive.at(-1)?.[0];
    if (alive.length === max && !alive.some(([known]) => known === id)) {
      delete this.#known[oldest!];
    }
    entry.result.catch(() => delete this.#known[id]);
    return entry.result;
  }
}

export interface RequestOptions extends RetryOptions {
  timeoutMs: number;
  idempotent: boolean;
}

export async function request(
  to: { hostname: string; port: number },
  line: string,
  { timeoutMs, idempotent, ...options }: RequestOptions,
): Promise<string> {
  let connected = false;
  const retryable = (error: unknown) =>
    isTransient(error) && (idempotent || !connected);
  return await retry(async () => {
    const signal = AbortSignal.timeout(timeoutMs);
    const conn = await Deno.connect({ ...to, signal });
    connected = true;
    const asked = ReadableStream.from([`${line}\n`])
      .pipeThrough(new TextEncoderStream())
      .pipeTo(conn.writable, { preventClose: true, signal });
    asked.catch(() => {}); // The reading fails, too.
    const reader = conn.readable.getReader();
    const stop = () => reader.cancel(signal.reason).catch(() => {});
    signal.addEventListener("abort", stop);
    const decoder = new TextDecoder();
    let answer = "";
    try {
      while (!answer.endsWith("\n")) {
        const { value, done } = await reader.read();
        if (signal.aborted) throw signal.reason;
        if (done) throw new Deno.errors.UnexpectedEof("no answer");
        answer += decoder.decode(value, { stream: true });
      }
      return answer.slice(0, -1);
    } finally {
      signal.removeEventListener("abort", stop);
      await stop();
    }
  }, { ...options, retryable });
}

export async function serve(listener: Deno.Listener): Promise<void> {
  const once = new Dedupe<string>({ max: 1_000, ttlMs: 3_600_000 });
  let sum = 0;
  const clients = new Set<Promise<void>>();
  for await (const conn of listener) {
    let rest = "";
    const lines = new TransformStream<string, string>({
      async transform(text, controller) {
        const [...whole] = (rest + text).split("\n");
        rest = whole.pop()!;
        for (const line of whole) {
          const [verb, id, amount] = line.split(" ");
          const isRight = verb === "add" && Number(amount) >= 0;
          if (!isRight) return controller.terminate();
          const add = () => Promise.resolve(`${sum += Number(amount)}\n`);
          controller.enqueue(await once.run(id!, add));
        }
      },
    });
    const client = conn.readable
      .pipeThrough(new TextDecoderStream())
      .pipeThrough(lines)
      .pipeThrough(new TextEncoderStream())
      .pipeTo(conn.writable)
      .catch((error) => {
        if (kindOf(error) !== "reset") throw error;
      })
      .finally(() => conn[Symbol.dispose]());
    clients.add(client);
  }
  await Promise.all(clients);
}
