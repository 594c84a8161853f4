// expect: pauses-outlast-work
// A step, and a pause in which all others have their turn: that is fair.
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
  const rank = Math.ceil(sorted.length * p / 100); // Counted from 1.
  return sorted[Math.max(rank, 1) - 1] ?? NaN;
}

/**
 * Sends a crowd to `targets`, in turn, and reports what it met. When `signal`
 * aborts, everybody leaves, and the report tells what was met until then.
 */
export async function loadTest(
  targets: readonly Target[],
  { conns, rampPerSec = Infinity, messages, everyMs, size, signal }: Load,
): Promise<Report> {
  const begun = performance.now();
  const message = crypto.getRandomValues(new Uint8Array(size));
  const met = { connected: 0, answered: 0, errors: {} as Report["errors"] };
  const times: number[] = [];
  // One listener for all: ten thousand on one signal take two seconds to add.
  const leave = new Set<() => void>();
  const stop = () => leave.forEach((hangUp) => hangUp());
  signal?.addEventListener("abort", stop);

  /** Waits until `time`, unless the test has ended. */
  const due = async (time: number) => {
    signal?.throwIfAborted();
    await until(time, leave);
    signal?.throwIfAborted();
  };
  /** One connection, which is to come at `comes`. */
  const visit = async (target: Target, comes: number) => {
    await due(comes);
    const conn = await Deno.connect({ ...target, ...(signal && { signal }) });
    leave.add(() => conn[Symbol.dispose]());
    met.connected++;
    for (let n = 0; n < messages; n++) {
      const time = comes + n * everyMs;
      await due(time);
      await roundTrip(conn, message).catch((error) => {
        conn[Symbol.dispose](); // It is of no use, and takes a descriptor.
        throw error;
      });
      // The message before, or the connecting, may have held this one up. Who
      // waits for an answer waits for that, too.
      times.push(performance.now() - time);
      met.answered++;
    }
  };
  const fail = (error: unknown) => {
    if (signal?.aborted) return; // It was we who hung up.
    const kind = kindOf(error);
    met.errors[kind] = (met.errors[kind] ?? 0) + 1;
  };
  const visits = Array.from({ length: conns }, (_, i) => {
    const target = targets[i % targets.length]!;
    return visit(target, begun + i * 1_000 / rampPerSec).catch(fail);
  });
  await Promise.all(visits);
  stop(); // Nobody left earlier: only so were they there all at once.
  signal?.removeEventListener("abort", stop);

  times.sort((a, b) => a - b); // Numbers; without this, as if they were words.
  const [p50, p99, max] = [50, 99, 100].map((p) => percentile(times, p));
  return { ...met, p50: p50!, p99: p99!, max: max! };
}

/** Waits until `time`, or until it is told to leave. */
function until(time: number, leave: Set<() => void>): Promise<void> {
  const ms = Math.ceil(time - performance.now());
  if (ms <= 0) return Promise.resolve();
  return new Promise((resolve) => {
    const go = () => {
      clearTimeout(timer);
      leave.delete(go);
      resolve();
    };
    const timer = setTimeout(go, ms);
    leave.add(go);
  });
}

/** Sends `message`, and waits until all of it has come back. */
async function roundTrip(conn: Deno.Conn, message: Uint8Array): Promise<void> {
  // At once: a long message comes back before its end has gone out.
  const [, echo] = await Promise.all([
    writeAll(conn, message),
    readExactly(conn, message.length),
  ]);
  if (echo.every((byte, i) => byte === message[i])) return;
  throw new Deno.errors.InvalidData("Cannot take the echo: it is another one");
}

async function readExactly(conn: Deno.Conn, n: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(n);
  for (let filled = 0; filled < n;) {
    const count = await conn.read(bytes.subarray(filled));
    if (count === null) throw new Deno.errors.UnexpectedEof();
    filled += count;
  }
  return bytes;
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
  // When the queue is full, Linux drops what knocks, and it knocks again after
  // a second. The kernel takes no more than /proc/sys/net/core/somaxconn.
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

/** Echoes to all clients of `listener`, until it closes and they have left. */
export async function serve(
  listener: Deno.Listener,
  { job = () => [], onError = console.error }: ServeOptions = {},
): Promise<void> {
  const visits = new Set<Promise<void>>();
  for await (const conn of arrivals(listener, onError)) {
    const visit = echo(conn, job, onError)
      .then(() => void visits.delete(visit));
    visits.add(visit);
  }
  await Promise.all(visits);
}

/** The clients of `listener`, until it closes. */
async function* arrivals(
  listener: Deno.Listener,
  onError: (error: unknown) => void,
): AsyncGenerator<Deno.Conn> {
  while (true) {
    try {
      yield await listener.accept();
    } catch (error) {
      if (error instanceof Deno.errors.BadResource) return; // It is closed.
      onError(error);
      // EMFILE: those who have come wait in the queue until somebody leaves.
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** Sends back what one client sends, when the job is done. */
async function echo(
  conn: Deno.Conn,
  job: Job,
  onError: (error: unknown) => void,
): Promise<void> {
  using _closing = conn;
  // An idle client holds this, and some 5 kB of objects. With 64 kB here, bulk
  // goes three times as fast; a server for both would borrow a larger buffer
  // when this one fills.
  const buffer = new Uint8Array(1_024);
  try {
    for (let n; (n = await conn.read(buffer)) !== null;) {
      const bytes = buffer.subarray(0, n);
      await inTurns(job(bytes));
      await writeAll(conn, bytes);
    }
  } catch (error) {
    if (!isGone(error)) onError(error);
  }
}

/** Goes through `steps`, with a pause after each. */
async function inTurns(steps: Iterable<unknown>): Promise<void> {
  for (const _ of steps) {
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}

/** Whether an error says that the client has vanished. */
function isGone(error: unknown): boolean {
  const { BrokenPipe, ConnectionReset } = Deno.errors;
  return error instanceof BrokenPipe || error instanceof ConnectionReset;
}
