// expect: timer-leak
// The server remembers an id for ten minutes: a timer for each forgets it.
const NAMES = {
  refused: ["ConnectionRefused", "ECONNREFUSED"],
  reset: ["ConnectionReset", "BrokenPipe", "ECONNRESET", "EPIPE"],
  timeout: ["TimedOut", "TimeoutError"],
  "in-use": ["AddrInUse", "EADDRINUSE"],
  "not-available": ["AddrNotAvailable", "EADDRNOTAVAIL"],
  permission: ["PermissionDenied", "NotCapable"],
  "closed-by-us": ["Interrupted", "BadResource"],
  eof: ["UnexpectedEof"],
  protocol: ["InvalidData"],
  limit: ["EMFILE"],
};

export type Kind = keyof typeof NAMES | "dns" | "unknown";

export function kindOf(error: unknown): Kind {
  if (!(error instanceof Error)) return "unknown";
  for (const [kind, names] of Object.entries(NAMES)) {
    const all = names as string[];
    const { code } = error as { code?: string };
    if (all.includes(error.name) || all.includes(code ?? "")) {
      return kind as Kind;
    }
  }
  if (error.message.startsWith("failed to lookup")) return "dns";
  return "unknown";
}

const TRANSIENT: readonly Kind[] = ["refused", "reset", "timeout", "eof"];

export function isTransient(error: unknown): boolean {
  return TRANSIENT.includes(kindOf(error));
}

export interface RetryOptions {
  attempts: number;
  baseMs: number;
  capMs: number;
  random?: () => number;
  retryable?: (error: unknown) => boolean;
  signal?: AbortSignal;
}

export async function retry<T>(
  run: (attempt: number) => Promise<T>,
  options: RetryOptions,
): Promise<T> {
  const {
    attempts,
    baseMs,
    capMs,
    signal,
    random = Math.random,
    retryable = isTransient,
  } = options;
  const errors: unknown[] = [];
  for (let attempt = 1;; attempt++) {
    signal?.throwIfAborted();
    try {
      return await run(attempt);
    } catch (error) {
      if (attempt >= attempts || !retryable(error)) {
        if (error instanceof Error) error.cause = errors;
        throw error;
      }
      errors.push(error);
    }
    await sleep(
      random() * Math.min(capMs, baseMs * 2 ** (attempt - 1)),
      signal,
    );
  }
}

function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.reject(signal.reason);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const abort = () => reject(signal?.reason);
  const timer = setTimeout(resolve, ms);
  signal?.addEventListener("abort", abort);
  return promise.finally(() => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  });
}

export interface DedupeOptions {
  max: number;
  ttlMs: number;
}

export class Dedupe<R> {
  readonly #options: DedupeOptions;
  readonly #done = new Map<string, { at: number; result: Promise<R> }>();

  constructor(options: DedupeOptions) {
    this.#options = options;
  }

  run(id: string, work: () => Promise<R>): Promise<R> {
    const { max, ttlMs } = this.#options;
    const known = this.#done.get(id);
    if (known) return known.result;
    this.#done.delete(id);
    const entry = { at: Date.now(), result: work() };
    this.#done.set(id, entry);
    setTimeout(() => this.#done.delete(id), ttlMs);
    if (this.#done.size > max) {
      this.#done.delete(this.#done.keys().next().value!);
    }
    entry.result.catch(() => {
      if (this.#done.get(id) === entry) this.#done.delete(id);
    });
    return entry.result;
  }
}

export interface RequestOptions extends Omit<RetryOptions, "retryable"> {
  timeoutMs: number;
  idempotent: boolean;
}

export function request(
  to: { hostname: string; port: number },
  line: string,
  { timeoutMs, idempotent, ...options }: RequestOptions,
): Promise<string> {
  const retryable = (error: unknown) =>
    idempotent ? isTransient(error) : kindOf(error) === "refused";
  return retry(() => exchange(to, line, timeoutMs), { ...options, retryable });
}

async function exchange(
  to: { hostname: string; port: number },
  line: string,
  timeoutMs: number,
): Promise<string> {
  const signal = AbortSignal.timeout(timeoutMs);
  using conn = await Deno.connect({ ...to, signal });
  const hangUp = () => conn.close();
  signal.addEventListener("abort", hangUp);
  try {
    await writeAll(conn, new TextEncoder().encode(`${line}\n`));
    for await (const answer of linesOf(conn)) return answer;
    throw new Deno.errors.UnexpectedEof("Cannot return an answer: none came");
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    signal.removeEventListener("abort", hangUp);
  }
}

async function* linesOf(conn: Deno.Conn): AsyncGenerator<string> {
  const buffer = new Uint8Array(1_024);
  const decoder = new TextDecoder();
  let rest = "";
  for (let n; (n = await conn.read(buffer)) !== null;) {
    rest += decoder.decode(buffer.subarray(0, n), { stream: true });
    const lines = rest.split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
  if (rest === "") return;
  throw new Deno.errors.UnexpectedEof("Cannot return a line: it has no end");
}

async function writeAll(conn: Deno.Conn, data: Uint8Array): Promise<void> {
  for (let sent = 0; sent < data.length;) {
    sent += await conn.write(data.subarray(sent));
  }
}

export async function serve(listener: Deno.Listener): Promise<void> {
  const done = new Dedupe<number>({ max: 10_000, ttlMs: 600_000 });
  const clients = new Set<Promise<void>>();
  let sum = 0;
  const answer = (line: string) => {
    const [, id, amount] = line.match(/^add (\S+) (\d+)$/) ?? [];
    if (id === undefined) {
      throw new Deno.errors.InvalidData(`Cannot add: this is "${line}"`);
    }
    return done.run(id, () => Promise.resolve(sum += Number(amount)));
  };
  for await (const conn of listener) {
    const client = talk(conn, answer).finally(() => clients.delete(client));
    clients.add(client);
  }
  await Promise.all(clients);
}

async function talk(
  conn: Deno.Conn,
  answer: (line: string) => Promise<number>,
): Promise<void> {
  try {
    for await (const line of linesOf(conn)) {
      await writeAll(conn, new TextEncoder().encode(`${await answer(line)}\n`));
    }
  } catch (error) {
    const over = isTransient(error) || kindOf(error) === "protocol";
    if (!over) throw error;
  } finally {
    conn.close();
  }
}
