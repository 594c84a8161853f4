// style: a state machine over single bytes, with node:buffer and node:timers
import { Buffer, isUtf8 } from "node:buffer";
import { setImmediate } from "node:timers/promises";

export interface Reader {
  read(into: Uint8Array): Promise<number | null>;
}

export interface LineOptions {
  readonly maxBytes?: number;
  readonly fatal?: boolean;
}

export class LineReader {
  readonly #reader: Reader;
  readonly #options: LineOptions;
  readonly #buffer = Buffer.alloc(1_024);
  #next = 0;
  #end = 0;

  constructor(reader: Reader, options: LineOptions = {}) {
    this.#reader = reader;
    this.#options = options;
  }

  async readLine(): Promise<string | null> {
    const { maxBytes = 8_192 } = this.#options;
    const line: number[] = [];
    for (;;) {
      if (this.#next === this.#end && !await this.#fill()) {
        if (line.length === 0) return null;
        throw new Deno.errors.UnexpectedEof("A line without an end");
      }
      const byte = this.#buffer[this.#next++]!;
      if (byte === 10) break;
      line.push(byte);
      const over = line.length - maxBytes;
      if (over > 1 || over === 1 && byte !== 13) {
        throw new Deno.errors.InvalidData(`A line of more than ${maxBytes}`);
      }
    }
    if (line.at(-1) === 13) line.pop();
    const bytes = Buffer.from(line);
    if (this.#options.fatal && !isUtf8(bytes)) {
      throw new TypeError("A line that is not UTF-8");
    }
    return bytes.toString("utf8");
  }

  async #fill(): Promise<boolean> {
    const n = await this.#reader.read(this.#buffer);
    [this.#next, this.#end] = [0, n ?? 0];
    return n !== null && (n > 0 || await this.#fill());
  }

  [Symbol.asyncIterator](): AsyncIterator<string> {
    return {
      next: async () => {
        const value = await this.readLine();
        return value === null
          ? { done: true, value: undefined }
          : { done: false, value };
      },
    };
  }
}

export type Handle = (line: string) => string | Promise<string>;

export function serveLines(
  listener: Deno.Listener,
  handle: Handle,
): Promise<void> {
  return serve(listener, async (conn) => {
    const lines = new LineReader(conn);
    let line = await lines.readLine();
    while (line !== null) {
      await write(conn, Buffer.from(`${await handle(line)}\n`));
      await setImmediate(); // After each line, the others have their turn.
      line = await lines.readLine();
    }
  });
}

export function serveGopher(
  listener: Deno.Listener,
  menu: ReadonlyMap<string, Uint8Array>,
): Promise<void> {
  const nothing = Buffer.from(
    "3Nothing has this name\t\terror.host\t1\r\n.\r\n",
  );
  return serve(listener, async (conn) => {
    const selector = await new LineReader(conn, { maxBytes: 255 }).readLine();
    if (selector !== null) await write(conn, menu.get(selector) ?? nothing);
  });
}

async function serve(
  listener: Deno.Listener,
  talk: (conn: Deno.Conn) => Promise<void>,
): Promise<void> {
  let left = 0;
  for await (const conn of listener) {
    left++;
    (async () => {
      try {
        await talk(conn);
      } catch (error) {
        // The client hears why, if it still can.
        const reason = Buffer.from(`${error}\n`);
        await conn.write(reason).catch(() => 0);
      } finally {
        conn.close();
        left--;
      }
    })();
  }
  while (left > 0) await setImmediate();
}

async function write(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  let sent = 0;
  while (sent < bytes.length) sent += await conn.write(bytes.subarray(sent));
}
