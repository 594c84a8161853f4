// style: URLs read the addresses; attempts as tasks, each with its own start
const { AddrInUse, BadResource, BrokenPipe, ConnectionReset } = Deno.errors;

export function parseHostPort(text: string, defaultPort = NaN) {
  const zone = text.match(/%[^\]:]+/)?.[0] ?? "";
  const bare = text.replace(zone, "");
  // Nothing but IPv6 has two colons, and only in brackets it has a port.
  const isBareV6 = /^[^[\]]*:[^[\]]*:[^[\]]*$/.test(bare);
  const full = isBareV6 ? `[${bare}]` : bare;
  const port = full.match(/(?<=[^:]):(\d+)$/)?.[1];
  const host = port === undefined ? full : full.slice(0, -port.length - 1);
  const valid = /^\[[^\]]+\]$|^[^:\s[\]]+$/.test(host) &&
    URL.canParse(`ws://${host}`);
  const number = Number(port ?? defaultPort);
  if (!valid || !(number <= 65_535)) throw new TypeError(`Not a host: ${text}`);
  return { hostname: host.replace(/^\[(.*)\]$/, "$1") + zone, port: number };
}

export function sameHost(one: string, other: string): boolean {
  return spelled(one) === spelled(other);
}

function spelled(host: string): string {
  const [address = "", ...zone] = host.split("%");
  const dotted = address.match(/^::ffff:(\d+\.\d+\.\d+\.\d+)$/i);
  if (dotted) return mapped(dotted[1]!);
  if (!address.includes(":")) return mapped(address);
  const { hostname } = new URL(`ws://[${address}]`);
  return [hostname, ...zone].join("%");
}

/** An IPv4 address in hex would be another spelling of the mapped one. */
function mapped(host: string): string {
  if (!/^[\d.]+$/.test(host)) return host.toLowerCase();
  return new URL(`ws://[::ffff:${host}]`).hostname;
}

export function listenLocal(port: number): Deno.TcpListener {
  return Deno.listen({ hostname: "localhost", port });
}

export function listenEverywhere(port: number): Deno.TcpListener {
  return Deno.listen({ transport: "tcp", hostname: "::", port });
}

class Race {
  readonly #ended = new AbortController();
  readonly #signal: AbortSignal;
  #winner: Deno.TcpConn | undefined;

  constructor(signal: AbortSignal | undefined) {
    const { signal: ended } = this.#ended;
    this.#signal = signal ? AbortSignal.any([signal, ended]) : ended;
  }

  /** Runs once it is told to, or `delay` after it could have been. */
  async run(hostname: string, port: number): Promise<Deno.TcpConn> {
    const signal = this.#signal;
    const conn = await Deno.connect({ hostname, port, signal });
    this.#winner ??= conn;
    if (conn !== this.#winner) conn.close();
    this.#ended.abort();
    return this.#winner;
  }

  /** Waits for `ms` milliseconds, for the failure of `attempt`, or the end. */
  async pause(ms: number, attempt: Promise<unknown>) {
    const over = Promise.withResolvers<void>();
    const timer = setTimeout(over.resolve, ms);
    const end = () => over.resolve();
    this.#signal.addEventListener("abort", end);
    await Promise.race([over.promise, attempt]).catch(() => {});
    this.#signal.removeEventListener("abort", end);
    clearTimeout(timer);
  }

  /** Resolves when it is over. */
  get stop(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#signal.addEventListener("abort", () => resolve(), { once: true });
    return promise;
  }

  get isOver(): boolean {
    return this.#signal.aborted;
  }
}

export async function connectAny(
  name: string,
  port: number,
  options: {
    resolve: (name: string) => Promise<string[]>;
    attemptDelayMs?: number;
    signal?: AbortSignal;
  },
): Promise<Deno.TcpConn> {
  options.signal?.throwIfAborted();
  const race = new Race(options.signal);
  const attempts: Promise<Deno.TcpConn>[] = [];
  const tried: string[] = [];
  const addresses = options.resolve(name);
  addresses.catch(() => {}); // Whoever is told to stop asks no more.
  await Promise.race([addresses, race.stop]);
  if (race.isOver) throw options.signal!.reason;
  for (const hostname of await addresses) {
    if (race.isOver) break;
    const attempt = race.run(hostname, port);
    attempts.push(attempt);
    tried.push(hostname);
    await race.pause(options.attemptDelayMs ?? 250, attempt);
  }
  try {
    return await Promise.any(attempts);
  } catch (error) {
    if (options.signal?.aborted) throw options.signal.reason;
    const { errors } = error as AggregateError;
    const lines = errors.map((cause, i) => new Error(tried[i], { cause }));
    throw new AggregateError(lines, `No way to ${name}`);
  }
}

export async function listenUnix(path: string): Promise<Deno.UnixListener> {
  for (let again = false;; again = true) {
    try {
      return Deno.listen({ path, transport: "unix" });
    } catch (error) {
      if (!(error instanceof AddrInUse) || again) throw error;
      const answer = await Deno.connect({ path, transport: "unix" })
        .then((conn) => (conn.close(), "alive"), ({ name }) => String(name));
      const { isSocket } = Deno.statSync(path);
      if (answer !== "ConnectionRefused" || !isSocket) throw error;
      Deno.removeSync(path);
    }
  }
}

export async function serve(listener: Deno.Listener): Promise<void> {
  const visits: Promise<unknown>[] = [];
  for await (const { readable, writable, remoteAddr } of listener) {
    const host = "hostname" in remoteAddr
      ? remoteAddr.hostname
      : "this machine";
    const greeting = new Blob([`You come from ${host}\n`]).stream();
    const visit = greeting.pipeTo(writable).then(() => readable.cancel());
    visits.push(visit.catch((error) => {
      const gone = [BadResource, BrokenPipe, ConnectionReset];
      if (!gone.some((Class) => error instanceof Class)) throw error;
    }));
  }
  await Promise.all(visits);
}
