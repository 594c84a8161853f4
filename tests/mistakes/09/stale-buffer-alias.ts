// expect: stale-buffer-alias
// One buffer, and no copies: the bodies are parts of it, and so is what moves to
// its front.
/** What frames are read from: a connection, or anything that reads like one. */
export interface Reader {
  /** Fills a part of `into`, and says how much of it; null is the end. */
  read(into: Uint8Array): Promise<number | null>;
}

/** What a decoder accepts. */
export interface FrameOptions {
  /** The longest body, in bytes. */
  maxLength: number;
}

/** How many bytes the length takes, in front of each body. */
const HEADER = 4;

/** Puts the length of `body` in front of it: four bytes, the highest first. */
export function encodeFrame(body: Uint8Array): Uint8Array {
  const frame = new Uint8Array(HEADER + body.length);
  // A DataView writes big-endian, which the network agreed on, on any machine.
  new DataView(frame.buffer).setUint32(0, body.length);
  frame.set(body, HEADER);
  return frame;
}

/** Makes frames of chunks, wherever the chunks were cut. */
export class FrameDecoder {
  readonly #maxLength: number;
  #buffer = new Uint8Array(1_024);
  #held = 0;
  #broken = false;

  constructor({ maxLength }: FrameOptions) {
    this.#maxLength = maxLength;
  }

  push(chunk: Uint8Array): Uint8Array[] {
    this.#append(chunk);
    const bodies: Uint8Array[] = [];
    let at = 0;
    while (this.#held - at >= HEADER) {
      const begin = at + HEADER;
      const end = begin + this.#announced(at);
      if (end > this.#held) break;
      bodies.push(this.#buffer.subarray(begin, end));
      at = end;
    }
    this.#buffer.copyWithin(0, at, this.#held);
    this.#held -= at;
    return bodies;
  }

  end(): void {
    if (this.#held > 0) {
      throw new Deno.errors.UnexpectedEof("Cannot end inside a frame");
    }
  }

  get buffered(): number {
    return this.#held;
  }

  #append(chunk: Uint8Array) {
    if (this.#broken) throw new Deno.errors.InvalidData("No length any more");
    const needed = this.#held + chunk.length;
    if (needed > this.#buffer.length) {
      const larger = new Uint8Array(2 * needed);
      larger.set(this.#buffer.subarray(0, this.#held));
      this.#buffer = larger;
    }
    this.#buffer.set(chunk, this.#held);
    this.#held = needed;
  }

  #announced(at: number): number {
    const length = new DataView(this.#buffer.buffer).getUint32(at);
    if (length <= this.#maxLength) return length;
    this.#broken = true;
    throw new Deno.errors.InvalidData(`Cannot accept ${length} bytes`);
  }
}

/**
 * Yields the body of each frame that `reader` delivers, as soon as it is
 * complete, until the reader ends. Throws what a {@linkcode FrameDecoder} does.
 */
export async function* frames(
  reader: Reader,
  options: FrameOptions,
): AsyncGenerator<Uint8Array> {
  const decoder = new FrameDecoder(options);
  const buffer = new Uint8Array(16_384);
  for (;;) {
    const n = await reader.read(buffer);
    if (n === null) break;
    yield* decoder.push(buffer.subarray(0, n));
  }
  decoder.end();
}

/** Echoes frame by frame to all clients of `listener`, until it closes. */
export async function serve(
  listener: Deno.Listener,
  { maxLength = 65_536 }: Partial<FrameOptions> = {},
): Promise<void> {
  const clients = new Set<Promise<void>>();
  for await (const conn of listener) {
    const client = echo(conn, { maxLength })
      .finally(() => clients.delete(client));
    clients.add(client);
  }
  await Promise.all(clients);
}

/** Sends every frame back, and closes `conn` when there are no more. */
async function echo(conn: Deno.Conn, options: FrameOptions): Promise<void> {
  try {
    for await (const body of frames(conn, options)) {
      await writeAll(conn, encodeFrame(body));
    }
  } catch (error) {
    if (!isTheirs(error)) throw error;
  } finally {
    conn.close();
  }
}

async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    at += await conn.write(bytes.subarray(at));
  }
}

/** Whether a client caused `error`: by vanishing, or by breaking the rules. */
function isTheirs(error: unknown): boolean {
  const { BrokenPipe, ConnectionReset, InvalidData, UnexpectedEof } =
    Deno.errors;
  return [BrokenPipe, ConnectionReset, InvalidData, UnexpectedEof]
    .some((Class) => error instanceof Class);
}

if (import.meta.main) {
  await serve(Deno.listen({ hostname: "127.0.0.1", port: 7009 }));
}
