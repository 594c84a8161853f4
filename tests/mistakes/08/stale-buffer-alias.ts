// expect: stale-buffer-alias
// A list of pieces, joined when the line is whole: nothing is copied twice. All
// of them lie in the one buffer that the next read fills.
/** Where bytes come from: a connection, or a script in the checks. */
export interface Reader {
  /** Puts 0 to `into.length` bytes into `into`; null means the end. */
  read(into: Uint8Array): Promise<number | null>;
}

/** What a {@linkcode LineReader} accepts. */
export interface LineOptions {
  /** The longest line in bytes, its end not counted. Default: 8,192. */
  readonly maxBytes?: number;
  /** Refuses bytes that are not UTF-8. By default U+FFFD replaces them. */
  readonly fatal?: boolean;
}

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** Reads lines of text, each ended by LF or by CR LF. */
export class LineReader {
  readonly #reader: Reader;
  readonly #maxBytes: number;
  readonly #decoder: TextDecoder;
  readonly #buffer = new Uint8Array(4_096);
  #rest = new Uint8Array();

  /** From now on `reader` belongs to this object. */
  constructor(reader: Reader, options: LineOptions = {}) {
    const { maxBytes = 8_192, fatal = false } = options;
    this.#reader = reader;
    this.#maxBytes = maxBytes;
    // A byte order mark is a part of the line, like any other character.
    this.#decoder = new TextDecoder("utf-8", { fatal, ignoreBOM: true });
  }

  /**
   * Reads the next line, without its end; null once the stream is over.
   *
   * @throws {Deno.errors.InvalidData} If it is longer than `maxBytes`.
   * @throws {Deno.errors.UnexpectedEof} If the stream ends inside it.
   * @throws {TypeError} If it is not UTF-8, and `fatal` is set.
   */
  async readLine(): Promise<string | null> {
    const parts: Uint8Array[] = [];
    for (let piece = this.#rest, length = 0;;) {
      const at = piece.indexOf(LINE_FEED);
      parts.push(piece.subarray(0, at < 0 ? piece.length : at));
      length += parts.at(-1)!.length;
      if (at >= 0) {
        this.#rest = piece.subarray(at + 1);
        return this.#text(join(parts, length));
      }
      if (length > this.#maxBytes + 1) throw this.#tooLong();
      const n = await this.#reader.read(this.#buffer);
      if (n === null) {
        if (length === 0) return null;
        throw new Deno.errors.UnexpectedEof(
          `Cannot read a line: the stream ended ${length} bytes into it`,
        );
      }
      piece = this.#buffer.subarray(0, n);
    }
  }

  /** Gives line after line, until the stream is over. */
  async *[Symbol.asyncIterator](): AsyncGenerator<string> {
    for (;;) {
      const line = await this.readLine();
      if (line === null) return;
      yield line;
    }
  }

  /** The text of a line that is whole: no character of it is cut in half. */
  #text(line: Uint8Array): string {
    // One CR and not more: what stands before it was sent as part of the line.
    if (line.at(-1) === CARRIAGE_RETURN) line = line.subarray(0, -1);
    if (line.length > this.#maxBytes) throw this.#tooLong();
    return this.#decoder.decode(line);
  }

  #tooLong(): Error {
    return new Deno.errors.InvalidData(
      `Cannot read a line: it is longer than ${this.#maxBytes} bytes`,
    );
  }
}

function join(parts: Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Gives the reply to a line. Neither has a line end. */
export type Handle = (line: string) => string | Promise<string>;

/** Answers each line of every client with a line, until `listener` closes. */
export async function serveLines(
  listener: Deno.Listener,
  handle: Handle,
): Promise<void> {
  await serve(listener, async (conn) => {
    for await (const line of new LineReader(conn)) {
      const reply = await Promise.try(handle, line).catch(inOneLine);
      await writeAll(conn, bytesOf(`${reply}\n`));
    }
  });
}

/** What handle() threw: of two lines, the client would make two replies. */
function inOneLine(error: unknown): string {
  return String(error).split("\n")[0]!;
}

/** The reply to a selector that is not in the menu: one item of type 3. */
const NOT_FOUND = bytesOf("3Nothing has this name\t\terror.host\t1\r\n.\r\n");

/** Sends each client the bytes that its one line selects, and hangs up. */
export async function serveGopher(
  listener: Deno.Listener,
  menu: ReadonlyMap<string, Uint8Array>,
): Promise<void> {
  await serve(listener, async (conn) => {
    // No selector of RFC 1436 is longer.
    const lines = new LineReader(conn, { maxBytes: 255 });
    const selector = await lines.readLine();
    if (selector === null) return;
    // After this serve() closes: here the end of a reply is the end of it all.
    await writeAll(conn, menu.get(selector) ?? NOT_FOUND);
  });
}

/** Lesson 03's server: talks to all clients at once, and closes for each. */
async function serve(
  listener: Deno.Listener,
  talk: (conn: Deno.Conn) => Promise<void>,
): Promise<void> {
  const clients = new Set<Promise<void>>();
  for await (const conn of listener) {
    const client = talk(conn).catch(unlessOver).finally(() => {
      clients.delete(client);
      conn.close();
    });
    clients.add(client);
  }
  await Promise.all(clients);
}

/** A client vanished, or sent what is no line: that ends its conversation. */
function unlessOver(error: unknown) {
  const { BrokenPipe, ConnectionReset, InvalidData, UnexpectedEof } =
    Deno.errors;
  const reasons = [BrokenPipe, ConnectionReset, InvalidData, UnexpectedEof];
  // Any other error in this file is a bug of ours, and should be loud.
  if (!reasons.some((Reason) => error instanceof Reason)) throw error;
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Lesson 01's loop: the kernel takes what it has room for, a part each time. */
async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) {
    sent += await conn.write(bytes.subarray(sent));
  }
}
