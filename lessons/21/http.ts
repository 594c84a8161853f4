// Lesson 21: HTTP/1.1, requests and answers.
//
// This server knows one client, who asks one question in one piece and leaves.
// Six parts, each with its own checks, make it one that curl and browsers can
// rely on. What earlier lessons have built stands at the end.

/** Where bytes come from: a connection, or a script in the checks. */
export interface Reader {
  /** Puts 0 to `into.length` bytes into `into`; null means the end. */
  read(into: Uint8Array): Promise<number | null>;
}

/** What a client asks. */
export interface HttpRequest {
  /** Such as "GET". */
  readonly method: string;
  /** What is asked for, as it came: "/a%20page?x=1", or "*", or a whole URL. */
  readonly target: string;
  /** "HTTP/1.1" or "HTTP/1.0". */
  readonly version: string;
  /** By names in lower case. Values of one name are joined with ", ". */
  readonly headers: ReadonlyMap<string, string>;
  /** Empty if there is none. */
  readonly body: Uint8Array;
}

/** What a client gets. */
export interface HttpResponse {
  /** Such as 200. */
  readonly status: number;
  /** Names and values, but for the length: that comes from the body. */
  readonly headers?: readonly (readonly [name: string, value: string])[];
  /** Text goes out as UTF-8. */
  readonly body?: string | Uint8Array;
}

/** Answers a request. */
export type Handler = (
  request: HttpRequest,
) => HttpResponse | Promise<HttpResponse>;

/** How much a client may send, in bytes. */
export interface Limits {
  /** The longest target. Default: 8,000. */
  readonly target?: number;
  /** The longest head, its empty line not counted. Default: 16,384. */
  readonly head?: number;
  /** The longest body. Default: 1 MiB. */
  readonly body?: number;
}

/** Settings of a server. */
export interface ServeOptions extends Limits {
  /** How long to wait for a client's end, in milliseconds. Default: 5,000. */
  readonly lingerMs?: number;
  /** Told what a handler threw. Default: `console.error`. */
  readonly onError?: (error: unknown) => void;
}

/** Says that a request cannot be served, and with which status. */
class HttpError extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`Cannot serve a request: ${status} ${REASONS[status]}`);
    this.status = status;
  }
}

/** The statuses of this lesson, in the words of RFC 9110. */
const REASONS: Record<number, string> = {
  200: "OK",
  204: "No Content",
  302: "Found",
  304: "Not Modified",
  400: "Bad Request",
  404: "Not Found",
  405: "Method Not Allowed",
  413: "Content Too Large",
  414: "URI Too Long",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  501: "Not Implemented",
  505: "HTTP Version Not Supported",
};

const EMPTY_LINE = new TextEncoder().encode("\r\n\r\n");
/** A head is ASCII; this one gives a character for any other byte as well. */
const latin1 = new TextDecoder("latin1");

// -- Part 1, a head, and part 2, the body behind it --

/** Reads request after request. */
export class HttpReader {
  readonly #input: Input;
  readonly #limits: Required<Limits>;

  /** From now on `reader` belongs to this object. */
  constructor(reader: Reader, limits: Limits = {}) {
    this.#input = new Input(reader);
    this.#limits = { target: 8_000, head: 16_384, body: 1 << 20, ...limits };
  }

