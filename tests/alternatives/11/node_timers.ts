// style: waits that are promises of node:timers; functions that are taken out of Deno
import { scheduler, setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

const { connect, errors } = Deno;
const later = promisify(setTimeout);

/** Throws when the time is over; ends early, and silently, if `signal` aborts. */
async function tooLate(ms: number, signal: AbortSignal): Promise<never> {
  const longest = 2 ** 31 - 1;
  await sleep(Math.min(ms, longest), undefined, { signal });
  throw new errors.TimedOut(`${ms} ms are over`);
}

/** Rejects with the reason of `signal`, once it aborts. */
function aborted(signal: AbortSignal, until: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true, signal: until });
  return promise;
}

export async function withDeadline<T>(
  ms: number,
  run: (signal: AbortSignal) => Promise<T>,
  signal: AbortSignal = new AbortController().signal,
): Promise<T> {
  signal.throwIfAborted();
  const [stop, over] = [new AbortController(), new AbortController()];
  const late = tooLate(ms, over.signal);
  try {
    return await Promise.race([
      late,
      aborted(signal, over.signal),
      run(stop.signal),
    ]);
  } catch (error) {
    stop.abort(error);
    throw error;
  } finally {
    over.abort();
    await late.catch(() => {});
  }
}

export function connectWithTimeout(
  to: { hostname: string; port: number },
  ms: number,
  signal?: AbortSignal,
) {
  return withDeadline(ms, (signal) => connect({ ...to, signal }), signal);
}

export interface Limits {
  idleMs?: number;
  totalMs?: number;
  signal?: AbortSignal;
}

type Chunk = Uint8Array | null;

export class TimedConn {
  #coming: Promise<Chunk> | undefined;
  #busy = false;
  #dead: { error: unknown } | undefined;
  #open = true;
  #end: number;

  constructor(private conn: Deno.Conn, private limits: Limits) {
    this.#end = performance.now() + (limits.totalMs ?? Infinity);
  }

  async #within<T>(work: () => Promise<T>): Promise<T> {
    if (this.#dead) throw this.#dead.error;
    const { idleMs = Infinity, signal } = this.limits;
    try {
      const ms = Math.max(0, Math.min(idleMs, this.#end - performance.now()));
      return await withDeadline(ms, work, signal);
    } catch (error) {
      this.#dead = { error };
      this.close();
      throw error;
    }
  }

  async #fetch(): Promise<Chunk> {
    const room = new Uint8Array(4_096);
    const n = await this.conn.read(room);
    return n === null ? null : room.subarray(0, n);
  }

  async #alone<T>(work: () => Promise<T>): Promise<T> {
    if (this.#busy) throw new errors.Busy("one reads already");
    this.#busy = true;
    return await this.#within(work).finally(() => this.#busy = false);
  }

  read(): Promise<Chunk> {
    return this.#alone(async () => {
      this.#coming ??= this.#fetch();
      const chunk = await this.#coming;
      this.#coming = undefined;
      return chunk;
    });
  }

  tryRead(ms: number): Promise<Chunk | undefined> {
    return this.#alone(async () => {
      this.#coming ??= this.#fetch();
      const over = new AbortController();
      const pause = scheduler.wait(ms, { signal: over.signal })
        .catch(() => {}) as Promise<undefined>;
      try {
        const chunk = await Promise.race([this.#coming, pause]);
        if (chunk !== undefined) this.#coming = undefined;
        return chunk;
      } finally {
        over.abort();
      }
    });
  }

  async write(bytes: Uint8Array) {
    for (let rest = bytes; rest.length > 0;) {
      const n = await this.#within(() => this.conn.write(rest));
      rest = rest.subarray(n);
    }
  }

  close() {
    if (this.#open) this.conn.close();
    this.#open = false;
  }
}

export async function ask(conn: TimedConn, question: string) {
  await later(1); // A breath, as people take one.
  await conn.write(new TextEncoder().encode(question + "\n"));
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const chunk = await conn.read();
    if (chunk === null) throw new errors.UnexpectedEof("no newline came");
    text += decoder.decode(chunk, { stream: true });
    const [line, ...rest] = text.split("\n");
    if (rest.length > 0) return line!;
  }
}
