// expect: http-time-carried-over
// The clock for a head starts when the client comes, and that is once.
export type Reader = Pick<Deno.Conn, "read">;

export type Writer = Pick<Deno.Conn, "write">;

export type Fields = [name: string, value: string][];

export class HttpError extends Error {
  readonly status: number;

  constructor(status: number, why: string) {
    super(`Cannot accept this request: ${why}`);
    this.status = status;
  }
}

export type Framing =
  | { kind: "none" }
  | { kind: "length"; n: number }
  | { kind: "chunked" };

export function bodyFraming(fields: Fields, version: string): Framing {
  const codings = valuesOf(fields, "transfer-encoding");
  const lengths = valuesOf(fields, "content-length");
  if (codings.length + lengths.length > 1) {
    throw new HttpError(400, "it tells twice where its body ends");
  }
  for (const coding of codings) {
    if (version === "HTTP/1.0") {
      throw new HttpError(400, "HTTP/1.0 has no transfer codings");
    }
    if (coding.toLowerCase() === "chunked") return { kind: "chunked" };
    throw new HttpError(501, "its transfer coding is not chunked alone");
  }
  for (const length of lengths) {
    const n = /^\d+$/.test(length) ? Number(length) : NaN;
    if (Number.isSafeInteger(n)) return { kind: "length", n };
    throw new HttpError(400, "its Content-Length is no number of bytes");
  }
  return { kind: "none" };
}

export function parseField(line: string): [name: string, value: string] {
  const colon = line.indexOf(":");
  const [name, value] = [line.slice(0, colon), line.slice(colon + 1)];
  if (colon < 0 || !TOKEN.test(name) || !VALUE.test(value)) {
    throw new HttpError(400, "one of its lines is no field");
  }
  const [inner = ""] = value.match(/[^\t ](.*[^\t ])?/) ?? [];
  return [name.toLowerCase(), inner];
}