  /**
   * Reads the next request with its body; null once the stream is over.
   *
   * @throws {Deno.errors.UnexpectedEof} If the stream ends inside it.
   */
  async next(): Promise<HttpRequest | null> {
    // TODO: Whatever one read brings is taken for a head. The half of one is
    // torn, and whatever came behind it is gone.
    if (!await this.#input.more()) return null;
    const end = find(EMPTY_LINE, this.#input.held);
    const head = parseHead(latin1.decode(this.#input.held.subarray(0, end)));
    this.#input.drop(this.#input.held.length);
    // TODO: Part 2. Some heads announce a body.
    return { ...head, body: new Uint8Array() };
  }
}

/** What a head says. */
function parseHead(text: string): Omit<HttpRequest, "body"> {
  // An empty line before a request is forgiven (RFC 9112, 2.2).
  const [first, ...lines] = text.replace(/^\r\n/, "").split("\r\n");
  const [method = "", target = "", version = ""] = first!.split(" ");
  const headers = new Map<string, string>();
  for (const line of lines) {
    // TODO: "HOST:inn" is a header, too, and a name may come twice.
    const [name = "", value = ""] = line.split(": ");
    headers.set(name, value);
  }
  // TODO: Part 5. Whatever this was, it has been taken for a request.
  return { method, target, version, headers };
}

// -- Part 3: an answer --

/**
 * Makes a response to `request`: a status line, the headers with Date and
 * Content-Length, an empty line, the body. HEAD gets the headers of GET and no
 * body; 204 and 304 have neither a body nor a Content-Length.
 *
 * @throws {TypeError} If a header's name is no token (a space is in none), or
 * its value has CR, LF or NUL in it.
 */
export function encodeResponse(
  { status, headers = [], body = "" }: HttpResponse,
  _request: Pick<HttpRequest, "method">,
): Uint8Array {
  const bytes = typeof body === "string" ? bytesOf(body) : body;
  const lines = [
    `HTTP/1.1 ${status} ${REASONS[status] ?? ""}`,
    `Date: ${new Date().toUTCString()}`,
    // TODO: A value that somebody typed can hold a line break.
    ...headers.map(([name, value]) => `${name}: ${value}`),
    // TODO: Of "é", curl prints a half.
    `Content-Length: ${body.length}`,
  ];
  // TODO: HEAD, 204 and 304 get a body, which nobody will read as one.
  return joined(bytesOf(`${lines.join("\r\n")}\r\n\r\n`), bytes);
}

// -- Part 4, one connection and many requests, and part 5, a way to say no --

/**
 * Answers the requests of all clients of `listener`, until it has closed and
 * the last client has left.
 *
 * Nobody is hurried here, and nobody is turned away: the clocks and limits of
 * lesson 17 come on top of this.
 */
export async function serve(
  listener: Deno.TcpListener,
  handler: Handler,
  options: ServeOptions = {},
): Promise<void> {
  const clients = new Set<Promise<void>>();
  for await (const conn of arrivals(listener)) {
    const client = talk(conn, handler, options)
      .catch(unlessGone)
      .finally(() => clients.delete(client));
    clients.add(client);
  }
  await Promise.all(clients);
}

/** One client, from its first request to the end. */
async function talk(
  conn: Deno.TcpConn,
  handler: Handler,
  limits: ServeOptions,
): Promise<void> {
  using _closing = conn; // Twice is fine.
  conn.setNoDelay(); // Of two small answers the second would wait (lesson 16).
  const requests = new HttpReader(conn, limits);
  try {
    // TODO: Whoever has a second question must connect again.
    const request = await requests.next();
    if (request === null) return;
    // TODO: A handler can throw, and all the others lose the server.
    const response = await handler(request);
    await writeAll(conn, encodeResponse(response, request));
  } catch (error) {
    if (!(error instanceof HttpError)) throw error;
    const headers = [["Connection", "close"]] as const;
    const refusal = { status: error.status, headers };
    await writeAll(conn, encodeResponse(refusal, { method: "GET" }));
    // TODO: Part 5. A client that is still uploading sees a reset, and not why.
  }
}

/** The client is gone, or was let go. Any other error is a bug of ours. */
function unlessGone(error: unknown) {
  const { BrokenPipe, ConnectionReset, Interrupted, UnexpectedEof } =
    Deno.errors;
  const reasons = [BrokenPipe, ConnectionReset, Interrupted, UnexpectedEof];
  if (!reasons.some((Reason) => error instanceof Reason)) throw error;
}

// -- Part 6: files --

/** What endings of names mean. */
const TYPES: Record<string, string> = {
  css: "text/css",
  html: "text/html; charset=utf-8",
  js: "text/javascript",
  md: "text/markdown; charset=utf-8",
  png: "image/png",
  svg: "image/svg+xml",
  txt: "text/plain; charset=utf-8",
};

/**
 * Answers GET and HEAD with the files below the directory `root`, and with
 * index.html where a target ends in "/". Nothing above `root` can be read.
 *
 * A symbolic link in it may lead out. That Deno may read nothing but `root`
 * (`--allow-read`) holds for those, too.
 */
export function files(
  root: string,
  read: (path: string) => Promise<Uint8Array> = Deno.readFile,
): Handler {
  return async ({ method, target }) => {
    if (method !== "GET" && method !== "HEAD") {
      return { status: 405, headers: [["Allow", "GET, HEAD"]] };
    }
    const [path] = target.split("?");
    const name = path!.endsWith("/") ? `${path}index.html` : path!;
    // TODO: Part 6. curl --path-as-is asks for /../secret.txt, and gets it.
    const type = TYPES[name.split(".").at(-1)!] ?? "application/octet-stream";
    try {
      const body = await read(`${root}${name}`);
      return { status: 200, headers: [["Content-Type", type]], body };
    } catch (error) {
      const { IsADirectory, NotADirectory, NotFound } = Deno.errors;
      const none = [IsADirectory, NotADirectory, NotFound];
      if (!none.some((Reason) => error instanceof Reason)) throw error;
      return { status: 404 };
    }
  };
}

// -- What earlier lessons have built --

/**
 * The clients of `listener`, until it closes. One client that cannot be let in
 * ends nothing (lesson 17).
 */
async function* arrivals(
  listener: Deno.TcpListener,
): AsyncGenerator<Deno.TcpConn> {
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

/** What has come from a reader and was not used yet, as in lesson 08. */
class Input {
  readonly #reader: Reader;
  /** What is held lies between `#start` and `#end`. */
  #buffer = new Uint8Array(4_096);
  #start = 0;
  #end = 0;

  constructor(reader: Reader) {
    this.#reader = reader;
  }

  /** What has come, and was not used. The next more() may move it. */
  get held(): Uint8Array {
    return this.#buffer.subarray(this.#start, this.#end);
  }

  /** Reads once, behind what is held; false if the reader has ended. */
  async more(): Promise<boolean> {
    if (this.#start === this.#end) this.#start = this.#end = 0;
    if (this.#end === this.#buffer.length) this.#makeRoom();
    const n = await this.#reader.read(this.#buffer.subarray(this.#end));
    this.#end += n ?? 0;
    return n !== null;
  }

  /** Lets go of the first `n` bytes that are held. */
  drop(n: number) {
    this.#start += n;
  }

  /** Puts into `into` what is held, or if nothing is, what one read brings. */
  async read(into: Uint8Array): Promise<number | null> {
    if (this.#start === this.#end) return await this.#reader.read(into);
    const part = this.held.subarray(0, into.length);
    into.set(part);
    this.drop(part.length);
    return part.length;
  }

  /** Moves what is held to the front of a buffer with room for as much more. */
  #makeRoom() {
    const { held } = this;
    this.#buffer = new Uint8Array(Math.max(4_096, 2 * held.length));
    this.#buffer.set(held);
    this.#start = 0;
    this.#end = held.length;
  }
}

/** Where `mark` begins in `bytes`, at `from` or later; -1 if nowhere. */
function find(mark: Uint8Array, bytes: Uint8Array, from = 0): number {
  for (let at = from; (at = bytes.indexOf(mark[0]!, at)) >= 0; at++) {
    if (mark.every((byte, i) => bytes[at + i] === byte)) return at;
  }
  return -1;
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function joined(left: Uint8Array, right: Uint8Array): Uint8Array {
  const whole = new Uint8Array(left.length + right.length);
  whole.set(left);
  whole.set(right, left.length);
  return whole;
}

async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) {
    sent += await conn.write(bytes.subarray(sent));
  }
}

/** A page, and an answer to whatever is sent. */
function hello({ method, target, body }: HttpRequest): HttpResponse {
  const type = ["Content-Type", "text/html; charset=utf-8"] as const;
  if (method === "POST") {
    return { status: 200, body: `${body.length} bytes came.\n` };
  }
  if (target !== "/") return { status: 404, body: "There is only /.\n" };
  const page = "<!doctype html><title>Hello</title><h1>Hello, browser.</h1>\n";
  return { status: 200, headers: [type], body: page };
}

// Try it by hand: `deno run -P lessons/21/http.ts`, then, elsewhere,
// curl -v http://127.0.0.1:7021/ http://127.0.0.1:7021/
if (import.meta.main) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 7021 });
  const [root] = Deno.args;
  await serve(listener, root === undefined ? hello : files(root));
}
