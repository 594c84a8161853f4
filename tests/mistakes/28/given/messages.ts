// What the starter of lesson 28 gives away, for the programs in its place.

/** What bytes come from: a connection, or anything that reads like one. */
export type Reader = Pick<Deno.Conn, "read">;

/** What bytes go to: a connection, or anything that writes like one. */
export type Writer = Pick<Deno.Conn, "write">;

/** Names, in lower case, and values, in the order of the lines. */
export type Fields = [name: string, value: string][];

/** A server behind the proxy, known by this object. */
export interface Upstream {
  readonly hostname: string;
  readonly port: number;
}

/** Says that a request gets an answer of our own, and with which status. */
export class HttpError extends Error {
  readonly status: number;

  constructor(status: number, why: string) {
    super(`Cannot serve this request: ${why}`);
    this.status = status;
  }
}

/** A connection, and how long its other side may keep us waiting. */
export class Patient implements Reader, Writer {
  readonly #conn: Deno.TcpConn;
  #mostMs = Infinity;
  #leftMs = Infinity;
  #msPerByte = 0;
  #since = 0;
  #alarm: ReturnType<typeof setTimeout> | undefined;
  /** Ends the read that waits now. */
  #ring: (() => void) | undefined;
  /** How long one write may wait, in milliseconds. */
  stallMs = Infinity;

