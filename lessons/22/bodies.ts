// Lesson 22: chunked bodies and framing attacks.
//
// Where one request ends, the next one begins. This server believes whoever
// tells it where that is, and answers curl well. Make it one that is never led
// to run a request which nobody but itself can see.

/** What bytes come from: a connection, or anything that reads like one. */
export type Reader = Pick<Deno.Conn, "read">;

/** What bytes go to: a connection, or anything that writes like one. */
export type Writer = Pick<Deno.Conn, "write">;

/** Names and values, in the order of the lines. A name can come twice. */
export type Fields = [name: string, value: string][];

/** Says that a request is refused, and with which status. */
export class HttpError extends Error {
  readonly status: number;

  constructor(status: number, why: string) {
    super(`Cannot accept this request: ${why}`);
    this.status = status;
  }
}

// -- Part 1: where a body ends --

/** How a request tells where its body ends. */
export type Framing =
  | { kind: "none" }
  | { kind: "length"; n: number }
  | { kind: "chunked" };

/**
 * Tells where a body ends, by `fields` whose names are in lower case.
 *
 * @throws {HttpError} 400, if the fields can be read in two ways or in none; 501
 * or 400, for a transfer coding that is not chunked alone.
 */
export function bodyFraming(fields: Fields, _version: string): Framing {
  // TODO: There may be two of them, and both of them, and they can be wrong.
  const [coding] = valuesOf(fields, "transfer-encoding");
  if (coding?.toLowerCase().includes("chunked")) return { kind: "chunked" };
  const [length] = valuesOf(fields, "content-length");
  if (length !== undefined) return { kind: "length", n: parseInt(length) };
  return { kind: "none" };
}

// -- Part 2: what a field is --

/**
 * Reads `Name: value`. Returns the name in lower case, and the value without the
 * spaces and tabs around it. Names are made of letters, digits and these:
 * ! # $ % & ' * + - . ^ _ ` | ~
 *
 * @throws {HttpError} 400, if the line is anything else (RFC 9112, section 5).
 */
export function parseField(line: string): [name: string, value: string] {
  const colon = line.indexOf(":");
  // TODO: "Content-Length : 5" is a length here, and none to others. Is every
  // line a field, and is every space a space?
  return [
    line.slice(0, colon).trim().toLowerCase(),
    line.slice(colon + 1).trim(),
  ];
}

// -- Part 3: reading chunks --

/** How much of a chunked body is accepted. */
export interface ChunkLimits {
  /** How many bytes of data there may be, all in all. */
  total: number;
  /** How many characters a line with a size may have. */
  line: number;
  /** How many bytes of fields may follow the last chunk. */
  trailer: number;
}

/**
 * Gives the data of a chunked body as it comes, and reads no byte behind it.
 *
 * @throws {HttpError} 400, if it is none; 413 or 431, if it is beyond `limits`.
 * @throws {Deno.errors.UnexpectedEof} If the connection ends inside it.
 */
export async function* readChunked(
  r: ByteReader,
  limits: ChunkLimits,
): AsyncGenerator<Uint8Array> {
  while (true) {
    // TODO: "5x" is a size here, and so is a terabyte.
    const size = parseInt(await r.line(limits.line), 16);
    if (size === 0) break;
    // TODO: Curl's chunks come in one piece. Others do not.
    yield await r.bytes(size);
    await r.bytes(2); // TODO: It should be CRLF.
  }
  // TODO: There may be more than the empty line behind the last chunk.
  await r.line(limits.line);
}

// -- Part 4: writing chunks --

/**
 * Writes a chunked body to `w`: a chunk for each piece, with its size in small
 * letters. Each call waits until `w` has taken all of it.
 */
export function chunkedWriter(w: Writer): {
  write(bytes: Uint8Array): Promise<void>;
  end(trailers?: Fields): Promise<void>;
} {
  return {
    async write(bytes) {
      // TODO: Curl reads nine bytes well, ten badly, and after none it stops.
      const size = encode(`${bytes.length}\r\n`);
      await writeAll(w, concat([size, bytes, encode("\r\n")]));
    },
    async end(_trailers = []) {
      // TODO: Curl has all of it, and waits for more.
    },
  };
}

