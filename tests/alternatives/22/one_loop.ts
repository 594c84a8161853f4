// style: one loop for a client; reads past what a handler left, and answers 408
type Source = { read(buffer: Uint8Array): Promise<number | null> };
type Sink = { write(bytes: Uint8Array): Promise<number> };
export type Reader = Source;
export type Writer = Sink;
export type Fields = [name: string, value: string][];
export type Framing =
  | { kind: "none" }
  | { kind: "length"; n: number }
  | { kind: "chunked" };
export interface ChunkLimits {
  total: number;
  line: number;
  trailer: number;
}
export interface Head {
  method: string;
  target: string;
  version: string;
  headers: Fields;
}
export interface HttpRequest extends Head {
  body: AsyncIterable<Uint8Array>;
}
export interface HttpResponse {
  status: number;
  headers?: Fields;
  body?: string | AsyncIterable<Uint8Array>;
}
export type Handler = (
  request: HttpRequest,
) => HttpResponse | Promise<HttpResponse>;
export interface ServeOptions {
  maxBody?: number;
  headMs?: number;
  bodyMs?: number;
  lingerMs?: number;
}

export class HttpError extends Error {
  constructor(readonly status: number, message: string) {
    super(message);
  }
}

const bad = (what: string) => new HttpError(400, what);
const latin1 = (bytes: number[]) => String.fromCharCode(...bytes);
const bytesOf = (text: string) => new TextEncoder().encode(text);

/** Byte by byte, from whatever came last. */
export class ByteReader {
  chunk = new Uint8Array();
  at = 0;
  constructor(readonly source: Source) {}

  async fill(): Promise<boolean> {
    while (this.at === this.chunk.length) {
      const buffer = new Uint8Array(4_096);
      const n = await this.source.read(buffer);
      if (n === null) return false;
      this.chunk = buffer.subarray(0, n);
      this.at = 0;
    }
    return true;
  }

  async byte(): Promise<number> {
    if (await this.fill()) return this.chunk[this.at++]!;
    throw new Deno.errors.UnexpectedEof("cut off");
  }

  async line(most: number, status = 400): Promise<string> {
    const line: number[] = [];
    while (true) {
      const byte = await this.byte();
      if (byte === 10) throw bad("a lone LF");
      if (byte === 13) {
        if (await this.byte() === 10) return latin1(line);
        throw bad("a lone CR");
      }
      if (line.push(byte) > most) throw new HttpError(status, "a long line");
    }
  }

  async piece(most: number): Promise<Uint8Array> {
    if (!await this.fill()) throw new Deno.errors.UnexpectedEof("cut off");
    const piece = this.chunk.slice(this.at, this.at + most);
    this.at += piece.length;
    return piece;
  }
}

export function bodyFraming(fields: Fields, version: string): Framing {
  const found = fields.filter(([name]) =>
    name === "content-length" || name === "transfer-encoding"
  );
  if (found.length === 0) return { kind: "none" };
  if (found.length > 1) throw bad("more than one framing");
  const [name, value] = found[0]!;
  if (name === "transfer-encoding") {
    if (version === "HTTP/1.0" || !/^chunked$/i.test(value)) {
      throw new HttpError(501, "transfer coding");
    }
    return { kind: "chunked" };
  }
  const n = BigInt(/^[0-9]+$/.test(value) ? value : "-1");
  if (n < 0n || n > BigInt(Number.MAX_SAFE_INTEGER)) throw bad("length");
  return { kind: "length", n: Number(n) };
}

