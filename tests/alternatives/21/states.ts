// style: a machine of states, fed with one byte after the other
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

type State = "line" | "field" | "body" | "whole" | "bad";

/** One request, as far as its bytes have come. */
class Growing {
  state: State = "line";
  status = 0;
  begun = false;
  readonly #limits: Required<Limits>;
  #line = "";
  #head = 0;
  #request = ["", "", ""];
  readonly #headers = new Map<string, string>();
  #body = new Uint8Array();
  #filled = 0;

  constructor(limits: Limits) {
    this.#limits = { target: 8_192, head: 20_000, body: 1_048_576, ...limits };
  }

  get request(): HttpRequest {
    const [method = "", target = "", version = ""] = this.#request;
    const [headers, body] = [this.#headers, this.#body];
    return { method, target, version, headers, body };
  }

  /** Takes one byte. */
  feed(byte: number) {
    this.begun = true;
    if (this.state === "body") return this.#feedBody(byte);
    if (++this.#head > this.#limits.head + 4) {
      return this.#bad(this.state === "line" ? 414 : 431);
    }
    this.#line += String.fromCharCode(byte);
    if (!this.#line.endsWith("\r\n")) return;
    const line = this.#line.slice(0, -2);
    this.#line = "";
    if (this.state === "line") this.#start(line);
    else if (line === "") this.#endOfHead();
    else this.#field(line);
  }

  #feedBody(byte: number) {
    this.#body[this.#filled++] = byte;
    if (this.#filled === this.#body.length) this.state = "whole";
  }

  #start(line: string) {
    this.#request = line.split(" ");
    const [method, target, version] = this.#request;
    if (this.#request.length !== 3) this.#bad(400);
    else if (!/^HTTP\/\d\.\d$/.test(version!)) this.#bad(400);
    else if (!version!.startsWith("HTTP/1")) this.#bad(505);
    else if (!/^(GET|HEAD|POST|PUT|DELETE|OPTIONS)$/.test(method!)) {
      this.#bad(501);
    } else if (target!.length > this.#limits.target) this.#bad(414);
    else this.state = "field";
  }

  #field(line: string) {
    const found = line.match(/^([\w-]+):[ \t]*(.*?)[ \t]*$/);
    if (!found) return this.#bad(400);
    const name = found[1]!.toLowerCase();
    const earlier = this.#headers.get(name);
    if (name === "host" && earlier !== undefined) return this.#bad(400);
    this.#headers.set(
      name,
      [earlier, found[2]!].filter((v) => v !== undefined).join(", "),
    );
  }

  #endOfHead() {
    const headers = this.#headers;
    const length = headers.get("content-length") ?? "0";
    if (headers.has("transfer-encoding")) return this.#bad(501);
    if (!headers.has("host") && this.#request[2] === "HTTP/1.1") {
      return this.#bad(400);
    }
    if (!/^\d+$/.test(length)) return this.#bad(400);
    if (Number(length) > this.#limits.body) return this.#bad(413);
    this.#body = new Uint8Array(Number(length));
    this.state = this.#body.length > 0 ? "body" : "whole";
  }

  #bad(status: number) {
    this.state = "bad";
    this.status = status;
  }
}

class Bad extends Error {
  constructor(readonly status: number) {
    super(String(status));
  }
}

export class HttpReader {
  readonly #buffer = new Uint8Array(50_000);
  #unused = this.#buffer.subarray(0, 0);

  constructor(private reader: Reader, private limits: Limits = {}) {}