const TOKEN = /^[!#$%&'*+.^_`|~\w-]+$/;
const VALUE = /^[\t -~\u0080-\u00ff]*$/;

export interface ChunkLimits {
  total: number;
  line: number;
  trailer: number;
}

export async function* readChunked(
  r: ByteReader,
  limits: ChunkLimits,
): AsyncGenerator<Uint8Array> {
  for (let left = limits.total;;) {
    const size = chunkSize(await r.line(limits.line));
    if (size === 0) break;
    if (size > left) throw new HttpError(413, "its body is too large");
    left -= size;
    yield* readExactly(r, size);
    await r.line(0);
  }
  await readFields(r, limits.trailer);
}

function chunkSize(line: string): number {
  const [, digits] = line.match(/^([\da-f]+)([\t ]*;[\t ]*[^\t ;].*)?$/i) ?? [];
  if (digits !== undefined && VALUE.test(line)) return parseInt(digits, 16);
  throw new HttpError(400, "a chunk has no size");
}

export function chunkedWriter(w: Writer): {
  write(bytes: Uint8Array): Promise<void>;
  end(trailers?: Fields): Promise<void>;
} {
  return {
    async write(bytes) {
      if (bytes.length === 0) return; // A chunk without data is the last one.
      const size = encode(`${bytes.length.toString(16)}\r\n`);
      await writeAll(w, concat([size, bytes, encode("\r\n")]));
    },
    async end(trailers = []) {
      await writeAll(w, encode(`0\r\n${fieldLines(trailers)}\r\n`));
    },
  };
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

type Limits = Required<ServeOptions>;

const DEFAULTS: Limits = {
  maxBody: 16 << 20,
  headMs: 10_000,
  bodyMs: 5_000,
  lingerMs: 2_000,
};

export async function serve(
  listener: Deno.Listener,
  handler: Handler,
  options: ServeOptions = {},
): Promise<void> {
  const limits = { ...DEFAULTS, ...options };
  const visits = new Set<Promise<void>>();
  for await (const conn of listener) {
    const visit = talk(conn, handler, limits)
      .catch(report)
      .finally(() => visits.delete(visit));
    visits.add(visit);
  }
  await Promise.all(visits);
}

async function talk(
  conn: Deno.Conn,
  handler: Handler,
  limits: Limits,
): Promise<void> {
  using _closing = conn; // The clock may have closed it already.
  const clock = new PatientReader(conn);
  const client = { conn, clock, reader: new ByteReader(clock) };
  clock.grant(limits.headMs);
  while (await exchange(client, handler, limits));
  await conn.closeWrite();
  clock.grant(limits.lingerMs);
  const waste = new Uint8Array(65_536);
  while (await clock.read(waste) !== null);
}

class PatientReader implements Reader {
  readonly #conn: Deno.Conn;
  #mostMs = 0;
  #leftMs = 0;
  #msPerByte = 0;

  constructor(conn: Deno.Conn) {
    this.#conn = conn;
  }

  grant(ms: number, msPerByte = 0) {
    this.#mostMs = this.#leftMs = ms;
    this.#msPerByte = msPerByte;
  }

  async read(buffer: Uint8Array): Promise<number | null> {
    const before = performance.now();
    const alarm = setTimeout(() => this.#conn.close(), this.#leftMs);
    try {
      const n = await this.#conn.read(buffer);
      const waited = performance.now() - before;
      const left = this.#leftMs - waited + (n ?? 0) * this.#msPerByte;
      this.#leftMs = Math.min(left, this.#mostMs);
      return n;
    } finally {
      clearTimeout(alarm); // While the handler works, no clock runs.
    }
  }
}

interface Client {
  conn: Deno.Conn;
  clock: PatientReader;
  reader: ByteReader;
}

const CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";

async function exchange(
  { conn, clock, reader }: Client,
  handler: Handler,
  limits: Limits,
): Promise<boolean> {
  let head: Head = { method: "", target: "", version: "HTTP/1.1", headers: [] };
  let response: HttpResponse;
  let begun = false;
  let whole = false;
  if (await reader.atEnd()) return false;
  try {
    head = await readHead(reader);
    const pieces = piecesOf(head, reader, limits);
    whole = pieces === undefined;
    const body = async function* () {
      if (pieces === undefined) return;
      if (!begun && expectsContinue(head)) {
        await writeAll(conn, encode(CONTINUE));
      }
      clock.grant(limits.bodyMs, 1);
      yield* pieces;
      whole = true;
    };
    response = await handler({ ...head, body: body() });
  } catch (error) {
    response = refusal(error);
  }
  const last = !whole || wantsEnd(head);
  begun = true;
  await respond(conn, response, { ...head, last });
  return !last;
}

function expectsContinue({ version, headers }: Head): boolean {
  const [expected = ""] = valuesOf(headers, "expect");
  return version === "HTTP/1.1" && expected.toLowerCase() === "100-continue";
}

export class ByteReader {
  readonly #source: Reader;
  #kept = new Uint8Array();

  constructor(source: Reader) {
    this.#source = source;
  }

  async atEnd(): Promise<boolean> {
    while (this.#kept.length === 0) if (!await this.#more()) return true;
    return false;
  }

  async line(most: number, status = 400): Promise<string> {
    for (let seen = 0;;) {
      const at = this.#kept.indexOf(LF, seen);
      seen = this.#kept.length;
      if ((at < 0 ? seen : at) > most + 1) {
        throw new HttpError(status, `a line goes on after ${most} characters`);
      }
      if (at < 0) {
        if (!await this.#more()) throw cutOff();
        continue;
      }
      const line = String.fromCharCode(...this.#take(at + 1));
      if (line.endsWith("\r\n")) return line.slice(0, -2);
      throw new HttpError(400, "a line ends in LF alone");
    }
  }

  async bytes(most: number): Promise<Uint8Array> {
    if (await this.atEnd()) throw cutOff();
    return this.#take(most);
  }

  #take(most: number): Uint8Array {
    const taken = this.#kept.subarray(0, most);
    this.#kept = this.#kept.subarray(taken.length);
    return taken;
  }

  async #more(): Promise<boolean> {
    const buffer = new Uint8Array(16_384);
    const n = await this.#source.read(buffer);
    if (n !== null) this.#kept = concat([this.#kept, buffer.subarray(0, n)]);
    return n !== null;
  }
}

const LF = 10;

function cutOff(): Error {
  const what = "Cannot read a request: the connection ended inside it";
  return new Deno.errors.UnexpectedEof(what);
}

const MAX_HEAD = 8_192;

async function readHead(r: ByteReader): Promise<Head> {
  const line = await r.line(MAX_HEAD, 431);
  const [, method = "", target = "", version = ""] =
    line.match(/^([A-Z]+) ([!-~]+) (HTTP\/1\.[01])$/) ?? [];
  if (version === "") throw new HttpError(400, "its first line is none");
  const headers = await readFields(r, MAX_HEAD - line.length);
  const hosts = valuesOf(headers, "host").length;
  if (hosts > 1 || hosts === 0 && version === "HTTP/1.1") {
    throw new HttpError(400, "it needs one Host");
  }
  return { method, target, version, headers };
}

async function readFields(r: ByteReader, most: number): Promise<Fields> {
  const fields: Fields = [];
  for (let left = most;;) {
    const line = await r.line(Math.max(0, left), 431);
    if (line === "") return fields;
    fields.push(parseField(line));
    left -= line.length + 2;
  }
}

function valuesOf(fields: Fields, name: string): string[] {
  return fields.filter(([other]) => other === name).map(([, value]) => value);
}

function piecesOf(
  { headers, version }: Head,
  reader: ByteReader,
  { maxBody }: Limits,
): AsyncIterable<Uint8Array> | undefined {
  const framing = bodyFraming(headers, version);
  if (framing.kind === "chunked") {
    const limits = { total: maxBody, line: 1_024, trailer: MAX_HEAD };
    return readChunked(reader, limits);
  }
  const n = framing.kind === "length" ? framing.n : 0;
  if (n > maxBody) throw new HttpError(413, "its body is too large");
  return n > 0 ? readExactly(reader, n) : undefined;
}

async function* readExactly(
  r: ByteReader,
  n: number,
): AsyncGenerator<Uint8Array> {
  for (let left = n; left > 0;) {
    const piece = await r.bytes(left);
    left -= piece.length;
    yield piece;
  }
}

function wantsEnd({ version, headers }: Head): boolean {
  const options = valuesOf(headers, "connection").join();
  return version === "HTTP/1.0" || /\bclose\b/i.test(options);
}

function refusal(error: unknown): HttpResponse {
  if (error instanceof HttpError) {
    return { status: error.status, body: `${error.message}\n` };
  }
  if (isGone(error)) throw error;
  report(error);
  return { status: 500, body: "Cannot answer: the fault is ours\n" };
}

async function respond(
  conn: Writer,
  { status, headers = [], body = "" }: HttpResponse,
  { method, version, last }: Head & { last: boolean },
): Promise<void> {
  const fields: Fields = [...headers];
  const chunked = typeof body !== "string" && version === "HTTP/1.1";
  if (chunked) fields.push(["transfer-encoding", "chunked"]);
  if (typeof body === "string") {
    fields.push(["content-length", String(encode(body).length)]);
  }
  if (last) fields.push(["connection", "close"]);
  const head = `HTTP/1.1 ${status} \r\n${fieldLines(fields)}\r\n`;
  if (method === "HEAD") return await writeAll(conn, encode(head));
  if (typeof body === "string") {
    return await writeAll(conn, encode(head + body));
  }
  await writeAll(conn, encode(head));
  const writer = chunked ? chunkedWriter(conn) : undefined;
  for await (const piece of body) {
    await (writer ? writer.write(piece) : writeAll(conn, piece));
  }
  await writer?.end(); // Not after an error: a part must not pass for a whole.
}

function fieldLines(fields: Fields): string {
  return fields.map(([name, value]) => {
    parseField(`${name}: ${value}`);
    return `${name}: ${value}\r\n`;
  }).join("");
}

function report(error: unknown) {
  if (!isGone(error)) console.error(error);
}

function isGone(error: unknown): boolean {
  const { BadResource, BrokenPipe, ConnectionReset } = Deno.errors;
  const { Interrupted, UnexpectedEof } = Deno.errors;
  return [BadResource, BrokenPipe, ConnectionReset, Interrupted, UnexpectedEof]
    .some((Reason) => error instanceof Reason);
}

async function writeAll(w: Writer, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) {
    sent += await w.write(bytes.subarray(sent));
  }
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function concat(parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, p) => sum + p.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
