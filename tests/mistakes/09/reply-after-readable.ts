// expect: reply-after-readable
// Streams from end to end. The first one closes the connection when the client
// ends its sending, and the last one is still writing.
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
  // What is being filled: a header, or the body that it announced.
  #part = new Uint8Array(HEADER);
  #filled = 0;
  #inBody = false;

  /** Accepts bodies of at most `maxLength` bytes. */
  constructor({ maxLength }: FrameOptions) {
    this.#maxLength = maxLength;
  }

  /**
   * Takes the next bytes, and returns the bodies that are complete with them.
   *
   * @throws {Deno.errors.InvalidData} If a header announces more than
   * `maxLength` bytes; and whenever more bytes come after that.
   */
  push(chunk: Uint8Array): Uint8Array[] {
    const bodies: Uint8Array[] = [];
    for (let at = 0; at < chunk.length;) {
      at += this.#fill(chunk.subarray(at));
      if (!this.#inBody && this.#isFull()) {
        this.#expect(this.#announced(), true);
      }
      // No "else": a body of no bytes is full before another byte comes.
      if (this.#inBody && this.#isFull()) {
        bodies.push(this.#part);
        this.#expect(HEADER, false);
      }
    }
    return bodies;
  }

  /**
   * Says that nothing more will come.
   *
   * @throws {Deno.errors.UnexpectedEof} If a frame has begun and not ended.
   */
  end(): void {
    if (this.buffered === 0) return;
    throw new Deno.errors.UnexpectedEof(
      `Cannot end here: ${this.buffered} bytes of an unfinished frame have come`,
    );
  }

  /** How many bytes of an unfinished frame have come, its header included. */
  get buffered(): number {
    return this.#inBody ? HEADER + this.#filled : this.#filled;
  }

  #fill(bytes: Uint8Array): number {
    const fitting = bytes.subarray(0, this.#part.length - this.#filled);
    this.#part.set(fitting, this.#filled);
    this.#filled += fitting.length;
    return fitting.length;
  }

  #isFull(): boolean {
    return this.#filled === this.#part.length;
  }

  /** The length in the header. It is what a stranger claims, until checked. */
  #announced(): number {
    const length = new DataView(this.#part.buffer).getUint32(0);
    if (length <= this.#maxLength) return length;
    // The header stays where it is, so every later push() ends here too: after
    // a false length nobody knows where the next frame begins.
    throw new Deno.errors.InvalidData(
      `Cannot accept a frame of ${length} bytes: ${this.#maxLength} are allowed`,
    );
  }

  #expect(length: number, inBody: boolean) {
    this.#part = new Uint8Array(length);
    this.#filled = 0;
    this.#inBody = inBody;
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

/** Sends every frame back, until there are no more. */
async function echo(conn: Deno.Conn, options: FrameOptions): Promise<void> {
  const decoder = new FrameDecoder(options);
  const echoes = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array>({
    transform(chunk, controller) {
      for (const body of decoder.push(chunk)) {
        controller.enqueue(encodeFrame(body));
      }
    },
    flush: () => decoder.end(),
  });
  try {
    await conn.readable.pipeThrough(echoes).pipeTo(conn.writable);
  } catch {
    // The pipe has closed the connection, whoever was the cause.
  }
}
