// style: node:buffer, a list of chunks, and the connection's streams
import { Buffer } from "node:buffer";

export interface Reader {
  read(into: Uint8Array): Promise<number | null>;
}

export interface FrameOptions {
  maxLength: number;
}

export function encodeFrame(body: Uint8Array): Uint8Array {
  const header = Buffer.alloc(4);
  header.writeUInt32BE(body.length);
  return Buffer.concat([header, body]);
}

export class FrameDecoder {
  readonly #maxLength: number;
  #chunks: Uint8Array[] = [];
  #held = 0;
  #needed = 4;
  #inBody = false;
  #dead = false;

  constructor({ maxLength }: FrameOptions) {
    this.#maxLength = maxLength;
  }

  push(chunk: Uint8Array): Uint8Array[] {
    this.#chunks.push(Buffer.from(chunk)); // A copy.
    this.#held += chunk.length;
    const bodies: Uint8Array[] = [];
    while (this.#dead || this.#held >= this.#needed) {
      if (this.#dead) throw new Deno.errors.InvalidData("Frame too long");
      const part = this.#take(this.#needed);
      if (this.#inBody) bodies.push(part);
      this.#needed = this.#inBody ? 4 : part.readUInt32BE(0);
      this.#inBody = !this.#inBody;
      this.#dead = this.#inBody && this.#needed > this.#maxLength;
    }
    return bodies;
  }

  end(): void {
    if (this.buffered === 0) return;
    throw new Deno.errors.UnexpectedEof(`${this.buffered} bytes are left over`);
  }

  get buffered(): number {
    return this.#held + (this.#inBody ? 4 : 0);
  }

  #take(n: number): Buffer {
    const all = Buffer.concat(this.#chunks);
    this.#chunks = [all.subarray(n)];
    this.#held -= n;
    return Buffer.from(all.subarray(0, n));
  }
}

export async function* frames(
  reader: Reader,
  options: FrameOptions,
): AsyncGenerator<Uint8Array> {
  yield* decoded(chunksOf(reader), options);
}

async function* chunksOf(reader: Reader) {
  const buffer = Buffer.allocUnsafe(4_096);
  for (let n = await reader.read(buffer); n !== null;) {
    yield buffer.subarray(0, n);
    n = await reader.read(buffer);
  }
}

async function* decoded(
  chunks: AsyncIterable<Uint8Array>,
  options: FrameOptions,
) {
  const decoder = new FrameDecoder(options);
  for await (const chunk of chunks) yield* decoder.push(chunk);
  decoder.end();
}

export async function serve(
  listener: Deno.Listener,
  { maxLength = 65_536 }: { maxLength?: number } = {},
): Promise<void> {
  const clients = new Set<Promise<void>>();
  for await (const conn of listener) {
    const client = echo(conn, { maxLength });
    clients.add(client);
    client.then(() => clients.delete(client));
  }
  await Promise.all(clients);
}

async function echo(conn: Deno.Conn, options: FrameOptions): Promise<void> {
  const writer = conn.writable.getWriter();
  writer.closed.catch(() => {}); // The write that fails says so itself.
  try {
    for await (const body of decoded(conn.readable, options)) {
      await writer.write(encodeFrame(body));
    }
  } catch (error) {
    const theirs = Object.values(Deno.errors).some((known) =>
      error instanceof known
    );
    if (!theirs) throw error;
  } finally {
    conn[Symbol.dispose](); // The streams may have closed it already.
  }
}
