// style: a Readable of Node for each connection, which reads ahead
import { Readable } from "node:stream";
import { Buffer } from "node:buffer";

/** Where the crowd goes. */
export interface Target {
  readonly hostname: string;
  readonly port: number;
}

/** What a crowd does. */
export interface Load {
  /** How many connections there are, in the end all at once. */
  readonly conns: number;
  /** How many of them come in a second. Default: all come at once. */
  readonly rampPerSec?: number;
  /** How many messages each of them sends. */
  readonly messages: number;
  /** From one message of a connection to its next, in milliseconds. */
  readonly everyMs: number;
  /** How long a message is, in bytes. */
  readonly size: number;
  /** Ends the test early. */
  readonly signal?: AbortSignal;
}

/** What a crowd has met. Times are in milliseconds; NaN if there are none. */
export interface Report {
  /** Connections that were made. */
  connected: number;
  /** Messages that came back as they were sent. */
  answered: number;
  /** Connections that failed, counted by what they failed with. */
  errors: Record<string, number>;
  p50: number;
  p99: number;
  max: number;
}

/**
 * The value that `p` percent of `sorted` do not exceed, `p` from 0 to 100: the
 * first one at which so many have been counted. NaN if there are none.
 */
export function percentile(sorted: readonly number[], p: number): number {
  if (sorted.length === 0) return NaN;
  return sorted[Math.max(0, Math.ceil(sorted.length * p / 100) - 1)]!;
}

/**
 * Sends a crowd to `targets`, in turn, and reports what it met. When `signal`
 * aborts, everybody leaves, and the report tells what was met until then.
 */
export async function loadTest(
  targets: readonly Target[],
  { conns, rampPerSec = Infinity, messages, everyMs, size, signal }: Load,
): Promise<Report> {
  const message = crypto.getRandomValues(new Uint8Array(size));
  const met = { connected: 0, answered: 0, errors: {} as Report["errors"] };
  const times: number[] = [];
  const inside: Deno.Conn[] = [];
  const start = performance.now();
  const until = (t: number) => pauseUntil(t, signal);

  const visit = async (i: number) => {
    const begun = start + i * 1_000 / rampPerSec;
    if (!await until(begun)) return;
    const target = targets[i % targets.length]!;
    const conn = await Deno.connect({ ...target, ...(signal && { signal }) });
    const leave = () => conn[Symbol.dispose]();
    signal?.addEventListener("abort", leave);
    met.connected++;
    inside.push(conn);
    const readable = Readable.fromWeb(conn.readable as never);
    const next = readable[Symbol.asyncIterator]();
    let ahead = Buffer.alloc(0);
    for (let n = 0; n < messages; n++) {
      const due = begun + n * everyMs;
      if (!await until(due)) return;
      const writing = writeAll(conn, message);
      writing.catch(() => {});
      while (ahead.length < size) {
        const { value, done } = await next.next();
        if (done) throw new Deno.errors.UnexpectedEof();
        ahead = Buffer.concat([ahead, value]);
      }
      await writing;
      if (ahead.subarray(0, size).compare(message)) {
        throw new Deno.errors.InvalidData();
      }
      ahead = ahead.subarray(size);
      times.push(performance.now() - due);
      met.answered++;
    }
  };
  const safely = async (i: number) => {
    try {
      await visit(i);
    } catch (error) {
      if (signal?.aborted) return;
      const kind = kindOf(error);
      met.errors[kind] = (met.errors[kind] ?? 0) + 1;
    }
  };
  if (!signal?.aborted) {
    await Promise.all(Array.from({ length: conns }, (_, i) => safely(i)));
  }
  for (const conn of inside) conn[Symbol.dispose]();

  times.sort((a, b) => a - b); // Numbers; without this, as if they were words.
  const [p50, p99, max] = [50, 99, 100].map((p) => percentile(times, p));
  return { ...met, p50: p50!, p99: p99!, max: max! };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function pauseUntil(time: number, signal?: AbortSignal): Promise<boolean> {
  const ms = time - performance.now();
  if (signal?.aborted) return Promise.resolve(false);
  if (ms <= 0) return Promise.resolve(true);
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve(true);
    }, ms);
    const stop = () => {
      clearTimeout(timer);
      resolve(false);
    };
    signal?.addEventListener("abort", stop, { once: true });
  });
}

async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) {
    sent += await conn.write(bytes.subarray(sent));
  }
}

/** What an error is counted as: the system's code, or else its class. */
export function kindOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return "code" in error ? String(error.code) : error.name;
}

