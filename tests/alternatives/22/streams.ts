// style: streams, for bytes, for bodies and for chunks
export interface Reader {
  read(buffer: Uint8Array): Promise<number | null>;
}
export interface Writer {
  write(bytes: Uint8Array): Promise<number>;
}
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
  readonly status: number;
  constructor(status: number, text: string) {
    super(text);
    this.status = status;
  }
}

const utf8 = new TextEncoder();

export class ByteReader {
  #reader: ReadableStreamDefaultReader<Uint8Array>;
  #rest: Uint8Array<ArrayBufferLike> = new Uint8Array();

  constructor(source: Reader) {
    const stream = new ReadableStream<Uint8Array>({
      async pull(controller) {
        let n: number | null = 0;
        const buffer = new Uint8Array(10_000);
        while (n === 0) n = await source.read(buffer);
        if (n === null) controller.close();
        else controller.enqueue(buffer.slice(0, n));
      },
    }, { highWaterMark: 0 });
    this.#reader = stream.getReader();
  }

  async peek(): Promise<Uint8Array> {
    if (this.#rest.length === 0) {
      const { value } = await this.#reader.read();
      this.#rest = value ?? this.#rest;
    }
    return this.#rest;
  }

  async take(most: number): Promise<Uint8Array> {
    const piece = (await this.peek()).subarray(0, most);
    if (piece.length === 0) throw new Deno.errors.UnexpectedEof("too short");
    this.#rest = this.#rest.subarray(piece.length);
    return piece;
  }

  async line(most: number): Promise<string> {
    let line = "";
    while (!line.endsWith("\r\n")) {
      if (line.endsWith("\n")) throw new HttpError(400, "lone LF");
      if (line.length > most + 1) throw new HttpError(400, "long line");
      line += String.fromCharCode(...await this.take(1));
    }
    return line.slice(0, -2);
  }
}

export function bodyFraming(fields: Fields, version: string): Framing {
  const joined = (wanted: string) => {
    const values = fields.filter(([name]) => name === wanted);
    return values.length === 0
      ? undefined
      : values.map(([, value]) => value).join(", ");
  };
  const [coding, length] = [
    joined("transfer-encoding"),
    joined("content-length"),
  ];
  switch (true) {
    case coding === undefined && length === undefined:
      return { kind: "none" };
    case coding !== undefined && length !== undefined:
    case coding !== undefined && version !== "HTTP/1.1":
      throw new HttpError(400, "two framings");
    case coding?.toLowerCase() === "chunked":
      return { kind: "chunked" };
    case /^\d+$/.test(length ?? "") && Number(length) < 2 ** 53:
      return { kind: "length", n: Number(length) };
    default:
      throw new HttpError(coding === undefined ? 400 : 501, "no framing");
  }
}

