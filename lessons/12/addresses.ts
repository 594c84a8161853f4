// Lesson 12: addresses and names.
//
// This program is at home on 127.0.0.1, where there is one address for a name,
// one spelling for an address, and one colon in front of the port. Take it out
// into the world.

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
  // TODO: Try "127.0.0.1:80", and then "[::1]:80". What is the port?
  const [hostname, port] = text.split(":");
  return { hostname: hostname!, port: Number(port ?? defaultPort) };
}

/** Whether both are one host as far as the spelling tells; nobody is asked. */
export function sameHost(one: string, other: string): boolean {
  // TODO: Two people can write one address, and two spellings of it.
  return one === other;
}

/** Listens on 127.0.0.1, for programs on this machine and for nobody else. */
export function listenLocal(port: number): Deno.TcpListener {
  // TODO: No address is given here. Which one does Deno take?
  return Deno.listen({ port });
}

/** Listens on every address of this machine, of IPv4 and of IPv6. */
export function listenEverywhere(port: number): Deno.TcpListener {
  // TODO: A client on ::1 is refused.
  return Deno.listen({ hostname: "0.0.0.0", port });
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
  { resolve, signal }: ConnectOptions,
): Promise<Deno.TcpConn> {
  // TODO: The first address may be dead, or take its time.
  const [hostname = name] = await resolve(name);
  return await Deno.connect({ hostname, port, ...(signal && { signal }) });
}

/**
 * Listens on a Unix socket at `path`. The file of a server that is dead makes
 * room; anything else that lies there stays.
 *
 * @throws {Deno.errors.AddrInUse} If the path is taken.
 */
export async function listenUnix(path: string): Promise<Deno.UnixListener> {
  // TODO: Kill this server with -9, and start it again.
  return await Deno.listen({ transport: "unix", path });
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
