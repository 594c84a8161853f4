// style: a Duplex of node:stream for each connection, and connect() is given up when the client leaves
import { Buffer } from "node:buffer";
import { Duplex as NodeDuplex } from "node:stream";

interface HostPort {
  hostname: string;
  port: number;
}

interface SocksRequest extends HostPort {
  command: number;
  type: number;
}

type Reader = Pick<Deno.Conn, "read">;
type Both = Pick<Deno.Conn, "read" | "write">;
type Auth = (user: string, password: string) => boolean;

export interface SocksOptions {
  allow: (address: string, port: number) => boolean;
  resolve: (name: string) => Promise<string[]>;
  auth?: Auth;
  connectMs?: number;
}

export const REPLY = {
  granted: 0,
  failed: 1,
  denied: 2,
  noNetwork: 3,
  noHost: 4,
  refused: 5,
  noCommand: 7,
  noAddressType: 8,
} as const;

export class SocksError extends Error {
  constructor(readonly reply: number) {
    super(`SOCKS says ${reply}`);
  }
}

/** Like a socket of node:net. It reads ahead a little, whoever wants it. */
class Socket extends NodeDuplex {
  #conn: Deno.TcpConn;

  constructor(conn: Deno.TcpConn) {
    super({ allowHalfOpen: true, highWaterMark: 32_768 });
    this.#conn = conn;
    this.on("error", () => {}); // "close" follows, and tells whoever cares.
  }

  override async _read() {
    const buffer = Buffer.alloc(16_384);
    try {
      const n = await this.#conn.read(buffer);
      this.push(n === null ? null : buffer.subarray(0, n));
    } catch (error) {
      this.destroy(error as Error);
    }
  }