export function parseField(line: string): [string, string] {
  const field = /^([!#$%&'*+.^_`|~\w-]+):([\t ]*)([\t -~\u0080-\u00ff]*)$/.exec(
    line,
  );
  if (!field) throw new HttpError(400, "no field");
  const value = field[3]!;
  let end = value.length;
  while (end > 0 && "\t ".includes(value[end - 1]!)) end--;
  return [field[1]!.toLowerCase(), value.slice(0, end)];
}

export async function* readChunked(
  r: ByteReader,
  limits: ChunkLimits,
): AsyncGenerator<Uint8Array> {
  for (let total = 0;;) {
    const line = await r.line(limits.line);
    const size = /^([\da-fA-F]+)(?:;([\t -~\u0080-\u00ff]+))?$/.exec(line);
    if (!size) throw new HttpError(400, "no size");
    const n = parseInt(size[1]!, 16);
    if ((total += n) > limits.total) throw new HttpError(413, "too large");
    if (n === 0) break;
    yield* counted(r, n);
    if (await r.line(0) !== "") throw new HttpError(400, "no CRLF");
  }
  await trailers(r, limits.trailer);
}

async function trailers(r: ByteReader, most: number): Promise<Fields> {
  const fields: Fields = [];
  for (let line; (line = await r.line(most)) !== "";) {
    most = Math.max(0, most - line.length - 2);
    fields.push(parseField(line));
  }
  return fields;
}

async function* counted(r: ByteReader, n: number) {
  for (let piece; n > 0; n -= piece.length) yield piece = await r.take(n);
}

/** A writer that takes all of a chunk, or waits. */
function sink(w: Writer): WritableStreamDefaultWriter<Uint8Array> {
  return new WritableStream<Uint8Array>({
    async write(bytes) {
      for (let at = 0; at < bytes.length;) {
        at += await w.write(bytes.subarray(at));
      }
    },
  }).getWriter();
}

export function chunkedWriter(w: Writer) {
  const out = sink(w);
  return {
    async write(bytes: Uint8Array): Promise<void> {
      if (bytes.length === 0) return;
      const size = utf8.encode(bytes.length.toString(16) + "\r\n");
      const chunk = new Blob([size, bytes as BufferSource, "\r\n"]);
      await out.write(new Uint8Array(await chunk.arrayBuffer()));
    },
    async end(fields: Fields = []): Promise<void> {
      const lines = fields.map((field) => field.join(": ") + "\r\n").join("");
      await out.write(utf8.encode(`0\r\n${lines}\r\n`));
    },
  };
}

export async function serve(
  listener: Deno.Listener,
  handler: Handler,
  options: ServeOptions = {},
): Promise<void> {
  const visits = new Set<Promise<void>>();
  for await (const conn of listener) {
    const visit = new Visit(conn, handler, options).run();
    visits.add(visit);
    visit.finally(() => visits.delete(visit));
  }
  await Promise.all(visits);
}

class Visit {
  readonly #conn: Deno.Conn;
  readonly #handler: Handler;
  readonly #options: Required<ServeOptions>;
  readonly #input: ReadableStreamDefaultReader<Uint8Array>;
  readonly #reader: ByteReader;
  #held: Uint8Array = new Uint8Array();
  /** When our patience ends; it stands still while we work. */
  #budget = { left: 0, most: 0, wage: 0 };

  constructor(conn: Deno.Conn, handler: Handler, options: ServeOptions) {
    this.#conn = conn;
    this.#handler = handler;
    const usual = { maxBody: 1 << 24, headMs: 10_000, bodyMs: 5_000 };
    this.#options = { ...usual, lingerMs: 2_000, ...options };
    this.#input = conn.readable.getReader();
    this.#reader = new ByteReader({ read: (buffer) => this.#read(buffer) });
  }

  async run(): Promise<void> {
    try {
      while (await this.#exchange());
      await this.#conn.closeWrite();
      this.#wait(this.#options.lingerMs);
      while (await this.#read(new Uint8Array(1_000)) !== null);
    } catch (error) {
      const { errors } = Deno;
      const known = [
        errors.BadResource,
        errors.BrokenPipe,
        errors.ConnectionReset,
        errors.Interrupted,
        errors.UnexpectedEof,
        errors.TimedOut,
      ];
      if (!known.some((Known) => error instanceof Known)) throw error;
    } finally {
      this.#conn[Symbol.dispose]();
    }
  }

  #wait(most: number, wage = 0) {
    this.#budget = { left: most, most, wage };
  }

  async #read(buffer: Uint8Array): Promise<number | null> {
    if (this.#held.length === 0) {
      const { left, most, wage } = this.#budget;
      const before = performance.now();
      const bell = setTimeout(() => {
        // The read that waits ends with the stream, and that with the conn.
        this.#input.cancel().catch(() => {});
      }, left);
      const { value, done } = await this.#input.read().finally(() =>
        clearTimeout(bell)
      );
      const now = left - (performance.now() - before);
      if (done) {
        if (now <= 0) throw new Deno.errors.TimedOut("too slow");
        return null;
      }
      this.#budget.left = Math.min(most, now + value.length * wage);
      this.#held = value;
    }
    const part = this.#held.subarray(0, buffer.length);
    buffer.set(part);
    this.#held = this.#held.subarray(part.length);
    return part.length;
  }

  async #exchange(): Promise<boolean> {
    const { headMs, bodyMs, maxBody } = this.#options;
    const state = { version: "HTTP/1.1", method: "", last: true };
    let response: HttpResponse;
    this.#wait(headMs);
    if ((await this.#reader.peek()).length === 0) return false;
    try {
      const head = await this.#head();
      Object.assign(state, head);
      const framing = bodyFraming(head.headers, head.version);
      this.#wait(bodyMs, 1);
      if (framing.kind === "length" && framing.n > maxBody) {
        throw new HttpError(413, "too large");
      }
      const wants = (name: string, value: string) =>
        head.headers.some(([other, found]) =>
          other === name && found.toLowerCase() === value
        );
      const over = () => {
        state.last = state.version === "HTTP/1.0" ||
          wants("connection", "close");
      };
      let asks = state.version === "HTTP/1.1" &&
        wants("expect", "100-continue");
      const pieces = framing.kind === "chunked"
        ? readChunked(this.#reader, {
          total: maxBody,
          line: 500,
          trailer: 8_000,
        })
        : counted(this.#reader, framing.kind === "length" ? framing.n : 0);
      const conn = this.#conn;
      const told = async function* () {
        if (asks) await sink(conn).write(utf8.encode(CONTINUE));
        yield* pieces;
        over();
      };
      if (framing.kind === "none") over();
      const body = ReadableStream.from(told());
      response = await this.#handler({ ...head, body });
      asks = false; // Its answer begins.
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      response = { status: error.status, body: `${error.message}\n` };
    }
    const { last } = state;
    await this.#respond(response, state);
    return !last;
  }

  async #head(): Promise<Head> {
    const line = await this.#reader.line(8_000);
    const words = /^([A-Z]+) ([!-~]+) (HTTP\/1\.[01])$/.exec(line);
    if (!words) throw new HttpError(400, "no request line");
    const headers = await trailers(this.#reader, 8_000);
    const hosts = headers.filter(([name]) => name === "host").length;
    const [, method, target, version] = words as unknown as string[];
    if (hosts > 1 || hosts < Number(version === "HTTP/1.1")) {
      throw new HttpError(400, "no host");
    }
    return { method: method!, target: target!, version: version!, headers };
  }

  async #respond(
    { status, headers = [], body = "" }: HttpResponse,
    { version, last }: { version: string; last: boolean },
  ) {
    const out = sink(this.#conn);
    const text = typeof body === "string";
    const chunked = !text && version === "HTTP/1.1";
    const fields = [...headers, ["Server", "streams"]];
    if (last) fields.push(["Connection", "close"]);
    if (chunked) fields.push(["Transfer-Encoding", "chunked"]);
    if (text) fields.push(["Content-Length", `${utf8.encode(body).length}`]);
    const lines = fields.map((field) => `${field.join(": ")}\r\n`).join("");
    const head = `HTTP/1.1 ${status} \r\n${lines}\r\n`;
    await out.write(utf8.encode(text ? head + body : head));
    if (text) return;
    const writer = chunkedWriter(this.#conn);
    const pieces = new WritableStream<Uint8Array>({
      write: (piece) => chunked ? writer.write(piece) : out.write(piece),
      close: () => chunked ? writer.end() : undefined,
    });
    await ReadableStream.from(body).pipeTo(pieces);
  }
}

const CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";
