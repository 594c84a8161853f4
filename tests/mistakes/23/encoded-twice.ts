// expect: encoded-twice
// Commands are text, and text is easy to cut into words.
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
  #bytes = new Bytes();
  #at = 0;
  #command: Uint8Array[] = [];
  #missing = 0;
  #bulk = -1;

  constructor(
    { maxBulk = 2 ** 20, maxArgs = 1_024, maxLine = 4_096 }: RespLimits = {},
  ) {
    this.#limits = { maxBulk, maxArgs, maxLine };
  }

  *push(chunk: Uint8Array): Generator<Uint8Array[]> {
    this.#keep(chunk);
    const bytes = this.#bytes.view;
    for (let command; (command = this.#next(bytes)) !== undefined;) {
      if (command.length > 0) yield command;
    }
  }

  #keep(chunk: Uint8Array) {
    if (2 * this.#at > this.#bytes.length) {
      const rest = this.#bytes.view.subarray(this.#at);
      this.#bytes = new Bytes();
      this.#bytes.bytes(rest);
      this.#at = 0;
    }
    this.#bytes.bytes(chunk);
  }

  #next(bytes: Uint8Array): Uint8Array[] | undefined {
    const { maxArgs, maxBulk } = this.#limits;
    for (;;) {
      if (this.#bulk >= 0) {
        const argument = this.#counted(bytes);
        if (argument === undefined) return;
        this.#command.push(argument);
        if (--this.#missing === 0) return this.#command;
        continue;
      }
      const line = this.#line(bytes);
      if (line === undefined) return;
      if (this.#missing > 0) {
        this.#bulk = lengthIn(line, BULK, maxBulk);
      } else if (line[0] === ARRAY) {
        this.#missing = lengthIn(line, ARRAY, maxArgs);
        this.#command = [];
        if (this.#missing === 0) return this.#command;
      } else {
        return words(line);
      }
    }
  }

  #counted(bytes: Uint8Array): Uint8Array | undefined {
    const [begin, end] = [this.#at, this.#at + this.#bulk];
    if (bytes.length < end + 2) return;
    if (bytes[end] !== CR || bytes[end + 1] !== LF) {
      throw new Deno.errors.InvalidData("a bulk string is longer than it says");
    }
    this.#at = end + 2;
    this.#bulk = -1;
    return asBytes(asText(bytes.subarray(begin, end)));
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