  /** Waits for ever, until something else is said. */
  constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
  }

  /**
   * From now on reads may wait for `ms` milliseconds in all, and each byte
   * earns `msPerByte` of it back. A read that is waiting has a new limit, too.
   */
  grant(ms: number, msPerByte = 0) {
    this.#mostMs = this.#leftMs = ms;
    this.#msPerByte = msPerByte;
    this.#arm();
  }

  /** Grants once more what was granted. */
  renew() {
    this.grant(this.#mostMs, this.#msPerByte);
  }

  #arm() {
    clearTimeout(this.#alarm);
    this.#since = performance.now();
    if (this.#ring === undefined || this.#leftMs === Infinity) return;
    this.#alarm = setTimeout(this.#ring, this.#leftMs);
  }

  /**
   * Reads as any connection does.
   *
   * @throws {Deno.errors.TimedOut} If it takes longer than was granted. Bytes
   * that come later are lost: all that is left to do is to close.
   */
  async read(buffer: Uint8Array): Promise<number | null> {
    const late = Promise.withResolvers<never>();
    this.#ring = () => late.reject(timedOut());
    this.#arm();
    try {
      const n = await Promise.race([this.#conn.read(buffer), late.promise]);
      const waited = performance.now() - this.#since;
      const left = this.#leftMs - waited + (n ?? 0) * this.#msPerByte;
      this.#leftMs = Math.min(left, this.#mostMs);
      return n;
    } finally {
      this.#ring = undefined;
      clearTimeout(this.#alarm);
    }
  }

  /**
   * Writes as any connection does.
   *
   * @throws {Deno.errors.TimedOut} If there is no room for `stallMs`.
   */
  async write(bytes: Uint8Array): Promise<number> {
    if (this.stallMs === Infinity) return await this.#conn.write(bytes);
    using limit = timeLimit(this.stallMs);
    const { signal } = limit;
    const late = Promise.withResolvers<never>();
    signal.addEventListener("abort", () => late.reject(signal.reason));
    return await Promise.race([this.#conn.write(bytes), late.promise]);
  }

  /** Ends our sending. */
  async closeWrite(): Promise<void> {
    await this.#conn.closeWrite();
  }

  /** Closes the connection. Twice is fine. */
  close() {
    this.#conn[Symbol.dispose]();
  }

  /** The same, for `using`. */
  [Symbol.dispose]() {
    this.close();
  }
}

export function timedOut(): Error {
  return new Deno.errors.TimedOut("Cannot wait any longer");
}

/** A signal that aborts after `ms` milliseconds, unless it is disposed of. */
export function timeLimit(ms: number): { signal: AbortSignal } & Disposable {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(timedOut()), ms);
  const { signal } = controller;
  return { signal, [Symbol.dispose]: () => clearTimeout(timer) };
}

/** Gives bytes line by line or piece by piece, and keeps what is left. */
export class ByteReader {
  readonly #source: Reader;
  #kept = new Uint8Array();
  #reading: Promise<boolean> | undefined;

  /** From now on nobody else reads from `source`. */
  constructor(source: Reader) {
    this.#source = source;
  }

  /** How many bytes have come and were not taken. */
  get buffered(): number {
    return this.#kept.length;
  }

  /** Waits for a byte, and tells whether the end came instead. Takes nothing. */
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

  /** Reads once. Whoever asks while a read is waiting waits for the same one. */
  #more(): Promise<boolean> {
    return this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
  }

  async #read(): Promise<boolean> {
    const buffer = new Uint8Array(65_536);
    const n = await this.#source.read(buffer);
    if (n !== null) this.#kept = concat([this.#kept, buffer.subarray(0, n)]);
    return n !== null;
  }
}

export const LF = 10;

export function cutOff(): Error {
  const what = "Cannot read a message: the connection ended inside it";
  return new Deno.errors.UnexpectedEof(what);
}

/** How a message tells where its body ends. */
export type Framing =
  | { kind: "none" }
  | { kind: "length"; n: number }
  | { kind: "chunked" }
  /** By the end of the connection. Only answers can. */
  | { kind: "end" };

/** Tells where a body ends, and refuses what can be read in two ways. */
export function bodyFraming(fields: Fields, version: string): Framing {
  const codings = valuesOf(fields, "transfer-encoding");
  const lengths = valuesOf(fields, "content-length");
  if (codings.length + lengths.length > 1) {
    throw new HttpError(400, "it tells twice where its body ends");
  }
  for (const coding of codings) {
    if (version === "HTTP/1.0" || coding.toLowerCase() !== "chunked") {
      throw new HttpError(400, "its transfer coding is not understood");
    }
    return { kind: "chunked" };
  }
  for (const length of lengths) {
    const n = Number(length);
    if (/^\d+$/.test(length) && Number.isSafeInteger(n)) {
      return { kind: "length", n };
    }
    throw new HttpError(400, "its length is no number");
  }
  return { kind: "none" };
}

/** The bytes of a body, as they come. */
export async function* bodyOf(
  r: ByteReader,
  framing: Framing,
  most = Infinity,
): AsyncGenerator<Uint8Array> {
  if (framing.kind === "chunked") yield* readChunked(r, most);
  if (framing.kind === "length") yield* readExactly(r, framing.n);
  if (framing.kind === "end") {
    while (!await r.atEnd()) yield await r.bytes(PIECE);
  }
}

/** How many bytes are passed on at a time. */
export const PIECE = 65_536;

/** Gives `n` bytes as they come. */
export async function* readExactly(
  r: ByteReader,
  n: number,
): AsyncGenerator<Uint8Array> {
  for (let left = n; left > 0;) {
    const piece = await r.bytes(left);
    left -= piece.length;
    yield piece;
  }
}

/** Gives the data of a chunked body as it comes: `most` bytes at the most. */
export async function* readChunked(
  r: ByteReader,
  most: number,
): AsyncGenerator<Uint8Array> {
  for (let left = most;;) {
    const size = chunkSize(await r.line(1_024));
    if (size === 0) break;
    if (size > left) throw new HttpError(413, "its body is too large");
    left -= size;
    yield* readExactly(r, size);
    await r.line(0);
  }
  await readFields(r, MAX_HEAD); // Trailers are checked, and not passed on.
}

/** The size in a line such as "1f", or "1f;name=value". */
export function chunkSize(line: string): number {
  const [, digits] = line.match(/^([\da-f]+)([\t ]*;[\t ]*[^\t ;].*)?$/i) ?? [];
  if (digits !== undefined && VALUE.test(line)) return parseInt(digits, 16);
  throw new HttpError(400, "a chunk has no size");
}

/** Writes a chunked body to `w`. */
export function chunkedWriter(w: Writer): {
  write(bytes: Uint8Array): Promise<void>;
  end(): Promise<void>;
} {
  return {
    async write(bytes) {
      const size = encode(`${bytes.length.toString(16)}\r\n`);
      await writeAll(w, concat([size, bytes, encode("\r\n")]));
    },
    async end() {
      await writeAll(w, encode("0\r\n\r\n"));
    },
  };
}

/** The lines in front of the body of a request. */
export interface RequestHead {
  readonly method: string;
  readonly target: string;
  readonly version: string;
  readonly headers: Fields;
}

/** The lines in front of the body of an answer. */
export interface AnswerHead {
  readonly version: string;
  readonly status: number;
  readonly headers: Fields;
  readonly framing: Framing;
}

/** How many bytes a head may have, or the fields behind the last chunk. */
export const MAX_HEAD = 8_192;

/** Reads the head of a request. The target is a path, and there is one Host. */
export async function readRequestHead(r: ByteReader): Promise<RequestHead> {
  const line = await r.line(MAX_HEAD, 431);
  const [, method = "", whole = "", version = ""] =
    line.match(/^([A-Z]+) ([!-~]+) (HTTP\/1\.[01])$/) ?? [];
  if (version === "") throw new HttpError(400, "its first line is none");
  const headers = await readFields(r, MAX_HEAD - line.length);
  const hosts = valuesOf(headers, "host").length;
  if (hosts > 1 || hosts === 0 && version === "HTTP/1.1") {
    throw new HttpError(400, "it needs one Host");
  }
  // Some clients say where they want to go in the target (RFC 9112, 3.2.2).
  const [, host, path] = whole.match(/^http:\/\/([^/?]+)(.*)$/i) ?? [];
  if (host === undefined) {
    // A tunnel, such as CONNECT asks for, is none. OPTIONS may be about "*".
    const isPath = whole.startsWith("/") ||
      `${method} ${whole}` === "OPTIONS *";
    if (!isPath) throw new HttpError(400, "its target is no path");
    // HTTP/1.0 can leave it out, and whoever asks in HTTP/1.1 cannot.
    if (hosts === 0) headers.push(["host", ""]);
    return { method, target: whole, version, headers };
  }
  const others = headers.filter(([name]) => name !== "host");
  const target = path!.startsWith("/") ? path! : `/${path}`;
  return { method, target, version, headers: [["host", host], ...others] };
}

/** Reads the head of an answer to a request that is a `method`. */
export async function readAnswerHead(
  r: ByteReader,
  method: string,
): Promise<AnswerHead> {
  const line = await r.line(MAX_HEAD);
  const [, version = "", digits] =
    line.match(/^(HTTP\/1\.[01]) ([1-9]\d\d)( .*)?$/) ?? [];
  const status = Number(digits);
  // Nobody has asked for another protocol: Upgrade is not passed on.
  if (version === "" || status === 101) {
    throw new HttpError(502, "the first line of the answer is none");
  }
  const headers = await readFields(r, MAX_HEAD);
  const framing = bodyFraming(headers, version);
  const bodiless = method === "HEAD" || status < 200 || status === 204 ||
    status === 304;
  if (bodiless) return { version, status, headers, framing: { kind: "none" } };
  const told = framing.kind !== "none";
  return { version, status, headers, framing: told ? framing : UNTIL_END };
}

export const UNTIL_END = { kind: "end" } as const;

/** Reads at most `most` bytes of fields, and the empty line behind them. */
export async function readFields(r: ByteReader, most: number): Promise<Fields> {
  const fields: Fields = [];
  for (let left = most;;) {
    const line = await r.line(Math.max(0, left), 431);
    if (line === "") return fields;
    fields.push(parseField(line));
    left -= line.length + 2;
  }
}

export const NAME = /^[!#$%&'*+.^_`|~\w-]+$/;

// deno-lint-ignore no-control-regex -- These are the characters to keep out.
export const VALUE = /^[^\x00-\x08\x0a-\x1f\x7f]*$/;

/** Reads `Name: value`, and refuses a line that is anything else. */
export function parseField(line: string): [name: string, value: string] {
  const colon = line.indexOf(":");
  const name = line.slice(0, Math.max(0, colon));
  const value = line.slice(colon + 1).replace(/^[\t ]+|[\t ]+$/g, "");
  if (NAME.test(name) && VALUE.test(value)) return [name.toLowerCase(), value];
  throw new HttpError(400, "a line is no field");
}

/** All values of the field `name`. */
export function valuesOf(fields: Fields, name: string): string[] {
  return fields.filter(([other]) => other === name).map(([, value]) => value);
}

/** Whether nothing else can follow on this connection. */
export function wantsEnd(
  { version, headers }: { version: string; headers: Fields },
): boolean {
  const options = valuesOf(headers, "connection").join();
  return version === "HTTP/1.0" || /\bclose\b/i.test(options);
}

/** The head of an answer, as bytes. */
export function answerLines(
  { status, headers }: Pick<AnswerHead, "status" | "headers">,
): Uint8Array {
  return encode(`HTTP/1.1 ${status} \r\n${fieldLines(headers)}\r\n`);
}

export function fieldLines(fields: Fields): string {
  return fields.map(([name, value]) => `${name}: ${value}\r\n`).join("");
}

/** The clients of `listener`, until it closes. */
export async function* arrivals(
  listener: Deno.TcpListener,
): AsyncGenerator<Deno.TcpConn> {
  while (true) {
    try {
      yield await listener.accept();
    } catch (error) {
      const { BadResource, NotConnected } = Deno.errors;
      if (error instanceof BadResource) return; // It is closed.
      if (error instanceof NotConnected) continue; // The client has reset.
      report(error); // Too many open files, perhaps: somebody has to leave.
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** Asks an upstream for anything; rejects if it has no good answer. */
export async function examine(
  upstream: Upstream,
  signal: AbortSignal,
): Promise<void> {
  using conn = await Deno.connect({ ...upstream, signal });
  signal.addEventListener("abort", () => conn[Symbol.dispose]());
  signal.throwIfAborted(); // What has happened is not told again.
  const fields = "Host: health\r\nConnection: close\r\n\r\n";
  await writeAll(conn, encode(`HEAD / HTTP/1.1\r\n${fields}`));
  const { status } = await readAnswerHead(new ByteReader(conn), "HEAD");
  if (status >= 500) throw new HttpError(502, `the upstream says ${status}`);
}

/** Tells about a failure, but for one: somebody is gone. That is no bug. */
export function report(error: unknown) {
  const slow = error instanceof Deno.errors.TimedOut;
  if (!slow && !isGone(error)) console.error(error);
}

/** The other side vanished, or we hung up on it. */
export function isGone(error: unknown): boolean {
  const { BadResource, BrokenPipe, ConnectionReset } = Deno.errors;
  const { Interrupted, UnexpectedEof } = Deno.errors;
  return [BadResource, BrokenPipe, ConnectionReset, Interrupted, UnexpectedEof]
    .some((Reason) => error instanceof Reason);
}

/** Writes all of `bytes`, however little the kernel takes at a time. */
export async function writeAll(w: Writer, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) {
    sent += await w.write(bytes.subarray(sent));
  }
}

/** The bytes of `text`: each character of a head is one. */
export function encode(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

export function concat(parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, p) => sum + p.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Aborts at the first SIGTERM or SIGINT. The next one ends the process. */
export function terminated(): AbortSignal {
  const controller = new AbortController();
  const windows = Deno.build.os === "windows"; // It has no SIGTERM to hear.
  const names = windows ? ["SIGINT"] as const : ["SIGINT", "SIGTERM"] as const;
  const stop = () => {
    for (const name of names) Deno.removeSignalListener(name, stop);
    controller.abort();
  };
  for (const name of names) Deno.addSignalListener(name, stop);
  return controller.signal;
}
