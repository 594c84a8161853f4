// style: one buffer that grows, and two marks in it
export interface Reader {
  read(into: Uint8Array): Promise<number | null>;
}

export interface FrameOptions {
  maxLength: number;
}

export function encodeFrame(body: Uint8Array): Uint8Array {
  const n = body.length;
  return Uint8Array.of(n >>> 24, n >>> 16, n >>> 8, n, ...body);
}

export class FrameDecoder {
  #buffer = new Uint8Array(64);
  #from = 0;
  #to = 0;
  #broken = false;
  constructor(private readonly options: FrameOptions) {}

  push(chunk: Uint8Array): Uint8Array[] {
    this.#append(chunk);
    const bodies: Uint8Array[] = [];
    while (this.buffered >= 4) {
      const view = new DataView(this.#buffer.buffer, this.#from, 4);
      const length = view.getUint32(0, false);
      if (length > this.options.maxLength) this.#broken = true;
      if (this.#broken) throw new Deno.errors.InvalidData(`${length} bytes`);
      const end = this.#from + 4 + length;
      if (end > this.#to) break;
      bodies.push(this.#buffer.slice(this.#from + 4, end));
      this.#from = end;
    }
    return bodies;
  }

  end(): void {
    if (this.buffered > 0) throw new Deno.errors.UnexpectedEof("in a frame");
  }

  get buffered(): number {
    return this.#to - this.#from;
  }

  #append(chunk: Uint8Array) {
    if (this.#broken) throw new Deno.errors.InvalidData("broken");
    if (this.#to + chunk.length > this.#buffer.length) {
      const held = this.#buffer.subarray(this.#from, this.#to);
      const needed = held.length + chunk.length;
      const target = needed * 2 > this.#buffer.length
        ? new Uint8Array(needed * 2)
        : this.#buffer;
      target.set(held);
      this.#buffer = target;
      this.#from = 0;
      this.#to = held.length;
    }
    this.#buffer.set(chunk, this.#to);
    this.#to += chunk.length;
  }
}

export async function* frames(
  reader: Reader,
  options: FrameOptions,
): AsyncGenerator<Uint8Array> {
  const decoder = new FrameDecoder(options);
  for (;;) {
    const buffer = new Uint8Array(512);
    const n = await reader.read(buffer);
    if (n === null) return decoder.end();
    for (const body of decoder.push(buffer.subarray(0, n))) yield body;
  }
}

export async function serve(
  listener: Deno.Listener,
  options: FrameOptions = { maxLength: 0x1_0000 },
): Promise<void> {
  const all: Promise<void>[] = [];
  for await (const conn of listener) all.push(echo(conn, options));
  await Promise.allSettled(all);
}

async function echo(conn: Deno.Conn, options: FrameOptions) {
  using _ = conn;
  try {
    for await (const body of frames(conn, options)) {
      let rest = encodeFrame(body);
      while (rest.length) rest = rest.subarray(await conn.write(rest));
    }
  } catch {
    // Whatever it was, this conversation is over, and only this one.
  }
}
