// style: no buffer: heads are read byte by byte, and answers wait in a row
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

/** A status that ends the conversation. */
type No = { no: number };

const isNo = (error: unknown): error is No =>
  typeof error === "object" && error !== null && "no" in error;

export class HttpReader {
  #reader: Reader;
  #limits: Limits;

  constructor(reader: Reader, limits: Limits = {}) {
    this.#reader = reader;
    this.#limits = limits;
  }

  async next(): Promise<HttpRequest | null> {
    const { target: longest = 8_000, body: largest = 2 ** 20 } = this.#limits;
    const line = await this.#line(null, 414);
    if (line === null) return null;
    const words = /^([^ ]+) ([^ ]+) (HTTP\/(\d)\.(\d))$/.exec(line);
    if (!words) throw { no: 400 };
    const [, method, target, version, major] = words as unknown as string[];
    if (target!.length > longest) throw { no: 414 };
    const headers = new Map<string, string>();
    for (let line; (line = (await this.#line(headers, 431))!) !== "";) {
      const field = /^([^\s:]+):(.*)$/s.exec(line);
      if (!field) throw { no: 400 };
      const [name, value] = [field[1]!.toLowerCase(), field[2]!.trim()];
      if (name === "host" && headers.has(name)) throw { no: 400 };
      const all = headers.has(name) ? `${headers.get(name)}, ${value}` : value;
      headers.set(name, all);
    }
    if (major !== "1") throw { no: 505 };
    if (!/^(GET|HEAD|POST|PUT|DELETE)$/.test(method!)) throw { no: 501 };
    if (version === "HTTP/1.1" && !headers.get("host")) throw { no: 400 };
    if (headers.has("transfer-encoding")) throw { no: 501 };
    const length = headers.get("content-length") ?? "0";
    if (/[^0-9]/.test(length) || length === "") throw { no: 400 };
    if (+length > largest) throw { no: 413 };
    const body = new Uint8Array(+length);
    await this.#fill(body, 0);
    return {
      method: method!,
      target: target!,
      version: version!,
      headers,
      body,
    };
  }

  /** One line; null at the end, if there is nothing before it in the head. */
  async #line(
    before: Map<string, string> | null,
    tooLong: number,
  ): Promise<string | null> {
    const limit = this.#limits.head ?? 10_000;
    const byte = new Uint8Array(1);
    let line = "";
    while (!line.endsWith("\r\n")) {
      if (line.length > limit) throw { no: tooLong };
      if (before === null && line === "") {
        if (await this.#reader.read(byte) === null) return null;
      } else await this.#fill(byte, 0);
      line += String.fromCharCode(byte[0]!);
    }
    return line.slice(0, -2);
  }

  async #fill(into: Uint8Array, from: number): Promise<void> {
    if (from === into.length) return;
    const n = await this.#reader.read(into.subarray(from));
    if (n === null) throw new Deno.errors.UnexpectedEof("in a request");
    await this.#fill(into, from + n);
  }
}

const PHRASES = new Map([
  [200, "OK"],
  [302, "Found"],
  [304, "Not Modified"],
  [404, "Not Found"],
  [405, "Method Not Allowed"],
]);

export function encodeResponse(
  response: HttpResponse,
  request: Pick<HttpRequest, "method">,
): Uint8Array {
  const { status } = response;
  const body = new TextEncoder().encode(
    typeof response.body === "string" ? response.body : "",
  );
  const content = response.body instanceof Uint8Array ? response.body : body;
  // Headers knows what may stand in a name and in a value, and throws.
  const headers = new Headers(response.headers as [string, string][] ?? []);
  for (const [, value] of response.headers ?? []) {
    if (/[\r\n\0]/.test(value)) throw new TypeError("a line break in a value");
  }
  const empty = status === 204 || status === 304;
  headers.set("date", new Date().toUTCString());
  if (!empty) headers.set("content-length", String(content.length));
  let head = `HTTP/1.1 ${status} ${PHRASES.get(status) ?? "So"}\r\n`;
  headers.forEach((value, name) => head += `${name}: ${value}\r\n`);
  const start = new TextEncoder().encode(head + "\r\n");
  if (empty || request.method === "HEAD") return start;
  const whole = new Uint8Array(start.length + content.length);
  whole.set(start);
  whole.set(content, start.length);
  return whole;
}

export async function serve(
  listener: Deno.TcpListener,
  handler: Handler,
  options: ServeOptions = {},
): Promise<void> {
  const visits: Promise<void>[] = [];
  for await (const conn of listener) visits.push(visit(conn, handler, options));
  await Promise.all(visits);
}

async function visit(conn: Deno.TcpConn, handler: Handler, o: ServeOptions) {
  const reader = new HttpReader(conn, o);
  let row: Promise<unknown> = Promise.resolve();
  let linger = false;
  const send = async (bytes: Uint8Array) => {
    for (let at = 0; at < bytes.length;) {
      at += await conn.write(bytes.subarray(at));
    }
  };
  try {
    for (let last = false; !last;) {
      const request = await reader.next();
      if (request === null) break;
      const wish = request.headers.get("connection") ?? "";
      last = request.version === "HTTP/1.0" || /\bclose\b/i.test(wish);
      linger = last;
      const encoded = (async () => {
        try {
          return encodeResponse(await handler(request), request);
        } catch (error) {
          (o.onError ?? console.error)(error);
          return encodeResponse({ status: 500 }, request);
        }
      })();
      // Handlers may run side by side; what they give waits for its turn.
      row = row.then(async () => await send(await encoded));
      row.catch(() => {});
    }
  } catch (error) {
    if (isNo(error)) {
      linger = true;
      const closing = [["connection", "close"]] as const;
      const answer = { status: error.no, headers: closing, body: "No.\n" };
      row = row.then(() => send(encodeResponse(answer, { method: "GET" })));
    }
  }
  await row.catch(() => linger = false);
  if (linger) await drain(conn, o.lingerMs ?? 3_000).catch(() => {});
  conn[Symbol.dispose]();
}

async function drain(conn: Deno.TcpConn, ms: number) {
  const alarm = setTimeout(() => conn[Symbol.dispose](), ms);
  try {
    await conn.closeWrite();
    const waste = new Uint8Array(65_536);
    while ((await conn.read(waste)) !== null) continue;
  } finally {
    clearTimeout(alarm);
  }
}

const KINDS: Record<string, string> = {
  html: "text/html",
  png: "image/png",
  txt: "text/plain",
};

export function files(
  root: string,
  read: (path: string) => Promise<Uint8Array> = Deno.readFile,
): Handler {
  return async ({ method, target }) => {
    if (!["GET", "HEAD"].includes(method)) {
      return { status: 405, headers: [["allow", "GET, HEAD"]] };
    }
    try {
      // The URL class takes dots away that are visible; the rest is looked at.
      const { pathname } = new URL(target, "http://inn");
      const path = decodeURIComponent(pathname);
      if (/\0|(^|\/)\.\.(\/|$)/.test(path)) return { status: 400 };
      const name = path.replace(/\/$/, "/index.html");
      const kind = KINDS[name.slice(name.lastIndexOf(".") + 1)] ?? "text/x";
      const body = await read(root + name);
      return { status: 200, headers: [["content-type", kind]], body };
    } catch {
      return { status: 404, body: "Nothing here.\n" };
    }
  };
}
