// Lesson 08: lines.
//
// Typed by hand, every line arrives alone, and this server answers each. What a
// program sends arrives in other pieces: half a line, or three, or the first
// byte of a letter that has two. Find the lines in it, and give up on peers who
// never end one.

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

/** Reads lines of text, each ended by LF or by CR LF. */
export class LineReader {
  readonly #reader: Reader;
  readonly #maxBytes: number;
  readonly #decoder: TextDecoder;

  /** From now on `reader` belongs to this object. */
  constructor(reader: Reader, options: LineOptions = {}) {
    const { maxBytes = 8_192, fatal = false } = options;
    this.#reader = reader;
    this.#maxBytes = maxBytes;
    // TODO: A file with ef bb bf at its front comes out three bytes shorter.
    this.#decoder = new TextDecoder("utf-8", { fatal });
  }

  /**
   * Reads the next line, without its end; null once the stream is over.
   *
   * @throws {Deno.errors.InvalidData} If it is longer than `maxBytes`.
   * @throws {Deno.errors.UnexpectedEof} If the stream ends inside it.
   * @throws {TypeError} If it is not UTF-8, and `fatal` is set.
   */
  async readLine(): Promise<string | null> {
    const bytes = new Uint8Array(this.#maxBytes);
    const n = await this.#reader.read(bytes);
    if (n === null) return null;
    const text = this.#decoder.decode(bytes.subarray(0, n));
    // TODO: Three lines come in one piece, and two are never seen again. One
    // comes in two pieces, and each of them is taken for a line.
    return text.split("\n")[0]!;
  }

  /** Gives line after line, until the stream is over. */
  async *[Symbol.asyncIterator](): AsyncGenerator<string> {
    for (;;) {
      const line = await this.readLine();
      if (line === null) return;
      yield line;
    }
  }
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
      // TODO: The reply arrives, and the client waits for the rest of it.
      await writeAll(conn, bytesOf(await handle(line)));
    }
  });
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
    for await (const selector of lines) {
      // TODO: curl shows the whole text, and does not come back.
      await writeAll(conn, menu.get(selector) ?? NOT_FOUND);
    }
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

/** A client vanished: that ends its conversation. */
function unlessOver(error: unknown) {
  const { BrokenPipe, ConnectionReset } = Deno.errors;
  const reasons = [BrokenPipe, ConnectionReset];
  // Any other error in this file is a bug of ours, and should be loud.
  // TODO: A client ends inside a line, or handle() throws, and all the others
  // lose the server.
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

// Try it by hand: `deno run -P lessons/08/lines.ts`, then `nc 127.0.0.1 7008`
// in another terminal. With the word gopher behind it, it serves a menu.
if (import.meta.main) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 7008 });
  const about = bytesOf("A line asks. The end of the connection answers.\n");
  const menu = bytesOf("0About gophers\t/about\t127.0.0.1\t7008\r\n.\r\n");
  if (Deno.args[0] === "gopher") {
    await serveGopher(listener, new Map([["", menu], ["/about", about]]));
  } else {
    // As JSON, so that whatever is left of a line's end can be seen.
    await serveLines(listener, (line) => JSON.stringify(line));
  }
}
