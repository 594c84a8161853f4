// style: node:dgram for the transfers, one async function for each, Buffer
// network: loopback
import { Buffer } from "node:buffer";
import { createSocket, type RemoteInfo } from "node:dgram";
import { once } from "node:events";

export type Fields = Record<string, string>;

export type Packet =
  | { op: "read" | "write"; name: string; mode: string; options: Fields }
  | { op: "data"; block: number; data: Uint8Array }
  | { op: "ack"; block: number }
  | { op: "error"; code: number; message: string }
  | { op: "oack"; options: Fields };

export interface Files {
  read(name: string): Promise<Uint8Array | undefined>;
  write?(name: string, file: Uint8Array): Promise<void>;
}

export interface Patience {
  timeoutMs: number;
  retries: number;
}

const OPS = ["read", "write", "data", "ack", "error", "oack"];

export function encode(packet: Packet): Uint8Array {
  const head = Buffer.alloc(2);
  head.writeUInt16BE(OPS.indexOf(packet.op) + 1);
  const number = (value: number) => {
    const two = Buffer.alloc(2);
    two.writeUInt16BE(value);
    return two;
  };
  const words = (...all: string[]) => all.map((w) => Buffer.from(w + "\0"));
  const pairs = (fields: Fields) => words(...Object.entries(fields).flat());
  const parts = [head];
  if (packet.op === "data") {
    parts.push(number(packet.block), Buffer.from(packet.data));
  } else if (packet.op === "ack") parts.push(number(packet.block));
  else if (packet.op === "error") {
    parts.push(number(packet.code), ...words(packet.message));
  } else if (packet.op === "oack") parts.push(...pairs(packet.options));
  else {
    parts.push(...words(packet.name, packet.mode), ...pairs(packet.options));
  }
  return new Uint8Array(Buffer.concat(parts));
}

export function parse(datagram: Uint8Array): Packet | undefined {
  const bytes = Buffer.from(datagram);
  if (bytes.length < 4) return undefined;
  const op = OPS[bytes.readUInt16BE(0) - 1];
  const block = bytes.readUInt16BE(2);
  if (op === "data") {
    return { op, block, data: new Uint8Array(bytes.subarray(4)) };
  }
  if (op === "ack") return { op, block };
  const text = bytes.subarray(op === "error" ? 4 : 2).toString();
  if (!text.endsWith("\0") || op === undefined) return undefined;
  const words = text.slice(0, -1).split("\0");
  if (op === "error") return { op, code: block, message: words[0]! };
  const request = op === "oack" ? [] : words.splice(0, 2);
  if (words.length % 2 === 1) return undefined;
  const options: Fields = {};
  while (words.length > 0) {
    const [name, value] = words.splice(0, 2);
    options[name!.toLowerCase()] = value!;
  }
  if (op === "oack") return { op, options };
  const [name, mode] = request;
  if (!name || mode === undefined) return undefined;
  const kind = op === "read" ? op : "write";
  return { op: kind, name, mode: mode.toLowerCase(), options };
}

export class FileSender {
  block = 1;
  done = false;
  #rest: Uint8Array;
  constructor(file: Uint8Array, readonly size: number) {
    this.#rest = file;
  }

  get data(): Uint8Array {
    return this.#rest.subarray(0, this.size);
  }

  onAck(block: number): boolean {
    if (this.done || block !== this.block) return false;
    if (this.#rest.length < this.size) this.done = true;
    else this.block = this.block === 65_535 ? 0 : this.block + 1;
    this.#rest = this.#rest.subarray(this.size);
    return true;
  }
}

export class FileReceiver {
  block = 0;
  done = false;
  #parts: Buffer[] = [];
  constructor(readonly size: number) {}

  get file(): Uint8Array {
    return new Uint8Array(Buffer.concat(this.#parts));
  }

  onData(block: number, data: Uint8Array): boolean {
    const expected = this.block === 65_535 ? 0 : this.block + 1;
    if (this.done || block !== expected) return false;
    this.#parts.push(Buffer.from(data));
    this.block = block;
    this.done = data.length < this.size;
    return true;
  }
}

export async function serve(
  socket: Deno.DatagramConn,
  files: Files,
  { timeoutMs = 1_000, retries = 5 }: Partial<Patience> = {},
): Promise<void> {
  const stop = new AbortController();
  const running = new Set<Promise<void>>();
  const { hostname } = socket.addr as Deno.NetAddr;
  for await (const [datagram, from] of socket) {
    const request = parse(datagram);
    if (request?.op !== "read" && request?.op !== "write") continue;
    const line = new Line(from as Deno.NetAddr, stop.signal);
    const work = (async () => {
      try {
        await line.open(hostname);
        await transfer(line, request, { files, timeoutMs, retries });
      } catch (error) {
        if (error instanceof Error) {
          line.say({ op: "error", code: 0, message: "" });
        }
      } finally {
        await line.close();
      }
    })();
    running.add(work);
    work.finally(() => running.delete(work));
  }
  stop.abort("the end");
  await Promise.all(running);
}

class Line {
  #socket = createSocket("udp4");
  #queue: Packet[] = [];
  #wake = () => {};
  #over: unknown;
  constructor(readonly peer: Deno.NetAddr, signal: AbortSignal) {
    const end = (why: unknown) => {
      this.#over ??= why;
      this.#wake();
    };
    signal.addEventListener("abort", () => end(signal.reason));
    this.#socket.on("message", (bytes: Uint8Array, from: RemoteInfo) => {
      const packet = parse(bytes);
      const { hostname, port } = this.peer;
      const known = from.address === hostname && from.port === port;
      if (packet?.op === "error") {
        if (known) end("the client says no");
      } else if (!known) {
        const no = encode({ op: "error", code: 5, message: "unknown port" });
        this.#socket.send(no, from.port, from.address);
      } else if (packet) {
        this.#queue.push(packet);
        this.#wake();
      }
    });
  }

