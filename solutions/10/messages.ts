// Lesson 10, solved: self-describing messages.
//
// A decoder knows which part of a message comes next, and how long it is. It
// takes part after part as far as they are there, and believes nothing that a
// header says before it has looked at it.

/** What a header says about the content behind it. */
export interface Head {
  "content-type": string;
  /** How text became bytes, such as "utf-8"; "binary" if it is no text. */
  "content-encoding": string;
  /** How many bytes of content follow. */
  "content-length": number;
  /** "little" or "big": how the sender's machine keeps its numbers. */
  byteorder: string;
}

/** A header, and the bytes that it describes. */
export type Message = { head: Head; content: Uint8Array };

/** What people search for, and what they find. */
type Answers = ReadonlyMap<string, string>;

const { BrokenPipe, ConnectionReset, InvalidData, UnexpectedEof } = Deno.errors;

/**
 * Makes a message of text, which goes as UTF-8, or of bytes, as they are.
 *
 * @throws {Deno.errors.InvalidData} If `type` is so long that the header would
 * have more than 65,535 bytes: two bytes cannot count them.
 */
export function encodeMessage(
  content: string | Uint8Array,
  type: string,
): Uint8Array {
  const isText = typeof content === "string";
  const bytes = isText ? new TextEncoder().encode(content) : content;
  const head: Head = {
    "content-type": type,
    "content-encoding": isText ? "utf-8" : "binary",
    "content-length": bytes.length, // Of the bytes: "é" is two of them.
    byteorder: "little",
  };
  const header = new TextEncoder().encode(JSON.stringify(head));
  if (header.length > 65_535) {
    throw new InvalidData("Cannot send a message: its type is too long");
  }
  const length = Uint8Array.of(header.length >> 8, header.length);
  return joined(joined(length, header), bytes);
}

/** Makes messages of chunks, wherever the chunks were cut. */
export class MessageDecoder {
  #buffer = new Uint8Array();
  // What is known so far of the message that is coming.
  #headerLength: number | undefined;
  #head: Head | undefined;
  readonly #maxLength: number;

  /** Accepts content of at most `maxLength` bytes. */
  constructor(maxLength = 65_536) {
    this.#maxLength = maxLength;
  }

