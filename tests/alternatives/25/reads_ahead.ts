// style: a class that reads as much as it gets, and keeps what is left over
interface HostPort {
  hostname: string;
  port: number;
}

interface SocksRequest extends HostPort {
  command: number;
  type: number;
}

interface Duplex {
  read(into: Uint8Array): Promise<number | null>;
  write(bytes: Uint8Array): Promise<number>;
}

export interface SocksOptions {
  allow: (address: string, port: number) => boolean;
  resolve: (name: string) => Promise<string[]>;
  auth?: (user: string, password: string) => boolean;
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
  reply: number;
  constructor(reply: number) {
    super(String(reply));
    this.reply = reply;
  }
}

/** A connection with a memory: what one read brings too much is kept. */
class Peer implements Duplex {
  #kept = new Uint8Array();

  constructor(readonly conn: Deno.TcpConn) {}

  async read(into: Uint8Array): Promise<number | null> {
    if (this.#kept.length === 0) {
      const chunk = new Uint8Array(8_192);
      const n = await this.conn.read(chunk);
      if (n === null) return null;
      this.#kept = chunk.subarray(0, n);
    }
    const part = this.#kept.subarray(0, into.length);
    into.set(part);
    this.#kept = this.#kept.subarray(part.length);
    return part.length;
  }

  write(bytes: Uint8Array): Promise<number> {
    return this.conn.write(bytes);
  }
}

async function exactly(from: Pick<Duplex, "read">, length: number) {
  let bytes = new Uint8Array();
  while (bytes.length < length) {
    const rest = new Uint8Array(length - bytes.length);
    const n = await from.read(rest);
    if (n === null) throw new Deno.errors.UnexpectedEof("half a message");
    bytes = Uint8Array.of(...bytes, ...rest.subarray(0, n));
  }
  return bytes;
}

async function send(to: Pick<Duplex, "write">, ...bytes: number[]) {
  let rest = Uint8Array.from(bytes);
  while (rest.length > 0) rest = rest.subarray(await to.write(rest));
}

export async function tunnel(a: Deno.TcpConn, b: Deno.TcpConn): Promise<void> {
  await join(new Peer(a), new Peer(b));
}

/** Both ways; whichever fails first closes both, and so ends the other. */
async function join(a: Peer, b: Peer): Promise<void> {
  const close = () => {
    a.conn[Symbol.dispose]();
    b.conn[Symbol.dispose]();
  };
  const way = async (from: Peer, to: Peer) => {
    try {
      const chunk = new Uint8Array(8_192);
      for (;;) {
        const n = await from.read(chunk);
        if (n === null) return await to.conn.closeWrite();
        for (let at = 0; at < n;) at += await to.write(chunk.subarray(at, n));
      }
    } catch {
      close(); // The other way hears of it, as Interrupted.
    }
  };
  await Promise.all([way(a, b), way(b, a)]);
  close();
}

export async function serveProxy(listener: Deno.TcpListener, to: HostPort) {
  const visits = new Set<Promise<void>>();
  for await (const conn of listener) {
    const visit = Deno.connect(to)
      .then((server) => tunnel(conn, server), () => conn.close())
      .finally(() => visits.delete(visit));
    visits.add(visit);
  }
  await Promise.all(visits);
}

export async function serveSocks(
  listener: Deno.TcpListener,
  options: SocksOptions,
) {
  const visits = new Set<Promise<void>>();
  for await (const conn of listener) {
    const visit = new Visit(new Peer(conn), options).run()
      .catch(() => {}) // It is over, and was told so if that was possible.
      .finally(() => {
        conn[Symbol.dispose]();
        visits.delete(visit);
      });
    visits.add(visit);
  }
  await Promise.all(visits);
}

class Visit {
  constructor(readonly client: Peer, readonly options: SocksOptions) {}

  async run() {
    if (!await greet(this.client, this.options.auth)) return;
    let target: Deno.TcpConn | undefined;
    try {
      target = await this.dial(await readRequest(this.client));
      await this.reply(REPLY.granted);
    } catch (error) {
      target?.close();
      await this.reply(replyFor(error));
      return;
    }
    await join(this.client, new Peer(target));
  }

  reply(code: number) {
    return send(this.client, 5, code, 0, 4, ...Array(18).fill(0));
  }

