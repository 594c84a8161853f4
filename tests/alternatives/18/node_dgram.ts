// style: node:dgram and its events, timers that repeat
// network: loopback
import { createSocket } from "node:dgram";
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

interface Known {
  stream: Reassembler;
  parts: Uint8Array[];
  over: boolean;
  silent?: ReturnType<typeof setTimeout>;
}

export async function serve(
  socket: Deno.DatagramConn,
  onStream: (stream: Stream) => void,
  { giveUpMs = 60_000 }: Options = {},
): Promise<void> {
  const known = new Map<string, Known>();
  const closed = (error: unknown) => {
    const { BadResource, Interrupted } = Deno.errors;
    if (error instanceof BadResource || error instanceof Interrupted) return;
    throw error;
  };
  for (;;) {
    const got = await socket.receive().catch(closed);
    if (!got) break;
    const message = decode(got[0]);
    if (message === undefined || message.type === "ack") continue;
    const from = got[1] as Deno.NetAddr;
    const key = `${message.session}@${from.hostname}:${from.port}`;
    if (message.type === "connect" && !known.has(key)) {
      const stream = new Reassembler(20_000);
      known.set(key, { stream, parts: [], over: false });
    }
    const session = known.get(key);
    if (!session) continue;
    clearTimeout(session.silent);
    session.silent = setTimeout(() => known.delete(key), giveUpMs);
    if (message.type === "data") {
      session.stream.insert(message.pos, message.data);
      session.parts.push(session.stream.take());
    } else if (message.type === "close" && !session.over) {
      session.over = true;
      const data = new Uint8Array(Buffer.concat(session.parts));
      onStream({ from, session: message.session, data });
    }
    const { nextPos: pos } = session.stream;
    const ack: Message = { type: "ack", session: message.session, pos };
    const answer = message.type === "close" ? message : ack;
    await socket.send(encode(answer), from).catch(closed);
  }
  for (const { silent } of known.values()) clearTimeout(silent);
}

export function sendReliably(
  to: Deno.NetAddr,
  data: Uint8Array,
  options: Options = {},
): Promise<void> {
  const { rtoMs = 500, giveUpMs = 60_000 } = options;
  const session = options.session ?? Math.floor(Math.random() * 1e9);
  return new Promise((resolve, reject) => {
    const socket = createSocket("udp4");
    const now = () => performance.now();
    const sender = new Sender({ window: 12_000, mss: 480, rtoMs, now });
    sender.push(data);
    let phase: "connect" | "data" | "close" = "connect";
    let timer: ReturnType<typeof setTimeout> | undefined;
    const giveUp = setTimeout(() => {
      end(new Deno.errors.TimedOut("nobody is there"));
    }, giveUpMs);
    const end = (error?: unknown) => {
      clearTimeout(timer);
      clearTimeout(giveUp);
      socket.close(() => error === undefined ? resolve() : reject(error));
    };
    const send = (message: Message) => {
      socket.send(encode(message), to.port, to.hostname);
    };
    const ask = (wait: number) => {
      clearTimeout(timer);
      if (phase === "data") return;
      send({ type: phase, session });
      timer = setTimeout(ask, wait, 2 * wait);
    };
    const pump = () => {
      clearTimeout(timer);
      for (const segment of sender.due()) {
        send({ type: "data", session, ...segment });
      }
      timer = setTimeout(pump, Math.max(1, sender.waitMs));
    };
    const go = (next: typeof phase) => {
      giveUp.refresh();
      phase = next === "data" && sender.done ? "close" : next;
      if (phase === "data") pump();
      else ask(rtoMs);
    };
    socket.on("error", end);
    socket.on("message", (bytes: Uint8Array, from) => {
      if (from.address !== to.hostname || from.port !== to.port) return;
      const message = decode(bytes);
      if (message?.session !== session) return;
      if (message.type === "close" && phase === "close") return end();
      if (message.type !== "ack") return;
      if (phase === "connect") return go("data");
      if (phase !== "data") return;
      try {
        if (sender.onAck(message.pos)) go("data");
      } catch (error) {
        end(error);
      }
    });
    socket.bind(0, "127.0.0.1", () => go("connect"));
  });
}
