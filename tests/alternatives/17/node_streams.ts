// style: an object for each client on Node's streams, told of everything by events
import { Readable, Writable } from "node:stream";
import type { ReadableStream, WritableStream } from "node:stream/web";

export type Answer = (
  request: string,
  signal: AbortSignal,
) => string | Promise<string>;

export interface ServeOptions {
  signal?: AbortSignal;
  maxConns?: number;
  maxPerHost?: number;
  maxLine?: number;
  idleMs?: number;
  headMs?: number;
  graceMs?: number;
  onError?: (error: unknown) => void;
}

export interface Stats {
  accepted: number;
  refused: number;
  errors: number;
}

type Limits = Required<Omit<ServeOptions, "signal">>;

const DEFAULTS: Limits = {
  maxConns: 100,
  maxPerHost: 100,
  maxLine: 1_024,
  idleMs: 60_000,
  headMs: 10_000,
  graceMs: 5_000,
  onError: console.error,
};

function readableOf(conn: Deno.Conn): Readable {
  return Readable.fromWeb(conn.readable as ReadableStream);
}

function writableOf(conn: Deno.Conn): Writable {
  return Writable.fromWeb(conn.writable as WritableStream);
}

export async function serve(
  listener: Deno.TcpListener,
  answer: Answer,
  { signal, ...options }: ServeOptions = {},
): Promise<Stats> {
  const limits = { ...DEFAULTS, ...options };
  const stats = { accepted: 0, refused: 0, errors: 0 };
  const fail = (e: unknown) => {
    stats.errors++;
    limits.onError(e);
  };
  const guests = new Set<Guest>();
  const stop = () => listener[Symbol.dispose]();
  signal?.addEventListener("abort", stop);
  if (signal?.aborted) stop();
  const all: Promise<void>[] = [];
  for (;;) {
    let conn: Deno.TcpConn;
    try {
      conn = await listener.accept();
    } catch (e) {
      if (e instanceof Deno.errors.BadResource) break;
      fail(e);
      await new Promise((r) => setTimeout(r, 100));
      continue;
    }
    const host = conn.remoteAddr.hostname;
    const same = [...guests].filter((g) => g.host === host).length;
    if (guests.size >= limits.maxConns || same >= limits.maxPerHost) {
      stats.refused++;
      const out = writableOf(conn);
      out.on("error", () => {}).end("busy\n", () => conn[Symbol.dispose]());
      continue;
    }
    stats.accepted++;
    const g = new Guest(conn, host, limits, answer, fail);
    guests.add(g);
    all.push(g.gone.then(() => void guests.delete(g)));
  }
  signal?.removeEventListener("abort", stop);
  for (const g of guests) g.drain();
  const t = setTimeout(() => guests.forEach((g) => g.giveUp()), limits.graceMs);
  await Promise.all(all);
  clearTimeout(t);
  return stats;
}

class Guest {
  #in: Readable;
  #out: Writable;
  #text = "";
  #busy = false;
  #last = false;
  #ended = false;
  #clock: ReturnType<typeof setTimeout> | undefined;
  #abort = new AbortController();
  #done = Promise.withResolvers<void>();
  gone = this.#done.promise;

  constructor(
    readonly conn: Deno.TcpConn,
    readonly host: string,
    readonly limits: Limits,
    readonly answer: Answer,
    readonly fail: (e: unknown) => void,
  ) {
    this.#in = readableOf(conn).setEncoding("utf8");
    this.#out = writableOf(conn);
    this.#in.on("error", () => this.hangUp());
    this.#out.on("error", () => this.hangUp());
    this.#in.on("end", () => {
      this.#ended = true;
      if (!this.#busy) this.hangUp();
    });
    this.#in.on("data", (chunk: string) => {
      const begins = this.#text === "";
      this.#text += chunk;
      if (begins && !this.#busy) this.#arm();
      this.#next();
    });
    this.#arm();
  }
  #arm() {
    clearTimeout(this.#clock);
    const { headMs, idleMs } = this.limits;
    const ms = this.#text ? headMs : idleMs;
    this.#clock = setTimeout(() => this.hangUp(), ms);
  }
  async #next() {
    if (this.#busy) return;
    const at = this.#text.indexOf("\n");
    const length = at < 0 ? this.#text.length : at;
    if (length > this.limits.maxLine) return this.hangUp();
    if (at < 0) return;
    const line = this.#text.slice(0, at);
    this.#text = this.#text.slice(at + 1);
    this.#busy = true;
    this.#in.pause();
    clearTimeout(this.#clock);
    let reply;
    try {
      reply = await this.answer(line, this.#abort.signal);
    } catch (error) {
      this.fail(error);
      return this.hangUp();
    }
    this.#out.write(reply + "\n", (e) => {
      if (e || this.#last || this.#ended) return this.hangUp();
      this.#busy = false;
      this.#arm();
      this.#in.resume();
      this.#next();
    });
  }
  drain() {
    this.#last = true;
    if (!this.#busy) this.hangUp();
  }
  giveUp() {
    this.#abort.abort();
    this.hangUp();
  }
  hangUp() {
    clearTimeout(this.#clock);
    this.conn[Symbol.dispose]();
    this.#in.destroy();
    this.#out.destroy();
    this.#done.resolve();
  }
}