export function parseField(line: string): [string, string] {
  const match = line.match(/^([-!#$%&'*+.^_`|~0-9A-Za-z]+):(.*)$/s);
  if (match === null) throw bad("field");
  for (const letter of match[2]!) {
    const code = letter.charCodeAt(0);
    if (code !== 9 && (code < 32 || code === 127)) throw bad("control");
  }
  let [, name, value] = match as unknown as [string, string, string];
  while (/^[ \t]/.test(value)) value = value.slice(1);
  while (/[ \t]$/.test(value)) value = value.slice(0, -1);
  return [name.toLowerCase(), value];
}

async function fieldsOf(reader: ByteReader, most: number): Promise<Fields> {
  const fields: Fields = [];
  let size = 0;
  while (true) {
    const line = await reader.line(most, 431);
    if (line === "") return fields;
    size += line.length;
    if (size > most) throw new HttpError(431, "too many fields");
    fields.push(parseField(line));
  }
}

export async function* readChunked(
  reader: ByteReader,
  limits: ChunkLimits,
): AsyncGenerator<Uint8Array> {
  let total = 0;
  let size: number;
  do {
    const line = await reader.line(limits.line);
    const [digits, ...more] = line.split(";");
    const extended = more.length > 0;
    if (!/^[0-9a-f]+$/i.test(digits!)) throw bad("size");
    if (extended && more.join(";").trim() === "") throw bad("extension");
    // deno-lint-ignore no-control-regex -- Control characters are the question.
    if (/[\0-\x08\n-\x1f\x7f]/.test(line)) throw bad("extension");
    size = Number(`0x${digits}`);
    total += size;
    if (total > limits.total) throw new HttpError(413, "large");
    let left = size;
    while (left > 0) {
      const piece = await reader.piece(left);
      left -= piece.length;
      yield piece;
    }
    if (size > 0 && await reader.byte() !== 13) throw bad("no CR");
    if (size > 0 && await reader.byte() !== 10) throw bad("no LF");
  } while (size > 0);
  await fieldsOf(reader, limits.trailer);
}

async function send(sink: Sink, ...parts: (string | Uint8Array)[]) {
  for (const part of parts) {
    let rest = typeof part === "string" ? bytesOf(part) : part;
    while (rest.length > 0) rest = rest.subarray(await sink.write(rest));
  }
}

export function chunkedWriter(sink: Sink) {
  return {
    write: async (bytes: Uint8Array): Promise<void> => {
      const size = bytes.length.toString(16);
      if (size !== "0") await send(sink, `${size}\r\n`, bytes, "\r\n");
    },
    end: async (trailers: Fields = []): Promise<void> => {
      const lines = trailers.map(([name, value]) => `${name}: ${value}\r\n`);
      await send(sink, "0\r\n", ...lines, "\r\n");
    },
  };
}

export async function serve(
  listener: Deno.Listener,
  handler: Handler,
  options: ServeOptions = {},
): Promise<void> {
  const clients: Promise<void>[] = [];
  for await (const conn of listener) {
    clients.push(
      talk(conn, handler, options).catch((error) => {
        if (!gone(error)) throw error;
      }).finally(() => conn[Symbol.dispose]()),
    );
  }
  await Promise.all(clients);
}

function gone(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.BrokenPipe ||
    error instanceof Deno.errors.BadResource ||
    error instanceof Deno.errors.Interrupted ||
    error instanceof Deno.errors.UnexpectedEof;
}

async function talk(
  conn: Deno.Conn,
  handler: Handler,
  {
    maxBody = 16 << 20,
    headMs = 10_000,
    bodyMs = 5_000,
    lingerMs = 2_000,
  }: ServeOptions,
) {
  // What is left of the client's time, and what each byte adds to it.
  let patience = 0;
  let wage = 0;
  const clocked: Source = {
    async read(buffer) {
      const start = Date.now();
      const reading = conn.read(buffer);
      reading.catch(() => {}); // After a 408 nobody waits for it any more.
      const bell = Promise.withResolvers<never>();
      const late = () => bell.reject(new HttpError(408, "too late"));
      const timer = setTimeout(late, patience);
      try {
        const n = await Promise.race([reading, bell.promise]);
        patience += (n ?? 0) * wage - (Date.now() - start);
        if (wage > 0) patience = Math.min(patience, bodyMs);
        return n;
      } finally {
        clearTimeout(timer);
      }
    },
  };
  const reader = new ByteReader(clocked);
  for (let open = true; open;) {
    let head: Head | undefined;
    let response: HttpResponse | undefined;
    let rest: AsyncGenerator<Uint8Array> | undefined;
    [patience, wage] = [headMs, 0];
    try {
      if (!await reader.fill()) break;
      const first = await reader.line(8_192, 431);
      const match = first.match(/^([A-Z]+) ([!-~]+) (HTTP\/1\.[01])$/);
      if (match === null) throw bad("request line");
      const [, method, target, version] = match as [string, ...string[]];
      const headers = await fieldsOf(reader, 8_192);
      const all = (wanted: string) =>
        headers.filter(([name]) => name === wanted).map(([, value]) => value);
      const hosts = all("host").length;
      if (hosts > 1 || version === "HTTP/1.1" && hosts < 1) throw bad("host");
      head = { method: method!, target: target!, version: version!, headers };
      const framing = bodyFraming(headers, head.version);
      if (framing.kind === "length" && framing.n > maxBody) {
        throw new HttpError(413, "large");
      }
      open = version === "HTTP/1.1" && !all("connection").includes("close");
      [patience, wage] = [bodyMs, 1];
      let asks = version === "HTTP/1.1" &&
        all("expect").join().toLowerCase() === "100-continue";
      rest = framing.kind === "chunked"
        ? readChunked(reader, { total: maxBody, line: 1_024, trailer: 8_192 })
        : framing.kind === "length"
        ? exactly(reader, framing.n)
        : undefined;
      const pieces = rest;
      const body = {
        [Symbol.asyncIterator]: () => ({
          // It has no return(): who leaves early leaves the rest to us.
          next: async () => {
            if (asks) await send(conn, "HTTP/1.1 100 Continue\r\n\r\n");
            asks = false;
            try {
              return await pieces?.next() ??
                { done: true as const, value: undefined };
            } catch (error) {
              open = false;
              throw error;
            }
          },
        }),
      };
      response = await handler({ ...head, body });
      if (asks) open = false; // Nobody knows whether the body will come.
      asks = false; // The answer begins.
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      response = { status: error.status, body: error.message };
      open = false;
    }
    await respond(conn, head, response, !open);
    if (open && rest) open = await skip(rest);
  }
  await conn.closeWrite();
  const alarm = setTimeout(() => conn[Symbol.dispose](), lingerMs);
  try {
    while (await conn.read(new Uint8Array(16_384)) !== null);
  } finally {
    clearTimeout(alarm);
  }
}

async function* exactly(reader: ByteReader, n: number) {
  while (n > 0) {
    const piece = await reader.piece(n);
    n -= piece.length;
    yield piece;
  }
}

/** Reads past a short rest; false if it is a long one, or none at all. */
async function skip(rest: AsyncGenerator<Uint8Array>): Promise<boolean> {
  try {
    let skipped = 0;
    for await (const { length } of rest) {
      skipped += length;
      if (skipped > 65_536) return false;
    }
    return true;
  } catch (error) {
    if (error instanceof HttpError) return false;
    throw error;
  }
}

async function respond(
  conn: Deno.Conn,
  head: Head | undefined,
  { status, headers = [], body = "" }: HttpResponse,
  last: boolean,
) {
  const lines = [`HTTP/1.1 ${status} Said`];
  for (const [name, value] of headers) lines.push(`${name}: ${value}`);
  if (last) lines.push("Connection: close");
  if (typeof body === "string") {
    lines.push(`Content-Length: ${bytesOf(body).length}`, "", body);
    return await send(conn, lines.join("\r\n"));
  }
  const chunked = head?.version !== "HTTP/1.0";
  if (chunked) lines.push("Transfer-Encoding: chunked");
  await send(conn, lines.join("\r\n") + "\r\n\r\n");
  const writer = chunkedWriter(conn);
  for await (const piece of body) {
    if (chunked) await writer.write(piece);
    else await send(conn, piece);
  }
  if (chunked) await writer.end();
}
