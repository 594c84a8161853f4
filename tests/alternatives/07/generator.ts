// style: an async generator of records, Node's Buffer and timers, BigInt sums
import { Buffer } from "node:buffer";
import { setImmediate } from "node:timers/promises";

export interface Reader {
  read(into: Uint8Array): Promise<number | null>;
}

export async function readExactly(reader: Reader, n: number) {
  const bytes = Buffer.alloc(n);
  let at = 0;
  while (at !== n) {
    const count = await reader.read(bytes.subarray(at));
    if (count === null) {
      if (at === 0) return null;
      throw new Deno.errors.UnexpectedEof(`The end came ${n - at} bytes early`);
    }
    at += count;
  }
  return bytes;
}

/** Never reads more than is asked for: then nothing can come too early. */
export class ByteReader {
  held = Buffer.alloc(0);

  constructor(readonly reader: Reader) {}

  async peek(n: number) {
    const parts = [this.held];
    let length = this.held.length;
    try {
      while (length < n) {
        const room = Buffer.alloc(Math.min(n - length, 4_096));
        const count = await this.reader.read(room);
        if (count === null) {
          if (length === 0) return null;
          throw new Deno.errors.UnexpectedEof("The stream is too short");
        }
        parts.push(room.subarray(0, count));
        length += count;
      }
    } finally {
      this.held = Buffer.concat(parts); // Once, however many reads it took.
    }
    return Buffer.from(this.held.subarray(0, n));
  }

  async readExactly(n: number) {
    const bytes = await this.peek(n);
    if (bytes) this.held = Buffer.from(this.held.subarray(n));
    return bytes;
  }
}

async function* records(conn: Deno.Conn) {
  for (;;) {
    const record = await readExactly(conn, 9);
    if (record === null) return;
    yield {
      type: record.toString("latin1", 0, 1),
      numbers: [record.readInt32BE(1), record.readInt32BE(5)] as const,
    };
  }
}

export async function serve(listener: Deno.Listener) {
  const talks: Promise<void>[] = [];
  for await (const conn of listener) talks.push(talk(conn));
  await Promise.all(talks);
}

async function talk(conn: Deno.Conn) {
  const prices = new Map<number, bigint[]>();
  try {
    for await (const { type, numbers: [a, b] } of records(conn)) {
      if (type === "I") {
        const same = prices.get(a) ?? [];
        prices.set(a, same);
        same.push(BigInt(b));
      } else if (type === "Q") {
        await setImmediate(); // A long list; let the other clients go first.
        const found = [...prices].filter(([time]) => a <= time && time <= b)
          .flatMap(([, values]) => values);
        const sum = found.reduce((sum, price) => sum + price, 0n);
        const answer = Buffer.alloc(4);
        answer.writeInt32BE(Number(sum / BigInt(found.length || 1)));
        let sent = await conn.write(answer);
        while (sent < 4) sent += await conn.write(answer.subarray(sent));
      } else break;
    }
  } catch (error) {
    const { BrokenPipe, ConnectionReset, UnexpectedEof } = Deno.errors;
    const over = [BrokenPipe, ConnectionReset, UnexpectedEof];
    if (!over.some((Over) => error instanceof Over)) throw error;
  } finally {
    conn.close();
  }
}
