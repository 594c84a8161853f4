// style: a stream of lines that is pulled, a decoder that streams, a writer

export interface Reader {
  read(into: Uint8Array): Promise<number | null>;
}

export interface LineOptions {
  readonly maxBytes?: number;
  readonly fatal?: boolean;
}

export class LineReader {
  readonly #lines: ReadableStreamDefaultReader<string>;

  constructor(reader: Reader, options: LineOptions = {}) {
    this.#lines = lineStream(reader, options).getReader();
  }

  async readLine(): Promise<string | null> {
    return (await this.#lines.read()).value ?? null;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<string> {
    for (;;) {
      const { value, done } = await this.#lines.read();
      if (done) return;
      yield value;
    }
  }
}

function lineStream(
  reader: Reader,
  { maxBytes = 8_192, fatal = false }: LineOptions,
): ReadableStream<string> {
  const decoder = new TextDecoder("utf-8", { fatal, ignoreBOM: true });
  const encoder = new TextEncoder();
  let unfinished: string[] = [];
  let size = 0;
  const checked = (line: string) => {
    // No character is longer in UTF-8 than four bytes: most need no counting.
    const long = line.length * 4 > maxBytes &&
      encoder.encode(line).length > maxBytes;
    if (long) throw new Deno.errors.InvalidData("The line is too long");
    return line;
  };
  return new ReadableStream<string>({
    async pull(controller) {
      for (let given = false; !given;) {
        const buffer = new Uint8Array(16_384);
        const n = await reader.read(buffer);
        if (n === null) {
          if (size === 0) return controller.close();
          throw new Deno.errors.UnexpectedEof("The line has no end");
        }
        const text = decoder.decode(buffer.subarray(0, n), { stream: true });
        const [first, ...others] = text.split("\n");
        unfinished.push(first!);
        size += n;
        for (const part of others) {
          const line = unfinished.join("");
          controller.enqueue(
            checked(line.endsWith("\r") ? line.slice(0, -1) : line),
          );
          given = true;
          unfinished = [part];
          size = encoder.encode(part).length;
        }
        if (!given && size > maxBytes + 1) checked(unfinished.join(""));
      }
    },
  }, { highWaterMark: 0 });
}

export type Handle = (line: string) => string | Promise<string>;

export async function serveLines(
  listener: Deno.Listener,
  handle: Handle,
): Promise<void> {
  await serve(listener, async (conn) => {
    const writer = conn.writable.getWriter();
    for await (const line of lineStream(conn, {})) {
      const reply = await handle(line);
      await writer.write(new TextEncoder().encode(`${reply}\n`));
    }
  });
}

export async function serveGopher(
  listener: Deno.Listener,
  menu: ReadonlyMap<string, Uint8Array>,
): Promise<void> {
  const nothing = "3Nothing has this name\t\terror.host\t1\r\n.\r\n";
  await serve(listener, async (conn) => {
    const selector = await new LineReader(conn, { maxBytes: 255 }).readLine();
    if (selector === null) return;
    const writer = conn.writable.getWriter();
    await writer.write(
      menu.get(selector) ?? new TextEncoder().encode(nothing),
    );
    await writer.close();
  });
}

async function serve(
  listener: Deno.Listener,
  talk: (conn: Deno.Conn) => Promise<void>,
): Promise<void> {
  const talks = new Set<Promise<unknown>>();
  for await (const conn of listener) {
    const talking = talk(conn).then(() => "done", (error) => error);
    talks.add(talking);
    // close() would throw if a stream has closed the connection already.
    talking.then(() => conn[Symbol.dispose]());
  }
  await Promise.all(talks);
}
