// style: safe requests side by side; a parser emits them, answers keep order
import { Buffer } from "node:buffer";
import { posix as path } from "node:path";
import { EventEmitter } from "node:events";

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
    super(`no: ${status}`);
    this.status = status;
  }
}

const KNOWN = new Set(["GET", "HEAD", "POST"]);
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

class Parser extends EventEmitter {
  #rest = Buffer.alloc(0);
  #head: Omit<HttpRequest, "body"> | undefined;
  constructor(readonly limits: Required<Limits>) {
    super();
  }
  push(chunk: Uint8Array) {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    while (this.#step());
  }
  end() {
    if (this.#rest.length || this.#head) throw new Deno.errors.UnexpectedEof();
  }
  #step(): boolean {
    if (!this.#head) {
      const end = this.#rest.indexOf("\r\n\r\n");
      if (
        end < 0 && this.#rest.length > this.limits.head + 3 ||
        end > this.limits.head
      ) throw new HttpError(431);
      if (end < 0) return false;
      this.#head = parseHead(
        this.#rest.toString("latin1", 0, end),
        this.limits,
      );
      this.#rest = this.#rest.subarray(end + 4);
    }
    const length = Number(this.#head.headers.get("content-length") ?? 0);
    if (length > this.limits.body) throw new HttpError(413);
    if (this.#rest.length < length) return false;
    const body = Uint8Array.from(this.#rest.subarray(0, length));
    this.#rest = this.#rest.subarray(length);
    this.emit("request", { ...this.#head, body });
    this.#head = undefined;
    return true;
  }
}

export class HttpReader {
  #queue: HttpRequest[] = [];
  #parser: Parser;
  #reader: Reader;
  #failed: unknown;
  #over = false;
  constructor(reader: Reader, limits: Limits = {}) {
    this.#reader = reader;
    this.#parser = new Parser({
      target: 8_000,
      head: 16_384,
      body: 1 << 20,
      ...limits,
    });
    this.#parser.on("request", (r: HttpRequest) => this.#queue.push(r));
  }
  async next(): Promise<HttpRequest | null> {
    const chunk = new Uint8Array(1024);
    for (;;) {
      const r = this.#queue.shift();
      if (r) return r;
      if (this.#failed) throw this.#failed;
      if (this.#over) return null;
      const n = await this.#reader.read(chunk);
      try {
        if (n === null) {
          this.#over = true;
          this.#parser.end();
        } else this.#parser.push(chunk.subarray(0, n));
      } catch (e) {
        this.#failed = e;
      }
    }
  }
}

function parseHead(
  text: string,
  limits: Required<Limits>,
): Omit<HttpRequest, "body"> {
  const [first, ...lines] = text.replace(/^\r\n/, "").split("\r\n");
  const m = /^(\S+) (\S+) HTTP\/(\d)\.(\d)$/.exec(first!);
  if (!m) throw new HttpError(400);
  const [, method, target, major, minor] = m as unknown as string[];
  if (target!.length > limits.target) throw new HttpError(414);
  if (major !== "1") throw new HttpError(505);
  if (!KNOWN.has(method!)) throw new HttpError(501);
  const headers = new Map<string, string>();
  let hosts = 0;
  for (const line of lines) {
    const colon = line.indexOf(":");
    if (colon < 0) throw new HttpError(400);
    const name = line.slice(0, colon).toLowerCase();
    if (!TOKEN.test(name)) throw new HttpError(400);
    const value = line.slice(colon + 1).trim();
    if (name === "host") hosts++;
    headers.set(
      name,
      headers.has(name) ? `${headers.get(name)}, ${value}` : value,
    );
  }
  if (headers.has("transfer-encoding")) throw new HttpError(501);
  if (minor === "1" && hosts !== 1) throw new HttpError(400);
  const cl = headers.get("content-length");
  if (cl !== undefined && !/^\d+$/.test(cl)) throw new HttpError(400);
  return {
    method: method!,
    target: target!,
    version: `HTTP/${major}.${minor}`,
    headers,
  };
}

export function encodeResponse(
  { status, headers = [], body = "" }: HttpResponse,
  request: Pick<HttpRequest, "method">,
): Uint8Array {
  const payload = Buffer.from(body as string);
  const none = status === 204 || status === 304;
  let head = `HTTP/1.1 ${status} \r\n`;
  head += `Date: ${new Date().toUTCString()}\r\n`;
  for (const [name, value] of headers) {
    if (!TOKEN.test(name)) throw new TypeError(`bad name ${name}`);
    if (/[\r\n\0]/.test(value)) throw new TypeError(`bad value`);
    head += `${name}: ${value}\r\n`;
  }
  if (!none) head += `Content-Length: ${payload.byteLength}\r\n`;
  head += "\r\n";
  return Buffer.concat(
    none || request.method === "HEAD"
      ? [Buffer.from(head)]
      : [Buffer.from(head), payload],
  );
}

export async function serve(
  listener: Deno.TcpListener,
  handler: Handler,
  options: ServeOptions = {},
): Promise<void> {
  const all = new Set<Promise<void>>();
  const report = options.onError ?? console.error;
  try {
    for (;;) {
      const conn = await listener.accept();
      const p: Promise<void> = talk(conn).finally(() => all.delete(p));
      all.add(p);
    }
  } catch (e) {
    if (!(e instanceof Deno.errors.BadResource)) throw e;
  }
  await Promise.allSettled(all);

  async function talk(conn: Deno.TcpConn) {
    const reader = new HttpReader(conn, options);
    let tail: Promise<unknown> = Promise.resolve();
    let broken = false;
    const put = (bytes: Promise<Uint8Array>) => {
      tail = tail.then(async () => {
        if (!broken) await writeAll(conn, await bytes);
      }).catch(() => {
        broken = true;
      });
      return tail;
    };
    const answer = async (request: HttpRequest) => {
      try {
        return encodeResponse(await handler(request), request);
      } catch (e) {
        report(e);
        return encodeResponse({ status: 500 }, request);
      }
    };
    let stop = false;
    try {
      for (let n = 0; !stop; n++) {
        const request = await reader.next();
        if (!request) break;
        const isSafe = request.method !== "POST"; // RFC 9112, 9.3.2.
        if (!isSafe || n % 8 === 7) await tail;
        put(answer(request));
        if (!isSafe) await tail;
        const option = request.headers.get("connection") ?? "";
        stop = request.version === "HTTP/1.0" ||
          /(^|[\s,])close($|[\s,])/i.test(option);
      }
    } catch (e) {
      if (e instanceof HttpError) {
        const headers = [["Connection", "close"]] as const;
        const refusal = { status: e.status, headers };
        put(Promise.resolve(encodeResponse(refusal, { method: "GET" })));
        stop = true;
      }
    }
    await tail;
    if (stop && !broken) {
      let timer: ReturnType<typeof setTimeout> | undefined;
      try {
        await conn.closeWrite();
        timer = setTimeout(() => conn.close(), options.lingerMs ?? 5000);
        const sink = new Uint8Array(1 << 16);
        while (await conn.read(sink) !== null);
      } catch {
        /* gone */
      } finally {
        clearTimeout(timer);
      }
    }
    try {
      conn.close();
    } catch { /* is closed */ }
  }
}

const TYPES: Record<string, string> = {
  ".css": "text/css",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".md": "text/markdown; charset=utf-8",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
};

export function files(
  root: string,
  read: (path: string) => Promise<Uint8Array> = Deno.readFile,
): Handler {
  const base = path.resolve(root);
  return async ({ method, target }) => {
    if (method !== "GET" && method !== "HEAD") {
      return { status: 405, headers: [["Allow", "GET, HEAD"]] };
    }
    let name: string;
    try {
      name = decodeURIComponent(target.split("?")[0]!);
    } catch {
      return { status: 400 };
    }
    if (name.includes("\0")) return { status: 400 };
    if (name.endsWith("/")) name += "index.html";
    const file = path.join(base, path.join("/", name));
    if (!file.startsWith(base + path.sep)) return { status: 404 };
    try {
      const body = await read(file);
      return {
        status: 200,
        headers: [[
          "Content-Type",
          TYPES[path.extname(file)] ?? "application/octet-stream",
        ]],
        body,
      };
    } catch (e) {
      if (
        e instanceof Deno.errors.NotFound ||
        e instanceof Deno.errors.IsADirectory ||
        e instanceof Deno.errors.NotADirectory
      ) return { status: 404 };
      throw e;
    }
  };
}

async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) {
    sent += await conn.write(bytes.subarray(sent));
  }
}
