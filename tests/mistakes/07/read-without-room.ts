// expect: read-without-room
// What was handed out lies before #start. The buffer is large, and nobody thinks
// of the day when #end reaches its end.
export interface Reader {
  read(into: Uint8Array): Promise<number | null>;
}

export async function readExactly(reader: Reader, n: number) {
  const bytes = new Uint8Array(n);
  let filled = 0;
  while (filled < n) {
    const count = await reader.read(bytes.subarray(filled));
    if (count === null) return ended(filled);
    filled += count;
  }

  return bytes;
}

function ended(held: number): null {
  if (held === 0) return null;
  throw new Deno.errors.UnexpectedEof(`the stream ended after ${held} bytes`);
}

export class ByteReader {
  #reader: Reader;
  #buffer = new Uint8Array(4_096);
  #start = 0;
  #end = 0;

  constructor(reader: Reader) {
    this.#reader = reader;
  }

  async readExactly(n: number) {
    const bytes = await this.peek(n);
    if (bytes) this.#start += n;
    return bytes;
  }

  async peek(n: number) {
    while (this.#end < this.#start + n) {
      const free = this.#buffer.subarray(this.#end);
      const count = await this.#reader.read(free);
      if (count === null) return ended(this.#end - this.#start);
      this.#end += count;
    }
    return this.#buffer.slice(this.#start, this.#start + n);
  }
}

export async function serve(listener: Deno.Listener) {
  const clients: Promise<void>[] = [];
  for await (const conn of listener) clients.push(talk(conn));
  await Promise.all(clients);
}

async function talk(conn: Deno.Conn) {
  const prices: [number, number][] = [];
  const records = new ByteReader(conn);
  try {
    let record;
    while ((record = await records.readExactly(9)) !== null) {
      if (!await obey(record, prices, conn)) break;
    }
  } catch (error) {
    const { BrokenPipe, ConnectionReset, UnexpectedEof } = Deno.errors;
    const fine = [BrokenPipe, ConnectionReset, UnexpectedEof];
    if (!fine.some((Fine) => error instanceof Fine)) throw error;
  } finally {
    conn.close();
  }
}

async function obey(
  record: Uint8Array,
  prices: [number, number][],
  conn: Deno.Conn,
) {
  const view = new DataView(record.buffer, record.byteOffset);
  const [type, a, b] = [view.getUint8(0), view.getInt32(1), view.getInt32(5)];
  if (type === 0x49) {
    prices.push([a, b]);
  } else if (type === 0x51) {
    const answer = new DataView(new ArrayBuffer(4));
    answer.setInt32(0, mean(prices, a, b));
    await conn.write(new Uint8Array(answer.buffer));
  }

  return type === 0x49 || type === 0x51;
}

function mean(prices: [number, number][], from: number, to: number) {
  let sum = 0;
  let count = 0;
  for (const [time, price] of prices) {
    if (time < from || time > to) continue;
    sum += price;
    count++;
  }

  return count === 0 ? 0 : Math.trunc(sum / count);
}

if (import.meta.main) {
  await serve(Deno.listen({ hostname: "127.0.0.1", port: 7007 }));
}
