// expect: handler-rejection-kills-server
// The errors of a talk are known; a handshake is not a talk yet.
export interface Pair {
  readonly cert: string;
  readonly key: string;
}

export interface TlsTarget {
  readonly hostname: string;
  readonly port: number;
  readonly caCerts?: string[];
  readonly alpn?: string[];
}

export type TlsProblem =
  | "unknown-issuer"
  | "wrong-name"
  | "expired"
  | "ca-as-server"
  | "not-tls"
  | "truncated"
  | "no-protocol"
  | "other";

const WORDS: readonly [RegExp, TlsProblem][] = [
  [/UnknownIssuer|UnknownCA/, "unknown-issuer"],
  [/not valid for name/, "wrong-name"],
  [/expired/i, "expired"],
  [/CaUsedAsEndEntity/, "ca-as-server"],
  [/InvalidContentType/, "not-tls"],
  [/NoApplicationProtocol|support any known protocol/, "no-protocol"],
];

export function explainTlsError(error: unknown): TlsProblem {
  if (error instanceof Deno.errors.UnexpectedEof) return "truncated";
  if (!(error instanceof Deno.errors.InvalidData)) return "other";
  const found = WORDS.find(([words]) => words.test(error.message));
  return found?.[1] ?? "other";
}

export interface ServeOptions {
  readonly handshakeMs?: number;
}

export async function serve(
  listener: Deno.TlsListener,
  { handshakeMs = 10_000 }: ServeOptions = {},
): Promise<void> {
  const clients = new Set<Promise<void>>();
  for await (const conn of listener) {
    const client = echo(conn, handshakeMs).finally(() =>
      clients.delete(client)
    );
    clients.add(client);
  }
  await Promise.all(clients);
}

async function echo(conn: Deno.TlsConn, handshakeMs: number): Promise<void> {
  using _conn = conn;
  const alarm = setTimeout(() => conn[Symbol.dispose](), handshakeMs);
  await conn.handshake();
  clearTimeout(alarm);
  try {
    const buffer = new Uint8Array(16_384);
    for (let n; (n = await conn.read(buffer)) !== null;) {
      await writeAll(conn, buffer.subarray(0, n));
    }
    await conn.closeWrite();
  } catch (error) {
    if (!isTheirs(error)) throw error;
  }
}

function isTheirs(error: unknown): boolean {
  const { errors } = Deno;
  const left = [errors.BrokenPipe, errors.ConnectionReset];
  const late = [errors.Interrupted, errors.BadResource]; // We have closed.
  const strange = [errors.InvalidData, errors.UnexpectedEof];
  return [...left, ...late, ...strange].some((Reason) =>
    error instanceof Reason
  );
}

export async function exchange(
  { hostname, port, caCerts = [], alpn }: TlsTarget,
  request: Uint8Array,
): Promise<Uint8Array> {
  const offer = alpn ? { alpnProtocols: alpn } : {};
  using conn = await Deno.connectTls({ hostname, port, caCerts, ...offer });
  const { alpnProtocol } = await conn.handshake();
  if (alpn && alpnProtocol === null) {
    throw new Deno.errors.InvalidData(
      "peer doesn't support any known protocol: it chose none",
    );
  }
  const [answer] = await Promise.all([readToEnd(conn), send(conn, request)]);
  return answer;
}

async function send(conn: Deno.TlsConn, data: Uint8Array): Promise<void> {
  await writeAll(conn, data);
  await conn.closeWrite();
}

async function readToEnd(conn: Deno.TlsConn): Promise<Uint8Array> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  const buffer = new Uint8Array(16_384); // A record holds as much at the most.
  for (let n; (n = await conn.read(buffer)) !== null;) {
    chunks.push(buffer.slice(0, n));
  }
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}

export class SmtpSession {
  #rest = "";
  #greeted = false;
  #secure = false;
  #expectsTls = false;
  #over = false;

  get expectsTls(): boolean {
    return this.#expectsTls;
  }

  get over(): boolean {
    return this.#over;
  }

  receive(bytes: Uint8Array): string {
    const text = this.#rest + new TextDecoder("latin1").decode(bytes);
    const lines = text.split("\r\n");
    const rest = lines.pop()!;
    let answer = "";
    while (lines.length > 0 && !this.#expectsTls && !this.#over) {
      answer += `${this.#obey(lines.shift()!)}\r\n`;
    }
    this.#rest = this.#expectsTls ? "" : rest;
    return answer;
  }

  secured() {
    this.#expectsTls = false;
    this.#secure = true;
    this.#greeted = false;
  }

  #obey(line: string): string {
    const [command = ""] = line.toUpperCase().split(" ");
    if (command === "EHLO") return this.#greet();
    if (command === "STARTTLS" && !this.#secure) return this.#startTls();
    if (command === "MAIL") return this.#mail();
    if (command === "NOOP") return "250 OK";
    if (command !== "QUIT") return "502 Not implemented";
    this.#over = true;
    return "221 Bye";
  }

