// style: streams; requests come from a generator, answers go to a writer
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

class Refused extends Error {
  constructor(readonly status: number, options?: ErrorOptions) {
    super(`refused with ${status}`, options);
  }
}

/** Parses what `chunks` bring, chunk by chunk. */
async function* requests(
  chunks: AsyncIterator<Uint8Array>,
  { target = 8_000, head = 16_000, body = 2 ** 20 }: Limits,
): AsyncGenerator<HttpRequest> {
  let rest = "";
  const more = async () => {
    const { value, done } = await chunks.next();
    if (done) return false;
    // One character for each byte, so that lengths are lengths of bytes.
    for (let at = 0; at < value.length; at += 8_192) {
      rest += String.fromCharCode(...value.subarray(at, at + 8_192));
    }
    return true;
  };
  const take = (n: number) => {
    const taken = rest.slice(0, n);
    rest = rest.slice(n);
    return taken;
  };
  for (;;) {
    let end;
    while ((end = rest.indexOf("\r\n\r\n")) < 0) {
      const [line, next] = rest.split("\r\n", 2);
      if (next === undefined && line!.length > head) throw new Refused(414);
      if (rest.length > head + 3) throw new Refused(431);
      if (await more()) continue;
      if (rest === "") return;
      throw new Deno.errors.UnexpectedEof("a head has no end");
    }
    if (end > head) throw new Refused(431);
    const request = parse(take(end + 4).slice(0, -4), target);
    const length = request.headers.get("content-length") ?? "0";
    if (!/^[0-9]+$/.test(length)) throw new Refused(400);
    if (Number(length) > body) throw new Refused(413);
    while (rest.length < Number(length)) {
      if (await more()) continue;
      throw new Deno.errors.UnexpectedEof("a body has no end");
    }
    const bytes = Uint8Array.from(
      take(Number(length)),
      (letter) => letter.charCodeAt(0),
    );
    yield { ...request, body: bytes };
  }
}

function parse(head: string, longest: number): Omit<HttpRequest, "body"> {
  const [start, ...fields] = head.split("\r\n");
  const [method, target, version, extra] = start!.split(" ");
  if (!version || extra !== undefined || !/^HTTP\/\d\.\d$/.test(version)) {
    throw new Refused(400);
  }
  if (target!.length > longest) throw new Refused(414);
  if (version[5] !== "1") throw new Refused(505);
  if (!"GET HEAD POST PUT DELETE".split(" ").includes(method!)) {
    throw new Refused(501);
  }
  const headers = new Headers();
  for (const field of fields) {
    const colon = field.indexOf(":");
    if (colon < 0) throw new Refused(400);
    try {
      headers.append(field.slice(0, colon), field.slice(colon + 1));
    } catch (cause) {
      throw new Refused(400, { cause });
    }
  }
  const host = headers.get("host");
  if (host?.includes(",") || !host && version !== "HTTP/1.0") {
    throw new Refused(400);
  }
  if (headers.has("transfer-encoding")) throw new Refused(501);
  return {
    method: method!,
    target: target!,
    version,
    headers: new Map(headers),
  };
}

export class HttpReader {
  readonly #requests: AsyncGenerator<HttpRequest>;

  constructor(reader: Reader, limits: Limits = {}) {
    this.#requests = requests(chunksOf(reader), limits);
  }

