// style: a generator asks for its bytes, part by part; one read loop per client
interface Message {
  head: {
    "content-type": string;
    "content-encoding": string;
    "content-length": number;
    byteorder: string;
  };
  content: Uint8Array;
}

const { InvalidData, UnexpectedEof } = Deno.errors;
const TEXT = "text/json";

export function encodeMessage(content: string | Uint8Array, type: string) {
  const encoder = new TextEncoder();
  const isBinary = content instanceof Uint8Array;
  const body = isBinary ? content : encoder.encode(content);
  const header = encoder.encode(
    `{"byteorder":"little","content-type":${JSON.stringify(type)},` +
      `"content-encoding":"${isBinary ? "binary" : "utf-8"}",` +
      `"content-length":${body.length}}`,
  );
  const message = new Uint8Array(2 + header.length + body.length);
  new DataView(message.buffer).setUint16(0, header.length, false);
  message.set(header, 2);
  message.set(body, 2 + header.length);
  return message;
}

/** Yields how many bytes it wants next, and is given them. */
function* parser(
  maxLength: number,
  out: (message: Message) => void,
): Generator<number, never, Uint8Array> {
  for (;;) {
    const length = yield 2;
    const size = new DataView(length.buffer, length.byteOffset).getUint16(0);
    const head = parse(yield size) as unknown as Message["head"];
    const fits = head["content-length"] <= maxLength &&
      head["content-length"] >= 0 && head["content-length"] % 1 === 0 &&
      typeof head["content-length"] === "number";
    const known = [head["content-type"], head["content-encoding"]]
      .every((field) => typeof field === "string");
    if (!fits || !known || typeof head.byteorder !== "string") {
      throw new InvalidData("That is no header");
    }
    out({ head, content: yield head["content-length"] });
  }
}

function parse(bytes: Uint8Array, encoding = "utf-8"): Record<string, unknown> {
  try {
    return { ...JSON.parse(new TextDecoder(encoding).decode(bytes)) };
  } catch {
    throw new InvalidData("That is no JSON");
  }
}

export class MessageDecoder {
  readonly #done: Message[] = [];
  readonly #parser: Generator<number, never, Uint8Array>;
  #part: Uint8Array;
  #filled = 0;
  #inside = false;
  #failed = false;

  constructor(maxLength = 65_536) {
    this.#parser = parser(maxLength, (message) => {
      this.#done.push(message);
      this.#inside = false;
    });
    this.#part = new Uint8Array(this.#parser.next().value);
  }

  push(chunk: Uint8Array): Message[] {
    if (this.#failed) throw new InvalidData("That was no header");
    for (let at = 0; at < chunk.length;) {
      const piece = chunk.subarray(at, at + this.#part.length - this.#filled);
      this.#part.set(piece, this.#filled);
      this.#filled += piece.length;
      at += piece.length;
      this.#inside = true;
      while (this.#filled === this.#part.length) this.#next();
    }
    return this.#done.splice(0);
  }

  end(): void {
    if (this.#inside) throw new UnexpectedEof("Something is missing");
  }

  #next() {
    this.#failed = true;
    const wanted = this.#parser.next(this.#part).value;
    this.#failed = false;
    this.#part = new Uint8Array(wanted);
    this.#filled = 0;
  }
}

export async function search(conn: Deno.Conn, value: string): Promise<string> {
  await send(
    conn,
    encodeMessage(JSON.stringify({ action: "search", value }), TEXT),
  );
  const decoder = new MessageDecoder();
  const buffer = new Uint8Array(512);
  while (true) {
    const n = await conn.read(buffer);
    if (n === null) throw new UnexpectedEof("The server has gone");
    for (const { content } of decoder.push(buffer.subarray(0, n))) {
      return parse(content).result as string;
    }
  }
}

export function serve(
  listener: Deno.Listener,
  answers: ReadonlyMap<string, string>,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const inside = new Set<Promise<void>>();
  (async () => {
    for await (const conn of listener) {
      const visit = talk(conn, answers);
      inside.add(visit);
      visit.then(() => inside.delete(visit), reject);
    }
    await Promise.all(inside);
  })().then(resolve, reject);
  return promise;
}

async function talk(conn: Deno.Conn, answers: ReadonlyMap<string, string>) {
  using client = conn;
  const decoder = new MessageDecoder();
  const buffer = new Uint8Array(4_096);
  try {
    for (let n; (n = await client.read(buffer)) !== null;) {
      let messages: Message[];
      try {
        messages = decoder.push(buffer.subarray(0, n));
      } catch (error) {
        if (!(error instanceof InvalidData)) throw error;
        await send(client, said("Error: this is no message"));
        return;
      }
      for (const message of messages) {
        await send(client, reply(message, answers));
      }
    }
  } catch (error) {
    const { BrokenPipe, ConnectionReset } = Deno.errors;
    if (error instanceof BrokenPipe || error instanceof ConnectionReset) return;
    throw error;
  }
}

/** Content that makes no sense gets an error, and the client may go on. */
function reply(
  { head, content }: Message,
  answers: ReadonlyMap<string, string>,
): Uint8Array {
  if (head["content-type"] !== TEXT) {
    return encodeMessage(content, head["content-type"]);
  }
  try {
    const { action, value } = parse(content, head["content-encoding"]);
    if (action !== "search") return said("Error: search is all there is");
    return said(answers.get(value as string) ?? `No match for ${value}`);
  } catch (error) {
    return said(`Error: ${(error as Error).message}`);
  }
}

function said(result: string): Uint8Array {
  return encodeMessage(JSON.stringify({ result }), TEXT);
}

async function send(conn: Deno.Conn, bytes: Uint8Array) {
  while (bytes.length > 0) bytes = bytes.subarray(await conn.write(bytes));
}
