// style: streams where they do, closures for state, and one loop per dialogue
type Pair = { cert: string; key: string };
type Target = {
  hostname: string;
  port: number;
  caCerts?: string[];
  alpn?: string[];
};
export type TlsProblem =
  | "unknown-issuer"
  | "wrong-name"
  | "expired"
  | "ca-as-server"
  | "not-tls"
  | "truncated"
  | "no-protocol"
  | "other";

const { InvalidData, UnexpectedEof } = Deno.errors;

export function explainTlsError(error: unknown): TlsProblem {
  if (error instanceof UnexpectedEof) return "truncated";
  const text = error instanceof InvalidData ? error.message : "";
  switch (true) {
    case text.includes("CaUsedAsEndEntity"):
      return "ca-as-server";
    case /Unknown(Issuer|CA)/.test(text):
      return "unknown-issuer";
    case text.includes("valid for name"):
      return "wrong-name";
    case text.includes("certificate expired"):
      return "expired";
    case text.includes("ContentType"):
      return "not-tls";
    case /application ?protocol|known protocol/i.test(text):
      return "no-protocol";
    default:
      return "other";
  }
}

export async function serve(
  listener: Deno.TlsListener,
  options: { handshakeMs?: number } = {},
): Promise<void> {
  const visits: Promise<unknown>[] = [];
  for await (const conn of listener) {
    visits.push(echo(conn, options).catch(() => {}));
  }
  await Promise.all(visits);
}

async function echo(
  conn: Deno.TlsConn,
  { handshakeMs = 10_000 }: { handshakeMs?: number },
) {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error("late")), handshakeMs);
  try {
    await Promise.race([conn.handshake(), late.promise]);
    clearTimeout(timer);
    // Over TLS, too, the end of `readable` would close both directions: the
    // writer is given everything before that happens.
    const writer = conn.writable.getWriter();
    const buffer = new Uint8Array(4_096);
    for (let n; (n = await conn.read(buffer)) !== null;) {
      await writer.write(buffer.slice(0, n));
    }
    writer.releaseLock();
  } finally {
    clearTimeout(timer);
    conn[Symbol.dispose]();
  }
}

export async function exchange(
  { alpn = [], ...to }: Target,
  request: Uint8Array,
): Promise<Uint8Array> {
  const conn = await Deno.connectTls(
    alpn.length ? { ...to, alpnProtocols: alpn } : to,
  );
  try {
    const { alpnProtocol } = await conn.handshake();
    if (alpn.length > 0 && !alpn.includes(alpnProtocol ?? "")) {
      throw new InvalidData("the server has no application protocol for us");
    }
    for (let rest = request; rest.length > 0;) {
      rest = rest.subarray(await conn.write(rest));
    }
    await conn.closeWrite();
    let answer = new Uint8Array();
    for await (const chunk of conn.readable) {
      answer = Uint8Array.of(...answer, ...chunk);
    }
    return answer;
  } finally {
    conn[Symbol.dispose]();
  }
}

export class SmtpSession {
  expectsTls = false;
  over = false;
  #line = "";
  #state = { secure: false, greeted: false };

