// style: a class, and one clock for asking and for giving up
export interface Line {
  read(into: Uint8Array): Promise<number | null>;
  write(bytes: Uint8Array): Promise<number>;
}
export async function request(
  conn: Line,
  body: Uint8Array,
): Promise<Uint8Array> {
  const n = body.length;
  const length = [n >>> 24, n >>> 16, n >>> 8, n];
  const question = Uint8Array.of(...length, ...body);
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
export function watch(
  conn: Deno.Conn,
  { everyMs, missMs }: { everyMs: number; missMs: number },
): Promise<"gone" | "silent"> {
  return new Watch(conn).run(everyMs, missMs);
}

class Watch {
  #heard = performance.now();
  #silent = false;
  readonly #conn: Deno.Conn;

  constructor(conn: Deno.Conn) {
    this.#conn = conn;
  }

  async run(everyMs: number, missMs: number): Promise<"gone" | "silent"> {
    const asking = setInterval(() => ask(this.#conn), everyMs);
    let clock: ReturnType<typeof setTimeout> | undefined;
    const look = () => {
      const left = missMs - (performance.now() - this.#heard);
      if (left > 0) clock = setTimeout(look, left);
      else {
        this.#silent = true;
        this.#conn.close();
      }
    };
    look();
    try {
      for (const buffer = new Uint8Array(1); await this.#conn.read(buffer);) {
        this.#heard = performance.now();
      }
    } catch (error) {
      const reset = error instanceof Deno.errors.ConnectionReset;
      if (!this.#silent && !reset) throw error;
    }
    clearInterval(asking);
    clearTimeout(clock);
    if (this.#silent) return "silent";
    this.#conn.close();
    return "gone";
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
