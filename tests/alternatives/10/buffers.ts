// style: Buffer of node:buffer, a list of parts, and streams for the network
import { Buffer } from "node:buffer";

interface Head {
  "content-type": string;
  "content-encoding": string;
  "content-length": number;
  byteorder: string;
}

interface Message {
  head: Head;
  content: Uint8Array;
}

const { InvalidData, UnexpectedEof } = Deno.errors;

export function encodeMessage(content: string | Uint8Array, type: string) {
  const encoding = typeof content === "string" ? "utf-8" : "binary";
  const body = Buffer.from(content as string);
  const header = Buffer.from(JSON.stringify(
    {
      "content-length": body.length,
      byteorder: "big",
      "content-encoding": encoding,
      "content-type": type,
    },
    null,
    1,
  ));
  const length = Buffer.alloc(2);
  length.writeUInt16BE(header.length);
  return new Uint8Array(Buffer.concat([length, header, body]));
}

export class MessageDecoder {
  #waiting: Uint8Array[] = [];
  #size = 0;
  #broken: Error | undefined;

  constructor(readonly maxLength = 65_536) {}

  push(chunk: Uint8Array): Message[] {
    if (this.#broken) throw this.#broken;
    this.#waiting.push(Buffer.from(chunk));
    this.#size += chunk.length;
    const all = Buffer.concat(this.#waiting, this.#size);
    const messages: Message[] = [];
    let at = 0;
    try {
      for (;;) {
        if (all.length - at < 2) break;
        const begin = at + 2 + all.readUInt16BE(at);
        if (all.length < begin) break;
        const head = this.#head(all.subarray(at + 2, begin));
        const end = begin + head["content-length"];
        if (all.length < end) break;
        messages.push({
          head,
          content: Uint8Array.from(all.subarray(begin, end)),
        });
        at = end;
      }
    } catch (error) {
      this.#broken = error as Error;
      throw error;
    }
    this.#waiting = [all.subarray(at)];
    this.#size = all.length - at;
    return messages;
  }

  end() {
    if (this.#size > 0) throw new UnexpectedEof(`${this.#size} bytes are left`);
  }

  #head(bytes: Uint8Array): Head {
    const head = object(bytes, "utf8");
    const { "content-type": type, "content-encoding": encoding } = head;
    const { "content-length": length, byteorder } = head;
    const strings = [type, encoding, byteorder];
    if (strings.some((value) => typeof value !== "string")) {
      throw new InvalidData("A field is missing");
    }
    if (!Number.isSafeInteger(length)) throw new InvalidData("No length");
    if (length as number < 0) throw new InvalidData("A negative length");
    if (length as number > this.maxLength) throw new InvalidData("Too long");
    return head as unknown as Head;
  }
}

function object(bytes: Uint8Array, encoding: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(
      new TextDecoder(encoding, { fatal: true }).decode(bytes),
    );
  } catch (error) {
    throw new InvalidData(String(error));
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new InvalidData("A JSON object is expected");
}

export async function search(conn: Deno.Conn, value: string): Promise<string> {
  const decoder = new MessageDecoder();
  const writer = conn.writable.getWriter();
  const reader = conn.readable.getReader();
  try {
    const question = JSON.stringify({ value, action: "search" });
    await writer.write(encodeMessage(question, "text/json"));
    for (;;) {
      const { value: chunk } = await reader.read();
      if (chunk === undefined) throw new UnexpectedEof("No answer");
      const [answer] = decoder.push(chunk);
      if (answer) return String(object(answer.content, "utf8").result);
    }
  } finally {
    writer.releaseLock();
    reader.releaseLock();
  }
}

export async function serve(
  listener: Deno.Listener,
  answers: ReadonlyMap<string, string>,
): Promise<void> {
  const talks: Promise<void>[] = [];
  for await (const conn of listener) talks.push(talk(conn, answers));
  await Promise.all(talks);
}

async function talk(conn: Deno.Conn, answers: ReadonlyMap<string, string>) {
  const { BadResource, BrokenPipe, ConnectionReset } = Deno.errors;
  const writer = conn.writable.getWriter();
  const decoder = new MessageDecoder();
  try {
    for await (const chunk of conn.readable.values({ preventCancel: true })) {
      for (const { head, content } of decoder.push(chunk)) {
        const type = head["content-type"];
        const answer = type === "text/json"
          ? text(result(content, head["content-encoding"], answers))
          : encodeMessage(content, type);
        await writer.write(answer);
      }
    }
  } catch (error) {
    const gone = [BadResource, BrokenPipe, ConnectionReset];
    if (error instanceof InvalidData) {
      await writer.write(text(`Error: ${error.message}`)).catch(() => {});
    } else if (!gone.some((Class) => error instanceof Class)) throw error;
  } finally {
    writer.close().catch(() => {}); // It is closed already at the end.
  }
}

function result(
  content: Uint8Array,
  encoding: string,
  answers: ReadonlyMap<string, string>,
): string {
  let question: Record<string, unknown>;
  try {
    question = object(content, encoding);
  } catch (error) {
    return `Error: ${(error as Error).message}`;
  }
  const { action, value } = question;
  if (action !== "search") return "Error: what?";
  return answers.get(String(value)) ?? `No match for '${value}'.`;
}

function text(result: string): Uint8Array {
  return encodeMessage(JSON.stringify({ result }), "text/json");
}
