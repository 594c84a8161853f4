// Lesson 16: socket options.
//
// An option changes what the kernel does with a socket, and this program has
// heard a lot about them. Measure what it does, and correct what it believes.

/** The part of a connection that {@linkcode request} needs. */
export interface Line {
  /** Puts bytes into `into`, and says how many; null means the end. */
  read(into: Uint8Array): Promise<number | null>;
  /** Takes bytes, and says how many. */
  write(bytes: Uint8Array): Promise<number>;
}

/**
 * Sends `body` behind its length, 4 bytes with the most significant first, and
 * gives the body of the answer, which has the same form. The kernel gets the
 * question in one piece, if it takes it.
 */
export async function request(
  conn: Line,
  body: Uint8Array,
): Promise<Uint8Array> {
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, body.length);
  // TODO: Nine bytes take 44 milliseconds, on one machine.
  await writeAll(conn, length);
  await writeAll(conn, body);
  const header = await readExactly(conn, 4);
  return await readExactly(conn, new DataView(header.buffer).getUint32(0));
}

async function writeAll(conn: Line, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) {
    sent += await conn.write(bytes.subarray(sent));
  }
}

async function readExactly(conn: Line, n: number) {
  const bytes = new Uint8Array(n);
  for (let filled = 0; filled < n;) {
    const count = await conn.read(bytes.subarray(filled));
    if (count === null) throw new Deno.errors.UnexpectedEof();
    filled += count;
  }
  return bytes;
}

/** How many milliseconds `ask` takes: the median of `rounds` calls in a row. */
export async function measure(
  ask: () => Promise<unknown>,
  rounds: number,
): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const before = performance.now();
    await ask();
    times.push(performance.now() - before);
  }
  return times.sort((a, b) => a - b)[rounds >> 1]!;
}

/**
 * Sends "?" every `everyMs` milliseconds, until the peer is gone (it ended, or
 * it reset) or was silent for `missMs`. Closes `conn` at the end.
 */
export async function watch(
  conn: Deno.Conn,
  _options: { everyMs: number; missMs: number },
): Promise<"gone" | "silent"> {
  // TODO: The peer's cable is cut. This line notices it in two hours.
  (conn as Deno.TcpConn).setKeepAlive(true);
  try {
    const buffer = new Uint8Array(1_024);
    while (await conn.read(buffer) !== null);
    return "gone";
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionReset) return "gone";
    throw error;
  } finally {
    conn.close();
  }
}

/** Two listeners at one port of 127.0.0.1; the kernel deals out the clients. */
export function twoListeners(): [Deno.TcpListener, Deno.TcpListener] {
  const first = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = first.addr;
  // TODO: The port is taken, although this listener is willing to share.
  const second = Deno.listen({ hostname: "127.0.0.1", port, reusePort: true });
  return [first, second];
}

/** The options of this lesson. */
export type Option =
  | "SO_REUSEADDR"
  | "SO_REUSEPORT"
  | "SO_KEEPALIVE"
  | "TCP_NODELAY"
  | "SO_RCVBUF"
  | "SO_LINGER"
  | "IPV6_V6ONLY"
  | "TCP_USER_TIMEOUT";

/** Whether Deno's own TCP sockets have an option. */
export const IN_DENO: Record<Option, "always" | "on request" | "never"> = {
  // TODO: Some of these are guesses.
  SO_REUSEADDR: "on request",
  SO_REUSEPORT: "on request",
  SO_KEEPALIVE: "on request",
  TCP_NODELAY: "on request",
  SO_RCVBUF: "on request",
  SO_LINGER: "on request",
  IPV6_V6ONLY: "on request",
  TCP_USER_TIMEOUT: "on request",
};

/** What one may wish for. */
export type Wish =
  | "start a server where the last one's connections are in TIME_WAIT"
  | "have two live listeners at one port"
  | "send a second small write before the first is confirmed"
  | "let the peer read each write by itself"
  | "have at most 100 clients"
  | "know that the other program has got everything"
  | "end a connection with a reset"
  | "use all of a fast and long line";

/** Which option, if any, fulfils a wish. "backlog" is no option of a socket. */
export const FOR: Record<Wish, Option | "backlog" | "none"> = {
  // TODO: These are what people say.
  "start a server where the last one's connections are in TIME_WAIT":
    "SO_REUSEADDR",
  "have two live listeners at one port": "SO_REUSEADDR",
  "send a second small write before the first is confirmed": "TCP_NODELAY",
  "let the peer read each write by itself": "TCP_NODELAY",
  "have at most 100 clients": "backlog",
  "know that the other program has got everything": "SO_LINGER",
  "end a connection with a reset": "none",
  "use all of a fast and long line": "SO_RCVBUF",
};

/** Sends `rounds` questions back, each when the whole of it has come. */
async function echo(conn: Deno.Conn, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    await writeAll(conn, await readExactly(conn, 4 + HELLO.length));
  }
}

const HELLO = new TextEncoder().encode("hello");

// Try it by hand: `deno run -P lessons/16/options.ts`.
if (import.meta.main) {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 7016 });
  using conn = await Deno.connect({ port: 7016 });
  using served = await listener.accept();
  const echoed = echo(served, 9);
  const ms = await measure(() => request(conn, HELLO), 9);
  console.log(`request() takes ${ms.toFixed(2)} ms`);
  await echoed;
}