  #greet(): string {
    this.#greeted = true;
    return this.#secure ? "250 mail.test" : "250-mail.test\r\n250 STARTTLS";
  }

  #startTls(): string {
    this.#expectsTls = true;
    return "220 Go ahead";
  }

  #mail(): string {
    if (!this.#secure) return "530 STARTTLS first";
    return this.#greeted ? "250 OK" : "503 EHLO first";
  }
}

export async function serveSmtp(
  listener: Deno.TcpListener,
  pair: Pair,
): Promise<void> {
  const clients = new Set<Promise<void>>();
  for await (const conn of listener) {
    const client = visit(conn, pair).finally(() => clients.delete(client));
    clients.add(client);
  }
  await Promise.all(clients);
}

async function visit(conn: Deno.TcpConn, pair: Pair): Promise<void> {
  using _conn = conn;
  const session = new SmtpSession();
  try {
    await writeAll(conn, encode("220 mail.test\r\n"));
    await converse(conn, session);
    if (!session.expectsTls) return;
    await withTls(conn, pair, async (secure) => {
      await secure.handshake();
      session.secured();
      await converse(secure, session);
    });
  } catch (error) {
    if (!isTheirs(error)) throw error;
  }
}

async function converse(conn: Deno.Conn, session: SmtpSession): Promise<void> {
  const buffer = new Uint8Array(1_024);
  while (!session.over && !session.expectsTls) {
    const n = await conn.read(buffer);
    if (n === null) return;
    await writeAll(conn, encode(session.receive(buffer.subarray(0, n))));
  }
}

async function withTls(
  conn: Deno.TcpConn,
  pair: Pair,
  use: (secure: Deno.TlsConn) => Promise<void>,
): Promise<void> {
  using door = Deno.listenTls({ hostname: "127.0.0.1", port: 0, ...pair });
  const { port } = door.addr;
  using inner = await Deno.connect({ hostname: "127.0.0.1", port });
  using secure = await acceptOnly(door, inner);
  const there = carry(conn, inner).catch(() => inner[Symbol.dispose]());
  const back = carry(inner, conn).catch(() => inner[Symbol.dispose]());
  try {
    await use(secure);
  } finally {
    secure.close();
    await back; // Then all that was said in TLS has gone out.
    conn[Symbol.dispose]();
    await there;
  }
}

async function acceptOnly(
  door: Deno.TlsListener,
  client: Deno.TcpConn,
): Promise<Deno.TlsConn> {
  const { hostname, port } = client.localAddr;
  for (;;) {
    const conn = await door.accept();
    const from = conn.remoteAddr;
    if (from.hostname === hostname && from.port === port) {
      door.close();
      return conn;
    }
    conn.close();
  }
}

async function carry(from: Deno.TcpConn, to: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(16_384);
  for (let n; (n = await from.read(buffer)) !== null;) {
    await writeAll(to, buffer.subarray(0, n));
  }
  await to.closeWrite();
}

export async function startTls(
  conn: Deno.TcpConn,
  { hostname, caCerts = [] }: { hostname: string; caCerts?: string[] },
): Promise<Deno.TlsConn> {
  let open: Deno.Conn = conn;
  try {
    const replies = new Replies(conn);
    await replies.expect("220");
    await writeAll(conn, encode("EHLO client.test\r\n"));
    const offers = await replies.expect("250");
    if (!offers.some((offer) => /^STARTTLS$/i.test(offer))) {
      throw new Deno.errors.InvalidData("Cannot go on: TLS is not offered");
    }
    await writeAll(conn, encode("STARTTLS\r\n"));
    await replies.expect("220");
    if (replies.rest !== "") {
      throw new Deno.errors.InvalidData("Cannot go on: more plain text came");
    }
    const secure = await Deno.startTls(conn, { hostname, caCerts });
    open = secure;
    await secure.handshake();
    return secure;
  } catch (error) {
    open[Symbol.dispose]();
    throw error;
  }
}

class Replies {
  readonly #conn: Deno.Conn;
  readonly #decoder = new TextDecoder();
  #rest = "";

  constructor(conn: Deno.Conn) {
    this.#conn = conn;
  }

  get rest(): string {
    return this.#rest;
  }

  async expect(code: string): Promise<string[]> {
    const lines: string[] = [];
    for (;;) {
      const line = await this.#line();
      if (!line.startsWith(code)) {
        throw new Deno.errors.InvalidData(`Cannot go on: it says "${line}"`);
      }
      lines.push(line.slice(4));
      if (line[3] !== "-") return lines; // "250-" has lines behind it.
    }
  }

  async #line(): Promise<string> {
    const buffer = new Uint8Array(1_024);
    while (!this.#rest.includes("\r\n")) {
      const n = await this.#conn.read(buffer);
      if (n === null) throw new Deno.errors.UnexpectedEof("Cannot read on");
      const chunk = buffer.subarray(0, n);
      this.#rest += this.#decoder.decode(chunk, { stream: true });
    }
    const end = this.#rest.indexOf("\r\n");
    const line = this.#rest.slice(0, end);
    this.#rest = this.#rest.slice(end + 2);
    return line;
  }
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

async function writeAll(conn: Deno.Conn, data: Uint8Array): Promise<void> {
  for (let sent = 0; sent < data.length;) {
    sent += await conn.write(data.subarray(sent));
  }
}
