// expect: first-write-should-fail
// A server that has left fails the first write. What comes later is a bug.

const NAMES = {
  refused: ["ConnectionRefused", "ECONNREFUSED"],
  reset: ["ConnectionReset", "BrokenPipe", "ECONNRESET", "EPIPE"],
  timeout: ["TimedOut", "TimeoutError", "ETIMEDOUT"],
  "in-use": ["AddrInUse", "EADDRINUSE"],
  "not-available": ["AddrNotAvailable", "EADDRNOTAVAIL"],
  permission: ["NotCapable", "PermissionDenied"],
  "closed-by-us": ["Interrupted", "BadResource"],
  eof: ["UnexpectedEof"],
  protocol: ["InvalidData"],
  limit: ["EMFILE"],
};

export type Kind = keyof typeof NAMES | "dns" | "unknown";

export function kindOf(error: unknown): Kind {
  if (!(error instanceof Error)) return "unknown";
  const code = "code" in error ? String(error.code) : "";
  for (const [kind, names] of Object.entries(NAMES)) {
    if (names.includes(error.name) || names.includes(code)) return kind as Kind;
  }
  return error.message.startsWith("failed to lookup") ? "dns" : "unknown";
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
  const { attempts, baseMs, capMs, signal } = options;
  const { random = Math.random, retryable = isTransient } = options;
  const failures: unknown[] = [];
  for (let attempt = 1;; attempt++) {
    signal?.throwIfAborted();
    try {
      return await run(attempt);
    } catch (error) {
      if (attempt >= attempts || !retryable(error)) {
        throw withCause(error, failures);
      }
      failures.push(error);
    }
    const longest = Math.min(capMs, baseMs * 2 ** (attempt - 1));
    await sleep(longest * random(), signal);
  }
}

function withCause(error: unknown, failures: unknown[]): unknown {
  if (error instanceof Error && failures.length > 0) error.cause = failures;
  return error;
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
  readonly #done = new Map<string, { until: number; result: Promise<R> }>();

  constructor(options: DedupeOptions) {
    this.#options = options;
  }

  run(id: string, work: () => Promise<R>): Promise<R> {
    const known = this.#done.get(id);
    if (known && known.until > performance.now()) return known.result;
    this.#done.delete(id);
    this.#makeRoom();
    const until = performance.now() + this.#options.ttlMs;
    const entry = { until, result: work() };
    this.#done.set(id, entry);
    entry.result.catch(() => {
      if (this.#done.get(id) === entry) this.#done.delete(id);
    });
    return entry.result;
  }

  #makeRoom() {
    for (const [id, { until }] of this.#done) {
      const full = this.#done.size >= this.#options.max;
      if (!full && until > performance.now()) return;
      this.#done.delete(id);
    }
  }
}

export interface RequestOptions extends Omit<RetryOptions, "retryable"> {
  timeoutMs: number;
  idempotent: boolean;
}

/** Errors of a write behind one that went well. */
const late = new Set<unknown>();

export function request(
  to: { hostname: string; port: number },
  line: string,
  { timeoutMs, idempotent, ...options }: RequestOptions,
): Promise<string> {
  let sent = false;
  const retryable = (error: unknown) =>
    isTransient(error) && (idempotent || !sent) && !late.has(error);
  const once = () => exchange(to, line, timeoutMs, () => sent = true);
  return retry(once, { ...options, retryable });
}

async function exchange(
  to: { hostname: string; port: number },
  line: string,
  timeoutMs: number,
  sending: () => void,
): Promise<string> {
  const signal = AbortSignal.timeout(timeoutMs);
  using conn = await Deno.connect({ ...to, signal });
  const hangUp = () => conn.close();
  signal.addEventListener("abort", hangUp);
  try {
    sending();
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
  let sent = await conn.write(data); // It is there.
  try {
    while (sent < data.length) sent += await conn.write(data.subarray(sent));
  } catch (error) {
    late.add(error);
    throw error;
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
    if (!over) throw error; // A bug of ours, and loud.
  } finally {
    conn.close();
  }
}

if (import.meta.main) {
  const to = { hostname: "127.0.0.1", port: 7013 };
  if (Deno.args.length === 0) await serve(Deno.listen(to));
  else {
    const patience = { timeoutMs: 1_000, attempts: 5, baseMs: 200 };
    const options = { ...patience, capMs: 2_000, idempotent: true };
    console.log(await request(to, Deno.args.join(" "), options));
  }
}
