// style: tables and promise chains; a session is a function of its state
interface Pair {
  cert: string;
  key: string;
}

const PROBLEMS = {
  "unknown-issuer": /UnknownIssuer|UnknownCA/,
  "wrong-name": /not valid for name/,
  "expired": /expired/i,
  "ca-as-server": /CaUsedAsEndEntity/,
  "not-tls": /InvalidContentType/,
  "no-protocol": /NoApplicationProtocol|any known protocol/,
} as const;

export type TlsProblem = keyof typeof PROBLEMS | "truncated" | "other";

const { BrokenPipe, ConnectionReset, Interrupted, InvalidData, UnexpectedEof } =
  Deno.errors;

export function explainTlsError(error: unknown): TlsProblem {
  if (error instanceof UnexpectedEof) return "truncated";
  if (!(error instanceof InvalidData)) return "other";
  for (const [problem, words] of Object.entries(PROBLEMS)) {
    if (words.test(error.message)) return problem as TlsProblem;
  }
  return "other";
}

/** Accepts until the end, and forgets those who leave or talk nonsense. */
function accept<C extends Deno.Conn>(
  listener: { accept(): Promise<C> },
  visit: (conn: C) => Promise<unknown>,
): Promise<void> {
  const forgiven = (error: unknown) => {
    const ways = [
      BrokenPipe,
      ConnectionReset,
      Interrupted,
      InvalidData,
      UnexpectedEof,
    ];
    if (!ways.some((Way) => error instanceof Way)) throw error;
  };
  return listener.accept().then(
    async (conn) => {
      const visited = visit(conn).catch(forgiven).finally(() =>
        conn[Symbol.dispose]()
      );
      await Promise.all([visited, accept(listener, visit)]);
    },
    (error) => {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    },
  );
}

export function serve(
  listener: Deno.TlsListener,
  { handshakeMs = 10_000 } = {},
): Promise<void> {
  return accept(listener, (conn) => {
    const timer = setTimeout(() => conn.close(), handshakeMs);
    return conn.handshake()
      .finally(() => clearTimeout(timer))
      .then(() => copy(conn, conn));
  });
}

async function copy(from: Deno.Conn, to: Deno.Conn): Promise<void> {
  const bytes = new Uint8Array(30_000);
  const n = await from.read(bytes);
  if (n === null) return await to.closeWrite();
  await writeAll(to, bytes.subarray(0, n));
  return copy(from, to);
}

async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  if (bytes.length === 0) return;
  return writeAll(conn, bytes.subarray(await conn.write(bytes)));
}

export async function exchange(
  to: { hostname: string; port: number; caCerts?: string[]; alpn?: string[] },
  request: Uint8Array,
): Promise<Uint8Array> {
  const { alpn: alpnProtocols, ...where } = to;
  using conn = await Deno.connectTls({
    ...where,
    ...(alpnProtocols && { alpnProtocols }),
  });
  const { alpnProtocol } = await conn.handshake();
  if (alpnProtocols && !alpnProtocol) {
    throw new InvalidData("NoApplicationProtocol: the server knows none");
  }
  const answer = new Response(conn.readable).bytes();
  answer.catch(() => {}); // Awaited below, unless the request does not go out.
  await writeAll(conn, request);
  await conn.closeWrite().catch(() => {}); // The answer may have ended before.
  return await answer;
}

interface State {
  readonly secure: boolean;
  readonly greeted: boolean;
  readonly next: "line" | "tls" | "end";
}

type Step = (state: State) => [string, Partial<State>?];

const COMMANDS: Record<string, Step> = {
  EHLO: ({ secure }) => [
    secure ? "250 mail.test" : "250-mail.test\r\n250-NOOP\r\n250 STARTTLS",
    { greeted: true },
  ],
  NOOP: () => ["250 OK"],
  QUIT: () => ["221 Bye", { next: "end" }],
  STARTTLS: ({ secure }) =>
    secure ? ["502 Already"] : ["220 Yes", { next: "tls" }],
  MAIL: ({ secure, greeted }) =>
    !secure ? ["530 Not here"] : greeted ? ["250 OK"] : ["503 Who?"],
};