  async open(hostname: string) {
    this.#socket.bind(0, hostname);
    await once(this.#socket, "listening");
  }

  say(packet: Packet) {
    this.#socket.send(encode(packet), this.peer.port, this.peer.hostname);
  }

  /** The next packet, or nothing after `ms` milliseconds. */
  async next(ms: number): Promise<Packet | undefined> {
    const waiting = Promise.withResolvers<void>();
    this.#wake = waiting.resolve;
    const timer = setTimeout(waiting.resolve, Math.max(0, ms));
    if (this.#queue.length === 0 && this.#over === undefined) {
      await waiting.promise;
    }
    clearTimeout(timer);
    if (this.#over !== undefined) throw this.#over;
    return this.#queue.shift();
  }

  async ask(
    packet: Packet,
    { timeoutMs, retries }: Patience,
    take: (answer: Packet) => boolean,
  ) {
    for (let left = retries; left >= 0; left--) {
      this.say(packet);
      const until = Date.now() + timeoutMs;
      while (Date.now() < until) {
        const answer = await this.next(until - Date.now());
        if (answer && take(answer)) return;
        const copy = answer?.op === "data" && packet.op === "ack" &&
          answer.block === packet.block;
        if (copy) this.say(packet);
      }
    }
    throw "silence";
  }

  async close() {
    const closed = once(this.#socket, "close");
    // What was sent in this turn has to be gone first.
    setTimeout(() => this.#socket.close(), 1);
    await closed;
  }
}

async function transfer(
  line: Line,
  request: Extract<Packet, { name: string }>,
  { files, ...patience }: Patience & { files: Files },
) {
  const { op, name, mode, options } = request;
  const no = (code: number) => line.say({ op: "error", code, message: "no" });
  if (mode !== "octet") return no(0);
  if (/^\/|(^|\/)\.\.(\/|$)/.test(name)) return no(2);
  const file = op === "read" ? await files.read(name) : new Uint8Array();
  if (!file) return no(1);
  const { write } = files;
  if (op === "write" && !write) return no(2);
  const accepted: Fields = {};
  const within = (key: string, least: number, most: number) => {
    const value = options[key] ?? "";
    if (!/^\d+$/.test(value)) return;
    if (Number(value) < least || Number(value) > most) return;
    accepted[key] = value;
  };
  within("blksize", 8, 65_464);
  within("timeout", 1, 255);
  within("tsize", 0, 2 ** 53);
  if (accepted.tsize && op === "read") accepted.tsize = String(file.length);
  const size = Number(accepted.blksize ?? 512);
  if (accepted.timeout) patience.timeoutMs = Number(accepted.timeout) * 1_000;
  const oack = { op: "oack", options: accepted } as const;
  const hasOptions = Object.keys(accepted).length > 0;
  if (op === "read") {
    const first = (packet: Packet) => packet.op === "ack" && packet.block === 0;
    if (hasOptions) await line.ask(oack, patience, first);
    const sender = new FileSender(file, size);
    while (!sender.done) {
      const { block, data } = sender;
      const take = (p: Packet) => p.op === "ack" && sender.onAck(p.block);
      await line.ask({ op: "data", block, data }, patience, take);
    }
    return;
  }
  const receiver = new FileReceiver(size);
  let answer: Packet = hasOptions ? oack : { op: "ack", block: 0 };
  while (!receiver.done) {
    const take = (p: Packet) =>
      p.op === "data" && receiver.onData(p.block, p.data);
    await line.ask(answer, patience, take);
    answer = { op: "ack", block: receiver.block };
  }
  await write!(name, receiver.file);
  line.say(answer);
  const until = Date.now() + patience.timeoutMs * (patience.retries + 1);
  while (Date.now() < until) {
    if (await line.next(until - Date.now())) line.say(answer);
  }
}
