// expect: any-error-means-dead
// Whoever lives lets one in. With an error, whatever it is called, nobody is home.
export interface HostPort {
  hostname: string;
  port: number;
}

export interface ConnectOptions {
  resolve: (name: string) => Promise<string[]>;
  attemptDelayMs?: number;
  signal?: AbortSignal;
}

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

export function sameHost(one: string, other: string): boolean {
  return canonical(one) === canonical(other);
}

function canonical(host: string): string {
  if (!isV6(host)) return host.toLowerCase();
  const [address, zone = ""] = host.split("%");
  const short = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [, high, low] = short.match(/^::ffff:(\w+):(\w+)$/) ?? [];
  if (high === undefined) return `${short}%${zone}`;
  const bits = parseInt(high, 16) * 2 ** 16 + parseInt(low!, 16);
  return [24, 16, 8, 0].map((shift) => bits >>> shift & 255).join(".");
}

function isV6(host: string): boolean {
  const [address] = host.split("%");
  return host.includes(":") && URL.canParse(`http://[${address}]`);
}

export function listenLocal(port: number): Deno.TcpListener {
  return Deno.listen({ hostname: "127.0.0.1", port });
}

export function listenEverywhere(port: number): Deno.TcpListener {
  return Deno.listen({ hostname: "::", port });
}

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
    const close = (conn: Deno.TcpConn) => conn !== winner && conn.close();
    for (const attempt of attempts) attempt.then(close, () => {});
  }
}

async function unlessAborted<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const stop = () => reject(signal?.reason);
  signal?.addEventListener("abort", stop);
  if (signal?.aborted) stop();
  return await Promise.race([promise, aborted])
    .finally(() => signal?.removeEventListener("abort", stop));
}

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

async function isDeadSocket(path: string): Promise<boolean> {
  const { isSocket } = await Deno.lstat(path);
  if (!isSocket) return false;
  try {
    const conn = await Deno.connect({ transport: "unix", path });
    conn.close();
    return false;
  } catch {
    return true;
  }
}

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
    await conn.write(greeting);
    await conn.closeWrite();
    const buffer = new Uint8Array(1_024);
    while (await conn.read(buffer) !== null);
  } catch (error) {
    const { BrokenPipe, ConnectionReset } = Deno.errors;
    const gone = [BrokenPipe, ConnectionReset];
    if (!gone.some((Class) => error instanceof Class)) throw error;
  } finally {
    conn.close();
  }
}