  override _write(chunk: Buffer, _: string, done: (e?: Error | null) => void) {
    sendAll(this.#conn, chunk).then(() => done(), done);
  }

  override _final(done: (error?: Error | null) => void) {
    this.#conn.closeWrite().then(() => done(), done);
  }

  override _destroy(error: Error | null, done: (e: Error | null) => void) {
    this.#conn[Symbol.dispose]();
    done(error);
  }

  /** The same, as Deno's connections have it, for the handshake. */
  get plain(): Both {
    return {
      read: async (into) => {
        for (;;) {
          const size = Math.min(into.length, this.readableLength || 1);
          const chunk: Buffer | null = this.read(size);
          if (chunk !== null) return chunk.copy(into);
          if (this.errored) throw this.errored;
          if (this.readableEnded || this.destroyed) return null;
          const { promise, resolve } = Promise.withResolvers<void>();
          const events = ["readable", "end", "close"];
          events.forEach((event) => this.once(event, resolve));
          await promise;
          events.forEach((event) => this.off(event, resolve));
        }
      },
      write: async (bytes) => {
        const { promise, resolve, reject } = Promise.withResolvers<void>();
        const done = (error?: Error | null) =>
          error ? reject(error) : resolve();
        this.write(bytes, done);
        await promise;
        return bytes.length;
      },
    };
  }
}

async function join(a: Socket, b: Socket): Promise<void> {
  a.on("close", () => a.errored && b.destroy());
  b.on("close", () => b.errored && a.destroy());
  const over = [a, b].map((socket) =>
    new Promise((resolve) => socket.once("close", resolve))
  );
  a.pipe(b);
  b.pipe(a);
  await Promise.all(over);
}

export async function tunnel(a: Deno.TcpConn, b: Deno.TcpConn): Promise<void> {
  await join(new Socket(a), new Socket(b));
}

async function each(
  listener: Deno.TcpListener,
  visit: (conn: Deno.TcpConn) => Promise<void>,
) {
  const visits: Promise<void>[] = [];
  for await (const conn of listener) {
    const ends = () => conn[Symbol.dispose]();
    visits.push(visit(conn).catch(() => {}).finally(ends));
  }
  await Promise.all(visits);
}

export function serveProxy(listener: Deno.TcpListener, to: HostPort) {
  return each(
    listener,
    async (conn) => await tunnel(conn, await Deno.connect(to)),
  );
}

export function serveSocks(listener: Deno.TcpListener, options: SocksOptions) {
  return each(listener, async (conn) => {
    const client = new Socket(conn);
    const leaves = new AbortController();
    client.once("close", () => leaves.abort());
    if (!await greet(client.plain, options.auth)) return;
    const answer = (reply: number) =>
      client.plain.write(Buffer.from([5, reply, 0, 3, 0, 0, 0]));
    let target: Deno.TcpConn;
    try {
      target = await dial(
        await readRequest(client.plain),
        options,
        leaves.signal,
      );
    } catch (error) {
      if (!client.destroyed) await answer(replyFor(error));
      return;
    }
    if (client.destroyed) return target.close();
    const server = new Socket(target);
    client.write(Buffer.from([5, 0, 0, 3, 0, 0, 0]));
    await join(client, server);
  });
}

async function dial(
  { command, type, hostname, port }: SocksRequest,
  { allow, resolve, connectMs = 10_000 }: SocksOptions,
  leaves: AbortSignal,
) {
  if (command !== 1) throw new SocksError(REPLY.noCommand);
  const addresses = type === 3 ? await resolve(hostname) : [hostname];
  const [address] = addresses;
  if (address === undefined) throw new SocksError(REPLY.noHost);
  if (!allow(address, port)) throw new SocksError(REPLY.denied);
  const signal = AbortSignal.any([leaves, AbortSignal.timeout(connectMs)]);
  return await Deno.connect({ hostname: address, port, signal });
}

export async function greet(client: Both, auth?: Auth): Promise<boolean> {
  if ((await take(client, 1))[0] !== 5) return false;
  const offered = await takeText(client);
  const method = auth ? 2 : 0;
  if (!offered.includes(method)) {
    await sendAll(client, Buffer.from([5, 255]));
    return false;
  }
  await sendAll(client, Buffer.from([5, method]));
  if (!auth) return true;
  if ((await take(client, 1))[0] !== 1) return false;
  const user = await takeText(client);
  const right = auth(user.toString(), (await takeText(client)).toString());
  await sendAll(client, Buffer.from([1, right ? 0 : 1]));
  return right;
}

export async function readRequest(client: Reader): Promise<SocksRequest> {
  const [version, command, , type] = await take(client, 4);
  if (version !== 5) throw new Deno.errors.InvalidData("not SOCKS 5");
  const hostname = await takeHost(client, type!);
  const port = (await take(client, 2)).readUInt16BE();
  return { command: command!, type: type!, hostname, port };
}

async function takeHost(from: Reader, type: number): Promise<string> {
  if (type === 1) return (await take(from, 4)).join(".");
  if (type === 3) return (await takeText(from)).toString();
  if (type !== 4) throw new SocksError(REPLY.noAddressType);
  const groups = (await take(from, 16)).toString("hex").match(/.{4}/g)!;
  return new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
}

export function replyFor(error: unknown): number {
  if (error instanceof SocksError) return error.reply;
  const { name, message = "", code } = error as Error & { code?: string };
  if (code === "EHOSTUNREACH" || message.startsWith("failed to lookup")) {
    return REPLY.noHost;
  }
  switch (name) {
    case "ConnectionRefused":
      return REPLY.refused;
    case "NetworkUnreachable":
      return REPLY.noNetwork;
    case "TimedOut":
    case "TimeoutError":
    case "NotFound":
      return REPLY.noHost;
    case "NotCapable":
    case "PermissionDenied":
      return REPLY.denied;
  }
  return REPLY.failed;
}

export async function socksConnect(
  proxy: HostPort,
  { hostname, port }: HostPort,
  login?: readonly [user: string, password: string],
): Promise<Deno.TcpConn> {
  const isIPv4 = /^\d+(\.\d+){3}$/.test(hostname);
  const host = isIPv4
    ? Buffer.from([1, ...hostname.split(".").map(Number)])
    : Buffer.concat([Buffer.from([3]), counted(hostname)]);
  const texts = login?.map(counted) ?? []; // Too long: before anybody is called.
  const conn = await Deno.connect(proxy);
  try {
    await sendAll(conn, Buffer.from(login ? [5, 2, 0, 2] : [5, 1, 0]));
    const [, method] = await take(conn, 2);
    if (method === 2 && login) {
      await sendAll(conn, Buffer.concat([Buffer.from([1]), ...texts]));
      const [, status] = await take(conn, 2);
      if (status !== 0) throw new SocksError(status!);
    } else if (method !== 0) throw new SocksError(255);
    const end = Buffer.from([port >> 8, port & 255]);
    await sendAll(conn, Buffer.concat([Buffer.from([5, 1, 0]), host, end]));
    const [, reply, , type] = await take(conn, 4);
    await takeHost(conn, type!);
    await take(conn, 2);
    if (reply !== 0) throw new SocksError(reply!);
    return conn;
  } catch (error) {
    setImmediate(() => conn.close()); // As `destroy()` does.
    throw error;
  }
}

function counted(text: string): Buffer {
  const bytes = Buffer.from(text);
  if (bytes.length > 255) throw new RangeError(`too long: ${text}`);
  return Buffer.concat([Buffer.from([bytes.length]), bytes]);
}

async function take(from: Reader, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  for (let got = 0; got < length;) {
    const n = await from.read(bytes.subarray(got));
    if (n === null) throw new Deno.errors.UnexpectedEof("it has ended");
    got += n;
  }
  return bytes;
}

async function takeText(from: Reader): Promise<Buffer> {
  return await take(from, (await take(from, 1))[0]!);
}

async function sendAll(to: Pick<Both, "write">, bytes: Uint8Array) {
  for (let at = 0; at < bytes.length;) at += await to.write(bytes.subarray(at));
}
