// style: a map of bytes, a generator that is told the time, one loop for all
import { Buffer } from "node:buffer";

export type Message =
  | { type: "connect" | "close"; session: number }
  | { type: "ack"; session: number; pos: number }
  | { type: "data"; session: number; pos: number; data: Uint8Array };

export interface Options {
  rtoMs?: number;
  giveUpMs?: number;
  session?: number;
}

export interface Stream {
  from: Deno.NetAddr;
  session: number;
  data: Uint8Array;
}

export interface Segment {
  pos: number;
  data: Uint8Array;
}

export interface SenderOptions {
  window: number;
  mss: number;
  rtoMs: number;
  now: () => number;
}

export function encode(message: Message): Uint8Array {
  const { type, session } = message;
  let line = `/${type}/${session}/`;
  if (message.type === "ack") line += `${message.pos}/`;
  if (message.type === "data") {
    const text = Buffer.from(message.data).toString("latin1");
    line += `${message.pos}/${text.replaceAll(/([\\/])/g, "\\$1")}/`;
  }
  return new Uint8Array(Buffer.from(line + sum(line), "latin1"));
}

export function decode(datagram: Uint8Array): Message | undefined {
  let line = Buffer.from(datagram).toString("latin1");
  if (line.endsWith("\n")) line = line.slice(0, -1);
  const given = /\/([0-9a-f]{4})$/.exec(line)?.[1];
  if (given !== undefined) {
    line = line.slice(0, -4);
    if (given !== sum(line)) return undefined;
  }
  if (!line.endsWith("/") || line.length > 4_000) return undefined;
  const match =
    /^\/(?:(?<plain>connect|close)\/(?<id>\d+)|ack\/(?<to>\d+)\/(?<upTo>\d+)|data\/(?<of>\d+)\/(?<at>\d+)\/(?<text>(?:[^\\/]|\\[\\/])*))\/$/
      .exec(line)?.groups;
  if (!match) return undefined;
  const session = Number(match.id ?? match.to ?? match.of);
  const pos = Number(match.upTo ?? match.at ?? 0);
  if (session > 0x7fffffff || pos > 0x7fffffff) return undefined;
  if (match.text !== undefined) {
    const text = match.text.replaceAll(/\\(.)/gs, "$1");
    const data = new Uint8Array(Buffer.from(text, "latin1"));
    return { type: "data", session, pos, data };
  }
  if (match.to !== undefined) return { type: "ack", session, pos };
  return { type: match.plain as "connect" | "close", session };
}

function sum(line: string): string {
  let total = 0;
  for (const [i, byte] of Buffer.from(line, "latin1").entries()) {
    total += i & 1 ? byte : byte << 8;
    if (total > 0xffff) total -= 0xffff;
  }
  return (0xffff - total).toString(16).padStart(4, "0");
}

export class Reassembler {
  readonly #bytes = new Map<number, number>();
  #taken = 0;
  nextPos = 0;

  constructor(readonly capacity: number) {}

