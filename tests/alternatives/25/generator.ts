// style: parsers are generators that yield how many bytes they want next
type HostPort = { hostname: string; port: number };
type Duplex = Pick<Deno.Conn, "read" | "write">;
type Auth = (user: string, password: string) => boolean;
type Login = readonly [string, string];
type Options = {
  allow: (address: string, port: number) => boolean;
  resolve: (name: string) => Promise<string[]>;
  auth?: Auth;
  connectMs?: number;
};
type Parser<T> = Generator<number, T, Uint8Array>;

export type SocksOptions = Options;

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

const { errors } = Deno;

export async function tunnel(a: Deno.TcpConn, b: Deno.TcpConn) {
  try {
    const ways = [[a, b], [b, a]] as const;
    await Promise.all(ways.map(async ([from, to]) => {
      for await (const bytes of chunks(from)) await writeAll(to, bytes);
      await to.closeWrite();
    }));
  } finally {
    for (const conn of [a, b]) conn[Symbol.dispose]();
  }
}

async function* chunks(conn: Deno.TcpConn) {
  const buffer = new Uint8Array(20_000);
  for (;;) {
    const n = await conn.read(buffer);
    if (n === null) return;
    yield buffer.subarray(0, n);
  }
}

export async function serveProxy(listener: Deno.TcpListener, to: HostPort) {
  await each(listener, async (client) => {
    await tunnel(client, await Deno.connect(to));
  });
}

async function each(
  listener: Deno.TcpListener,
  visit: (client: Deno.TcpConn) => Promise<void>,
) {
  const visits: Promise<void>[] = [];
  for await (const client of listener) {
    const over = () => client[Symbol.dispose]();
    // Any kind of error: here it is the visitor's own affair.
    visits.push(visit(client).then(over, over));
  }
  await Promise.all(visits);
}

/** Gives the parser exactly what it asks for. */
async function parse<T>(from: Pick<Deno.Conn, "read">, parser: Parser<T>) {
  let step = parser.next();
  while (!step.done) {
    const wanted = new Uint8Array(step.value);
    for (let at = 0; at < wanted.length;) {
      const n = await from.read(wanted.subarray(at));
      if (n === null) throw new errors.UnexpectedEof("it ended inside");
      at += n;
    }
    step = parser.next(wanted);
  }
  return step.value;
}

function* byte(): Parser<number> {
  return (yield 1)[0]!;
}

function* text(): Parser<string> {
  return new TextDecoder().decode(yield yield* byte());
}

function* address(type: number): Parser<HostPort> {
  let hostname: string;
  if (type === 1) hostname = Array.from(yield 4).join(".");
  else if (type === 3) hostname = yield* text();
  else if (type === 4) hostname = v6(yield 16);
  else throw new SocksError(REPLY.noAddressType);
  const port = (yield* byte()) << 8 | (yield* byte());
  return { hostname, port };
}

function v6(bytes: Uint8Array): string {
  const hex = Array.from(bytes, (b) => b.toString(16).padStart(2, "0"));
  const groups = hex.join("").match(/.{4}/g)!;
  return new URL(`http://[${groups.join(":")}]`).hostname.replace(/[[\]]/g, "");
}

export async function greet(client: Duplex, auth?: Auth): Promise<boolean> {
  const methods = await parse(client, hello());
  if (methods === undefined) return false;
  const method = auth ? 2 : 0;
  if (!methods.includes(method)) {
    await writeAll(client, Uint8Array.of(5, 255));
    return false;
  }
  await writeAll(client, Uint8Array.of(5, method));
  if (!auth) return true;
  const login = await parse(client, credentials());
  if (login === undefined) return false; // It is told nothing.
  const ok = auth(...login);
  await writeAll(client, Uint8Array.of(1, ok ? 0 : 7));
  return ok;
}

function* hello(): Parser<Uint8Array | undefined> {
  if ((yield* byte()) !== 5) return undefined;
  return yield yield* byte();
}

function* credentials(): Parser<[string, string] | undefined> {
  if ((yield* byte()) !== 1) return undefined;
  const user = yield* text();
  return [user, yield* text()];
}

export function readRequest(client: Pick<Deno.Conn, "read">) {
  return parse(client, request());
}