  async next(): Promise<HttpRequest | null> {
    return (await this.#requests.next()).value ?? null;
  }
}

async function* chunksOf(reader: Reader): AsyncGenerator<Uint8Array> {
  for (;;) {
    const chunk = new Uint8Array(2_048);
    const n = await reader.read(chunk);
    if (n === null) return;
    yield chunk.subarray(0, n);
  }
}

const WORDS: Record<number, string> = {
  200: "OK",
  302: "Found",
  304: "Not Modified",
  404: "Not Found",
  405: "Method Not Allowed",
};

export function encodeResponse(
  { status, headers = [], body = "" }: HttpResponse,
  { method }: Pick<HttpRequest, "method">,
): Uint8Array {
  let bytes = new Uint8Array(0);
  if (typeof body === "string") bytes = new TextEncoder().encode(body);
  else bytes = new Uint8Array(body);
  const lines = headers.map(([name, value]) => {
    if (/[^!-9;-~]/.test(name) || /[\r\n\0]/.test(value)) {
      throw new TypeError(`no header: ${name}`);
    }
    return `${name}: ${value}\r\n`;
  });
  lines.push(`date: ${new Date().toUTCString()}\r\n`);
  if (status !== 204 && status !== 304) {
    lines.push(`content-length: ${bytes.length}\r\n`);
  }
  const silent = method === "HEAD" || status === 204 || status === 304;
  const head = new TextEncoder().encode(
    `HTTP/1.1 ${status} ${WORDS[status] ?? ""}\r\n${lines.join("")}\r\n`,
  );
  return Uint8Array.from([...head, ...(silent ? [] : bytes)]);
}

export async function serve(
  listener: Deno.TcpListener,
  handler: Handler,
  options: ServeOptions = {},
): Promise<void> {
  const open = new Set<Promise<void>>();
  for await (const conn of listener) {
    const visit = converse(conn, handler, options).catch((error) => {
      const known = [
        Deno.errors.BrokenPipe,
        Deno.errors.ConnectionReset,
        Deno.errors.Interrupted,
        Deno.errors.UnexpectedEof,
      ];
      if (!known.some((Known) => error instanceof Known)) throw error;
    }).finally(() => {
      conn[Symbol.dispose]();
      open.delete(visit);
    });
    open.add(visit);
  }
  await Promise.all(open);
}

async function converse(
  conn: Deno.TcpConn,
  handler: Handler,
  { lingerMs = 10_000, onError = console.error, ...limits }: ServeOptions,
) {
  const incoming = conn.readable.values({ preventCancel: true });
  const outgoing = conn.writable.getWriter();
  const close: [string, string] = ["connection", "close"];
  let over = false;
  try {
    for await (const request of requests(incoming, limits)) {
      const tokens = (request.headers.get("connection") ?? "").toLowerCase();
      over = request.version === "HTTP/1.0" ||
        tokens.split(/\s*,\s*/).includes("close");
      let bytes;
      try {
        const { headers = [], ...rest } = await handler(request);
        const all = over ? [...headers, close] : headers;
        bytes = encodeResponse({ ...rest, headers: all }, request);
      } catch (error) {
        onError(error);
        bytes = encodeResponse({ status: 500 }, request);
      }
      await outgoing.write(bytes);
      if (over) break;
    }
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    const { status } = error;
    const no = { status, headers: [close], body: "Sorry.\n" };
    await outgoing.write(encodeResponse(no, { method: "GET" }));
    over = true;
  }
  if (!over) return;
  await conn.closeWrite();
  const timer = setTimeout(() => conn[Symbol.dispose](), lingerMs);
  const waste = new Uint8Array(9_999);
  try {
    while (await conn.read(waste) !== null);
  } finally {
    clearTimeout(timer);
  }
}

export function files(
  root: string,
  read: (path: string) => Promise<Uint8Array> = Deno.readFile,
): Handler {
  const types: [RegExp, string][] = [
    [/\.html$/, "text/html; charset=utf-8"],
    [/\.txt$/, "text/plain; charset=utf-8"],
    [/\.png$/, "image/png"],
  ];
  return async ({ method, target }) => {
    if (method !== "GET" && method !== "HEAD") return { status: 405 };
    const path: string[] = [];
    try {
      for (const part of decodeURIComponent(target.split("?")[0]!).split("/")) {
        if (part.includes("\0")) return { status: 400 };
        // As a shell does it: up to the root, and no further.
        if (part === "..") path.pop();
        else if (part !== "" && part !== ".") path.push(part);
      }
      if (target.split("?")[0]!.endsWith("/")) path.push("index.html");
      const body = await read([root, ...path].join("/"));
      const [, type] = types.find(([end]) => end.test(path.at(-1)!)) ?? [];
      const headers = type ? [["content-type", type] as const] : [];
      return { status: 200, headers, body };
    } catch (error) {
      const unknown = error instanceof Deno.errors.NotFound ||
        error instanceof URIError;
      if (!unknown) throw error;
      return { status: 404 };
    }
  };
}
