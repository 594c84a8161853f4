// expect: writer-close-kills-read
// pipeTo() writes all of an answer, however little a write takes.
export interface Reader {
  read(into: Uint8Array): Promise<number | null>;
}

export interface HttpRequest {
  readonly method: string;
  readonly target: string;
  readonly version: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers?: readonly (readonly [name: string, value: string])[];
  readonly body?: string | Uint8Array;
}

export type Handler = (
  request: HttpRequest,
) => HttpResponse | Promise<HttpResponse>;

export interface Limits {
  readonly target?: number;
  readonly head?: number;
  readonly body?: number;
}

export interface ServeOptions extends Limits {
  readonly lingerMs?: number;
  readonly onError?: (error: unknown) => void;
}

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

const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;

const BREAKS = /[\0\r\n]/;

const EMPTY_LINE = new TextEncoder().encode("\r\n\r\n");
const latin1 = new TextDecoder("latin1");

export class HttpReader {
  readonly #input: Input;
  readonly #limits: Required<Limits>;

  constructor(reader: Reader, limits: Limits = {}) {
    this.#input = new Input(reader);
    this.#limits = { target: 8_000, head: 16_384, body: 1 << 20, ...limits };
  }

  async next(): Promise<HttpRequest | null> {
    const text = await this.#readHead();
    if (text === null) return null;
    const head = parseHead(text);
    const length = Number(head.headers.get("content-length") ?? 0);
    return { ...head, body: await this.#readBody(length) };
  }

  async #readHead(): Promise<string | null> {
    for (let searched = 0;;) {
      const { held } = this.#input;
      const end = find(EMPTY_LINE, held, searched);
      searched = Math.max(0, held.length - 3);
      if (end >= 0) {
        const text = latin1.decode(held.subarray(0, end));
        this.#input.drop(end + EMPTY_LINE.length);
        return text;
      }
      if (await this.#input.more()) continue;
      if (held.length === 0) return null;
      throw new Deno.errors.UnexpectedEof("Cannot read a head to its end");
    }
  }

  async #readBody(length: number): Promise<Uint8Array> {
    const body = new Uint8Array(length);
    for (let filled = 0; filled < length;) {
      const n = await this.#input.read(body.subarray(filled));
      if (n === null) {
        throw new Deno.errors.UnexpectedEof("Cannot read a body to its end");
      }
      filled += n;
    }
    return body;
  }
}

function parseHead(text: string): Omit<HttpRequest, "body"> {
  const [first, ...lines] = text.split("\r\n");
  const [method = "", target = "", version = ""] = first!.split(" ");
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return { method, target, version, headers };
}

export function encodeResponse(
  { status, headers = [], body = "" }: HttpResponse,
  { method }: Pick<HttpRequest, "method">,
): Uint8Array {
  const bytes = typeof body === "string" ? bytesOf(body) : body;
  const bodiless = status === 204 || status === 304;
  const lines = [
    `HTTP/1.1 ${status} ${REASONS[status] ?? ""}`,
    `Date: ${new Date().toUTCString()}`,
    ...headers.map(headerLine),
    ...(bodiless ? [] : [`Content-Length: ${bytes.length}`]),
  ];
  const head = bytesOf(`${lines.join("\r\n")}\r\n\r\n`);
  return bodiless || method === "HEAD" ? head : joined(head, bytes);
}

function headerLine([name, value]: readonly [string, string]): string {
  if (TOKEN.test(name) && !BREAKS.test(value)) return `${name}: ${value}`;
  throw new TypeError(`Cannot send a header: ${Deno.inspect([name, value])}`);
}

export async function serve(
  listener: Deno.TcpListener,
  handler: Handler,
  options: ServeOptions = {},
): Promise<void> {
  const clients = new Set<Promise<void>>();
  for await (const conn of listener) {
    const client = talk(conn, handler, options)
      .catch(unlessGone)
      .finally(() => clients.delete(client));
    clients.add(client);
  }
  await Promise.all(clients);
}

async function talk(
  conn: Deno.TcpConn,
  handler: Handler,
  { onError = console.error, ...limits }: ServeOptions,
): Promise<void> {
  using _closing = conn;
  conn.setNoDelay();
  const requests = new HttpReader(conn, limits);
  for (let request; (request = await requests.next()) !== null;) {
    const last = isLast(request);
    await writeAll(conn, await answer(request, handler, { last, onError }));
    if (last) return await hangUp(conn);
  }
}

function isLast({ version, headers }: HttpRequest): boolean {
  const options = headers.get("connection")?.toLowerCase().split(",") ?? [];
  return version === "HTTP/1.0" ||
    options.some((option) => option.trim() === "close");
}

async function answer(
  request: HttpRequest,
  handler: Handler,
  { last, onError }: { last: boolean; onError: (error: unknown) => void },
): Promise<Uint8Array> {
  const closing = last ? [["Connection", "close"] as const] : [];
  try {
    const { headers = [], ...response } = await handler(request);
    const both = { ...response, headers: [...headers, ...closing] };
    return encodeResponse(both, request);
  } catch (error) {
    onError(error);
    return encodeResponse({ status: 500, headers: closing }, request);
  }
}

async function hangUp(conn: Deno.TcpConn): Promise<void> {
  await conn.closeWrite();
  const waste = new Uint8Array(1_024);
  while (await conn.read(waste) !== null);
}

function unlessGone(error: unknown) {
  const { BrokenPipe, ConnectionReset, Interrupted, UnexpectedEof } =
    Deno.errors;
  const reasons = [BrokenPipe, ConnectionReset, Interrupted, UnexpectedEof];
  if (!reasons.some((Reason) => error instanceof Reason)) throw error;
}

const TYPES: Record<string, string> = {
  css: "text/css",
  html: "text/html; charset=utf-8",
  js: "text/javascript",
  md: "text/markdown; charset=utf-8",
  png: "image/png",
  svg: "image/svg+xml",
  txt: "text/plain; charset=utf-8",
};

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

class Input {
  readonly #reader: Reader;
  #buffer = new Uint8Array(4_096);
  #start = 0;
  #end = 0;

  constructor(reader: Reader) {
    this.#reader = reader;
  }

  get held(): Uint8Array {
    return this.#buffer.subarray(this.#start, this.#end);
  }

  async more(): Promise<boolean> {
    if (this.#start === this.#end) this.#start = this.#end = 0;
    if (this.#end === this.#buffer.length) this.#makeRoom();
    const n = await this.#reader.read(this.#buffer.subarray(this.#end));
    this.#end += n ?? 0;
    return n !== null;
  }

  drop(n: number) {
    this.#start += n;
  }

  async read(into: Uint8Array): Promise<number | null> {
    if (this.#start === this.#end) return await this.#reader.read(into);
    const part = this.held.subarray(0, into.length);
    into.set(part);
    this.drop(part.length);
    return part.length;
  }

  #makeRoom() {
    const { held } = this;
    this.#buffer = new Uint8Array(Math.max(4_096, 2 * held.length));
    this.#buffer.set(held);
    this.#start = 0;
    this.#end = held.length;
  }
}

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
  await ReadableStream.from([bytes]).pipeTo(conn.writable);
}
