// Lesson 13, solved: errors, retries and idempotency.
//
// A client adds to a counter, over a network that refuses, resets and loses
// answers. It sorts errors into kinds, tries again only what can succeed, later
// and later, and the server adds once, however often it is asked.

/** The classes of Deno's errors, and the codes of those that have no class. */
const NAMES = {
  refused: ["ConnectionRefused", "ECONNREFUSED"],
  reset: ["ConnectionReset", "BrokenPipe", "ECONNRESET", "EPIPE"],
  timeout: ["TimedOut", "TimeoutError", "ETIMEDOUT"],
  "in-use": ["AddrInUse", "EADDRINUSE"],
  "not-available": ["AddrNotAvailable", "EADDRNOTAVAIL"],
  permission: ["NotCapable", "PermissionDenied"], // Deno said no; the kernel did.
  "closed-by-us": ["Interrupted", "BadResource"],
  eof: ["UnexpectedEof"],
  protocol: ["InvalidData"],
  limit: ["EMFILE"],
};

/** What an error means for whoever decides what to do next. */
export type Kind = keyof typeof NAMES | "dns" | "unknown";

/** Sorts an error by its class or its code, which are the same everywhere. */
export function kindOf(error: unknown): Kind {
  if (!(error instanceof Error)) return "unknown";
  const code = "code" in error ? String(error.code) : "";
  for (const [kind, names] of Object.entries(NAMES)) {
    if (names.includes(error.name) || names.includes(code)) return kind as Kind;
  }
  // The one error that has neither: only its message tells.
  return error.message.startsWith("failed to lookup") ? "dns" : "unknown";
}

/** Kinds that may be gone the next time. The others stay as they are. */
const TRANSIENT: readonly Kind[] = ["refused", "reset", "timeout", "eof"];

/** Whether waiting may help against `error`. */
export function isTransient(error: unknown): boolean {
  return TRANSIENT.includes(kindOf(error));
}

/** How often `retry()` tries, and how long it waits in between. */
export interface RetryOptions {
  /** How often, at the most, the first time included. */
  attempts: number;
  /** The longest pause after the first failure; it doubles with each one. */
  baseMs: number;
  /** The longest pause of all. */
  capMs: number;
  /** Gives a number from 0 to below 1: which part of the pause to take. */
  random?: () => number;
  /** Whether to try again after an error; `isTransient()` if not given. */
  retryable?: (error: unknown) => boolean;
  /** Ends the waiting, with its reason. */
  signal?: AbortSignal;
}

/**
 * Calls `run` with 1, 2 … until it succeeds, and returns its result.
 *
 * @throws What the last attempt threw; its `cause` lists what the others did.
 */
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
    // A part of it, by chance: whoever failed together shall not come together.
    await sleep(longest * random(), signal);
  }
}

function withCause(error: unknown, failures: unknown[]): unknown {
  if (error instanceof Error && failures.length > 0) error.cause = failures;
  return error;
}

/** Waits `ms` milliseconds, or rejects when `signal` aborts. */
function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  // An abort that came during the attempt does not come again.
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

/** How much a `Dedupe` remembers. */
export interface DedupeOptions {
  /** How many ids, at the most; the oldest is forgotten first. */
  max: number;
  /** For how many milliseconds. */
  ttlMs: number;
}

/** Does what has an id once, and gives its result again to whoever repeats. */
export class Dedupe<R> {
  readonly #options: DedupeOptions;
  // A Map keeps the order of insertion: the first one is the oldest.
  readonly #done = new Map<string, { until: number; result: Promise<R> }>();

  constructor(options: DedupeOptions) {
    this.#options = options;
  }

  /** The result of `work`, or of what was done before under the same id. */
  run(id: string, work: () => Promise<R>): Promise<R> {
    const known = this.#done.get(id);
    if (known && known.until > performance.now()) return known.result;
    this.#done.delete(id);
    this.#makeRoom();
    // Stored before it is done, so that a repetition meanwhile finds it.
    const until = performance.now() + this.#options.ttlMs;
    const entry = { until, result: work() };
    this.#done.set(id, entry);
    // A failure had no effect, and may be tried again.
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

/** How `request()` tries. */
export interface RequestOptions extends Omit<RetryOptions, "retryable"> {
  /** How long each attempt may take, in milliseconds. */
  timeoutMs: number;
  /** Whether doing it twice has the same effect as doing it once. */
  idempotent: boolean;
}

/** Sends `line` to the server at `to`, and returns the line that it answers. */
export function request(
  to: { hostname: string; port: number },
  line: string,
  { timeoutMs, idempotent, ...options }: RequestOptions,
): Promise<string> {
  let sent = false;
  return retry(() => exchange(to, line, timeoutMs, () => sent = true), {
    ...options,
    // Once it is on its way, nobody knows whether the server has done it.
    retryable: (error) => isTransient(error) && (idempotent || !sent),
  });
}

/** One attempt, on a connection of its own: nothing late can get mixed up. */
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
    // That the kernel took it proves nothing. Only the answer does.
    for await (const answer of linesOf(conn)) return answer;
    throw new Deno.errors.UnexpectedEof("Cannot return an answer: none came");
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    signal.removeEventListener("abort", hangUp);
  }
}

/** The lines that come. An end inside a line is an error, and so is a reset. */
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

/** Counts for its clients: `add ID AMOUNT`, a line each, gives the new sum. */
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

/** Answers one client, line by line, until it ends or sends nonsense. */
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

// Try it by hand: `deno run -P solutions/13/retries.ts`, and ask it with nc, or
// in another terminal with `deno run -P solutions/13/retries.ts add loaf 5`.
if (import.meta.main) {
  const to = { hostname: "127.0.0.1", port: 7013 };
  if (Deno.args.length === 0) await serve(Deno.listen(to));
  else {
    const patience = { timeoutMs: 1_000, attempts: 5, baseMs: 200 };
    const options = { ...patience, capMs: 2_000, idempotent: true };
    console.log(await request(to, Deno.args.join(" "), options));
  }
}
