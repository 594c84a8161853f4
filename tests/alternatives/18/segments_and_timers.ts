// style: a codec over bytes, lists of pieces, a timer for each session, callbacks

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

const SLASH = 0x2f;
const BACKSLASH = 0x5c;
const NEWLINE = 0x0a;

export function encode(message: Message): Uint8Array {
  const out: number[] = [];
  const text = (word: string) => {
    for (const c of word) out.push(c.charCodeAt(0));
  };
  text(`/${message.type}/${message.session}/`);
  if (message.type === "ack" || message.type === "data") {
    text(`${message.pos}/`);
  }
  if (message.type === "data") {
    for (const byte of message.data) {
      if (byte === SLASH || byte === BACKSLASH) out.push(BACKSLASH);
      out.push(byte);
    }
    out.push(SLASH);
  }
  text(sumOf(out));
  return Uint8Array.from(out);
}

export function decode(datagram: Uint8Array): Message | undefined {
  if (datagram.length > 2_000 || datagram[0] !== SLASH) return undefined;
  const fields: number[][] = [];
  let field: number[] = [];
  let i = 1;
  let end = 0;
  for (; i < datagram.length; i++) {
    const byte = datagram[i]!;
    if (byte === BACKSLASH) {
      const next = datagram[++i];
      if (next !== SLASH && next !== BACKSLASH) return undefined;
      field.push(next);
    } else if (byte === SLASH) {
      fields.push(field);
      field = [];
      end = i + 1;
    } else field.push(byte);
  }
  let rest = String.fromCharCode(...datagram.subarray(end));
  if (datagram.at(-1) === NEWLINE) rest = rest.slice(0, -1);
  if (rest !== "" && rest !== sumOf([...datagram.subarray(0, end)])) return;
  const [type, session, pos] = fields.map((f) => String.fromCharCode(...f));
  const a = integer(session);
  if (a === undefined) return undefined;
  if (type === "connect" || type === "close") {
    return fields.length === 2 ? { type, session: a } : undefined;
  }
  const b = integer(pos);
  if (b === undefined) return undefined;
  if (type === "ack" && fields.length === 3) {
    return { type, session: a, pos: b };
  }
  if (type !== "data" || fields.length !== 4) return undefined;
  return { type, session: a, pos: b, data: Uint8Array.from(fields[3]!) };
}

function integer(text?: string): number | undefined {
  if (text === undefined || !/^\d+$/.test(text)) return undefined;
  const value = parseInt(text);
  return value < 2147483648 ? value : undefined;
}

function sumOf(bytes: readonly number[]): string {
  let sum = 0;
  bytes.forEach((byte, i) => sum += i % 2 ? byte : byte * 256);
  while (sum >= 65536) sum = Math.floor(sum / 65536) + sum % 65536;
  return (65535 - sum).toString(16).padStart(4, "0");
}

export class Reassembler {
  nextPos = 0;
  #pieces: Segment[] = [];
  #ready: Uint8Array[] = [];
  #waiting = 0;
  #capacity: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  insert(pos: number, data: Uint8Array): void {
    const limit = this.nextPos - this.#waiting + this.#capacity;
    const from = Math.max(pos, this.nextPos);
    const end = Math.min(pos + data.length, limit);
    if (from >= end) return;
    let piece: Segment = { pos: from, data: data.slice(from - pos, end - pos) };
    const apart: Segment[] = [];
    for (const other of this.#pieces) {
      if (other.pos > endOf(piece) || endOf(other) < piece.pos) {
        apart.push(other);
      } else piece = merged(piece, other);
    }
    this.#pieces = [...apart, piece].sort((one, two) => one.pos - two.pos);
    const [first] = this.#pieces;
    if (first?.pos !== this.nextPos) return;
    this.#pieces.shift();
    this.#ready.push(first.data);
    this.#waiting += first.data.length;
    this.nextPos += first.data.length;
  }

  take(): Uint8Array {
    this.#waiting = 0;
    return joined(this.#ready.splice(0));
  }
}

function endOf({ pos, data }: Segment): number {
  return pos + data.length;
}

function merged(one: Segment, two: Segment): Segment {
  const pos = Math.min(one.pos, two.pos);
  const data = new Uint8Array(Math.max(endOf(one), endOf(two)) - pos);
  data.set(one.data, one.pos - pos);
  data.set(two.data, two.pos - pos);
  return { pos, data };
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  let at = 0;
  for (const { length } of parts) at += length;
  const whole = new Uint8Array(at);
  for (const part of parts.toReversed()) whole.set(part, at -= part.length);
  return whole;
}

export class Sender {
  #flying: Segment[] = [];
  #queue: number[] = [];
  #nextPos = 0;
  #tries = 0;
  #since = 0;
  #options: SenderOptions;

  constructor(options: SenderOptions) {
    this.#options = options;
  }

  push(data: Uint8Array): void {
    for (const byte of data) this.#queue.push(byte);
  }

