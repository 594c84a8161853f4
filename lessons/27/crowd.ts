// Lesson 27: ten thousand connections.
//
// A crowd that measures a server, and a server for a crowd. The crowd is kind: it
// waits for a slow server before it goes on, and then forgets the wait. The server
// is made for ten clients. Make them honest, and large.

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
  // TODO: Of 1 to 100, the median should be 50, and p100 the last.
  return sorted[Math.floor(sorted.length * p / 100)]!;
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

  /** One connection. */
  const visit = async (target: Target) => {
    // TODO: The first has left when the last one comes. And when the signal
    // aborts, whoever is inside stays.
    using conn = await Deno.connect({ ...target, ...(signal && { signal }) });
    met.connected++;
    for (let n = 0; n < messages; n++) {
      // TODO: The server sleeps for a second. Forty messages were due in it;
      // this clock sees one of them.
      const begun = performance.now();
      await roundTrip(conn, message);
      times.push(performance.now() - begun);
      met.answered++;
      await pause(everyMs);
    }
  };
  const visits: Promise<void>[] = [];
  for (let i = 0; i < conns; i++) {
    // TODO: From one address there are some 28,000 ways to one destination.
    visits.push(visit(targets[0]!));
    // TODO: Four thousand in a second take four seconds.
    if (rampPerSec < Infinity) await pause(1_000 / rampPerSec);
  }
  // TODO: One connection fails, and nobody hears of the other 9,999.
  await Promise.all(visits);

  times.sort((a, b) => a - b); // Numbers; without this, as if they were words.
  const [p50, p99, max] = [50, 99, 100].map((p) => percentile(times, p));
  return { ...met, p50: p50!, p99: p99!, max: max! };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Sends `message`, and waits until all of it has come back. */
async function roundTrip(conn: Deno.Conn, message: Uint8Array): Promise<void> {
  // At once: a long message comes back before its end has gone out.
  // TODO: Is that what came back?
  await Promise.all([
    writeAll(conn, message),
    readExactly(conn, message.length),
  ]);
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
  // TODO: A thousand come at once. Half of them get in a second later.
  return Deno.listen({ ...at });
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
  // TODO: One client more than `ulimit -n` allows ends the server for all.
  for await (const conn of listener) {
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
  // TODO: Ten thousand clients, and none of them says a word: 640 megabytes.
  const buffer = new Uint8Array(65_536);
  try {
    for (let n; (n = await conn.read(buffer)) !== null;) {
      const bytes = buffer.subarray(0, n);
      // TODO: One client's job takes a second. Then it takes everybody a second.
      for (const _ of job(bytes));
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