export class SmtpSession {
  #state: State = { secure: false, greeted: false, next: "line" };
  #text = "";

  get expectsTls() {
    return this.#state.next === "tls";
  }

  get over() {
    return this.#state.next === "end";
  }

  receive(bytes: Uint8Array): string {
    this.#text += new TextDecoder("latin1").decode(bytes);
    const [, line, rest] = this.#text.match(/^(.*?)\r\n([^]*)$/) ?? [];
    if (line === undefined) return "";
    this.#text = rest!;
    const verb = line.slice(0, 8).split(" ")[0]!.toUpperCase();
    const step = COMMANDS[verb] ?? (() => ["502 No"]);
    const [answer, change] = step(this.#state);
    this.#state = { ...this.#state, ...change };
    if (this.#state.next !== "line") this.#text = "";
    return `${answer}\r\n${this.receive(new Uint8Array())}`;
  }

  secured() {
    this.#state = { secure: true, greeted: false, next: "line" };
  }
}

export function serveSmtp(
  listener: Deno.TcpListener,
  pair: Pair,
): Promise<void> {
  return accept(listener, async (conn) => {
    const session = new SmtpSession();
    await writeAll(conn, utf8("220 mail.test\r\n"));
    await converse(conn, session);
    if (!session.expectsTls) return;
    const here = { hostname: "127.0.0.1", port: 0 };
    const door = Deno.listenTls({ ...here, ...pair });
    const { port } = door.addr;
    const [inner, secure] = await Promise.all([
      Deno.connect({ ...here, port }),
      door.accept(),
    ]);
    door.close();
    const inwards = copy(conn, inner).catch(() => inner[Symbol.dispose]());
    const outwards = copy(inner, conn).catch(() => {});
    try {
      await secure.handshake();
      session.secured();
      await converse(secure, session);
    } finally {
      secure.close();
      await outwards;
      conn.close();
      await inwards;
      inner[Symbol.dispose]();
    }
  });
}

async function converse(conn: Deno.Conn, session: SmtpSession): Promise<void> {
  const bytes = new Uint8Array(999);
  const n = await conn.read(bytes);
  if (n === null) return;
  await writeAll(conn, utf8(session.receive(bytes.subarray(0, n))));
  if (!session.expectsTls && !session.over) await converse(conn, session);
}

export async function startTls(
  conn: Deno.TcpConn,
  options: { hostname: string; caCerts?: string[] },
): Promise<Deno.TlsConn> {
  const dialogue: [string, RegExp][] = [
    ["", /^220/],
    ["EHLO me\r\n", /^250[- ]STARTTLS\r$/im],
    ["STARTTLS\r\n", /^220/],
  ];
  try {
    for (const [say, hear] of dialogue) {
      await writeAll(conn, utf8(say));
      const heard = await reply(conn);
      if (!hear.test(heard)) throw new InvalidData(`it says ${heard}`);
    }
  } catch (error) {
    conn.close();
    throw error;
  }
  const secure = await Deno.startTls(conn, options);
  return await secure.handshake().then(() => secure, (error) => {
    secure.close();
    throw error;
  });
}

/** One reply. What comes with it, and is none of it, is an error. */
async function reply(conn: Deno.TcpConn, text = ""): Promise<string> {
  const bytes = new Uint8Array(999);
  const n = await conn.read(bytes);
  if (n === null) throw new UnexpectedEof("it hung up inside a reply");
  text += new TextDecoder().decode(bytes.subarray(0, n));
  const [whole] = text.match(/^(\d{3}-.*\r\n)*\d{3} .*\r\n/) ?? [];
  if (whole === undefined) return reply(conn, text);
  if (whole === text) return text;
  throw new InvalidData(`it says more than it should: ${text}`);
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
