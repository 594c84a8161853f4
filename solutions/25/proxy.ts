// Lesson 25, solved: a TCP proxy, and SOCKS5.
//
// A proxy is a server to one side and a client to the other. It carries bytes
// between them, and each end of a direction as well. With SOCKS (RFC 1928) the
// client says where to. Then a rule decides, about an address and never a name.

/** A name or an address, and a port. */
export interface HostPort {
  readonly hostname: string;
  readonly port: number;
}

/** What can be read from: a connection, or what stands in for one. */
export type Reader = Pick<Deno.Conn, "read">;

/** What a handshake needs of a connection. */
export type Duplex = Pick<Deno.Conn, "read" | "write">;

/** Whether this is the password of this user. */
export type Auth = (user: string, password: string) => boolean;

/** What a client asks for. */
export interface SocksRequest extends HostPort {
  /** 1 is CONNECT, the only one here. */
  readonly command: number;
  /** What the hostname is: 1 for IPv4, 3 for a name, 4 for IPv6. */
  readonly type: number;
}

/** Settings of a SOCKS server. */
export interface SocksOptions {
  /** The rule: whether clients may get to this address. No name comes here. */
  readonly allow: (address: string, port: number) => boolean;
  /** Finds the addresses of a name, the best one first; none if unknown. */
  readonly resolve: (name: string) => Promise<string[]>;
  /** If given, clients have to log in (RFC 1929). */
  readonly auth?: Auth;
  /** How long to wait for a target, in milliseconds. Default: 10,000. */
  readonly connectMs?: number;
}

/** What a server answers to a request: section 6 of RFC 1928. */
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

/** No, in the words of SOCKS: what a server answers, and its client throws. */
export class SocksError extends Error {
  override name = "SocksError";
  /** One of {@linkcode REPLY}, or 255: no method was accepted. */
  readonly reply: number;

  constructor(reply: number) {
    super(`Cannot go through the proxy: its answer is ${reply}`);
    this.reply = reply;
  }
}

const METHOD = { none: 0, password: 2, unacceptable: 0xff };
const TYPE = { ipv4: 1, name: 3, ipv6: 4 };
const CONNECT = 1;

// -- Part 1: a tunnel, and a proxy with one target --

/**
 * Passes on everything, both ways, and each end as well. Closes both when both
 * have ended, or when either of them has vanished.
 */
export async function tunnel(a: Deno.TcpConn, b: Deno.TcpConn): Promise<void> {
  // Closing also ends the way that still waits, if the other one has failed.
  using _a = a;
  using _b = b;
  try {
    await Promise.all([carry(a, b), carry(b, a)]);
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

/** One direction, to its end. The way back has an end of its own. */
async function carry(from: Deno.TcpConn, to: Deno.TcpConn): Promise<void> {
  // Whether bytes should wait for more is for the sender to say (lesson 16).
  to.setNoDelay();
  const buffer = new Uint8Array(65_536);
  for (let n; (n = await from.read(buffer)) !== null;) {
    // Nothing is read before this is written: a slow reader slows the sender.
    await writeAll(to, buffer.subarray(0, n));
  }
  await to.closeWrite();
}

/** Connects each client of `listener` to `to`, until the listener closes. */
export function serveProxy(
  listener: Deno.TcpListener,
  to: HostPort,
): Promise<void> {
  return serveEach(listener, async (client) => {
    // Whatever it is, even that no descriptor is left (lesson 17): it is the
    // visit of one client that fails. A production server would log it.
    const server = await Deno.connect({ ...to }).catch(() => null);
    if (server !== null) await tunnel(client, server);
  });
}

/** Visits all clients at once, and closes each when its visit is over. */
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
      if (!isGone(error)) throw error; // A bug of ours, and loud.
    }
  };
  for await (const client of arrivals(listener)) {
    const done = welcome(client).finally(() => visits.delete(done));
    visits.add(done);
  }
  await Promise.all(visits);
}

// -- Part 2: the greeting --

/**
 * Agrees with a client on a method, and lets it log in if there is `auth`.
 * Returns whether it may go on; if not, the visit is over.
 */
