// expect: rescan-from-zero
// What has come is put together with each chunk, and begun again.
export type Resp =
  | string
  | Error
  | number
  | bigint
  | Uint8Array
  | null
  | readonly Resp[];

export function encodeResp(reply: Resp): Uint8Array {
  const out = new Bytes();
  append(out, reply);
  return out.view;
}

function append(out: Bytes, reply: Resp) {
  if (typeof reply === "string") {
    out.text(`+${inOneLine(reply)}\r\n`);
  } else if (reply instanceof Error) {
    out.text(`-${inOneLine(reply.message)}\r\n`);
  } else if (reply instanceof Uint8Array) {
    out.text(`$${reply.length}\r\n`);
    out.bytes(reply);
    out.text("\r\n");
  } else if (reply === null) {
    out.text("$-1\r\n");
  } else if (typeof reply === "object") {
    out.text(`*${reply.length}\r\n`);
    for (const item of reply) append(out, item);
  } else {
    out.text(`:${reply}\r\n`);
  }
}

function inOneLine(text: string): string {
  return text.replace(/[\r\n]/g, " ");
}

export interface RespLimits {
  readonly maxBulk?: number;
  readonly maxArgs?: number;
  readonly maxLine?: number;
}

const [CR, LF, BULK, ARRAY] = [0x0d, 0x0a, 0x24, 0x2a] as const;

export class RespDecoder {
  readonly #limits: Required<RespLimits>;
  #bytes: Uint8Array = new Uint8Array();
  #at = 0;

  constructor(
    { maxBulk = 2 ** 20, maxArgs = 1_024, maxLine = 4_096 }: RespLimits = {},
  ) {
    this.#limits = { maxBulk, maxArgs, maxLine };
  }

  *push(chunk: Uint8Array): Generator<Uint8Array[]> {
    this.#bytes = joined(this.#bytes, chunk);
    this.#at = 0;
    for (;;) {
      const command = this.#command();
      if (command === undefined) return;
      this.#bytes = this.#bytes.slice(this.#at);
      this.#at = 0;
      if (command.length > 0) yield command;
    }
  }

  #command(): Uint8Array[] | undefined {
    const bytes = this.#bytes;
    const { maxArgs, maxBulk } = this.#limits;
    this.#at = 0;
    const line = this.#line(bytes);
    if (line === undefined) return;
    if (line[0] !== ARRAY) return words(line);
    const args: Uint8Array[] = [];
    for (let n = lengthIn(line, ARRAY, maxArgs); n > 0; n--) {
      const header = this.#line(bytes);
      if (header === undefined) return;
      const begin = this.#at;
      const end = begin + lengthIn(header, BULK, maxBulk);
      if (bytes.length < end + 2) return;
      if (bytes[end] !== CR || bytes[end + 1] !== LF) {
        throw new Deno.errors.InvalidData("no end");
      }
      args.push(bytes.subarray(begin, end));
      this.#at = end + 2;
    }
    return args;
  }

  #line(bytes: Uint8Array): Uint8Array | undefined {
    const begin = this.#at;
    const end = bytes.indexOf(LF, begin);
    const length = (end < 0 ? bytes.length : end + 1) - begin;
    if (length > this.#limits.maxLine) {
      throw new Deno.errors.InvalidData("a line is too long");
    }
    if (end < 0) return;
    this.#at = end + 1;
    return bytes.subarray(begin, bytes[end - 1] === CR ? end - 1 : end);
  }
}

function lengthIn(line: Uint8Array, type: number, most: number): number {
  let length = line[0] === type && line.length > 1 ? 0 : NaN;
  for (const byte of line.subarray(1)) {
    length = byte >= 0x30 && byte <= 0x39 ? 10 * length + byte - 0x30 : NaN;
  }
  if (length <= most) return length;
  const wanted = `${String.fromCharCode(type)} and at most ${most}`;
  throw new Deno.errors.InvalidData(`expected ${wanted}, got ${asText(line)}`);
}

function words(line: Uint8Array): Uint8Array[] {
  const typed = new TextDecoder().decode(line).split(/[ \t]+/);
  return typed.filter((word) => word !== "").map(asBytes);
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

class Bytes {
  #array = new Uint8Array();
  #length = 0;

  get length(): number {
    return this.#length;
  }

  get view(): Uint8Array {
    return this.#array.subarray(0, this.#length);
  }

  bytes(bytes: Uint8Array) {
    this.#reserve(bytes.length);
    this.#array.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  text(text: string) {
    this.#reserve(3 * text.length);
    const free = this.#array.subarray(this.#length);
    this.#length += encoder.encodeInto(text, free).written;
  }

  #reserve(more: number) {
    const needed = this.#length + more;
    if (needed <= this.#array.length) return;
    const grown = new Uint8Array(Math.max(2 * needed, 1_024));
    grown.set(this.view);
    this.#array = grown;
  }
}

const encoder = new TextEncoder();

function asBytes(text: string): Uint8Array {
  return encoder.encode(text);
}

function asText(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

// What follows is not written yet.
export class Database {
  run(..._command: unknown[]): Resp {
    return null;
  }
  sweep() {}
}

export async function serve(_listener: Deno.Listener): Promise<void> {}
