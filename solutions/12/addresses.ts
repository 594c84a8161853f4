// Lesson 12, solved: addresses and names.
//
// One address can be written in many ways, one name can stand for many
// addresses, and a socket needs neither: its address can be a file. Whatever
// stands for a place is read with care, and tried before it is given up.

/** Where to listen, or what to connect to. */
export interface HostPort {
  /** A name, or an address; IPv6 without its brackets. */
  hostname: string;
  port: number;
}

/** How to reach a host by its name. */
export interface ConnectOptions {
  /** Finds the addresses that a name stands for, the best one first. */
  resolve: (name: string) => Promise<string[]>;
  /** How long to wait for one address before the next is tried beside it. */
  attemptDelayMs?: number;
  /** Calls everything off. */
  signal?: AbortSignal;
}

/**
 * Reads "host:port" and "[address]:port", and both without a port if there is
 * a `defaultPort`; then an IPv6 address may stand there bare.
 *
 * @throws {TypeError} If `text` is nothing of that; the message quotes it.
 */
export function parseHostPort(text: string, defaultPort?: number): HostPort {
  const [, bracketed, plain, digits] =
    text.match(/^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d+))?$/) ?? [];
  const address = bracketed ?? text;
  const hostname = plain ?? (isV6(address) ? address : undefined);
  const port = digits === undefined ? defaultPort : Number(digits);
  if (hostname === undefined || port === undefined || port > 65_535) {
    throw new TypeError(`Cannot read "${text}": it is no host and port`);
  }
  return { hostname, port };
}

/** Whether both are one host as far as the spelling tells; nobody is asked. */
export function sameHost(one: string, other: string): boolean {
  return canonical(one) === canonical(other);
}

/** The one spelling that stands for all others of `host`. */
function canonical(host: string): string {
  if (!isV6(host)) return host.toLowerCase();
  // The zone says which link fe80::1 is on; it is no part of the address.
  const [address, zone = ""] = host.split("%");
  const short = new URL(`http://[${address}]`).hostname.slice(1, -1);
  // An IPv4 client on a socket that listens for IPv6: its address is inside.
  const [, high, low] = short.match(/^::ffff:(\w+):(\w+)$/) ?? [];
  if (high === undefined) return `${short}%${zone}`;
  const bits = parseInt(high, 16) * 2 ** 16 + parseInt(low!, 16);
  return [24, 16, 8, 0].map((shift) => bits >>> shift & 255).join(".");
}

/** Whether `host` is an IPv6 address, with or without a zone. */
function isV6(host: string): boolean {
  const [address] = host.split("%");
  return host.includes(":") && URL.canParse(`http://[${address}]`);
}

/** Listens on 127.0.0.1, for programs on this machine and for nobody else. */
export function listenLocal(port: number): Deno.TcpListener {
  return Deno.listen({ hostname: "127.0.0.1", port });
}

/** Listens on every address of this machine, of IPv4 and of IPv6. */
export function listenEverywhere(port: number): Deno.TcpListener {
  return Deno.listen({ hostname: "::", port });
}

/**
 * Connects to `name`, at whichever of its addresses answers first; the other
 * attempts are called off.
 *
 * @throws {AggregateError} If none does. Its message names each address, or
 * `name` if that has none.
 * @throws The reason of `signal`, if that comes first.
 */
export async function connectAny(
  name: string,
  port: number,
  { resolve, attemptDelayMs = 250, signal }: ConnectOptions,
): Promise<Deno.TcpConn> {
  const addresses = await unlessAborted(resolve(name), signal);
  const enough = new AbortController();
  const signals = signal ? [signal, enough.signal] : [enough.signal];
  const attempts: Promise<Deno.TcpConn>[] = [];
  let winner: Deno.TcpConn | undefined;
  try {
    for (const hostname of addresses) {
      const all = AbortSignal.any(signals);
      attempts.push(Deno.connect({ hostname, port, signal: all }));
      winner = await firstOf(attempts, attemptDelayMs);
      if (winner) return winner;
    }
    return winner = await Promise.any(attempts);
  } catch (error) {
    signal?.throwIfAborted();
    if (!(error instanceof AggregateError)) throw error;
    const why = error.errors.map(({ message }, i) =>
      `${addresses[i]}: ${message}`
    );
    const all = why.join(", ") || "it has no address";
    throw new AggregateError(error.errors, `Cannot reach ${name}: ${all}`);
  } finally {
    enough.abort();
    // Two can connect in the same moment, and somebody has to close the other.
    const close = (conn: Deno.TcpConn) => conn !== winner && conn.close();
    for (const attempt of attempts) attempt.then(close, () => {});
  }
}

