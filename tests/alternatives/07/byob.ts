// style: streams: a BYOB reader whose reads have a minimum
export interface Reader {
  read(into: Uint8Array): Promise<number | null>;
}

type Byob = ReadableStreamBYOBReader;

/** A stream of bytes over `reader`, which is read only when somebody asks. */
function byobOf(reader: Reader): Byob {
  const stream = new ReadableStream({
    type: "bytes",
    async pull(controller) {
      const request = controller.byobRequest!;
      const { buffer, byteOffset, byteLength } = request.view!;
      const into = new Uint8Array(buffer, byteOffset, byteLength);
      let count: number | null = 0;
      while (count === 0) count = await reader.read(into);
      if (count === null) controller.close();
      request.respond(count ?? 0);
    },
  });
  return stream.getReader({ mode: "byob" });
}

async function atLeast(byob: Byob, n: number) {
  if (n === 0) return new Uint8Array();
  const { value, done } = await byob.read(new Uint8Array(n), { min: n });
  const length = value?.length ?? 0;
  if (!done) return value;
  if (length === 0) return null;
  throw new Deno.errors.UnexpectedEof(`${length} of ${n} bytes`);
}

export function readExactly(reader: Reader, n: number) {
  return atLeast(byobOf(reader), n);
}

export class ByteReader {
  readonly #byob: Byob;
  #held = new Uint8Array();

  constructor(reader: Reader) {
    this.#byob = byobOf(reader);
  }

  async readExactly(n: number) {
    const bytes = await this.peek(n);
    this.#held = this.#held.slice(bytes?.length);
    return bytes;
  }

  async peek(n: number) {
    const missing = n - this.#held.length;
    if (missing > 0) {
      const room = new Uint8Array(Math.max(missing, 1_024));
      const { value, done } = await this.#byob.read(room, { min: missing });
      this.#held = new Uint8Array([...this.#held, ...value ?? []]);
      const { length } = this.#held;
      if (done && length === 0) return null;
      if (done) throw new Deno.errors.UnexpectedEof(`${length} of ${n} bytes`);
    }
    return this.#held.slice(0, n);
  }
}

export async function serve(listener: Deno.Listener) {
  const clients: Promise<void>[] = [];
  for await (const conn of listener) clients.push(talk(conn));
  await Promise.all(clients);
}

async function talk(conn: Deno.Conn) {
  using _closes = conn;
  const prices: { time: number; price: number }[] = [];
  const byob = conn.readable.getReader({ mode: "byob" });
  const writer = conn.writable.getWriter();
  try {
    for (;;) {
      const record = await atLeast(byob, 9);
      if (!record) return;
      const view = new DataView(record.buffer);
      const [first, second] = [view.getInt32(1), view.getInt32(5)];
      const type = String.fromCharCode(view.getUint8(0));
      if (type === "I") prices.push({ time: first, price: second });
      else if (type !== "Q") return;
      else {
        const found = prices.filter((p) => p.time >= first && p.time <= second);
        const sum = found.reduce((all, p) => all + p.price, 0);
        const mean = new Uint8Array(4);
        new DataView(mean.buffer).setInt32(0, sum / (found.length || 1));
        await writer.write(mean);
      }
    }
  } catch (error) {
    const { BrokenPipe, ConnectionReset, UnexpectedEof } = Deno.errors;
    const over = [BrokenPipe, ConnectionReset, UnexpectedEof];
    if (!over.some((Over) => error instanceof Over)) throw error;
  }
}
