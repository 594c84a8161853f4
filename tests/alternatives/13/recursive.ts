// style: recursion and promise chains; a plain list of ids; one timer per try;
// what may have been done has an error of its own
const { errors } = Deno;

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
  const { name, message, code } = Object(error) as Record<string, string>;
  const is = (...Classes: (new () => Error)[]) =>
    Classes.some((Class) => error instanceof Class);
  switch (code) {
    case "ECONNREFUSED":
      return "refused";
    case "ECONNRESET":
    case "EPIPE":
      return "reset";
    case "EADDRINUSE":
      return "in-use";
    case "EADDRNOTAVAIL":
      return "not-available";
    case "EMFILE":
      return "limit";
  }
  if (is(errors.ConnectionRefused)) return "refused";
  if (is(errors.ConnectionReset, errors.BrokenPipe)) return "reset";
  if (is(errors.TimedOut) || name === "TimeoutError") return "timeout";
  if (is(errors.AddrInUse)) return "in-use";
  if (is(errors.AddrNotAvailable)) return "not-available";
  if (is(errors.NotCapable, errors.PermissionDenied)) return "permission";
  if (is(errors.Interrupted, errors.BadResource)) return "closed-by-us";
  if (is(errors.UnexpectedEof)) return "eof";
  if (is(errors.InvalidData)) return "protocol";
  return /^failed to lookup/.test(message ?? "") ? "dns" : "unknown";
}

export function isTransient(error: unknown) {
  return ["refused", "reset", "timeout", "eof"].includes(kindOf(error));
}

export interface RetryOptions {
  attempts: number;
  baseMs: number;
  capMs: number;
  random?: () => number;
  retryable?: (error: unknown) => boolean;
  signal?: AbortSignal;
}

export function retry<T>(
  run: (attempt: number) => Promise<T>,
  options: RetryOptions,
  attempt = 1,
  before: unknown[] = [],
): Promise<T> {
  const { retryable = isTransient, random = Math.random } = options;
  return Promise.resolve().then(() => run(attempt)).catch(async (error) => {
    if (attempt === options.attempts || !retryable(error)) {
      if (before.length > 0) error.cause = before;
      throw error;
    }
    const ms = random() *
      Math.min(options.capMs, options.baseMs << attempt - 1);
    await new Promise<void>((resolve, reject) => {
      if (options.signal?.aborted) return reject(options.signal.reason);
      const timer = setTimeout(resolve, ms);
      options.signal?.addEventListener("abort", function (this: AbortSignal) {
        clearTimeout(timer);
        reject(this.reason);
      }, { once: true });
    });
    return retry(run, options, attempt + 1, [...before, error]);
  });
}

export class Dedupe<R> {
  list: { id: string; since: number; result: Promise<R> }[] = [];

  constructor(private options: { max: number; ttlMs: number }) {}

  async run(id: string, work: () => Promise<R>) {
    const { max, ttlMs } = this.options;
    this.list = this.list.filter(({ since }) => Date.now() - since < ttlMs);
    const known = this.list.find((entry) => entry.id === id);
    if (known) return await known.result;
    const entry = { id, since: Date.now(), result: work() };
    this.list = [...this.list, entry].slice(-max);
    try {
      return await entry.result;
    } catch (error) {
      this.list = this.list.filter((other) => other !== entry);
      throw error;
    }
  }
}

export interface RequestOptions extends RetryOptions {
  timeoutMs: number;
  idempotent: boolean;
}

type To = { hostname: string; port: number };

export function request(to: To, line: string, options: RequestOptions) {
  const { timeoutMs, idempotent } = options;
  let unknown = false;
  const once = async () => {
    let late = false;
    let hangUp = () => {};
    const control = new AbortController();
    const timer = setTimeout(() => {
      late = true;
      control.abort(new errors.TimedOut());
      hangUp();
    }, timeoutMs);
    try {
      const conn = await Deno.connect({ ...to, signal: control.signal });
      hangUp = () => conn[Symbol.dispose]();
      unknown = true;
      const writer = conn.writable.getWriter();
      await writer.write(new TextEncoder().encode(line + "\n"));
      writer.releaseLock();
      const bytes: number[] = [];
      const one = new Uint8Array(1);
      while (bytes.at(-1) !== 10) {
        if (await conn.read(one) === null) throw new errors.UnexpectedEof();
        bytes.push(...one);
      }
      return new TextDecoder().decode(Uint8Array.from(bytes)).trim();
    } catch (error) {
      throw late ? new errors.TimedOut() : error;
    } finally {
      clearTimeout(timer);
      hangUp();
    }
  };
  const retryable = (error: unknown) =>
    isTransient(error) && (!unknown || idempotent);
  return retry(once, { ...options, retryable }).catch((cause) => {
    if (idempotent || !unknown) throw cause;
    throw new Error(`"${line}" may have been done`, { cause });
  });
}

export async function serve(listener: Deno.Listener) {
  const answers = new Map<string, number>();
  let sum = 0;
  const talks: Promise<void>[] = [];
  for await (const conn of listener) talks.push(talk(conn));
  await Promise.all(talks);

  async function talk(conn: Deno.Conn) {
    let text = "";
    const buffer = new Uint8Array(7);
    try {
      for (let n; (n = await conn.read(buffer)) !== null;) {
        text += String.fromCharCode(...buffer.subarray(0, n));
        for (let end; (end = text.indexOf("\n")) >= 0;) {
          const [verb, id = "", amount = ""] = text.slice(0, end).split(" ");
          text = text.slice(end + 1);
          if (verb !== "add" || !/^\d+$/.test(amount)) return;
          if (!answers.has(id)) answers.set(id, sum += +amount);
          const answer = new TextEncoder().encode(`${answers.get(id)}\n`);
          for (let at = 0; at < answer.length;) {
            at += await conn.write(answer.subarray(at));
          }
        }
      }
    } catch (error) {
      if (kindOf(error) !== "reset") throw error;
    } finally {
      conn.close();
    }
  }
}