export async function greet(client: Duplex, auth?: Auth): Promise<boolean> {
  const [version, count] = await readExactly(client, 2);
  if (version !== 5) return false; // HTTP, or SOCKS 4: it would not understand.
  const offered = await readExactly(client, count!);
  // What the client likes best does not matter: the server has its own rule.
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

// -- Part 3: the request --

/**
 * Reads a request, and not a byte more: what follows is for the target.
 *
 * @throws {SocksError} If the type of its address is none.
 * @throws {Deno.errors.InvalidData} If it is no request of SOCKS 5.
 * @throws {Deno.errors.UnexpectedEof} If the client ends inside it.
 */
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

/** Only the type tells how many bytes the host has. */
async function readHost(from: Reader, type: number): Promise<string> {
  if (type === TYPE.ipv4) return (await readExactly(from, 4)).join(".");
  if (type === TYPE.ipv6) return ipv6Text(await readExactly(from, 16));
  if (type === TYPE.name) return await readText(from);
  throw new SocksError(REPLY.noAddressType);
}

// -- Part 4: the rule, and the reply --

/** What SOCKS calls `error`. */
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

/** Serves SOCKS 5 to the clients of `listener`, until the listener closes. */
export function serveSocks(
  listener: Deno.TcpListener,
  options: SocksOptions,
): Promise<void> {
  // A client has as long as it likes to ask. Lesson 17 would put a limit there.
  return serveEach(listener, async (client) => {
    if (!await greet(client, options.auth)) return;
    let target: Deno.TcpConn;
    try {
      target = await dial(await readRequest(client), options);
    } catch (error) {
      // A stranger chose the target: its errors are the stranger's to hear.
      return await writeAll(client, encodeReply(replyFor(error)));
    }
    using _target = target; // The client may have left while we connected.
    await writeAll(client, encodeReply(REPLY.granted));
    await tunnel(client, target);
  });
}

/** Connects to the first address of the target that is allowed and answers. */
async function dial(
  { command, type, hostname, port }: SocksRequest,
  { allow, resolve, connectMs = 10_000 }: SocksOptions,
): Promise<Deno.TcpConn> {
  if (command !== CONNECT) throw new SocksError(REPLY.noCommand);
  // What came as a name is one, even "0177.0.0.1", which looks like no loopback.
  const found = type === TYPE.name ? await resolve(hostname) : [hostname];
  if (found.length === 0) throw new SocksError(REPLY.noHost);
  const allowed = found.filter((address) => allow(address, port));
  const signal = AbortSignal.timeout(connectMs);
  let failure: unknown = new SocksError(REPLY.denied);
  for (const address of allowed) {
    try {
      // To the address that was judged: the name may mean another one by now.
      return await Deno.connect({ hostname: address, port, signal });
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

// -- Part 5: the client --

/**
 * Connects to `target`, a name or an IPv4 address, through the SOCKS server at
 * `proxy`. What is read from the connection comes from the target.
 *
 * @throws {SocksError} If the proxy refuses.
 * @throws {RangeError} If a name, a user or a password is above 255 bytes.
 * @throws {Deno.errors.UnexpectedEof} If it hangs up instead of answering.
 */
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
    await readAddress(conn, type!); // Of no use to us, and in the way.
    return conn;
  } catch (error) {
    conn.close(); // Nobody else has it yet.
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

// -- Reading and writing --

/**
 * The clients of `listener`, until it closes. One client that cannot be let in
 * ends nothing (lesson 17).
 */
async function* arrivals(
  listener: Deno.TcpListener,
): AsyncGenerator<Deno.TcpConn> {
  for (;;) {
    try {
      yield await listener.accept();
    } catch (error) {
      const { BadResource, NotConnected } = Deno.errors;
      if (error instanceof BadResource) return; // It is closed.
      if (error instanceof NotConnected) continue; // The client has reset.
      console.error("Cannot accept:", error); // Too many files, perhaps.
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** Reads exactly `length` bytes; what comes after them stays in the kernel. */
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

/** Reads a text that has its length, one byte, before it. */
async function readText(from: Reader): Promise<string> {
  const [length] = await readExactly(from, 1);
  return new TextDecoder().decode(await readExactly(from, length!));
}

/** Writes all of `data`, however little the kernel takes at a time. */
async function writeAll(
  to: Pick<Deno.Conn, "write">,
  data: Uint8Array,
): Promise<void> {
  for (let sent = 0; sent < data.length;) {
    sent += await to.write(data.subarray(sent));
  }
}

/** Whether `error` means that a peer has left, or is out of reach by now. */
function isGone(error: unknown): boolean {
  const { BrokenPipe, ConnectionReset, UnexpectedEof } = Deno.errors;
  const left = [BrokenPipe, ConnectionReset, UnexpectedEof];
  const away: number[] = [REPLY.noNetwork, REPLY.noHost];
  return left.some((Way) => error instanceof Way) ||
    away.includes(replyFor(error));
}

// -- Bytes and texts of SOCKS --

/** A reply. It could say where the proxy connects from; hardly anybody asks. */
function encodeReply(reply: number): Uint8Array {
  return Uint8Array.of(5, reply, 0, TYPE.ipv4, 0, 0, 0, 0, 0, 0);
}

/** The bytes of a text, with their number before them. */
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

/** The usual spelling, by which a rule knows an address: not "0:0:…:1". */
function ipv6Text(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const groups = [0, 2, 4, 6, 8, 10, 12, 14].map((at) => view.getUint16(at));
  const text = groups.map((group) => group.toString(16)).join(":");
  // An IPv4 address inside an IPv6 one is the IPv4 address (lesson 12).
  if (text.startsWith("0:0:0:0:0:ffff:")) return bytes.subarray(12).join(".");
  return new URL(`http://[${text}]`).hostname.slice(1, -1);
}

// Try it by hand: `deno run -P solutions/25/proxy.ts`, and go through it with
// `curl -x socks5h://127.0.0.1:7025 …`. Addresses behind it are forbidden;
// `to 7003` makes it a proxy for that port instead.
if (import.meta.main) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 7025 });
  const [first, port] = Deno.args;
  if (first === "to") {
    await serveProxy(listener, { hostname: "127.0.0.1", port: Number(port) });
  } else {
    // The proxy's own names. With more than -P: `Deno.resolveDns(name, "A")`.
    const hosts = new Map(
      ["localhost", "home.test"].map((name) => [name, ["127.0.0.1"]]),
    );
    await serveSocks(listener, {
      allow: (address) => !Deno.args.includes(address),
      resolve: (name) => Promise.resolve(hosts.get(name) ?? []),
    });
  }
}
