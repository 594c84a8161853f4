// expect: zero-means-eof
// Nothing came, so there is nothing more to come: `!n` says both.

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
  #buffer = new Uint8Array(4_096);
  #start = 0;
  #end = 0;

  constructor(reader: Reader, options: LineOptions = {}) {
    const { maxBytes = 8_192, fatal = false } = options;
    this.#reader = reader;
    this.#maxBytes = maxBytes;
    this.#decoder = new TextDecoder("utf-8", { fatal, ignoreBOM: true });
  }

  async readLine(): Promise<string | null> {
    for (let searched = 0;;) {
      const held = this.#buffer.subarray(this.#start, this.#end);
      const length = held.indexOf(LINE_FEED, searched);
      if (length >= 0) {
        this.#start += length + 1;
        return this.#text(held.subarray(0, length));
      }
      if (held.length > this.#maxBytes + 1) throw this.#tooLong();
      if (!await this.#readMore()) {
        if (held.length === 0) return null;
        throw new Deno.errors.UnexpectedEof(
          `Cannot read a line: the stream ended ${held.length} bytes into it`,
        );
      }
      searched = held.length;
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<string> {
    for (;;) {
      const line = await this.readLine();
      if (line === null) return;
      yield line;
    }
  }

  #text(line: Uint8Array): string {
    if (line.at(-1) === CARRIAGE_RETURN) line = line.subarray(0, -1);
    if (line.length > this.#maxBytes) throw this.#tooLong();
    return this.#decoder.decode(line);
  }

  async #readMore(): Promise<boolean> {
    if (this.#end === this.#buffer.length) this.#makeRoom();
    const n = await this.#reader.read(this.#buffer.subarray(this.#end));
    this.#end += n ?? 0;
    return !!n;
  }

  #makeRoom() {
    const held = this.#buffer.subarray(this.#start, this.#end);
    this.#buffer = new Uint8Array(Math.max(4_096, 2 * held.length));
    this.#buffer.set(held);
    this.#start = 0;
    this.#end = held.length;
  }

  #tooLong(): Error {
    return new Deno.errors.InvalidData(
      `Cannot read a line: it is longer than ${this.#maxBytes} bytes`,
    );
  }
}

export type Handle = (line: string) => string | Promise<string>;

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

function inOneLine(error: unknown): string {
  return String(error).split("\n")[0]!;
}

const NOT_FOUND = bytesOf("3Nothing has this name\t\terror.host\t1\r\n.\r\n");

export async function serveGopher(
  listener: Deno.Listener,
  menu: ReadonlyMap<string, Uint8Array>,
): Promise<void> {
  await serve(listener, async (conn) => {
    const lines = new LineReader(conn, { maxBytes: 255 });
    const selector = await lines.readLine();
    if (selector === null) return;
    await writeAll(conn, menu.get(selector) ?? NOT_FOUND);
  });
}

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

function unlessOver(error: unknown) {
  const { BrokenPipe, ConnectionReset, InvalidData, UnexpectedEof } =
    Deno.errors;
  const reasons = [BrokenPipe, ConnectionReset, InvalidData, UnexpectedEof];
  if (!reasons.some((Reason) => error instanceof Reason)) throw error;
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) {
    sent += await conn.write(bytes.subarray(sent));
  }
}