const MEANINGS: Record<string, string> = {
  EMFILE: "this process may open no more files (ulimit -n); each socket is one",
  EADDRNOTAVAIL:
    "no local port is left for this destination; from one address there are " +
    "about 28,000, so use more targets, such as 127.0.0.2",
  ETIMEDOUT: "the server's queue was full for two minutes (tcpBacklog)",
  ECONNREFUSED: "nobody listens there",
  ECONNRESET: "the server hung up in the middle, or it has died",
  UnexpectedEof: "the server ended the connection before its answer was whole",
  InvalidData: "other bytes came back than were sent",
};

/** What a kind of error means, and which limit it has met, if it is one. */
export function explain(kind: string): string {
  return `${kind}: ${MEANINGS[kind] ?? "an error of another kind"}`;
}

/** Listens, with a queue for those who come at once. */
export function listen(at: Target): Deno.TcpListener {
  return Deno.listen({ ...at, tcpBacklog: 4_096 });
}

/**
 * The work that bytes need before they go back, in steps of a millisecond at
 * the most: whoever goes through the steps does the work.
 */
export type Job = (bytes: Uint8Array) => Iterable<unknown>;

/** Settings of a server. */
export interface ServeOptions {
  /** Done with all that a read gives. Default: there is no work. */
  readonly job?: Job;
  /** Told what accept() or a job threw. Default: `console.error`. */
  readonly onError?: (error: unknown) => void;
}

/** Echoes to all clients of `listener`, until it closes and they have ahead. */
export async function serve(
  listener: Deno.Listener,
  { job = () => [], onError = console.error }: ServeOptions = {},
): Promise<void> {
  const visits = new Set<Promise<void>>();
  for (;;) {
    let conn: Deno.Conn;
    try {
      conn = await listener.accept();
    } catch (error) {
      if (error instanceof Deno.errors.BadResource) break;
      onError(error);
      await pause(50);
      continue;
    }
    const visit = echo(conn, job, onError)
      .then(() => void visits.delete(visit));
    visits.add(visit);
  }
  await Promise.all(visits);
}

/** Sends back what one client sends, when the job is done. */
async function echo(
  conn: Deno.Conn,
  job: Job,
  onError: (error: unknown) => void,
): Promise<void> {
  using _closing = conn;
  const buffer = new Uint8Array(4_096);
  try {
    for (let n; (n = await conn.read(buffer)) !== null;) {
      const bytes = buffer.subarray(0, n);
      let begun = performance.now();
      for (const _ of job(bytes)) {
        if (performance.now() - begun < 5) continue;
        await pause(0);
        begun = performance.now();
      }
      await writeAll(conn, bytes);
    }
  } catch (error) {
    if (!isGone(error)) onError(error);
  }
}

/** Whether an error says that the client has vanished. */
function isGone(error: unknown): boolean {
  const { BrokenPipe, ConnectionReset } = Deno.errors;
  return error instanceof BrokenPipe || error instanceof ConnectionReset;
}

/** For trying by hand: what begins with "!" takes a second of the processor. */
function* heavy(bytes: Uint8Array): Generator<void> {
  if (bytes[0] !== "!".charCodeAt(0)) return;
  for (let step = 0; step < 1_000; step++) {
    for (const end = performance.now() + 1; performance.now() < end;);
    yield;
  }
}

// Try it by hand: `deno run -P lessons/27/crowd.ts`, and in another terminal
// `deno run -P lessons/27/crowd.ts 100`, for a crowd of so many.
if (import.meta.main) {
  const at = { hostname: "127.0.0.1", port: 7027 };
  const say = (error: unknown) => console.error(explain(kindOf(error)));
  if (Deno.args.length === 0) {
    await serve(listen(at), { job: heavy, onError: say });
  } else {
    const conns = Number(Deno.args[0]);
    const everyMs = conns / 4; // So that all send 4,000 messages a second.
    const messages = Math.ceil(5_000 / everyMs);
    const pace = { rampPerSec: 4_000, messages, everyMs, size: 64 };
    // Ctrl-C ends the test. For signals Deno 2.9 needs a descriptor of its own,
    // so it gets one while there are some.
    const enough = new AbortController();
    Deno.addSignalListener("SIGINT", () => enough.abort());
    const { signal } = enough;
    const report = await loadTest([at], { conns, ...pace, signal });
    console.log(report);
    for (const kind of Object.keys(report.errors)) console.log(explain(kind));
  }
}
