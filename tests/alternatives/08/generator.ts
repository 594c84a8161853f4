// style: a generator, a list of pieces, and functions only

export interface Reader {
  read(into: Uint8Array): Promise<number | null>;
}

export interface LineOptions {
  readonly maxBytes?: number;
  readonly fatal?: boolean;
}

export class LineReader {
  readonly #lines: AsyncGenerator<string>;

  constructor(reader: Reader, options: LineOptions = {}) {
    this.#lines = linesOf(reader, options);
  }

  async readLine(): Promise<string | null> {
    const { value, done } = await this.#lines.next();
    return done ? null : value;
  }

  [Symbol.asyncIterator](): AsyncIterator<string> {
    return this.#lines;
  }
}

async function* linesOf(
  reader: Reader,
  { maxBytes = 8_192, fatal = false }: LineOptions,
): AsyncGenerator<string, undefined> {
  const decoder = new TextDecoder("utf-8", { fatal, ignoreBOM: true });
  const buffer = new Uint8Array(65_536);
  let pieces: Uint8Array[] = [];
  let length = 0;
  const keep = (piece: Uint8Array) => {
    pieces.push(piece.slice());
    length += piece.length;
    // A line feed and a carriage return may be yet to come, or be here.
    if (length > maxBytes + 1) throw new Deno.errors.InvalidData("Too long");
  };
  for (;;) {
    const n = await reader.read(buffer);
    if (n === null) break;
    let rest = buffer.subarray(0, n);
    for (let at = rest.indexOf(10); at >= 0; at = rest.indexOf(10)) {
      keep(rest.subarray(0, at));
      const whole = joined(pieces, length);
      const line = whole.at(-1) === 13 ? whole.subarray(0, -1) : whole;
      if (line.length > maxBytes) {
        throw new Deno.errors.InvalidData("Too long");
      }
      [pieces, length, rest] = [[], 0, rest.subarray(at + 1)];
      yield decoder.decode(line);
    }
    keep(rest);
  }
  if (length > 0) throw new Deno.errors.UnexpectedEof("Half a line");
}

function joined(pieces: Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

export type Handle = (line: string) => string | Promise<string>;

export function serveLines(
  listener: Deno.Listener,
  handle: Handle,
): Promise<void> {
  return serve(listener, async (conn) => {
    for await (const line of linesOf(conn, {})) {
      await send(conn, `${await handle(line)}\n`);
    }
  });
}

export function serveGopher(
  listener: Deno.Listener,
  menu: ReadonlyMap<string, Uint8Array>,
): Promise<void> {
  return serve(listener, async (conn) => {
    for await (const selector of linesOf(conn, { maxBytes: 255 })) {
      const found = menu.get(selector);
      if (found) return await send(conn, found);
      const item = ["3Nothing has this name", "", "error.host", "1"];
      return await send(conn, `${item.join("\t")}\r\n.\r\n`);
    }
  });
}

async function serve(
  listener: Deno.Listener,
  talk: (conn: Deno.Conn) => Promise<void>,
): Promise<void> {
  const talks: Promise<void>[] = [];
  for await (const conn of listener) talks.push(guarded(conn, talk));
  await Promise.all(talks);
}

async function guarded(
  conn: Deno.Conn,
  talk: (conn: Deno.Conn) => Promise<void>,
): Promise<void> {
  using _closes = conn;
  // Whatever goes wrong here is this client's alone, a handler's bug included.
  await talk(conn).catch(() => {});
}

async function send(conn: Deno.Conn, data: string | Uint8Array): Promise<void> {
  let rest = typeof data === "string" ? new TextEncoder().encode(data) : data;
  while (rest.length > 0) rest = rest.subarray(await conn.write(rest));
}