// -- Part 5: the server --

/** The lines in front of a body. The names of the headers are in lower case. */
export interface Head {
  method: string;
  target: string;
  version: string;
  headers: Fields;
}

/** A request. Its body comes while it is read, and may break the rules there. */
export interface HttpRequest extends Head {
  body: AsyncIterable<Uint8Array>;
}

/** An answer. A body that is no text is made while it is sent. */
export interface HttpResponse {
  status: number;
  headers?: Fields;
  body?: string | AsyncIterable<Uint8Array>;
}

/** Answers a request. An `HttpError` that it throws is an answer, too. */
export type Handler = (
  request: HttpRequest,
) => HttpResponse | Promise<HttpResponse>;

/** Settings of a server. All times are in milliseconds. */
export interface ServeOptions {
  /** How many bytes a body may have. Default: 16 MiB. */
  maxBody?: number;
  /** How long a client may keep us waiting for a head. Default: 10 s. */
  headMs?: number;
  /** The same for a body; each byte earns 1 ms back, up to this. Default: 5 s. */
  bodyMs?: number;
  /** How long to wait for the client's end after ours. Default: 2 s. */
  lingerMs?: number;
}

type Limits = Required<ServeOptions>;

const DEFAULTS: Limits = {
  maxBody: 16 << 20,
  headMs: 10_000,
  bodyMs: 5_000,
  lingerMs: 2_000,
};

/** Serves all clients of `listener`, until it closes and the last one left. */
export async function serve(
  listener: Deno.Listener,
  handler: Handler,
  options: ServeOptions = {},
): Promise<void> {
  const limits = { ...DEFAULTS, ...options };
  const visits = new Set<Promise<void>>();
  for await (const conn of arrivals(listener)) {
    const visit = talk(conn, handler, limits)
      .catch(report)
      .finally(() => visits.delete(visit));
    visits.add(visit);
  }
  await Promise.all(visits);
}

/** One client, request by request. */
async function talk(
  conn: Deno.Conn,
  handler: Handler,
  limits: Limits,
): Promise<void> {
  using _closing = conn;
  // TODO: Somebody needs an hour for a head, and another one for a body.
  const client = { conn, reader: new ByteReader(conn) };
  while (await exchange(client, handler, limits));
  // TODO: Whoever is still uploading meets a reset, and not our last answer.
}

/** A client, and what reads from it. */
interface Client {
  conn: Deno.Conn;
  reader: ByteReader;
}

/** One request, and its answer. Tells whether another one may follow. */
async function exchange(
  { conn, reader }: Client,
  handler: Handler,
  limits: Limits,
): Promise<boolean> {
  let head: Head = { method: "", target: "", version: "HTTP/1.1", headers: [] };
  let response: HttpResponse;
  if (await reader.atEnd()) return false;
  try {
    head = await readHead(reader);
    const pieces = piecesOf(head, reader, limits);
    const body = async function* () {
      // TODO: Curl has two megabytes, and waits a second for leave to send.
      if (pieces !== undefined) yield* pieces;
    };
    response = await handler({ ...head, body: body() });
  } catch (error) {
    response = refusal(error);
  }
  // TODO: Is what comes next a request? A handler may not have read its body,
  // and what we refused has no end that we know of.
  const last = wantsEnd(head);
  await respond(conn, response, { ...head, last });
  return !last;
}

// -- The rest, which is right as it is --

/**
 * The clients of `listener`, until it closes. One client that cannot be let in
 * ends nothing (lesson 17).
 */
