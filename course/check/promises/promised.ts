import { assertEquals } from "@std/assert";
import type { RawConn } from "../network.ts";

/** What a promise needs beside `Deno.listen`, `Deno.connect` and the like. */
export interface Wire {
  /** Waits until what is under way has arrived. */
  arrived(): Promise<void>;
  /** Connects a peer that is able to reset. */
  abrupt(port: number): Promise<RawConn>;
}

/** Promises by what they say. Each closes what it opens. */
export type Promised = Record<string, (wire: Wire) => Promise<void>>;

/** Listens on 127.0.0.1, on a port of the network's choice. */
export function listenHere(): Deno.TcpListener {
  return Deno.listen({ hostname: "127.0.0.1", port: 0 });
}

/** Makes a connection, and returns both of its ends. */
export async function connected(): Promise<{
  near: Deno.TcpConn;
  far: Deno.TcpConn;
}> {
  using listener = listenHere();
  const accepted = listener.accept();
  const near = await Deno.connect({ port: listener.addr.port });
  return { near, far: await accepted };
}

/** Reads once, and gives the bytes; null at the end. */
export async function readOnce(
  conn: { read(into: Uint8Array): Promise<number | null> },
  length = 64,
): Promise<string | null> {
  const buffer = new Uint8Array(length);
  const n = await conn.read(buffer);
  return n === null ? null : new TextDecoder().decode(buffer.subarray(0, n));
}

/** The bytes of `text`. */
export function bytes(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** Expects a rejection with just this class, message and code. */
export async function rejects(
  call: () => Promise<unknown>,
  name: string,
  message: string,
  code?: string,
): Promise<void> {
  const error = await call().then(
    (value) => value,
    (error: Error & { code?: string }) => error,
  ) as Error & { code?: string };
  const found = { name: error?.name, message: error?.message };
  assertEquals(found, { name, message });
  assertEquals(error.code, code);
}

/** As {@linkcode rejects}, for a call that throws at once. */
export async function throws(
  call: () => unknown,
  name: string,
  message: string,
  code?: string,
): Promise<void> {
  // deno-lint-ignore require-await -- A throw becomes a rejection.
  await rejects(async () => call(), name, message, code);
}

/** Expects that `promise` has not settled when all that is under way arrived. */
export async function waits(
  wire: Wire,
  promise: Promise<unknown>,
): Promise<void> {
  let settled = false;
  const settle = () => void (settled = true);
  promise.then(settle, settle);
  await wire.arrived();
  assertEquals(settled, false, "settled, and should have waited");
}
