// style: one loop that walks along the plan, byte streams, a timer of node:timers
import { setTimeout as pause } from "node:timers/promises";

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
  const enough = p * sorted.length / 100;
  let at = 0;
  while (at + 1 < sorted.length && at + 1 < enough) at++;
  return sorted.length > 0 ? sorted[at]! : NaN;
}

/** Something that is to happen. */
interface Entry {
  readonly time: number;
  readonly act: () => void;
}

export async function loadTest(
  targets: readonly Target[],
  load: Load,
): Promise<Report> {
  const { conns, messages, everyMs, size, signal } = load;
  const begun = performance.now();
  const aborted = new Promise<void>((resolve) => {
    if (signal?.aborted) resolve();
    signal?.addEventListener("abort", () => resolve(), { once: true });
  });
  const errors: Record<string, number> = {};
  const times: number[] = [];
  const open: Deno.TcpConn[] = [];
  const message = new TextEncoder().encode("x".repeat(size));
  const talks: Promise<void>[] = [];

  const plan: Entry[] = [];
  for (let i = 0; i < conns; i++) {
    const comes = begun + i * 1_000 / (load.rampPerSec ?? Infinity);
    const turns = Array.from(
      { length: messages },
      () => Promise.withResolvers<void>(),
    );
    const target = targets[i % targets.length]!;
    const talk = async () => {
      const conn = await Deno.connect({ ...target, ...(signal && { signal }) });
      open.push(conn);
      if (signal?.aborted) return;
      const reader = conn.readable.getReader({ mode: "byob" });
      const writer = conn.writable.getWriter();
      for (const [n, turn] of turns.entries()) {
        await Promise.race([turn.promise, aborted]);
        if (signal?.aborted) return;
        writer.write(message).catch(() => {}); // The read will tell.
        const { value } = await reader.read(new Uint8Array(size), {
          min: size,
        });
        if (value === undefined || value.length < size) {
          throw new Deno.errors.UnexpectedEof();
        }
        if (String(value) !== String(message)) {
          throw new Deno.errors.InvalidData();
        }
        times.push(performance.now() - (comes + n * everyMs));
      }
    };
    plan.push({
      time: comes,
      act: () =>
        talks.push(
          talk().catch((error) => {
            if (signal?.aborted) return;
            errors[kindOf(error)] = (errors[kindOf(error)] ?? 0) + 1;
          }),
        ),
    });
    turns.forEach(({ resolve }, n) =>
      plan.push({ time: comes + n * everyMs, act: resolve })
    );
  }
  plan.sort((a, b) => a.time - b.time);

  for (const { time, act } of plan) {
    const ms = time - performance.now();
    if (ms > 0 && !signal?.aborted) {
      let timer: ReturnType<typeof setTimeout>;
      const due = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, Math.ceil(ms));
      });
      await Promise.race([due, aborted]);
      clearTimeout(timer!);
    }
    if (signal?.aborted) break;
    act();
  }
  await Promise.race([Promise.all(talks), aborted]);
  for (const conn of open) conn[Symbol.dispose]();
  await Promise.all(talks);
  for (const conn of open) conn[Symbol.dispose]();

  const sorted = times.toSorted((a, b) => a - b);
  return {
    connected: open.length,
    answered: times.length,
    errors,
    p50: percentile(sorted, 50),
    p99: percentile(sorted, 99),
    max: sorted.at(-1) ?? NaN,
  };
}

export function kindOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown";
  const { code } = error as Error & { code?: string };
  return typeof code === "string" ? code : error.name;
}

export function explain(kind: string): string {
  return `It failed with ${kind}`;
}

export function listen(at: Target): Deno.TcpListener {
  return Deno.listen({ tcpBacklog: 65_535, ...at });
}

export async function serve(
  listener: Deno.Listener,
  { job = () => [], onError = console.error }: ServeOptions = {},
): Promise<void> {
  const talks: Promise<void>[] = [];
  for (let open = true; open;) {
    try {
      for await (
        const conn of { [Symbol.asyncIterator]: () => knocks(listener) }
      ) {
        talks.push(talk(conn, job, onError));
      }
      open = false;
    } catch (error) {
      onError(error);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  await Promise.all(talks);
}

async function* knocks(listener: Deno.Listener) {
  for (;;) {
    try {
      yield await listener.accept();
    } catch (error) {
      if (error instanceof Deno.errors.BadResource) return;
      throw error;
    }
  }
}

async function talk(
  conn: Deno.Conn,
  job: Job,
  onError: (error: unknown) => void,
): Promise<void> {
  const reader = conn.readable.getReader({ mode: "byob" });
  const writer = conn.writable.getWriter();
  let view = new Uint8Array(2_048);
  try {
    for (;;) {
      const { value, done } = await reader.read(view);
      if (done) break;
      const steps = job(value)[Symbol.iterator]();
      for (let n = 1; !steps.next().done; n++) {
        if (n % 15 === 0) await pause(1);
      }
      await writer.write(value);
      view = new Uint8Array(value.buffer);
    }
  } catch (error) {
    if (!isGone(error)) onError(error);
  } finally {
    conn[Symbol.dispose]();
  }
}

function isGone(error: unknown): boolean {
  const { BrokenPipe, ConnectionReset } = Deno.errors;
  return error instanceof ConnectionReset || error instanceof BrokenPipe;
}
