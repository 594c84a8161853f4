// expect: utf8-per-chunk
// Every read becomes text as soon as it comes: text is so much easier to search
// than bytes.

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

export class LineReader {
  readonly #reader: Reader;
  readonly #maxBytes: number;
  readonly #decoder: TextDecoder;
  readonly #buffer = new Uint8Array(4_096);
  #text = "";

  constructor(reader: Reader, options: LineOptions = {}) {
    const { maxBytes = 8_192, fatal = false } = options;
    this.#reader = reader;
    this.#maxBytes = maxBytes;
    this.#decoder = new TextDecoder("utf-8", { fatal, ignoreBOM: true });
  }

  async readLine(): Promise<string | null> {
    for (;;) {
      const length = this.#text.indexOf("\n");
      if (length >= 0) {
        const line = this.#text.slice(0, length);
        this.#text = this.#text.slice(length + 1);
        return line.endsWith("\r") ? line.slice(0, -1) : line;
      }
      if (this.#text.length > this.#maxBytes + 1) throw tooLong();
      const n = await this.#reader.read(this.#buffer);
      if (n === null && this.#text === "") return null;
      if (n === null) {
        throw new Deno.errors.UnexpectedEof(
          "Cannot read a line: it has no end",
        );
      }
      this.#text += this.#decoder.decode(this.#buffer.subarray(0, n));
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<string> {
    for (;;) {
      const line = await this.readLine();
      if (line === null) return;
      yield line;
    }
  }
}

function tooLong(): Error {
  return new Deno.errors.InvalidData("Cannot read a line: it is too long");
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
