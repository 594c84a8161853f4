// expect: interleaved-writers
// An await is missing. One answer at a time leaves whole, and nobody notices.
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
  let filled = 0;
  while (filled < n) {
    const count = await reader.read(bytes.subarray(filled));
    if (count === null) return ended(filled, n);
    filled += count; // A count of 0 changes nothing, and ends nothing.
  }
  return bytes;
}

/** Between two records an end is what everybody hopes for; inside it is not. */
function ended(held: number, n: number): null {
  if (held === 0) return null;
  throw new Deno.errors.UnexpectedEof(
    `Cannot read ${n} bytes: the stream ended after ${held}`,
  );
}

/** Reads large pieces from a {@linkcode Reader}, and hands out small ones. */
export class ByteReader {
  readonly #reader: Reader;
  #buffer = new Uint8Array(4_096);
  // Bytes `#start` to `#end` of the buffer have come, and nobody took them yet.
  #start = 0;
  #end = 0;

  /** From now on `reader` belongs to this object. */
  constructor(reader: Reader) {
    this.#reader = reader;
  }

  /** As the function `readExactly()`. The bytes belong to the caller. */
  async readExactly(n: number): Promise<Uint8Array<ArrayBuffer> | null> {
    const bytes = await this.peek(n);
    if (bytes !== null) this.#start += n;
    return bytes;
  }

  /** Gives the next `n` bytes, and leaves them for the next call. */
  async peek(n: number): Promise<Uint8Array<ArrayBuffer> | null> {
    while (this.#end - this.#start < n) {
      this.#makeRoom(n);
      const free = this.#buffer.subarray(this.#end);
      const count = await this.#reader.read(free);
      if (count === null) return ended(this.#end - this.#start, n);
      this.#end += count;
    }
    // A copy: the next read may overwrite this part of the buffer.
    return this.#buffer.slice(this.#start, this.#start + n);
  }

  /** Moves what is here to the front, if `n` bytes do not fit behind it. */
  #makeRoom(n: number) {
    if (this.#start + n <= this.#buffer.length) return;
    const here = this.#buffer.subarray(this.#start, this.#end);
    if (n > this.#buffer.length) this.#buffer = new Uint8Array(n);
    this.#buffer.set(here);
    this.#start = 0;
    this.#end = here.length;
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
  const clients = new Set<Promise<void>>();
  for await (const conn of listener) {
    const client = talk(conn).finally(() => clients.delete(client));
    clients.add(client);
  }
  await Promise.all(clients);
}

/** Takes the records of one client, until it ends or sends nonsense. */
async function talk(conn: Deno.Conn): Promise<void> {
  const prices: Price[] = []; // They belong to this conversation.
  const records = new ByteReader(conn);
  try {
    for (;;) {
      const record = await records.readExactly(RECORD_LENGTH);
      if (record === null || !obey(record, prices, conn)) return;
    }
  } catch (error) {
    // It vanished, or ended inside a record: its conversation is over. Any
    // other error is a bug of ours, and should be loud.
    const { BrokenPipe, ConnectionReset, UnexpectedEof } = Deno.errors;
    const over = error instanceof BrokenPipe ||
      error instanceof ConnectionReset || error instanceof UnexpectedEof;
    if (!over) throw error;
  } finally {
    conn.close();
  }
}

/** Does what `record` asks for; false if that is nothing we know. */
function obey(
  record: Uint8Array<ArrayBuffer>,
  prices: Price[],
  conn: Deno.Conn,
): boolean {
  const view = new DataView(record.buffer, record.byteOffset);
  const [first, second] = [view.getInt32(1), view.getInt32(5)];
  switch (String.fromCharCode(record[0]!)) {
    case "I":
      prices.push({ time: first, price: second });
      return true;
    case "Q":
      writeInt32(conn, mean(prices, first, second));
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
