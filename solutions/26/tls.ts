// Lesson 26, solved: TLS and STARTTLS.
//
// TLS keeps three promises: nobody listens, nobody changes a byte, and it is
// the right server. The last one needs a name and an authority, and all of them
// end where a program takes an error for an end, or plain text for TLS.

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

/** In errors of one class, InvalidData, only the words make a difference. */
const WORDS: readonly [RegExp, TlsProblem][] = [
  [/UnknownIssuer|UnknownCA/, "unknown-issuer"],
  [/not valid for name/, "wrong-name"],
  [/expired/i, "expired"],
  [/CaUsedAsEndEntity/, "ca-as-server"],
  [/InvalidContentType/, "not-tls"],
  [/NoApplicationProtocol|support any known protocol/, "no-protocol"],
];

/** Says what an error of TLS is about. */
export function explainTlsError(error: unknown): TlsProblem {
  if (error instanceof Deno.errors.UnexpectedEof) return "truncated";
  if (!(error instanceof Deno.errors.InvalidData)) return "other";
  const found = WORDS.find(([words]) => words.test(error.message));
  return found?.[1] ?? "other";
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
  { handshakeMs = 10_000 }: ServeOptions = {},
): Promise<void> {
  const clients = new Set<Promise<void>>();
  for await (const conn of arrivals(listener)) {
    // Only TCP is there so far. What the client says next is its own affair.
    const client = echo(conn, handshakeMs).finally(() =>
      clients.delete(client)
    );
    clients.add(client);
  }
  await Promise.all(clients);
}

/** One client, from its handshake to its end. */
async function echo(conn: Deno.TlsConn, handshakeMs: number): Promise<void> {
  using _conn = conn;
  // It ends our waiting. The client hears of it once it says a word, or leaves:
  // Deno 2.9 closes TCP below an unfinished handshake no sooner.
  const alarm = setTimeout(() => conn[Symbol.dispose](), handshakeMs);
  try {
    await conn.handshake();
    clearTimeout(alarm);
    const buffer = new Uint8Array(16_384);
    for (let n; (n = await conn.read(buffer)) !== null;) {
      await writeAll(conn, buffer.subarray(0, n));
    }
    await conn.closeWrite();
  } catch (error) {
    if (!isTheirs(error)) throw error;
  } finally {
    clearTimeout(alarm);
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
  // Side by side: a long answer may begin before a long request has ended.
  const [answer] = await Promise.all([readToEnd(conn), send(conn, request)]);
  return answer;
}

/** Sends all of `data`, and says in TLS that this is the end. */
async function send(conn: Deno.TlsConn, data: Uint8Array): Promise<void> {
  await writeAll(conn, data);
  await conn.closeWrite();
}

/** Reads until the peer says in TLS that this is the end. */
async function readToEnd(conn: Deno.TlsConn): Promise<Uint8Array> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  const buffer = new Uint8Array(16_384); // A record holds as much at the most.
  // If only TCP ends, read() throws: anybody on the way can end TCP.
  for (let n; (n = await conn.read(buffer)) !== null;) {
    chunks.push(buffer.slice(0, n));
  }
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}

// -- Part 4: a mail server, as far as STARTTLS goes --

/** What one client of a mail server has said, and what that entitles it to. */
export class SmtpSession {
  #rest = "";
  #greeted = false;
  #secure = false;
  #expectsTls = false;
  #over = false;

  /** Whether TLS begins with the very next byte. */
  get expectsTls(): boolean {
    return this.#expectsTls;
  }

  /** Whether the client has said QUIT. */
  get over(): boolean {
    return this.#over;
  }

  /** Takes what came, line by line or in pieces, and returns the answer. */
  receive(bytes: Uint8Array): string {
    // A limit for the line is missing here; lesson 08 has one. Latin-1 is good
    // for any byte, wherever the bytes were cut.
    const text = this.#rest + new TextDecoder("latin1").decode(bytes);
    const lines = text.split("\r\n");
    const rest = lines.pop()!;
    let answer = "";
    while (lines.length > 0 && !this.#expectsTls && !this.#over) {
      answer += `${this.#obey(lines.shift()!)}\r\n`;
    }
    // Behind STARTTLS anybody may have added something. From here on only TLS
    // counts: what was not said in TLS was not said.
    this.#rest = this.#expectsTls ? "" : rest;
    return answer;
  }

  /** TLS has begun: it is another conversation, and it begins with EHLO. */
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
  let open: Deno.Conn = conn;
  try {
    const replies = new Replies(conn);
    await replies.expect("220");
    await writeAll(conn, encode("EHLO client.test\r\n"));
    const offers = await replies.expect("250");
    if (!offers.some((offer) => /^STARTTLS$/i.test(offer))) {
      // Whoever can read this connection can take a line out of it, too.
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

/** The replies of a mail server. Nothing is read but when one is asked for. */
class Replies {
  readonly #conn: Deno.Conn;
  readonly #decoder = new TextDecoder();
  #rest = "";

  constructor(conn: Deno.Conn) {
    this.#conn = conn;
  }

  /** What has been read behind the latest reply. */
  get rest(): string {
    return this.#rest;
  }

  /** The lines of the next reply, which has to have this code. */
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

// Try it by hand: `deno run -P solutions/26/tls.ts`, and talk to it with
// `openssl s_client`, which has to trust course/check/certificates/ca.pem. With
// `smtp` behind it, it is the mail server.
if (import.meta.main) {
  const where = { hostname: "127.0.0.1", port: 7026 };
  if (Deno.args[0] === "smtp") await serveSmtp(Deno.listen(where), LOCALHOST);
  else await serve(Deno.listenTls({ ...where, ...LOCALHOST }));
}