/** What `promise` gives, unless `signal` aborts before. */
async function unlessAborted<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const stop = () => reject(signal?.reason);
  signal?.addEventListener("abort", stop);
  if (signal?.aborted) stop(); // It has been, and will not be again.
  return await Promise.race([promise, aborted])
    .finally(() => signal?.removeEventListener("abort", stop));
}

/** The first connection; none if the latest attempt fails, or takes too long. */
async function firstOf(
  attempts: Promise<Deno.TcpConn>[],
  ms: number,
): Promise<Deno.TcpConn | undefined> {
  const { promise: patience, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => resolve(undefined), ms);
  const latest = attempts.at(-1)!;
  const race = [Promise.any(attempts), latest, patience];
  return await Promise.race(race).catch(() => undefined)
    .finally(() => clearTimeout(timer));
}

/**
 * Listens on a Unix socket at `path`. The file of a server that is dead makes
 * room; anything else that lies there stays.
 *
 * @throws {Deno.errors.AddrInUse} If the path is taken.
 */
export async function listenUnix(path: string): Promise<Deno.UnixListener> {
  try {
    return Deno.listen({ transport: "unix", path });
  } catch (error) {
    const taken = error instanceof Deno.errors.AddrInUse;
    if (!taken || !await isDeadSocket(path)) throw error;
  }
  await Deno.remove(path);
  return Deno.listen({ transport: "unix", path });
}

/** Whether the file of a socket lies at `path`, and nobody listens on it. */
async function isDeadSocket(path: string): Promise<boolean> {
  // Every other kind of file refuses a connection just as a dead socket does.
  const { isSocket } = await Deno.lstat(path);
  if (!isSocket) return false;
  try {
    const conn = await Deno.connect({ transport: "unix", path });
    conn.close();
    return false;
  } catch (error) {
    // Whoever is busy has no room for one more client, and is alive.
    return error instanceof Deno.errors.ConnectionRefused;
  }
}

/** Tells each client of `listener` where it comes from, until that closes. */
export async function serve(listener: Deno.Listener): Promise<void> {
  const clients = new Set<Promise<void>>();
  for await (const conn of listener) {
    const client = greet(conn).finally(() => clients.delete(client));
    clients.add(client);
  }
  await Promise.all(clients);
}

async function greet(conn: Deno.Conn): Promise<void> {
  const { remoteAddr } = conn;
  const from = "hostname" in remoteAddr ? remoteAddr.hostname : "this machine";
  const greeting = new TextEncoder().encode(`You come from ${from}\n`);
  try {
    await conn.write(greeting); // So few bytes go in one write.
    await conn.closeWrite();
    const buffer = new Uint8Array(1_024);
    while (await conn.read(buffer) !== null); // Lesson 06: read, then close.
  } catch (error) {
    const { BrokenPipe, ConnectionReset } = Deno.errors;
    const gone = [BrokenPipe, ConnectionReset];
    if (!gone.some((Class) => error instanceof Class)) throw error;
  } finally {
    conn.close();
  }
}

// Try it by hand: `deno run -P lessons/12/addresses.ts '[::1]:7012'`. What has a
// slash in it is the path of a Unix socket, and needs more permissions.
if (import.meta.main) {
  const [where = "127.0.0.1:7012"] = Deno.args;
  const listener = where.includes("/")
    ? await listenUnix(where)
    : Deno.listen(parseHostPort(where, 7012));
  console.log("Listening on", where);
  await serve(listener);
}
