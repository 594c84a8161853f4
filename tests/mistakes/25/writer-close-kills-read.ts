// expect: writer-close-kills-read
// A stream of what the connection says, which leaves it open, into the other.
export interface HostPort {
  readonly hostname: string;
  readonly port: number;
}

export type Reader = Pick<Deno.Conn, "read">;

export type Duplex = Pick<Deno.Conn, "read" | "write">;

export type Auth = (user: string, password: string) => boolean;

export interface SocksRequest extends HostPort {
  readonly command: number;
  readonly type: number;
}

export interface SocksOptions {
  readonly allow: (address: string, port: number) => boolean;
  readonly resolve: (name: string) => Promise<string[]>;
  readonly auth?: Auth;
  readonly connectMs?: number;
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
  override name = "SocksError";
  readonly reply: number;

  constructor(reply: number) {
    super(`Cannot go through the proxy: its answer is ${reply}`);
    this.reply = reply;
  }
}

const METHOD = { none: 0, password: 2, unacceptable: 0xff };
const TYPE = { ipv4: 1, name: 3, ipv6: 4 };
const CONNECT = 1;

export async function tunnel(a: Deno.TcpConn, b: Deno.TcpConn): Promise<void> {
  using _a = a;
  using _b = b;
  try {
    await Promise.all([carry(a, b), carry(b, a)]);
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

async function carry(from: Deno.TcpConn, to: Deno.TcpConn): Promise<void> {
  await ReadableStream.from(chunks(from)).pipeTo(to.writable);
}

async function* chunks(conn: Deno.TcpConn): AsyncGenerator<Uint8Array> {
  for (;;) {
    const buffer = new Uint8Array(16_384);
    const n = await conn.read(buffer);
    if (n === null) return;
    yield buffer.subarray(0, n);
  }
}

export function serveProxy(
  listener: Deno.TcpListener,
  to: HostPort,
): Promise<void> {
  return serveEach(listener, async (client) => {
    const server = await Deno.connect({ ...to }).catch(() => null);
    if (server !== null) await tunnel(client, server);
  });
}

async function serveEach(
  listener: Deno.TcpListener,
  visit: (client: Deno.TcpConn) => Promise<void>,
): Promise<void> {
  const visits = new Set<Promise<void>>();
  const welcome = async (client: Deno.TcpConn) => {
    using _client = client;
    try {
      await visit(client);
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  };
  for await (const client of listener) {
    const done = welcome(client).finally(() => visits.delete(done));
    visits.add(done);
  }
  await Promise.all(visits);
}

export async function greet(client: Duplex, auth?: Auth): Promise<boolean> {
  const [version, count] = await readExactly(client, 2);
  if (version !== 5) return false;
  const offered = await readExactly(client, count!);
  const wanted = auth ? METHOD.password : METHOD.none;
  const fits = offered.includes(wanted);
  await writeAll(
    client,
    Uint8Array.of(5, fits ? wanted : METHOD.unacceptable),
  );
  return fits && (auth === undefined || await logIn(client, auth));
}

async function logIn(client: Duplex, auth: Auth): Promise<boolean> {
  const [version] = await readExactly(client, 1);
  const user = await readText(client);
  const password = await readText(client);
  const right = version === 1 && auth(user, password);
  await writeAll(client, Uint8Array.of(1, right ? 0 : 1));
  return right;
}

export async function readRequest(client: Reader): Promise<SocksRequest> {
  const [version, command, _reserved, type] = await readExactly(client, 4);
  if (version !== 5) throw new Deno.errors.InvalidData("Cannot read a request");
  const address = await readAddress(client, type!);
  return { command: command!, type: type!, ...address };
}

async function readAddress(from: Reader, type: number): Promise<HostPort> {
  const hostname = await readHost(from, type);
  const [high, low] = await readExactly(from, 2);
  return { hostname, port: high! * 256 + low! };
}

async function readHost(from: Reader, type: number): Promise<string> {
  if (type === TYPE.ipv4) return (await readExactly(from, 4)).join(".");
  if (type === TYPE.ipv6) return ipv6Text(await readExactly(from, 16));
  if (type === TYPE.name) return await readText(from);
  throw new SocksError(REPLY.noAddressType);
}

export function replyFor(error: unknown): number {
  if (error instanceof SocksError) return error.reply;
  const { name = "", message = "", code } = error as Error & { code?: string };
  if (name === "ConnectionRefused") return REPLY.refused;
  if (name === "NetworkUnreachable") return REPLY.noNetwork;
  if (/^(NotCapable|PermissionDenied)$/.test(name)) return REPLY.denied;
  const gone = /^(TimedOut|TimeoutError|NotFound)$/.test(name) ||
    code === "EHOSTUNREACH" || message.startsWith("failed to lookup");
  return gone ? REPLY.noHost : REPLY.failed;
}

export function serveSocks(
  listener: Deno.TcpListener,
  options: SocksOptions,
): Promise<void> {
  return serveEach(listener, async (client) => {
    if (!await greet(client, options.auth)) return;
    let target: Deno.TcpConn;
    try {
      target = await dial(await readRequest(client), options);
    } catch (error) {
      return await writeAll(client, encodeReply(replyFor(error)));
    }
    using _target = target;
    await writeAll(client, encodeReply(REPLY.granted));
    await tunnel(client, target);
  });
}

async function dial(
  { command, type, hostname, port }: SocksRequest,
  { allow, resolve, connectMs = 10_000 }: SocksOptions,
): Promise<Deno.TcpConn> {
  if (command !== CONNECT) throw new SocksError(REPLY.noCommand);
  const found = type === TYPE.name ? await resolve(hostname) : [hostname];
  if (found.length === 0) throw new SocksError(REPLY.noHost);
  const allowed = found.filter((address) => allow(address, port));
  const signal = AbortSignal.timeout(connectMs);
  let failure: unknown = new SocksError(REPLY.denied);
  for (const address of allowed) {
    try {
      return await Deno.connect({ hostname: address, port, signal });
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

export async function socksConnect(
  proxy: HostPort,
  target: HostPort,
  login?: readonly [user: string, password: string],
): Promise<Deno.TcpConn> {
  const conn = await Deno.connect({ ...proxy });
  try {
    await askForMethod(conn, login);
    const { hostname, port } = target;
    const host = isIPv4(hostname)
      ? [TYPE.ipv4, ...hostname.split(".").map(Number)]
      : [TYPE.name, ...counted(hostname)];
    await writeAll(
      conn,
      Uint8Array.of(5, CONNECT, 0, ...host, port >> 8, port & 0xff),
    );
    const [, reply, , type] = await readExactly(conn, 4);
    if (reply !== REPLY.granted) throw new SocksError(reply!);
    await readAddress(conn, type!);
    return conn;
  } catch (error) {
    conn.close();
    throw error;
  }
}

async function askForMethod(
  proxy: Duplex,
  login?: readonly [user: string, password: string],
): Promise<void> {
  const offered = login ? METHOD.password : METHOD.none;
  await writeAll(proxy, Uint8Array.of(5, 1, offered));
  const [, method] = await readExactly(proxy, 2);
  if (method !== offered) throw new SocksError(METHOD.unacceptable);
  if (login === undefined) return;
  const [user, password] = login.map(counted);
  await writeAll(proxy, Uint8Array.of(1, ...user!, ...password!));
  const [, status] = await readExactly(proxy, 2);
  if (status !== 0) throw new SocksError(REPLY.denied);
}

async function readExactly(from: Reader, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let got = 0; got < length;) {
    const n = await from.read(bytes.subarray(got));
    if (n === null) {
      throw new Deno.errors.UnexpectedEof("Cannot read on: it has ended");
    }
    got += n;
  }
  return bytes;
}

async function readText(from: Reader): Promise<string> {
  const [length] = await readExactly(from, 1);
  return new TextDecoder().decode(await readExactly(from, length!));
}

async function writeAll(
  to: Pick<Deno.Conn, "write">,
  data: Uint8Array,
): Promise<void> {
  for (let sent = 0; sent < data.length;) {
    sent += await to.write(data.subarray(sent));
  }
}

function isGone(error: unknown): boolean {
  const { BrokenPipe, ConnectionRefused, ConnectionReset, UnexpectedEof } =
    Deno.errors;
  const ways = [BrokenPipe, ConnectionRefused, ConnectionReset, UnexpectedEof];
  return ways.some((Way) => error instanceof Way);
}

function encodeReply(reply: number): Uint8Array {
  return Uint8Array.of(5, reply, 0, TYPE.ipv4, 0, 0, 0, 0, 0, 0);
}

function counted(text: string): number[] {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length > 255) {
    throw new RangeError(`Cannot send "${text}": it is longer than 255 bytes`);
  }
  return [bytes.length, ...bytes];
}

function isIPv4(host: string): boolean {
  return /^(\d+\.){3}\d+$/.test(host);
}

function ipv6Text(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const groups = [0, 2, 4, 6, 8, 10, 12, 14].map((at) => view.getUint16(at));
  const text = groups.map((group) => group.toString(16)).join(":");
  if (text.startsWith("0:0:0:0:0:ffff:")) return bytes.subarray(12).join(".");
  return new URL(`http://[${text}]`).hostname.slice(1, -1);
}
