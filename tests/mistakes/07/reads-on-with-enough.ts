// expect: reads-on-with-enough
// "It may take much at once": so it fills its buffer first, with a loop like that
// of readExactly(), and hands out afterwards.
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
  #held = new Uint8Array();

  constructor(reader: Reader) {
    this.#reader = reader;
  }

  async readExactly(n: number) {
    const bytes = await this.peek(n);
    this.#held = this.#held.subarray(bytes?.length);
    return bytes;
  }

  async peek(n: number) {
    if (this.#held.length < n) await this.#fill(Math.max(n, 4_096));
    if (this.#held.length < n) return ended(this.#held.length);
    return this.#held.slice(0, n);
  }

  async #fill(size: number) {
    const buffer = new Uint8Array(size);
    buffer.set(this.#held);
    let end = this.#held.length;
    while (end < size) {
      const count = await this.#reader.read(buffer.subarray(end));
      if (count === null) break;
      end += count;
    }
    this.#held = buffer.subarray(0, end);
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