  receive(bytes: Uint8Array): string {
    const answers: string[] = [];
    for (const byte of bytes) {
      if (this.expectsTls || this.over) break;
      this.#line += String.fromCharCode(byte);
      if (!this.#line.endsWith("\r\n")) continue;
      answers.push(this.#answer(this.#line.trim()));
      this.#line = "";
    }
    return answers.map((answer) => `${answer}\r\n`).join("");
  }

  secured() {
    this.expectsTls = false;
    this.#state = { secure: true, greeted: false };
    this.#line = "";
  }

  #answer(line: string): string {
    const { secure, greeted } = this.#state;
    const verb = line.split(/\s/)[0]!.toUpperCase();
    switch (verb) {
      case "EHLO":
        this.#state.greeted = true;
        return secure ? "250 mail.test" : "250-mail.test\r\n250 STARTTLS";
      case "NOOP":
        return "250 OK";
      case "QUIT":
        this.over = true;
        return "221 Bye";
      case "MAIL":
        if (!secure) return "530 Must issue a STARTTLS command first";
        return greeted ? "250 OK" : "503 EHLO?";
      case "STARTTLS":
        if (secure) return "502 Once is enough";
        this.expectsTls = true;
        return "220 Now";
    }
    return "502 What?";
  }
}

export async function serveSmtp(listener: Deno.TcpListener, pair: Pair) {
  const visits: Promise<unknown>[] = [];
  for await (const conn of listener) {
    visits.push(visit(conn, pair).catch(() => {}));
  }
  await Promise.all(visits);
}

async function visit(conn: Deno.TcpConn, pair: Pair) {
  const session = new SmtpSession();
  try {
    await say(conn, "220 mail.test\r\n");
    if (await talk(conn, session)) await upgrade(conn, pair, session);
  } finally {
    conn[Symbol.dispose]();
  }
}

async function talk(conn: Deno.Conn, session: SmtpSession): Promise<boolean> {
  const buffer = new Uint8Array(512);
  for (;;) {
    const n = await conn.read(buffer);
    if (n === null) return false;
    await say(conn, session.receive(buffer.subarray(0, n)));
    if (session.over) return false;
    if (session.expectsTls) return true;
  }
}

async function upgrade(conn: Deno.TcpConn, pair: Pair, session: SmtpSession) {
  const where = { hostname: "127.0.0.1", port: 0 };
  const door = Deno.listenTls({ ...where, ...pair });
  const accepted = door.accept();
  const inner = await Deno.connect({ ...where, port: door.addr.port });
  const secure = await accepted;
  door.close();
  const pump = async (from: Deno.TcpConn, to: Deno.TcpConn) => {
    const buffer = new Uint8Array(8_192);
    try {
      for (let n; (n = await from.read(buffer)) !== null;) {
        await writeAll(to, buffer.subarray(0, n));
      }
      await to.closeWrite();
    } catch {
      inner[Symbol.dispose]();
    }
  };
  const ways = [pump(conn, inner), pump(inner, conn)];
  try {
    await secure.handshake();
    session.secured();
    await talk(secure, session);
  } finally {
    secure.close();
    await ways[1];
    conn[Symbol.dispose]();
    await ways[0];
    inner[Symbol.dispose]();
  }
}

export async function startTls(
  conn: Deno.TcpConn,
  { hostname, caCerts }: { hostname: string; caCerts?: string[] },
): Promise<Deno.TlsConn> {
  let secure: Deno.TlsConn | undefined;
  try {
    await reply(conn, 220);
    await say(conn, "EHLO alternative.test\r\n");
    const offers = await reply(conn, 250);
    if (!/^250[- ]starttls\s*$/im.test(offers)) {
      throw new Deno.errors.InvalidData("no TLS");
    }
    await say(conn, "STARTTLS\r\n");
    await reply(conn, 220);
    // Not a byte has been read behind the reply: if there is one, TLS gets it,
    // and makes nothing of it.
    secure = await Deno.startTls(
      conn,
      caCerts ? { hostname, caCerts } : {
        hostname,
      },
    );
    await secure.handshake();
    return secure;
  } catch (error) {
    (secure ?? conn)[Symbol.dispose]();
    throw error;
  }
}

/** One reply, byte by byte, and not a byte more. */
async function reply(conn: Deno.TcpConn, code: number): Promise<string> {
  let text = "";
  const byte = new Uint8Array(1);
  while (!/(^|\n)\d{3} [^\n]*\n$/.test(text)) {
    if (await conn.read(byte) === null) throw new UnexpectedEof("no reply");
    text += String.fromCharCode(byte[0]!);
  }
  if (text.startsWith(String(code))) return text;
  throw new InvalidData(`"${text}" is no ${code}`);
}

function say(conn: Deno.Conn, text: string): Promise<void> {
  return writeAll(conn, new TextEncoder().encode(text));
}

async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let n = 0; n < bytes.length;) n += await conn.write(bytes.subarray(n));
}
