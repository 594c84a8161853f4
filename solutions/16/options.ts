// Lesson 16, solved: socket options.
//
// An option changes what the kernel does with a socket. Each of them answers
// one wish, and some wishes have no option. Here are four programs that want
// something, and two tables of what there is to choose from.

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
  const question = new Uint8Array(4 + body.length);
  new DataView(question.buffer).setUint32(0, body.length);
  question.set(body, 4);
  // One small piece at a time waits for nobody. A second would: the kernel
  // holds it back until the peer has confirmed the first, and the peer is slow
  // to confirm what it cannot answer yet.
  await writeAll(conn, question);
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
  { everyMs, missMs }: { everyMs: number; missMs: number },
): Promise<"gone" | "silent"> {
  // SO_KEEPALIVE would ask for the first time after two hours.
  const asking = setInterval(() => ask(conn), everyMs);
  let silent = false;
  const giveUp = () => {
    silent = true;
    conn.close(); // Ends the read below.
  };
  let alarm = setTimeout(giveUp, missMs);
  try {
    const buffer = new Uint8Array(1_024);
    while (await conn.read(buffer) !== null) {
      clearTimeout(alarm);
      alarm = setTimeout(giveUp, missMs);
    }
    return "gone";
  } catch (error) {
    if (silent) return "silent";
    if (error instanceof Deno.errors.ConnectionReset) return "gone";
    throw error;
  } finally {
    clearInterval(asking);
    clearTimeout(alarm);
    if (!silent) conn.close();
  }
}

/** Asks the peer for a sign of life. */
async function ask(conn: Deno.Conn): Promise<void> {
  try {
    await conn.write(new TextEncoder().encode("?"));
  } catch (error) {
    // The read hears of it as well, and it decides what follows.
    const { BadResource, BrokenPipe, ConnectionReset, Interrupted } =
      Deno.errors;
    const over = [BadResource, BrokenPipe, ConnectionReset, Interrupted];
    if (!over.some((kind) => error instanceof kind)) throw error;
  }
}

/** Two listeners at one port of 127.0.0.1; the kernel deals out the clients. */
export function twoListeners(): [Deno.TcpListener, Deno.TcpListener] {
  const first = Deno.listen({
    hostname: "127.0.0.1",
    port: 0,
    reusePort: true, // The first has to agree, too.
  });
  const { port } = first.addr;
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
  SO_REUSEADDR: "always", // Each listener has it, on Linux and macOS.
  SO_REUSEPORT: "on request", // Deno.listen({ reusePort }), with unstable "net".
  SO_KEEPALIVE: "on request", // conn.setKeepAlive()
  TCP_NODELAY: "on request", // conn.setNoDelay()
  SO_RCVBUF: "never", // node:dgram has it, for UDP.
  SO_LINGER: "never", // resetAndDestroy() of node:net makes one use of it.
  IPV6_V6ONLY: "never", // node:net takes ipv6Only, and ignores it.
  TCP_USER_TIMEOUT: "never",
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
  "start a server where the last one's connections are in TIME_WAIT":
    "SO_REUSEADDR",
  "have two live listeners at one port": "SO_REUSEPORT",
  "send a second small write before the first is confirmed": "TCP_NODELAY",
  "let the peer read each write by itself": "none", // Lessons 07 to 10.
  "have at most 100 clients": "none", // Count them, as in lesson 17.
  "know that the other program has got everything": "none", // It must say so.
  "end a connection with a reset": "SO_LINGER", // With a time of 0.
  "use all of a fast and long line": "none", // The kernel sizes its buffers.
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
