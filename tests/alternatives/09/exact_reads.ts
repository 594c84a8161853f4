// style: a parser that is a generator, frames() by exact reads, node:timers
import { setImmediate } from "node:timers/promises";

export interface Reader {
  read(into: Uint8Array): Promise<number | null>;
}

export interface FrameOptions {
  maxLength: number;
}

export const encodeFrame = (body: Uint8Array): Uint8Array => {
  const frame = new Uint8Array(4 + body.byteLength);
  new DataView(frame.buffer).setInt32(0, body.byteLength);
  frame.set(body, 4);
  return frame;
};

/** Yields how many bytes it wants next, and hands bodies to `deliver`. */
function* parser(
  maxLength: number,
  deliver: (body: Uint8Array) => void,
): Generator<number, never, Uint8Array> {
  for (;;) {
    const [a, b, c, d] = yield 4;
    const length = ((a! * 256 + b!) * 256 + c!) * 256 + d!;
    if (length > maxLength) {
      throw new Deno.errors.InvalidData(`${length} is more than ${maxLength}`);
    }
    deliver(yield length);
  }
}

export class FrameDecoder {
  #bodies: Uint8Array[] = [];
  #bytes: number[] = [];
  #wanted: number;
  #parser: Generator<number, never, Uint8Array>;
  #fault: unknown;
  #parts = 0;

  constructor({ maxLength }: FrameOptions) {
    this.#parser = parser(maxLength, (body) => this.#bodies.push(body));
    this.#wanted = this.#parser.next().value;
  }

  push(chunk: Uint8Array): Uint8Array[] {
    if (this.#fault) throw this.#fault;
    for (const byte of chunk) this.#bytes.push(byte);
    try {
      while (this.#bytes.length >= this.#wanted) {
        const part = Uint8Array.from(this.#bytes.splice(0, this.#wanted));
        this.#wanted = this.#parser.next(part).value;
        this.#parts++;
      }
    } catch (error) {
      throw this.#fault = error;
    }
    return this.#bodies.splice(0);
  }

  end() {
    if (this.buffered > 0) throw new Deno.errors.UnexpectedEof();
  }

  get buffered(): number {
    return this.#bytes.length + (this.#parts % 2) * 4;
  }
}

async function readExactly(reader: Reader, n: number) {
  const whole = new Uint8Array(n);
  for (let at = 0; at < n;) {
    const got = await reader.read(whole.subarray(at));
    if (got === null && at === 0) return null;
    if (got === null) throw new Deno.errors.UnexpectedEof(`${at} of ${n}`);
    at += got;
  }
  return whole;
}

export async function* frames(
  reader: Reader,
  { maxLength }: FrameOptions,
): AsyncGenerator<Uint8Array> {
  for (;;) {
    const header = await readExactly(reader, 4);
    if (header === null) return;
    const length = new DataView(header.buffer).getUint32(0);
    if (length > maxLength) {
      throw new Deno.errors.InvalidData(`${length} is more than ${maxLength}`);
    }
    const body = await readExactly(reader, length);
    if (body === null) throw new Deno.errors.UnexpectedEof("No body");
    yield body;
    await setImmediate(); // Let the others have a turn.
  }
}

export async function serve(
  listener: Deno.Listener,
  { maxLength = 65536 }: Partial<FrameOptions> = {},
): Promise<void> {
  const clients: Promise<unknown>[] = [];
  try {
    for (;;) {
      const conn = await listener.accept();
      const talk = async () => {
        for await (const body of frames(conn, { maxLength })) {
          const frame = encodeFrame(body);
          let sent = 0;
          do sent += await conn.write(frame.subarray(sent)); while (
            sent < frame.length
          );
        }
      };
      clients.push(talk().catch(() => {}).finally(() => conn.close()));
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
  await Promise.all(clients);
}
