// style: node:events, Buffer, Promise.race, a client of SMTP that says QUIT
import { EventEmitter, once } from "node:events";
import { Buffer } from "node:buffer";
import { setTimeout as delay } from "node:timers/promises";

/** A certificate and its key, in PEM. */
export interface Pair {
  readonly cert: string;
  readonly key: string;
}

/** A server, and how to know that it is the right one. */
export interface TlsTarget {
  /** Where to connect to, and the name that has to be in the certificate. */
  readonly hostname: string;
  readonly port: number;
  /** Authorities to trust beside those of Deno, in PEM. */
  readonly caCerts?: string[];
  /** The protocols to offer; the server has to choose one (ALPN). */
  readonly alpn?: string[];
}

/** What is wrong, for whoever has to mend it. */
export type TlsProblem =
  | "unknown-issuer"
  | "wrong-name"
  | "expired"
  | "ca-as-server"
  | "not-tls"
  | "truncated"
  | "no-protocol"
  | "other";

// -- Part 1: what the errors say --

/** Says what an error of TLS is about. */
export function explainTlsError(error: unknown): TlsProblem {
  if (error instanceof Deno.errors.UnexpectedEof) return "truncated";
  if (!(error instanceof Deno.errors.InvalidData)) return "other";
  const m = error.message;
  if (/UnknownIssuer|UnknownCA/.test(m)) return "unknown-issuer";
  if (/not valid for name/.test(m)) return "wrong-name";
  if (/CaUsedAsEndEntity/.test(m)) return "ca-as-server";
  if (/InvalidContentType/.test(m)) return "not-tls";
  if (/NoApplicationProtocol|support any known protocol/.test(m)) {
    return "no-protocol";
  }
  if (/expired/.test(m)) return "expired";
  return "other";
}

// -- Part 2: a server --

/** Settings of a server. */
export interface ServeOptions {
  /** How long a handshake may take, in milliseconds. Default: 10,000. */
  readonly handshakeMs?: number;
}

/**
 * Echoes to all clients of `listener` at once. Returns when the listener has
 * closed and the last client has left.
 */
export async function serve(
  listener: Deno.TlsListener,
  options: ServeOptions = {},
): Promise<void> {
  const server = new EchoServer(options.handshakeMs ?? 10_000);
  await server.run(listener);
}

class EchoServer extends EventEmitter {
  #clients = new Set<Deno.TlsConn>();
  #handshakeMs: number;

  constructor(handshakeMs: number) {
    super();
    this.#handshakeMs = handshakeMs;
    this.on("connection", (conn: Deno.TlsConn) => {
      this.#clients.add(conn);
      this.#visit(conn)
        .catch(() => {})
        .finally(() => {
          try {
            conn.close();
          } catch { /* closed */ }
          this.#clients.delete(conn);
          this.emit("left");
        });
    });
  }

  async run(listener: Deno.TlsListener) {
    for await (const conn of arrivals(listener)) this.emit("connection", conn);
    while (this.#clients.size > 0) await once(this, "left");
  }

  async #visit(conn: Deno.TlsConn) {
    const ac = new AbortController();
    const shaking = conn.handshake();
    shaking.catch(() => {});
    try {
      const late = delay(this.#handshakeMs, "late", { signal: ac.signal });
      late.catch(() => {});
      if (await Promise.race([shaking, late]) === "late") return;
    } finally {
      ac.abort();
    }
    const buffer = Buffer.alloc(8_192);
    for (;;) {
      const n = await conn.read(buffer);
      if (n === null) break;
      let chunk = buffer.subarray(0, n);
      while (chunk.length) chunk = chunk.subarray(await conn.write(chunk));
    }
    await conn.closeWrite();
  }
}

/** Whether a peer is the reason: it left, was late, or speaks no TLS. */
function isTheirs(error: unknown): boolean {
  const { errors } = Deno;
  const left = [errors.BrokenPipe, errors.ConnectionReset];
  const late = [errors.Interrupted, errors.BadResource]; // We have closed.
  const strange = [errors.InvalidData, errors.UnexpectedEof];
  return [...left, ...late, ...strange].some((Reason) =>
    error instanceof Reason
  );
}

// -- Part 3: a client --

/**
 * Sends `request` to a server that proves who it is, ends its sending, and
 * returns all that comes back.
 *
 * @throws {Deno.errors.InvalidData} If it is another server, or no TLS.
 * @throws {Deno.errors.UnexpectedEof} If the answer was cut off.
 */
export async function exchange(
  target: TlsTarget,
  request: Uint8Array,
): Promise<Uint8Array> {
  const { hostname, port, caCerts, alpn } = target;
  const tcp = await Deno.connect({ hostname, port });
  const conn = await Deno.startTls(tcp, {
    hostname,
    ...(caCerts && { caCerts }),
    ...(alpn && { alpnProtocols: alpn }),
  });
  try {
    const info = await conn.handshake();
    if (alpn && !alpn.includes(info.alpnProtocol ?? "")) {
      throw new Deno.errors.InvalidData("NoApplicationProtocol");
    }
    const parts: Buffer[] = [];
    const reading = (async () => {
      const buffer = Buffer.alloc(4_096);
      for (let n; (n = await conn.read(buffer)) !== null;) {
        parts.push(Buffer.from(buffer.subarray(0, n)));
      }
    })();
    await Promise.all([reading, send(conn, request)]);
    return Buffer.concat(parts);
  } finally {
    conn.close();
  }
}

/** Sends all of `data`, and says in TLS that this is the end. */
async function send(conn: Deno.TlsConn, data: Uint8Array): Promise<void> {
  await writeAll(conn, data);
  await conn.closeWrite();
}

// -- Part 4: a mail server, as far as STARTTLS goes --

/** What one client of a mail server has said, and what that entitles it to. */
export class SmtpSession {
  #buffer = Buffer.alloc(0);
  #state: "plain" | "waiting" | "tls" | "over" = "plain";
  #greeted = false;

