// Lesson 09: length-prefixed frames.
//
// Every body goes out with its length in front. Each part below was tried once,
// by its author, on one machine, and it worked. Other machines write numbers
// another way round, bytes arrive in other pieces, and a length may be a lie.

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
  // TODO: This copies the number as this machine keeps it: 05 00 00 00.
  frame.set(new Uint8Array(Uint32Array.of(body.length).buffer));
  frame.set(body, HEADER);
  return frame;
}

/** Makes frames of chunks, wherever the chunks were cut. */
export class FrameDecoder {
  readonly #maxLength: number;

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
    // TODO: One chunk, one frame. What does this read when half a header has
    // come, or a frame and a half?
    const length = new DataView(chunk.buffer).getUint32(0);
    // TODO: Whoever sent these four bytes chose this number, up to 4 GiB.
    return [chunk.subarray(HEADER, HEADER + length)];
  }

  /**
   * Says that nothing more will come.
   *
   * @throws {Deno.errors.UnexpectedEof} If a frame has begun and not ended.
   */
  end(): void {
    // TODO: Whether the peer was done, or was cut off, it ends the same here.
  }

  /** How many bytes of an unfinished frame have come, its header included. */
  get buffered(): number {
    return 0; // TODO: Nothing is kept from one chunk to the next.
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

/** Whether a client caused `error`. */
function isTheirs(error: unknown): boolean {
  // TODO: A client that vanishes is let go. One that breaks the rules of the
  // protocol takes all the others with it.
  const { BrokenPipe, ConnectionReset } = Deno.errors;
  return [BrokenPipe, ConnectionReset].some((Class) => error instanceof Class);
}

// Try it by hand: `deno run -P lessons/09/frames.ts`, then, elsewhere,
// printf '\0\0\0\5hello' | nc -N 127.0.0.1 7009 | xxd
if (import.meta.main) {
  await serve(Deno.listen({ hostname: "127.0.0.1", port: 7009 }));
}
