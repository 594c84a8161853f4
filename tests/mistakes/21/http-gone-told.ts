// expect: http-gone-told
// All that can fail is tried in one place.

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

class HttpError extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`Cannot serve a request: ${status} ${REASONS[status]}`);
    this.status = status;
  }
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

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;

const BREAKS = /[\0\r\n]/;

const SINGLE = ["host", "content-length"];

const EMPTY_LINE = new TextEncoder().encode("\r\n\r\n");
const LINE_FEED = 0x0a;
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
    if (head.target.length > this.#limits.target) throw new HttpError(414);
    const length = bodyLength(head.headers);
    if (length > this.#limits.body) throw new HttpError(413);
    return { ...head, body: await this.#readBody(length) };
  }

  async #readHead(): Promise<string | null> {
    for (let searched = 0;;) {
      const { held } = this.#input;
      const end = find(EMPTY_LINE, held, searched);
      searched = Math.max(0, held.length - 3);
      if ((end < 0 ? searched : end) > this.#limits.head) {
        throw new HttpError(held.includes(LINE_FEED) ? 431 : 414);
      }
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
  const [first, ...lines] = text.replace(/^\r\n/, "").split("\r\n");
  const [, method = "", target = "", version = ""] =
    first!.match(/^(\S+) ([!-~]+) (HTTP\/\d\.\d)$/) ?? [];
  if (!TOKEN.test(method)) throw new HttpError(400);
  if (!version.startsWith("HTTP/1.")) throw new HttpError(505);
  if (!METHODS.includes(method)) throw new HttpError(501);
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, named = "", given = ""] = line.match(/^([^:]*):(.*)$/s) ?? [];
    const name = named.toLowerCase();
    const value = given.replace(/^[ \t]+|[ \t]+$/g, "");
    if (!TOKEN.test(name) || BREAKS.test(value)) throw new HttpError(400);
    const before = headers.get(name);
    if (before !== undefined && SINGLE.includes(name)) throw new HttpError(400);
    headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  if (version !== "HTTP/1.0" && !headers.has("host")) throw new HttpError(400);
  return { method, target, version, headers };
}

function bodyLength(headers: HttpRequest["headers"]): number {
  if (headers.has("transfer-encoding")) throw new HttpError(501);
  const length = headers.get("content-length") ?? "0";
  if (!/^\d+$/.test(length)) throw new HttpError(400);
  return Number(length);
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
  { lingerMs = 5_000, onError = console.error, ...limits }: ServeOptions,
): Promise<void> {
  using _closing = conn;
  conn.setNoDelay();
  const requests = new HttpReader(conn, limits);
  try {
    for (let request; (request = await requests.next()) !== null;) {
      const last = isLast(request);
      await answer(conn, request, handler, { last, onError });
      if (last) return await hangUp(conn, lingerMs);
    }
  } catch (error) {
    if (!(error instanceof HttpError)) throw error;
    const headers = [["Connection", "close"]] as const;
    const refusal = { status: error.status, headers };
    await writeAll(conn, encodeResponse(refusal, { method: "GET" }));
    await hangUp(conn, lingerMs);
  }
}

function isLast({ version, headers }: HttpRequest): boolean {
  const options = headers.get("connection")?.toLowerCase().split(",") ?? [];
  return version === "HTTP/1.0" ||
    options.some((option) => option.trim() === "close");
}

async function answer(
  conn: Deno.Conn,
  request: HttpRequest,
  handler: Handler,
  { last, onError }: { last: boolean; onError: (error: unknown) => void },
): Promise<void> {
  const closing = last ? [["Connection", "close"] as const] : [];
  try {
    const { headers = [], ...response } = await handler(request);
    const both = { ...response, headers: [...headers, ...closing] };
    await writeAll(conn, encodeResponse(both, request));
  } catch (error) {
    onError(error);
    const failed = { status: 500, headers: closing };
    await writeAll(conn, encodeResponse(failed, request));
  }
}

async function hangUp(conn: Deno.TcpConn, lingerMs: number): Promise<void> {
  await conn.closeWrite();
  const timer = setTimeout(() => conn.close(), lingerMs);
  const waste = new Uint8Array(16_384);
  try {
    while (await conn.read(waste) !== null);
  } finally {
    clearTimeout(timer);
  }
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
    const name = nameOf(target);
    if (name === undefined) return { status: 404 };
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

function nameOf(target: string): string | undefined {
  try {
    const name = decodeURIComponent(target.split("?")[0]!);
    const leadsOut = name.split("/").includes("..") || /[\0\\]/.test(name);
    if (leadsOut || !name.startsWith("/")) return;
    return name.endsWith("/") ? `${name}index.html` : name;
  } catch (error) {
    if (error instanceof URIError) return;
    throw error;
  }
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
  for (let sent = 0; sent < bytes.length;) {
    sent += await conn.write(bytes.subarray(sent));
  }
}

function hello({ method, target, body }: HttpRequest): HttpResponse {
  const type = ["Content-Type", "text/html; charset=utf-8"] as const;
  if (method === "POST") {
    return { status: 200, body: `${body.length} bytes came.\n` };
  }
  if (target !== "/") return { status: 404, body: "There is only /.\n" };
  const page = "<!doctype html><title>Hello</title><h1>Hello, browser.</h1>\n";
  return { status: 200, headers: [type], body: page };
}

if (import.meta.main) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 7021 });
  const [root] = Deno.args;
  await serve(listener, root === undefined ? hello : files(root));
}