  get #inFlight(): number {
    return this.#flying.reduce((sum, { data }) => sum + data.length, 0);
  }

  get #patience(): number {
    return this.#options.rtoMs * 2 ** this.#tries;
  }

  due(): Segment[] {
    const { window, mss, now } = this.#options;
    const out: Segment[] = [];
    const [oldest] = this.#flying;
    if (oldest && now() - this.#since > this.#patience) {
      out.push(oldest);
      this.#tries++;
      this.#since = now();
    }
    while (this.#queue.length > 0 && this.#inFlight < window) {
      const size = Math.min(mss, window - this.#inFlight);
      if (this.#flying.length === 0) this.#since = now();
      const data = Uint8Array.from(this.#queue.splice(0, size));
      const segment = { pos: this.#nextPos, data };
      this.#nextPos += data.length;
      this.#flying.push(segment);
      out.push(segment);
    }
    return out;
  }

  onAck(pos: number): boolean {
    if (pos > this.#nextPos) throw new Deno.errors.InvalidData("never sent");
    // A segment of which a part has arrived stays as it is.
    const left = this.#flying.filter((segment) => endOf(segment) > pos);
    const moved = left.length < this.#flying.length;
    this.#flying = left;
    if (!moved) return false;
    this.#tries = 0;
    this.#since = this.#options.now();
    return true;
  }

  get done(): boolean {
    return this.#flying.length === 0 && this.#queue.length === 0;
  }

  get waitMs(): number {
    if (this.#flying.length === 0) return Infinity;
    const { now } = this.#options;
    return Math.max(0, this.#since + this.#patience - now()) + 1;
  }
}

interface Known {
  stream: Reassembler;
  parts: Uint8Array[];
  closed: boolean;
  timer: ReturnType<typeof setTimeout>;
}

export async function serve(
  socket: Deno.DatagramConn,
  onStream: (stream: Stream) => void,
  options: Options = {},
): Promise<void> {
  const known: Record<string, Known> = {};
  const touch = (key: string) => {
    clearTimeout(known[key]?.timer);
    return setTimeout(() => delete known[key], options.giveUpMs ?? 60_000);
  };
  const buffer = new Uint8Array(65_507);
  try {
    while (true) {
      const [bytes, address] = await socket.receive(buffer);
      const message = decode(bytes);
      if (message === undefined) continue;
      const from = address as Deno.NetAddr;
      const key = JSON.stringify([from.hostname, from.port, message.session]);
      if (message.type === "connect") {
        known[key] ??= {
          stream: new Reassembler(100_000),
          parts: [],
          closed: false,
          timer: 0 as never,
        };
      }
      const session = known[key];
      if (session === undefined || message.type === "ack") continue;
      session.timer = touch(key);
      if (message.type === "data" && !session.closed) {
        session.stream.insert(message.pos, message.data);
        session.parts.push(session.stream.take());
      }
      if (message.type === "close" && !session.closed) {
        session.closed = true;
        const data = joined(session.parts.splice(0));
        onStream({ from, session: message.session, data });
      }
      const pos = session.stream.nextPos;
      const answer: Message = message.type === "close"
        ? { type: "close", session: message.session }
        : { type: "ack", session: message.session, pos };
      await socket.send(encode(answer), from);
    }
  } catch (error) {
    const { BadResource, Interrupted } = Deno.errors;
    const over = error instanceof BadResource || error instanceof Interrupted;
    if (!over) throw error;
  } finally {
    for (const { timer } of Object.values(known)) clearTimeout(timer);
  }
}

export function sendReliably(
  to: Deno.NetAddr,
  data: Uint8Array,
  { rtoMs = 1_000, giveUpMs = 60_000, session = 1 + Date.now() % 1_000_000 }:
    Options = {},
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = Deno.listenDatagram({
    transport: "udp",
    hostname: "127.0.0.1",
    port: 0,
  });
  const now = () => performance.now();
  const sender = new Sender({ window: 8_000, mss: 400, rtoMs, now });
  sender.push(data);
  let phase: "connect" | "data" | "close" = "connect";
  let wait = rtoMs;
  let askAt = 0;
  let giveUpAt = now() + giveUpMs;

  const send = (message: Message) => {
    socket.send(encode(message), to).catch(fail);
  };
  const fail = (error: unknown) => {
    clearInterval(ticking);
    reject(error);
  };
  const news = () => {
    wait = rtoMs;
    askAt = 0;
    giveUpAt = now() + giveUpMs;
    if (phase === "data" && sender.done) phase = "close";
    tick();
  };
  const tick = () => {
    if (now() >= giveUpAt) {
      return fail(new Deno.errors.TimedOut("the other side is silent"));
    }
    if (phase === "data") {
      for (const segment of sender.due()) {
        send({ type: "data", session, ...segment });
      }
    } else if (now() >= askAt) {
      send({ type: phase, session });
      askAt = now() + wait;
      wait *= 2;
    }
  };
  const hear = (message: Message | undefined) => {
    if (message?.session !== session) return;
    if (message.type === "ack" && phase === "connect") {
      phase = "data";
      news();
    } else if (message.type === "ack" && phase === "data") {
      if (sender.onAck(message.pos)) news();
    } else if (message.type === "close" && phase === "close") {
      clearInterval(ticking);
      resolve();
    }
  };
  const ticking = setInterval(tick, 5);
  tick();
  (async () => {
    for await (const [bytes, from] of socket) {
      const { hostname, port } = from as Deno.NetAddr;
      if (hostname === to.hostname && port === to.port) hear(decode(bytes));
    }
  })().catch(fail);
  return promise.finally(() => socket.close());
}
