// style: one big loop over a buffer; a queue of numbers in the class
export type Reader = Pick<Deno.Conn, "read">;

export async function readExactly(reader: Reader, n: number) {
  const pieces: number[][] = [];
  for (let missing = n; missing > 0;) {
    const piece = new Uint8Array(Math.min(missing, 10_000));
    const count = await reader.read(piece);
    if (count === null && missing === n) return null;
    if (count === null) throw new Deno.errors.UnexpectedEof("half a record");
    pieces.push(Array.from(piece.subarray(0, count)));
    missing -= count;
  }
  return Uint8Array.from(pieces.flat());
}

export class ByteReader {
  private readonly queue: number[] = [];

  constructor(private readonly reader: Reader) {}

  async readExactly(n: number) {
    if (await this.fill(n)) return Uint8Array.from(this.queue.splice(0, n));
    return null;
  }

  async peek(n: number) {
    return await this.fill(n) ? Uint8Array.from(this.queue.slice(0, n)) : null;
  }

  private async fill(n: number): Promise<boolean> {
    if (this.queue.length >= n) return true;
    const chunk = new Uint8Array(512);
    const count = await this.reader.read(chunk);
    if (count !== null) {
      this.queue.push(...chunk.subarray(0, count));
      return await this.fill(n);
    }
    if (this.queue.length > 0) throw new Deno.errors.UnexpectedEof();
    return false;
  }
}

export async function serve(listener: Deno.Listener) {
  const clients = new Set<Promise<void>>();
  for await (const conn of listener) {
    const client = talk(conn).catch((error) => {
      const expected = error instanceof Deno.errors.ConnectionReset ||
        error instanceof Deno.errors.BrokenPipe;
      if (!expected) throw error;
    });
    clients.add(client.finally(() => conn.close()));
  }
  await Promise.all(clients);
}

async function talk(conn: Deno.Conn) {
  const buffer = new Uint8Array(9 * 1_000);
  const view = new DataView(buffer.buffer);
  const times: number[] = [];
  const prices: number[] = [];
  let end = 0;
  for (;;) {
    const count = await conn.read(buffer.subarray(end));
    if (count === null) return; // What is left is no record.
    end += count;
    let at = 0;
    for (; at + 9 <= end; at += 9) {
      const first = view.getInt32(at + 1);
      const second = view.getInt32(at + 5);
      if (buffer[at] === 0x49) {
        times.push(first);
        prices.push(second);
      } else if (buffer[at] === 0x51) {
        let [sum, found] = [0, 0];
        for (let i = 0; i < times.length; i++) {
          if (times[i]! < first || times[i]! > second) continue;
          sum += prices[i]!;
          found++;
        }
        const answer = new DataView(new ArrayBuffer(4));
        if (found > 0) answer.setInt32(0, Math.trunc(sum / found), false);
        for (let left = 4; left > 0;) {
          left -= await conn.write(new Uint8Array(answer.buffer, 4 - left));
        }
      } else return;
    }
    buffer.copyWithin(0, at, end);
    end -= at;
  }
}