  get expectsTls() {
    return this.#state === "waiting";
  }
  get over() {
    return this.#state === "over";
  }
  receive(bytes: Uint8Array): string {
    this.#buffer = Buffer.concat([this.#buffer, bytes]);
    let answer = "";
    for (;;) {
      if (this.expectsTls || this.over) {
        this.#buffer = Buffer.alloc(0);
        return answer;
      }
      const end = this.#buffer.indexOf("\r\n");
      if (end < 0) return answer;
      const line = this.#buffer.toString("latin1", 0, end);
      this.#buffer = this.#buffer.subarray(end + 2);
      answer += this.#obey(line) + "\r\n";
    }
  }
  secured() {
    this.#state = "tls";
    this.#greeted = false;
    this.#buffer = Buffer.alloc(0);
  }
  #obey(line: string): string {
    const verb = line.split(/\s+/)[0]?.toUpperCase() ?? "";
    switch (verb) {
      case "EHLO":
        this.#greeted = true;
        return this.#state === "tls"
          ? "250 mail.test"
          : "250-mail.test\r\n250 STARTTLS";
      case "STARTTLS":
        if (this.#state === "tls") return "502 Already";
        this.#state = "waiting";
        return "220 Ready";
      case "MAIL":
        if (this.#state !== "tls") return "530 Must issue a STARTTLS first";
        return this.#greeted ? "250 OK" : "503 Bad sequence";
      case "NOOP":
        return "250 OK";
      case "QUIT":
        this.#state = "over";
        return "221 Bye";
      default:
        return "502 What?";
    }
  }
}

/** Serves SMTP to the clients of `listener`, until the listener closes. */
export async function serveSmtp(
  listener: Deno.TcpListener,
  pair: Pair,
): Promise<void> {
  const clients = new Set<Promise<void>>();
  for await (const conn of arrivals(listener)) {
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

/** Answers until the client has ended, or the conversation changes over. */
async function converse(conn: Deno.Conn, session: SmtpSession): Promise<void> {
  const buffer = new Uint8Array(1_024);
  while (!session.over && !session.expectsTls) {
    const n = await conn.read(buffer);
    if (n === null) return;
    await writeAll(conn, encode(session.receive(buffer.subarray(0, n))));
  }
}

/**
 * Speaks TLS on an accepted connection. `Deno.startTls` is for clients alone,
 * so a TLS listener of our own gets what comes, as it would behind stunnel(8).
 */
async function withTls(
  conn: Deno.TcpConn,
  pair: Pair,
  use: (secure: Deno.TlsConn) => Promise<void>,
): Promise<void> {
  using door = Deno.listenTls({ hostname: "127.0.0.1", port: 0, ...pair });
  const { port } = door.addr;
  using inner = await Deno.connect({ hostname: "127.0.0.1", port });
  using secure = await acceptOnly(door, inner);
  // A client that vanishes takes its end of the door with it.
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

/** Accepts `client` alone: others on this machine can find the door, too. */
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

/** Passes on one direction, to its end. */
async function carry(from: Deno.TcpConn, to: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(16_384);
  for (let n; (n = await from.read(buffer)) !== null;) {
    await writeAll(to, buffer.subarray(0, n));
  }
  await to.closeWrite();
}

// -- Part 5: a client that starts TLS --

/**
 * Starts TLS on a connection with a mail server, which has to be `hostname`.
 * Closes the connection if that fails, whatever the reason.
 *
 * @throws {Deno.errors.InvalidData} If the server has no TLS, or says more in
 * plain text than it may, or is another one.
 */
export async function startTls(
  conn: Deno.TcpConn,
  { hostname, caCerts = [] }: { hostname: string; caCerts?: string[] },
): Promise<Deno.TlsConn> {
  let mine: Deno.Conn = conn;
  let pending = Buffer.alloc(0);
  const reply = async (code: string) => {
    const lines: string[] = [];
    for (;;) {
      const end = pending.indexOf("\r\n");
      if (end >= 0) {
        const line = pending.toString("utf8", 0, end);
        pending = pending.subarray(end + 2);
        if (!line.startsWith(code)) throw new Deno.errors.InvalidData(line);
        lines.push(line.slice(4).toUpperCase());
        if (line[3] !== "-") return lines;
        continue;
      }
      const chunk = Buffer.alloc(512);
      const n = await conn.read(chunk);
      if (n === null) throw new Error("the server has hung up");
      pending = Buffer.concat([pending, chunk.subarray(0, n)]);
    }
  };
  try {
    await reply("220");
    await writeAll(conn, Buffer.from("EHLO [127.0.0.1]\r\n"));
    if (!(await reply("250")).includes("STARTTLS")) {
      throw new Deno.errors.InvalidData("no STARTTLS");
    }
    await writeAll(conn, Buffer.from("STARTTLS\r\n"));
    try {
      await reply("220");
    } catch (error) {
      await writeAll(conn, Buffer.from("QUIT\r\n"));
      await reply("221"); // A polite client waits for the good-bye.
      throw error;
    }
    if (pending.length) throw new Deno.errors.InvalidData("injected");
    const tls = await Deno.startTls(conn, { hostname, caCerts });
    mine = tls;
    await tls.handshake();
    return tls;
  } catch (error) {
    mine.close();
    throw error;
  }
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Writes all of `data`, however little is taken at a time. */
async function writeAll(conn: Deno.Conn, data: Uint8Array): Promise<void> {
  for (let sent = 0; sent < data.length;) {
    sent += await conn.write(data.subarray(sent));
  }
}

/** For localhost. Everybody has this key: it is for trying things, and no more. */
const LOCALHOST: Pair = {
  cert: `-----BEGIN CERTIFICATE-----
MIIBzzCCAXWgAwIBAgIUZmjBPprfVFcw2ZCqnph7Z244DPEwCgYIKoZIzj0EAwIw
KjEoMCYGA1UEAwwfU29ja2V0cyBieSBIYW5kLCB0ZXN0IGF1dGhvcml0eTAgFw0y
MDAxMDEwMDAwMDBaGA8yMTIwMDEwMTAwMDAwMFowFDESMBAGA1UEAwwJbG9jYWxo
b3N0MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEI/a2qgL7gTCu21e29n5N/MLw
YtGA7GgXDh6lsxPYeqH/yeoCeQG/vaVDZbLgygYjKO/w2GFsRj6GfXIbdX0jDaOB
jDCBiTAMBgNVHRMBAf8EAjAAMA4GA1UdDwEB/wQEAwIHgDATBgNVHSUEDDAKBggr
BgEFBQcDATAUBgNVHREEDTALgglsb2NhbGhvc3QwHQYDVR0OBBYEFJVUcftCadMn
BinyFoMVrbZvk1V8MB8GA1UdIwQYMBaAFCkUqIYCpS7DZJxvhdBuMFrJGH3XMAoG
CCqGSM49BAMCA0gAMEUCIQCGgqkZ957I8H3CJFS51Ty/IhUsQVJBB7O3on0PjKEP
xQIgdkxykqhp5/rn/9bkuyqBlmmwhQyQ8WH3MUpv0pKpNRQ=
-----END CERTIFICATE-----`,
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg2ah1zZbS8aJF4rVR
uVj1fVi5CN7ssHTRPZEGus4rmlihRANCAAQj9raqAvuBMK7bV7b2fk38wvBi0YDs
aBcOHqWzE9h6of/J6gJ5Ab+9pUNlsuDKBiMo7/DYYWxGPoZ9cht1fSMN
-----END PRIVATE KEY-----`,
};

/**
 * The clients of `listener`, until it closes. One client that cannot be let in
 * ends nothing (lesson 17).
 */
async function* arrivals<T extends Deno.Conn>(
  listener: Deno.Listener<T>,
): AsyncGenerator<T> {
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

// Try it by hand: `deno run -P lessons/26/tls.ts`, and talk to it with
// `openssl s_client`, which has to trust course/check/certificates/ca.pem. With
// `smtp` behind it, it is the mail server.
if (import.meta.main) {
  const where = { hostname: "127.0.0.1", port: 7026 };
  if (Deno.args[0] === "smtp") await serveSmtp(Deno.listen(where), LOCALHOST);
  else await serve(Deno.listenTls({ ...where, ...LOCALHOST }));
}