  async next(): Promise<HttpRequest | null> {
    const growing = new Growing(this.limits);
    for (;;) {
      let used = 0;
      while (used < this.#unused.length) {
        growing.feed(this.#unused[used++]!);
        if (growing.state === "whole" || growing.state === "bad") break;
      }
      this.#unused = this.#unused.subarray(used);
      if (growing.state === "bad") throw new Bad(growing.status);
      if (growing.state === "whole") return growing.request;
      const n = await this.reader.read(this.#buffer);
      if (n !== null) this.#unused = this.#buffer.subarray(0, n);
      else if (!growing.begun) return null;
      else throw new Deno.errors.UnexpectedEof("inside a request");
    }
  }
}

const phrase = (status: number) =>
  ({ 200: "OK", 404: "Not Found", 405: "Method Not Allowed" })[status] ??
    "Status";

export function encodeResponse(
  { status, headers, body }: HttpResponse,
  { method }: Pick<HttpRequest, "method">,
): Uint8Array {
  const encoder = new TextEncoder();
  const content = typeof body === "object" ? body : encoder.encode(body);
  const parts = [`HTTP/1.1 ${status} ${phrase(status)}`];
  parts.push(`DATE:${new Date().toUTCString()}`);
  for (const [name, value] of headers ?? []) {
    if (!/^[\w-]+$/.test(name)) throw new TypeError("a bad name");
    if (/[\0\n\r]/.test(value)) throw new TypeError("a bad value");
    parts.push(`${name}: ${value}`);
  }
  const none = status === 204 || status === 304;
  if (!none) parts.push(`CONTENT-LENGTH:${content.byteLength}`);
  const head = encoder.encode(parts.concat("", "").join("\r\n"));
  const sent = none || method === "HEAD" ? content.subarray(0, 0) : content;
  const bytes = new Uint8Array(head.byteLength + sent.byteLength);
  bytes.set(head, 0);
  bytes.set(sent, head.byteLength);
  return bytes;
}

export function serve(
  listener: Deno.TcpListener,
  handler: Handler,
  options: ServeOptions = {},
): Promise<void> {
  return new Promise((resolve, reject) => {
    let guests = 0;
    let closed = false;
    const leave = () => {
      guests--;
      if (closed && guests === 0) resolve();
    };
    const accept = () => {
      listener.accept().then((conn) => {
        guests++;
        guest(conn, handler, options).then(leave, reject);
        accept();
      }, () => {
        closed = true;
        if (guests === 0) resolve();
      });
    };
    accept();
  });
}

async function guest(conn: Deno.TcpConn, handler: Handler, all: ServeOptions) {
  const { lingerMs = 3_000, onError = () => {}, ...limits } = all;
  const reader = new HttpReader(conn, limits);
  let timer;
  try {
    let last = false;
    while (!last) {
      let request = null;
      let response: HttpResponse;
      try {
        request = await reader.next();
        if (request === null) return;
        last = request.version === "HTTP/1.0" ||
          /(^|,)\s*close\s*(,|$)/i.test(
            request.headers.get("connection") ?? "",
          );
        response = await handler(request);
      } catch (error) {
        if (error instanceof Bad) last = true;
        else if (request !== null) onError(error);
        else return; // It is the connection that failed.
        response = { status: error instanceof Bad ? error.status : 500 };
      }
      let bytes = encodeResponse({ status: 500 }, { method: "GET" });
      try {
        bytes = encodeResponse(response, request ?? { method: "GET" });
      } catch (error) {
        onError(error);
      }
      while (bytes.length > 0) bytes = bytes.subarray(await conn.write(bytes));
    }
    timer = setTimeout(() => conn.close(), lingerMs);
    await conn.closeWrite();
    while (await conn.read(new Uint8Array(4_096)) !== null);
  } catch {
    // Whatever it was: this client has gone.
  } finally {
    clearTimeout(timer);
    conn[Symbol.dispose]();
  }
}

export function files(root: string, read = Deno.readFile): Handler {
  const type = (name: string) =>
    name.endsWith(".html")
      ? "text/html"
      : name.endsWith(".txt")
      ? "text/plain"
      : name.endsWith(".png")
      ? "image/png"
      : "application/octet-stream";
  return async ({ method, target }) => {
    if (method === "GET" || method === "HEAD") {
      const name = plain(target);
      const body = name && await read(root + name).catch(() => undefined);
      if (!name || !body) return { status: 404 };
      return { status: 200, headers: [["Content-Type", type(name)]], body };
    }
    return { status: 405, headers: [["Allow", "GET, HEAD"]] };
  };
}

/** A list of what is allowed is shorter than one of what is not. */
function plain(target: string): string | undefined {
  const [path = ""] = target.split("?");
  let name;
  try {
    name = decodeURIComponent(path).replace(/\/$/, "/index.html");
  } catch {
    return; // It decodes to nothing.
  }
  const allowed = /^(\/(?!\.)[\p{L}\d_.? -]+)+$/u.test(name);
  return allowed ? name : undefined;
}