  async dial({ command, type, hostname, port }: SocksRequest) {
    const { allow, resolve, connectMs = 10_000 } = this.options;
    if (command !== 1) throw new SocksError(REPLY.noCommand);
    const addresses = type === 3 ? await resolve(hostname) : [hostname];
    if (addresses.length === 0) throw new SocksError(REPLY.noHost);
    if (!addresses.every((address) => allow(address, port))) {
      throw new SocksError(REPLY.denied); // One bad address spoils the name.
    }
    const signal = AbortSignal.timeout(connectMs);
    const attempts = addresses.map((hostname) => ({ hostname, port, signal }));
    return await Deno.connect(attempts[0]!)
      .catch((error) =>
        attempts[1] ? Deno.connect(attempts[1]) : Promise.reject(error)
      );
  }
}

export async function greet(
  client: Duplex,
  auth?: SocksOptions["auth"],
): Promise<boolean> {
  if ((await exactly(client, 1))[0] !== 5) return false;
  const [count] = await exactly(client, 1);
  const offers = new Set(await exactly(client, count!));
  const method = [auth ? 2 : 0].find((method) => offers.has(method)) ?? 255;
  await send(client, 5, method);
  if (method !== 2) return method === 0;
  const [version] = await exactly(client, 1);
  const right = auth!(await readText(client), await readText(client)) &&
    version === 1;
  await send(client, 1, right ? 0 : 255);
  return right;
}

async function readText(from: Pick<Duplex, "read">): Promise<string> {
  const [length] = await exactly(from, 1);
  return new TextDecoder().decode(await exactly(from, length!));
}

export async function readRequest(client: Pick<Duplex, "read">) {
  const [version, command, , type] = await exactly(client, 4);
  if (version !== 5) throw new Deno.errors.InvalidData("SOCKS 5 only");
  let hostname;
  switch (type) {
    case 1:
      hostname = (await exactly(client, 4)).join(".");
      break;
    case 3:
      hostname = await readText(client);
      break;
    case 4:
      hostname = ipv6(await exactly(client, 16));
      break;
    default:
      throw new SocksError(REPLY.noAddressType);
  }
  const [high, low] = await exactly(client, 2);
  const port = high! << 8 | low!;
  return { command: command!, type: type!, hostname, port };
}

/** The longest run of zero groups becomes "::", as in RFC 5952. */
function ipv6(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const groups = Array.from({ length: 8 }, (_, i) => view.getUint16(2 * i));
  const text = groups.map((group) => group.toString(16)).join(":");
  const runs = [...text.matchAll(/(?<![\da-f])0(?::0)+(?![\da-f])/g)]
    .map(([run]) => run).sort((a, b) => b.length - a.length);
  if (runs.length === 0) return text;
  return text.replace(runs[0]!, "::").replace(/:{3,}/, "::");
}

export function replyFor(error: unknown): number {
  if (error instanceof SocksError) return error.reply;
  if (!(error instanceof Error)) return REPLY.failed;
  const code = "code" in error ? error.code : undefined;
  if (code === "EHOSTUNREACH" || /^failed to lookup/.test(error.message)) {
    return REPLY.noHost;
  }
  switch (error.name) {
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
    default:
      return REPLY.failed;
  }
}

export async function socksConnect(
  proxy: HostPort,
  target: HostPort,
  login?: [string, string],
): Promise<Deno.TcpConn> {
  const conn = await Deno.connect(proxy);
  try {
    await send(conn, 5, 1, login ? 2 : 0);
    const [, method] = await exactly(conn, 2);
    if (method === 255) throw new SocksError(255);
    const encoder = new TextEncoder();
    if (method === 2) {
      const [user, password] = login!.map((text) => encoder.encode(text));
      const [u, p] = [user!.length, password!.length];
      if (u > 255 || p > 255) {
        throw new RangeError("Cannot send so long a login");
      }
      await send(conn, 1, u, ...user!, p, ...password!);
      const [, status] = await exactly(conn, 2);
      if (status !== 0) throw new SocksError(REPLY.denied);
    }
    const name = encoder.encode(target.hostname);
    if (name.length > 255) throw new RangeError("Cannot send so long a name");
    const parts = target.hostname.split(".").map(Number);
    const v4 = parts.length === 4 && parts.every((part) => part < 256);
    const host = v4 ? [1, ...parts] : [3, name.length, ...name];
    await send(conn, 5, 1, 0, ...host, target.port >> 8, target.port & 255);
    const [, reply] = await exactly(conn, 3);
    if (reply !== 0) throw new SocksError(reply!);
    const [type] = await exactly(conn, 1);
    if (type === 3) await readText(conn);
    else await exactly(conn, type === 1 ? 4 : 16);
    await exactly(conn, 2);
    return conn;
  } catch (error) {
    conn.close();
    throw error;
  }
}