async function* arrivals(
  listener: Deno.Listener,
): AsyncGenerator<Deno.Conn> {
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

/** Gives bytes line by line or piece by piece, and keeps what is left. */
export class ByteReader {
  readonly #source: Reader;
  #kept = new Uint8Array();

  /** From now on nobody else reads from `source`. */
  constructor(source: Reader) {
    this.#source = source;
  }

  /** Waits for a byte, and tells whether the end came instead. */
  async atEnd(): Promise<boolean> {
    while (this.#kept.length === 0) if (!await this.#more()) return true;
    return false;
  }

  /**
   * Gives the next line, without its CRLF.
   *
   * @throws {HttpError} `status`, if it has more than `most` characters; 400, if
   * it ends in LF alone.
   * @throws {Deno.errors.UnexpectedEof} If the connection ends first.
   */
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

  /**
   * Gives what comes next: one byte at least, and `most` at the most.
   *
   * @throws {Deno.errors.UnexpectedEof} If the connection ends first.
   */
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

/** How many bytes a head may have, or the fields behind the last chunk. */
const MAX_HEAD = 8_192;

/** Reads a request's first line, and its fields. */
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

/** Reads at most `most` bytes of fields, and the empty line behind them. */
async function readFields(r: ByteReader, most: number): Promise<Fields> {
  const fields: Fields = [];
  for (let left = most;;) {
    const line = await r.line(Math.max(0, left), 431);
    if (line === "") return fields;
    fields.push(parseField(line));
    left -= line.length + 2;
  }
}

/** All values of the field `name`. */
function valuesOf(fields: Fields, name: string): string[] {
  return fields.filter(([other]) => other === name).map(([, value]) => value);
}

/** The bytes of a request's body, as they come; undefined if it has none. */
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

/** Gives `n` bytes as they come. */
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

/** Whether the client wants no other answer on this connection. */
function wantsEnd({ version, headers }: Head): boolean {
  const options = valuesOf(headers, "connection").join();
  return version === "HTTP/1.0" || /\bclose\b/i.test(options);
}

/** The answer to what failed, if there is anybody to hear it. */
function refusal(error: unknown): HttpResponse {
  if (error instanceof HttpError) {
    return { status: error.status, body: `${error.message}\n` };
  }
  if (isGone(error)) throw error;
  report(error);
  return { status: 500, body: "Cannot answer: the fault is ours\n" };
}

/** Sends an answer. `last` says that no other one will follow. */
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
  // When the client is gone, this loop also ends whatever makes the body.
  for await (const piece of body) {
    // HTTP/1.0 reads until the connection ends.
    await (writer ? writer.write(piece) : writeAll(conn, piece));
  }
  await writer?.end(); // Not after an error: a part must not pass for a whole.
}

/** Writes fields as lines. What we would refuse, we do not send. */
function fieldLines(fields: Fields): string {
  return fields.map(([name, value]) => {
    parseField(`${name}: ${value}`);
    return `${name}: ${value}\r\n`;
  }).join("");
}

/** Tells about a failure, but for one: the client is gone. That is no bug. */
function report(error: unknown) {
  if (!isGone(error)) console.error(error);
}

/** The client vanished, or we hung up on it. */
function isGone(error: unknown): boolean {
  const { BadResource, BrokenPipe, ConnectionReset } = Deno.errors;
  const { Interrupted, UnexpectedEof } = Deno.errors;
  return [BadResource, BrokenPipe, ConnectionReset, Interrupted, UnexpectedEof]
    .some((Reason) => error instanceof Reason);
}

/** Writes all of `bytes`, however little the kernel takes at a time. */
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

/** Says how large a body is, or counts to five, or has no room for anything. */
async function demo(request: HttpRequest): Promise<HttpResponse> {
  const { method, target, body } = request;
  console.log(`${method} ${target}`);
  if (target === "/full") throw new HttpError(413, "there is no room for it");
  if (target === "/count") return { status: 200, body: count() };
  let size = 0;
  for await (const piece of body) size += piece.length;
  return { status: 200, body: `${size} bytes\n` };
}

async function* count(): AsyncGenerator<Uint8Array> {
  for (let i = 1; i <= 5; i++) {
    yield encode(`${i}\n`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

// Try it by hand: `deno run -P lessons/22/bodies.ts`, and in another terminal
// `echo hello | curl -T - 127.0.0.1:7022` or `curl -N 127.0.0.1:7022/count`.
if (import.meta.main) {
  await serve(Deno.listen({ hostname: "127.0.0.1", port: 7022 }), demo);
}
