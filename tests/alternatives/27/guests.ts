// style: a class for each guest, messages that do not wait for answers

export interface Target {
  readonly hostname: string;
  readonly port: number;
}

export interface Load {
  readonly conns: number;
  readonly rampPerSec?: number;
  readonly messages: number;
  readonly everyMs: number;
  readonly size: number;
  readonly signal?: AbortSignal;
}

export interface Report {
  connected: number;
  answered: number;
  errors: Record<string, number>;
  p50: number;
  p99: number;
  max: number;
}

export type Job = (bytes: Uint8Array) => Iterable<unknown>;

export interface ServeOptions {
  readonly job?: Job;
  readonly onError?: (error: unknown) => void;
}

export function percentile(sorted: readonly number[], p: number): number {
  if (sorted.length === 0) return NaN;
  // The first value with enough of them at or before it.
  return sorted.find((_, i) => (i + 1) * 100 >= p * sorted.length)!;
}

/** What all guests share. */
interface Party {
  readonly message: Uint8Array;
  readonly load: Load;
  readonly report: Report;
  readonly waits: number[];
}

/** One connection: it sends when it is time, answered or not. */
class Guest {
  readonly #party: Party;
  readonly #over = Promise.withResolvers<void>();
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  #conn: Deno.TcpConn | undefined;
  #left = false;

  constructor(party: Party) {
    this.#party = party;
  }

  /** Settles when all answers have come, or when it has failed or left. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  /** Comes, and speaks, when `comes` says. */
  start(target: Target, comes: number) {
    this.#at(
      comes,
      () => this.#visit(target, comes).catch((e) => this.fail(e)),
    );
  }

  async #visit(target: Target, comes: number) {
    const { signal, messages, everyMs } = this.#party.load;
    const conn = await Deno.connect({ ...target, ...(signal && { signal }) });
    if (this.#left) return conn.close();
    this.#conn = conn;
    this.#party.report.connected++;
    const due = Array.from({ length: messages }, (_, n) => comes + n * everyMs);
    let last = Promise.resolve();
    for (const time of due) {
      this.#at(time, () => {
        last = last.then(() => this.#send(conn)).catch((e) => this.fail(e));
      });
    }
    for (const time of due) {
      await this.#receive(conn);
      this.#party.waits.push(performance.now() - time);
      this.#party.report.answered++;
    }
    this.#over.resolve();
  }

  #at(time: number, act: () => void) {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      act();
    }, Math.max(0, Math.ceil(time - performance.now())));
    this.#timers.add(timer);
  }

  async #send(conn: Deno.Conn) {
    let rest = this.#party.message;
    while (rest.length > 0) rest = rest.subarray(await conn.write(rest));
  }

  async #receive(conn: Deno.Conn) {
    const into = new Uint8Array(64);
    const { message } = this.#party;
    for (let at = 0; at < message.length;) {
      const room = into.subarray(0, message.length - at);
      const n = await conn.read(room);
      if (n === null) throw new Deno.errors.UnexpectedEof();
      for (let i = 0; i < n; i++) {
        if (room[i] !== message[at++]) throw new Deno.errors.InvalidData();
      }
    }
  }

  fail(error: unknown) {
    if (this.#left) return;
    this.leave();
    const { errors } = this.#party.report;
    const { name, code = name } = error as Error & { code?: string };
    errors[code] = (errors[code] ?? 0) + 1;
  }

  /** Hangs up, and wants nothing more. */
  leave() {
    if (this.#left) return;
    this.#left = true;
    this.#timers.forEach((timer) => clearTimeout(timer));
    this.#conn?.close();
    this.#over.resolve();
  }
}

export async function loadTest(
  targets: readonly Target[],
  load: Load,
): Promise<Report> {
  const begun = performance.now();
  const party: Party = {
    load,
    message: Uint8Array.from({ length: load.size }, (_, i) => i * 7),
    report: { connected: 0, answered: 0, errors: {}, p50: 0, p99: 0, max: 0 },
    waits: [],
  };
  const guests = Array.from({ length: load.conns }, () => new Guest(party));
  const everybodyLeaves = () => guests.forEach((guest) => guest.leave());
  if (!load.signal?.aborted) {
    load.signal?.addEventListener("abort", everybodyLeaves);
    const gap = 1_000 / (load.rampPerSec ?? Infinity);
    guests.forEach((guest, i) =>
      guest.start(targets[i % targets.length]!, begun + i * gap)
    );
    await Promise.all(guests.map(({ over }) => over));
    load.signal?.removeEventListener("abort", everybodyLeaves);
  }
  everybodyLeaves();
  const sorted = Float64Array.from(party.waits).sort();
  const [p50, p99, max] = [50, 99, 100].map((p) => percentile([...sorted], p));
  return { ...party.report, p50: p50!, p99: p99!, max: max! };
}

export function kindOf(error: unknown): string {
  const { name, code = name } = error as Error & { code?: string };
  return code;
}

export function explain(kind: string): string {
  return kind;
}

export function listen({ hostname, port }: Target): Deno.TcpListener {
  return Deno.listen({ hostname, port, tcpBacklog: 2_000 });
}

export async function serve(
  listener: Deno.Listener,
  { job, onError = console.error }: ServeOptions = {},
): Promise<void> {
  const clients: Set<Promise<void>> = new Set();
  for (;;) {
    const conn = await listener.accept().catch((error) => {
      if (error instanceof Deno.errors.BadResource) return "closed" as const;
      onError(error);
      return "later" as const;
    });
    if (conn === "closed") break;
    if (conn === "later") await new Promise((go) => setTimeout(go, 20));
    else {
      const client = talk(conn, job, onError).then(() => {
        clients.delete(client);
      });
      clients.add(client);
    }
  }
  await Promise.all(clients);
}

async function talk(
  conn: Deno.Conn,
  job: Job | undefined,
  onError: (error: unknown) => void,
) {
  const buffer = new Uint8Array(512);
  try {
    while (true) {
      const n = await conn.read(buffer);
      if (n === null) break;
      let steps = 0;
      for (const _ of job?.(buffer.subarray(0, n)) ?? []) {
        // A step is a millisecond at the most; twenty are too few to notice.
        if (++steps % 20 === 0) await new Promise((go) => setTimeout(go));
      }
      for (let at = 0; at < n;) {
        at += await conn.write(buffer.subarray(at, n));
      }
    }
  } catch (error) {
    const { BrokenPipe, ConnectionReset } = Deno.errors;
    const gone = error instanceof BrokenPipe ||
      error instanceof ConnectionReset;
    if (!gone) onError(error);
  } finally {
    conn.close();
  }
}