  insert(pos: number, data: Uint8Array): void {
    data.forEach((byte, i) => {
      const at = pos + i;
      if (at < this.nextPos || at >= this.#taken + this.capacity) return;
      this.#bytes.set(at, byte);
    });
    while (this.#bytes.has(this.nextPos)) this.nextPos++;
  }

  take(): Uint8Array {
    const length = this.nextPos - this.#taken;
    return Uint8Array.from({ length }, () => {
      const byte = this.#bytes.get(this.#taken)!;
      this.#bytes.delete(this.#taken++);
      return byte;
    });
  }
}

export class Sender {
  #all: number[] = [];
  #low = 0;
  #high = 0;
  #deadline: number | undefined;
  #rto: number;

  constructor(readonly options: SenderOptions) {
    this.#rto = options.rtoMs;
  }

  push(data: Uint8Array): void {
    this.#all = this.#all.concat(Array.from(data));
  }

  due(): Segment[] {
    return [...this.#segments()];
  }

  *#segments(): Generator<Segment> {
    const { window, mss, now } = this.options;
    if (this.#deadline !== undefined && now() >= this.#deadline) {
      this.#rto *= 2;
      this.#deadline = now() + this.#rto;
      yield this.#cut(this.#low, Math.min(this.#low + mss, this.#high));
    }
    const end = Math.min(this.#low + window, this.#all.length);
    while (this.#high < end) {
      const to = Math.min(this.#high + mss, end);
      yield this.#cut(this.#high, to);
      this.#high = to;
      this.#deadline ??= now() + this.#rto;
    }
  }

  #cut(from: number, to: number): Segment {
    return { pos: from, data: Uint8Array.from(this.#all.slice(from, to)) };
  }

  onAck(pos: number): boolean {
    if (pos > this.#high) throw new Deno.errors.InvalidData(`${pos}?`);
    if (pos <= this.#low) return false;
    this.#low = pos;
    this.#rto = this.options.rtoMs;
    this.#deadline = undefined;
    if (this.#low < this.#high) this.#deadline = this.options.now() + this.#rto;
    return true;
  }

  get done(): boolean {
    return this.#low === this.#all.length;
  }

  get waitMs(): number {
    return (this.#deadline ?? Infinity) - this.options.now();
  }
}

type Known = { stream: Reassembler; data: number[]; over: boolean; at: number };

export async function serve(
  socket: Deno.DatagramConn,
  onStream: (stream: Stream) => void,
  { giveUpMs = 60_000 }: Options = {},
): Promise<void> {
  const hosts = new Map<string, Map<number, Known>>();
  for await (const [datagram, address] of socket) {
    const message = decode(datagram);
    if (!message || message.type === "ack") continue;
    const from = address as Deno.NetAddr;
    const host = `${from.hostname}:${from.port}`;
    const sessions = hosts.get(host) ?? new Map<number, Known>();
    hosts.set(host, sessions);
    const { session, type } = message;
    const now = Date.now();
    let known = sessions.get(session);
    if (known && now - known.at >= giveUpMs) known = undefined;
    if (!known && type !== "connect") continue;
    known ??= { stream: new Reassembler(65_536), data: [], over: false, at: 0 };
    known.at = now;
    sessions.set(session, known);
    if (message.type === "data") {
      known.stream.insert(message.pos, message.data);
      known.data.push(...known.stream.take());
    }
    if (type === "close" && !known.over) {
      known.over = true;
      onStream({ from, session, data: Uint8Array.from(known.data) });
    }
    const pos = known.stream.nextPos;
    const says: Message = type === "close"
      ? { type, session }
      : { type: "ack", session, pos };
    socket.send(encode(says), from).catch(() => {}); // As good as lost.
  }
}

export async function sendReliably(
  to: Deno.NetAddr,
  data: Uint8Array,
  options: Options = {},
): Promise<void> {
  const { rtoMs = 400, giveUpMs = 60_000, session = random() } = options;
  const here = { transport: "udp", hostname: "127.0.0.1", port: 0 } as const;
  const socket = Deno.listenDatagram(here);
  const now = () => Date.now();
  const sender = new Sender({ window: 10_000, mss: 450, rtoMs, now });
  sender.push(data);
  const buffer = new Uint8Array(2_000);
  let receiving = socket.receive(buffer);
  let state = 0; // 0 connects, 1 sends, 2 closes, 3 is over
  let [asked, wait, news] = [-Infinity, rtoMs, now()];
  try {
    while (state < 3) {
      if (now() - news >= giveUpMs) throw new Deno.errors.TimedOut("silence");
      if (state === 1) {
        for (const segment of sender.due()) {
          await socket.send(encode({ type: "data", session, ...segment }), to);
        }
      } else if (now() - asked >= wait) {
        if (asked !== -Infinity) wait *= 2;
        asked = now();
        const type = state === 0 ? "connect" : "close";
        await socket.send(encode({ type, session }), to);
      }
      const timer = state === 1 ? sender.waitMs : asked + wait - now();
      const left = Math.max(0, Math.min(timer, news + giveUpMs - now()));
      const datagram = await race(receiving, left);
      if (datagram === undefined) continue;
      const [bytes, from] = datagram;
      const message = decode(bytes);
      receiving = socket.receive(buffer);
      const { hostname, port } = from as Deno.NetAddr;
      if (hostname !== to.hostname || port !== to.port) continue;
      if (message?.session !== session) continue;
      const isNews = message.type === "ack"
        ? state === 0 || state === 1 && sender.onAck(message.pos)
        : message.type === "close" && state === 2;
      if (!isNews) continue;
      news = now();
      if (state !== 1) state++;
      if (state === 1 && sender.done) state++;
      [asked, wait] = [-Infinity, rtoMs];
    }
  } finally {
    socket.close();
    await receiving.catch(() => {});
  }
}

async function race<T>(
  promise: Promise<T>,
  ms: number,
): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  const first = await Promise.race([promise, late]);
  clearTimeout(timer);
  return first;
}

function random(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0]! >>> 1;
}