function* request(): Parser<HostPort & { command: number; type: number }> {
  const [version, command, , type] = yield 4;
  if (version !== 5) throw new errors.InvalidData("no SOCKS 5");
  return { ...yield* address(type!), command: command!, type: type! };
}

const CLASSES: [new () => Error, number][] = [
  [errors.ConnectionRefused, 5],
  [errors.NetworkUnreachable, 3],
  [errors.TimedOut, 4],
  [errors.NotFound, 4],
  [errors.NotCapable, 2],
  [errors.PermissionDenied, 2],
];

export function replyFor(error: unknown): number {
  if (error instanceof SocksError) return error.reply;
  const found = CLASSES.find(([Class]) => error instanceof Class);
  if (found) return found[1];
  const { name, code, message } = error as Error & { code?: string };
  const lost = name === "TimeoutError" || code === "EHOSTUNREACH" ||
    /^failed to lookup/.test(message);
  return lost ? 4 : 1;
}

export async function serveSocks(listener: Deno.TcpListener, options: Options) {
  await each(listener, async (client) => {
    if (!await greet(client, options.auth)) return;
    const found = await dial(client, options).catch(replyFor);
    if (typeof found === "number") {
      // The address of a failure may be a name, and empty.
      return await writeAll(client, Uint8Array.of(5, found, 0, 3, 0, 0, 0));
    }
    try {
      const { hostname, port } = found.localAddr;
      const [...v4] = hostname.split(".").map(Number);
      const from = v4.length === 4 ? [1, ...v4] : [4, ...Array(15).fill(0), 1];
      const reply = Uint8Array.of(5, 0, 0, ...from, port >> 8, port);
      await writeAll(client, reply);
      await tunnel(client, found);
    } finally {
      found[Symbol.dispose]();
    }
  });
}

async function dial(client: Deno.TcpConn, options: Options) {
  const { command, type, hostname, port } = await readRequest(client);
  if (command !== 1) throw new SocksError(7);
  const [address] = type === 3 ? await options.resolve(hostname) : [hostname];
  if (address === undefined) throw new SocksError(4);
  if (!options.allow(address, port)) throw new SocksError(2);
  const control = new AbortController();
  const late = new SocksError(4);
  const timer = setTimeout(
    () => control.abort(late),
    options.connectMs ?? 10_000,
  );
  const { signal } = control;
  return await Deno.connect({ hostname: address, port, signal })
    .finally(() => clearTimeout(timer));
}

export async function socksConnect(
  proxy: HostPort,
  { hostname, port }: HostPort,
  login?: Login,
): Promise<Deno.TcpConn> {
  const conn = await Deno.connect(proxy);
  let granted = false;
  try {
    // With a password at hand, both will do.
    const offer = login ? [5, 2, 0, 2] : [5, 1, 0];
    await writeAll(conn, Uint8Array.from(offer));
    const [, method] = await parse(conn, bytes(2));
    if (method === 2 && login) await logIn(conn, login);
    else if (method !== 0) throw new SocksError(method!);
    const host = /^[\d.]+$/.test(hostname)
      ? [1, ...hostname.split(".").map(Number)]
      : [3, ...counted(hostname)];
    const ask = Uint8Array.of(5, 1, 0, ...host, port >> 8, port);
    await writeAll(conn, ask);
    const [, reply, , type] = await parse(conn, bytes(4));
    if (reply !== 0) throw new SocksError(reply!);
    await parse(conn, address(type!));
    granted = true;
    return conn;
  } finally {
    if (!granted) conn.close();
  }
}

async function logIn(conn: Deno.TcpConn, login: Login) {
  await writeAll(conn, Uint8Array.of(1, ...login.flatMap(counted)));
  const [, status] = await parse(conn, bytes(2));
  if (status !== 0) throw new SocksError(2);
}

function* bytes(n: number): Parser<Uint8Array> {
  return yield n;
}

function counted(text: string): number[] {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length > 255) throw new RangeError("Cannot count above 255");
  return [bytes.length, ...bytes];
}

async function writeAll(to: Pick<Deno.Conn, "write">, bytes: Uint8Array) {
  for (let n = 0; n < bytes.length;) n += await to.write(bytes.subarray(n));
}
