// style: a class for each client, accept() in a plain loop, and a countdown
import { setTimeout as pause } from "node:timers/promises";

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

type Phase = "idle" | "reading" | "answering" | "gone";

class Client {
  readonly host: string;
  readonly #conn: Deno.TcpConn;
  readonly #options: ServeOptions;
  #phase: Phase = "idle";
  #clock: ReturnType<typeof setTimeout> | undefined;
  #last = false;

  constructor(conn: Deno.TcpConn, options: ServeOptions) {
    this.host = conn.remoteAddr.hostname;
    this.#conn = conn;
    this.#options = options;
    this.#enter("idle");
  }

  /** No request after this one. */
  finish() {
    this.#last = true;
    if (this.#phase !== "answering") this.hangUp();
  }

  hangUp() {
    clearTimeout(this.#clock);
    if (this.#phase === "gone") return;
    this.#phase = "gone";
    this.#conn.close();
  }

  /** Lets the client read what it got, until it ends, too. */
  async #leave() {
    await this.#conn.closeWrite();
    const rest = new Uint8Array(64);
    while (await this.#conn.read(rest) !== null);
  }

  #enter(phase: Phase) {
    if (this.#phase === "gone") return;
    const { idleMs = 60_000, headMs = 10_000 } = this.#options;
    clearTimeout(this.#clock);
    this.#phase = phase;
    if (phase === "answering") return;
    const ms = phase === "idle" ? idleMs : headMs;
    this.#clock = setTimeout(() => this.hangUp(), ms);
  }

  async run(answer: (line: string) => Promise<string | undefined>) {
    const { maxLine = 1_024 } = this.#options;
    const decoder = new TextDecoder();
    const byte = new Uint8Array(1);
    const line: number[] = [];
    try {
      while (this.#phase !== "gone" && !this.#last) {
        if (await this.#conn.read(byte) === null) break;
        if (byte[0] !== 10) {
          if (line.push(byte[0]!) > maxLine) break;
          if (line.length === 1) this.#enter("reading");
          continue;
        }
        this.#enter("answering");
        const text = decoder.decode(new Uint8Array(line.splice(0)));
        const reply = await answer(text);
        if (reply === undefined) break;
        await send(this.#conn, reply + "\n");
        if (this.#last) await this.#leave();
        this.#enter("idle");
      }
    } catch (error) {
      if (!isGone(error)) throw error;
    } finally {
      this.hangUp();
    }
  }
}

export async function serve(
  listener: Deno.TcpListener,
  answer: Answer,
  options: ServeOptions = {},
): Promise<Stats> {
  const { signal, maxConns = 100, graceMs = 5_000 } = options;
  const { maxPerHost = maxConns, onError = console.error } = options;
  const stats = { accepted: 0, refused: 0, errors: 0 };
  const clients = new Map<Client, Promise<void>>();
  const perHost = new Map<string, number>();
  const over = new AbortController();
  let open = true;
  const close = () => {
    if (!open) return;
    open = false;
    listener[Symbol.dispose]();
  };
  if (signal?.aborted) close();
  signal?.addEventListener("abort", close, { once: true });
  const failed = (error: unknown) => {
    stats.errors += 1;
    onError(error);
    return undefined;
  };

  while (open) {
    let conn: Deno.TcpConn;
    try {
      conn = await listener.accept();
    } catch (error) {
      if (isGone(error)) break;
      failed(error);
      await pause(10);
      continue;
    }
    const { hostname } = conn.remoteAddr;
    const count = perHost.get(hostname) ?? 0;
    if (clients.size >= maxConns || count >= maxPerHost) {
      stats.refused += 1;
      send(conn, "busy\n").catch(() => {}).finally(() => conn.close());
      continue;
    }
    stats.accepted += 1;
    perHost.set(hostname, count + 1);
    const client = new Client(conn, options);
    const running = client.run(async (line) => {
      try {
        return await answer(line, over.signal);
      } catch (error) {
        return failed(error);
      }
    }).then(() => {
      clients.delete(client);
      perHost.set(hostname, perHost.get(hostname)! - 1);
    });
    clients.set(client, running);
  }

  signal?.removeEventListener("abort", close);
  for (const client of clients.keys()) client.finish();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const grace = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, graceMs);
  });
  await Promise.race([Promise.allSettled(clients.values()), grace]);
  clearTimeout(timer);
  over.abort();
  for (const client of clients.keys()) client.hangUp();
  return stats;
}

async function send(conn: Deno.Conn, text: string) {
  let rest = new TextEncoder().encode(text);
  while (rest.length > 0) rest = rest.subarray(await conn.write(rest));
}

function isGone(error: unknown): boolean {
  const { BadResource, BrokenPipe, ConnectionReset, Interrupted } = Deno.errors;
  return error instanceof BadResource || error instanceof BrokenPipe ||
    error instanceof ConnectionReset || error instanceof Interrupted;
}
