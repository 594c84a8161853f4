// Lesson 07: exactly N bytes.
//
// Each client of this server sends records of nine bytes and expects that they
// come out as they went in. They do, as long as every read happens to bring one
// whole record. Make it true for whatever a read brings.

/** Where bytes come from: a connection, or a script in the checks. */
export interface Reader {
  /** Puts 0 to `into.length` bytes into `into`; null means the end. */
  read(into: Uint8Array): Promise<number | null>;
}

/**
 * Reads `n` bytes, and takes not one more from `reader`.
 *
 * An end before the first byte gives null.
 *
 * @throws {Deno.errors.UnexpectedEof} At an end after the first byte.
 */
export async function readExactly(
  reader: Reader,
  n: number,
): Promise<Uint8Array<ArrayBuffer> | null> {
  const bytes = new Uint8Array(n);
  // TODO: Somebody sends 4 bytes, and the other 5 a little later. The record
  // that comes out has zeros in it.
  const count = await reader.read(bytes);
  return count === null ? null : bytes;
}

/** Reads large pieces from a {@linkcode Reader}, and hands out small ones. */
export class ByteReader {
  readonly #reader: Reader;
  #buffer = new Uint8Array(4_096);

  /** From now on `reader` belongs to this object. */
  constructor(reader: Reader) {
    this.#reader = reader;
  }

  /** As the function `readExactly()`. The bytes belong to the caller. */
  async readExactly(n: number): Promise<Uint8Array<ArrayBuffer> | null> {
    // TODO: Two records come in one piece. The second is never seen again.
    return await this.peek(n);
  }

  /** Gives the next `n` bytes, and leaves them for the next call. */
  async peek(n: number): Promise<Uint8Array<ArrayBuffer> | null> {
    const count = await this.#reader.read(this.#buffer);
    // TODO: The caller keeps these bytes. After the next read they are others.
    return count === null ? null : this.#buffer.subarray(0, n);
  }
}

/** A letter and two integers of 32 bits. */
const RECORD_LENGTH = 9;

/** What something cost at some time. */
interface Price {
  readonly time: number;
  readonly price: number;
}

/** Keeps the prices of each client, and answers its queries with their mean. */
export async function serve(listener: Deno.Listener): Promise<void> {
  // TODO: Ann asks for the mean of her prices, and Bob's are in it.
  const prices: Price[] = [];
  const clients = new Set<Promise<void>>();
  for await (const conn of listener) {
    const client = talk(conn, prices).finally(() => clients.delete(client));
    clients.add(client);
  }
  await Promise.all(clients);
}

/** Takes the records of one client, until it ends or sends nonsense. */
async function talk(conn: Deno.Conn, prices: Price[]): Promise<void> {
  const records = new ByteReader(conn);
  try {
    for (;;) {
      const record = await records.readExactly(RECORD_LENGTH);
      if (record === null || !await obey(record, prices, conn)) return;
    }
  } catch (error) {
    // It vanished: its conversation is over. Any other error is a bug of ours,
    // and should be loud.
    // TODO: A client ends inside a record, and all the others lose the server.
    const { BrokenPipe, ConnectionReset } = Deno.errors;
    const over = error instanceof BrokenPipe ||
      error instanceof ConnectionReset;
    if (!over) throw error;
  } finally {
    conn.close();
  }
}

/** Does what `record` asks for; false if that is nothing we know. */
async function obey(
  record: Uint8Array<ArrayBuffer>,
  prices: Price[],
  conn: Deno.Conn,
): Promise<boolean> {
  const view = new DataView(record.buffer, record.byteOffset);
  // TODO: A price of -1 comes out as 4,294,967,295.
  const [first, second] = [view.getUint32(1), view.getUint32(5)];
  switch (String.fromCharCode(record[0]!)) {
    case "I":
      prices.push({ time: first, price: second });
      return true;
    case "Q":
      await writeInt32(conn, mean(prices, first, second));
      return true;
    default:
      return false; // Where the next record begins, nobody can tell now.
  }
}

/** The mean price from time `from` to `to`, its fraction dropped; 0 for none. */
function mean(prices: Price[], from: number, to: number): number {
  const chosen = prices.filter(({ time }) => from <= time && time <= to);
  // A number of JavaScript: it holds sums that 32 bits do not.
  const sum = chosen.reduce((sum, { price }) => sum + price, 0);
  return chosen.length === 0 ? 0 : Math.trunc(sum / chosen.length);
}

/** Sends `value` in four bytes, the most significant first. */
async function writeInt32(conn: Deno.Conn, value: number): Promise<void> {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, value);
  for (let sent = 0; sent < bytes.length;) {
    sent += await conn.write(bytes.subarray(sent));
  }
}

// Try it by hand: `deno run -P lessons/07/records.ts`, then what the README
// says in another terminal.
if (import.meta.main) {
  await serve(Deno.listen({ hostname: "127.0.0.1", port: 7007 }));
}
