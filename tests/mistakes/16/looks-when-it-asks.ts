// expect: looks-when-it-asks
// One clock is enough: it comes by every everyMs, and can look at the time.
export interface Line {
  read(into: Uint8Array): Promise<number | null>;
  write(bytes: Uint8Array): Promise<number>;
}

export async function request(
  conn: Line,
  body: Uint8Array,
): Promise<Uint8Array> {
  const question = new Uint8Array(4 + body.length);
  new DataView(question.buffer).setUint32(0, body.length);
  question.set(body, 4);
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

export async function watch(
  conn: Deno.Conn,
  { everyMs, missMs }: { everyMs: number; missMs: number },
): Promise<"gone" | "silent"> {
  let silent = false;
  let heard = performance.now();
  const asking = setInterval(() => {
    silent = performance.now() - heard >= missMs;
    if (silent) conn.close();
    else ask(conn);
  }, everyMs);
  try {
    const buffer = new Uint8Array(1_024);
    while (await conn.read(buffer) !== null) heard = performance.now();
    return "gone";
  } catch (error) {
    if (silent) return "silent";
    if (error instanceof Deno.errors.ConnectionReset) return "gone";
    throw error;
  } finally {
    clearInterval(asking);
    if (!silent) conn.close();
  }
}

async function ask(conn: Deno.Conn): Promise<void> {
  try {
    await conn.write(new TextEncoder().encode("?"));
  } catch (error) {
    const { BadResource, BrokenPipe, ConnectionReset, Interrupted } =
      Deno.errors;
    const over = [BadResource, BrokenPipe, ConnectionReset, Interrupted];
    if (!over.some((kind) => error instanceof kind)) throw error;
  }
}

export function twoListeners(): [Deno.TcpListener, Deno.TcpListener] {
  const first = Deno.listen({
    hostname: "127.0.0.1",
    port: 0,
    reusePort: true,
  });
  const { port } = first.addr;
  const second = Deno.listen({ hostname: "127.0.0.1", port, reusePort: true });
  return [first, second];
}

export type Option =
  | "SO_REUSEADDR"
  | "SO_REUSEPORT"
  | "SO_KEEPALIVE"
  | "TCP_NODELAY"
  | "SO_RCVBUF"
  | "SO_LINGER"
  | "IPV6_V6ONLY"
  | "TCP_USER_TIMEOUT";

export const IN_DENO: Record<Option, "always" | "on request" | "never"> = {
  SO_REUSEADDR: "always",
  SO_REUSEPORT: "on request",
  SO_KEEPALIVE: "on request",
  TCP_NODELAY: "on request",
  SO_RCVBUF: "never",
  SO_LINGER: "never",
  IPV6_V6ONLY: "never",
  TCP_USER_TIMEOUT: "never",
};

export type Wish =
  | "start a server where the last one's connections are in TIME_WAIT"
  | "have two live listeners at one port"
  | "send a second small write before the first is confirmed"
  | "let the peer read each write by itself"
  | "have at most 100 clients"
  | "know that the other program has got everything"
  | "end a connection with a reset"
  | "use all of a fast and long line";

export const FOR: Record<Wish, Option | "backlog" | "none"> = {
  "start a server where the last one's connections are in TIME_WAIT":
    "SO_REUSEADDR",
  "have two live listeners at one port": "SO_REUSEPORT",
  "send a second small write before the first is confirmed": "TCP_NODELAY",
  "let the peer read each write by itself": "none",
  "have at most 100 clients": "none",
  "know that the other program has got everything": "none",
  "end a connection with a reset": "SO_LINGER",
  "use all of a fast and long line": "none",
};