  /**
   * Takes the next bytes, and returns the messages that are complete with them.
   *
   * @throws {Deno.errors.InvalidData} If a header is not what it should be; and
   * whenever more bytes come after that.
   */
  push(chunk: Uint8Array): Message[] {
    this.#buffer = joined(this.#buffer, chunk);
    const messages: Message[] = [];
    // Part after part: the chunk that would wake us again may never come.
    while (this.#buffer.length >= this.#wanted) this.#take(messages);
    return messages;
  }

  /**
   * Says that nothing more will come.
   *
   * @throws {Deno.errors.UnexpectedEof} If a message has begun and not ended.
   */
  end(): void {
    if (this.#buffer.length === 0 && this.#headerLength === undefined) return;
    throw new UnexpectedEof("Cannot end here: a message has begun");
  }

  /** How many bytes the next part has. */
  get #wanted(): number {
    return this.#head?.["content-length"] ?? this.#headerLength ?? 2;
  }

  #take(messages: Message[]) {
    const part = this.#buffer.slice(0, this.#wanted);
    if (this.#headerLength === undefined) {
      this.#headerLength = part[0]! * 256 + part[1]!;
    } else if (this.#head === undefined) {
      // A bad header stays where it is, so every later push() ends here too:
      // nobody knows where the next message begins.
      this.#head = checked(parse(part, "utf-8"), this.#maxLength);
    } else {
      messages.push({ head: this.#head, content: part });
      this.#headerLength = this.#head = undefined;
    }
    this.#buffer = this.#buffer.subarray(part.length);
  }
}

/** The header that `value` is; InvalidData if it is none. */
function checked(value: Record<string, unknown>, maxLength: number): Head {
  for (const name of ["content-type", "content-encoding", "byteorder"]) {
    if (typeof value[name] === "string") continue;
    throw new InvalidData(`Cannot accept a message without ${name}`);
  }
  const length = Number.isInteger(value["content-length"])
    ? value["content-length"] as number
    : -1;
  if (length >= 0 && length <= maxLength) return value as unknown as Head;
  throw new InvalidData(
    `Cannot accept a content-length that is not 0 to ${maxLength}`,
  );
}

/** The object that `bytes` are the JSON of; InvalidData if they are not. */
function parse(bytes: Uint8Array, encoding: string): Record<string, unknown> {
  try {
    const text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
    return Object(JSON.parse(text)); // What is no object has no fields either.
  } catch (cause) {
    // No such encoding, no text, no JSON: the sender's doing, each of them.
    throw new InvalidData("Cannot read JSON where it should be", { cause });
  }
}

/**
 * Asks the server at the other end of `conn` for `value`, and returns the
 * result. The connection stays open.
 *
 * @throws {Deno.errors.UnexpectedEof} If it ends before all of the answer came.
 * @throws {Deno.errors.InvalidData} If the answer is not what it should be.
 */
export async function search(conn: Deno.Conn, value: string): Promise<string> {
  const request = JSON.stringify({ action: "search", value });
  await writeAll(conn, encodeMessage(request, "text/json"));
  for await (const { head, content } of messages(conn)) {
    const { result } = parse(content, head["content-encoding"]);
    if (typeof result === "string") return result;
    throw new InvalidData("Cannot read the answer: it has no result");
  }
  throw new UnexpectedEof("Cannot get an answer: the server has hung up");
}

/**
 * Answers all clients of `listener`, with what `answers` holds, until the
 * listener has closed and the last client has left.
 */
export async function serve(listener: Deno.Listener, answers: Answers) {
  const clients = new Set<Promise<void>>();
  for await (const conn of listener) {
    const client = talk(conn, answers).finally(() => clients.delete(client));
    clients.add(client);
  }
  await Promise.all(clients);
}

/** Answers one client, and closes `conn` when there is no more to answer. */
async function talk(conn: Deno.Conn, answers: Answers): Promise<void> {
  try {
    for await (const answer of replies(conn, answers)) {
      await writeAll(conn, answer);
    }
  } catch (error) {
    const isGone = [BrokenPipe, ConnectionReset, UnexpectedEof]
      .some((Class) => error instanceof Class);
    if (!isGone) throw error;
  } finally {
    conn.close();
  }
}

async function* replies(conn: Deno.Conn, answers: Answers) {
  try {
    for await (const message of messages(conn)) yield reply(message, answers);
  } catch (error) {
    // A header that is none. Its sender is told so, and nothing more: where its
    // next message begins, nobody knows.
    if (!(error instanceof InvalidData)) throw error;
    yield found(`Error: ${error.message}`);
  }
}

function reply({ head, content }: Message, answers: Answers): Uint8Array {
  const type = head["content-type"];
  if (type !== "text/json") return encodeMessage(content, type);
  try {
    return found(resultOf(parse(content, head["content-encoding"]), answers));
  } catch (error) {
    // Nonsense, but all of it is here: the next message begins behind it.
    if (!(error instanceof InvalidData)) throw error;
    return found(`Error: ${error.message}`);
  }
}

function resultOf(
  { action, value }: Record<string, unknown>,
  answers: Answers,
): string {
  if (action !== "search") return "Error: all you can do is search";
  const name = JSON.stringify(value);
  return answers.get(value as string) ?? `No match for ${name}`;
}

function found(result: string): Uint8Array {
  return encodeMessage(JSON.stringify({ result }), "text/json");
}

/** Yields the messages that come over `conn`, until it ends. */
async function* messages(conn: Deno.Conn): AsyncGenerator<Message> {
  const decoder = new MessageDecoder();
  const buffer = new Uint8Array(16_384);
  for (let n; (n = await conn.read(buffer)) !== null;) {
    yield* decoder.push(buffer.subarray(0, n));
  }
  decoder.end();
}

async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    at += await conn.write(bytes.subarray(at));
  }
}

function joined(left: Uint8Array, right: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(left.length + right.length);
  whole.set(left);
  whole.set(right, left.length);
  return whole;
}

// Try it by hand: `deno run -P lessons/10/messages.ts` serves; with a word
// behind it, `… messages.ts ring`, it searches for that word.
if (import.meta.main) {
  const at = { hostname: "127.0.0.1", port: 7010 };
  const [value] = Deno.args;
  if (value === undefined) {
    const answers = new Map([[
      "ring",
      "In the caves beneath the mountains 💍",
    ]]);
    await serve(Deno.listen(at), answers);
  } else {
    using conn = await Deno.connect(at);
    console.log(await search(conn, value));
  }
}
