// expect: backoff-ends-early
// Whatever is heard, the network lets something through again.

const MAX_DATAGRAM = 1_000;

const PIECE = Math.floor((MAX_DATAGRAM - 33) / 2);

const WINDOW = 32 * PIECE;

const LIMIT = 2 ** 31;

export type Message =
  | { type: "connect" | "close"; session: number }
  | { type: "ack"; session: number; pos: number }
  | { type: "data"; session: number; pos: number; data: Uint8Array };

export function encode(message: Message): Uint8Array {
  const fields: unknown[] = [message.type, message.session];
  if ("pos" in message) fields.push(message.pos);
  if ("data" in message) fields.push(escape(toText(message.data)));
  const text = `/${fields.join("/")}/`;
  return toBytes(text + checksum(text));
}

export function decode(datagram: Uint8Array): Message | undefined {
  const [, text, sum] = toText(datagram).match(FRAME) ?? [];
  if (text === undefined) return;
  if (sum !== undefined && sum !== checksum(text)) return;
  const shape = SHAPES.find((shape) => shape.test(text));
  if (shape === undefined) return;
  const [, type, session, pos, data] = text.match(shape)!;
  if (Number(session) >= LIMIT || Number(pos ?? 0) >= LIMIT) return;
  return {
    type,
    session: Number(session),
    ...(pos !== undefined && { pos: Number(pos) }),
    ...(data !== undefined && { data: toBytes(unescape(data)) }),
  } as Message;
}

const FRAME = /^(.*\/)([0-9a-f]{4})?\n?$/s;

const SHAPES = [
  /^\/(connect|close)\/(\d{1,10})\/$/,
  /^\/(ack)\/(\d{1,10})\/(\d{1,10})\/$/,
  /^\/(data)\/(\d{1,10})\/(\d{1,10})\/((?:[^/\\]|\\[/\\])*)\/$/,
];

function escape(text: string): string {
  return text.replace(/[/\\]/g, "\\$&");
}

function unescape(text: string): string {
  return text.replace(/\\([/\\])/g, "$1");
}

function checksum(text: string): string {
  let sum = 0;
  for (let i = 0; i < text.length; i++) {
    sum += text.charCodeAt(i) << (i % 2 === 0 ? 8 : 0);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return (sum ^ 0xffff).toString(16).padStart(4, "0");
}

function toText(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

function toBytes(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

export class Reassembler {
  readonly #capacity: number;
  readonly #bytes: Uint8Array;
  readonly #here: Uint8Array;
  #taken = 0;
  #next = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#bytes = new Uint8Array(capacity);
    this.#here = new Uint8Array(capacity);
  }

  get nextPos(): number {
    return this.#next;
  }

  insert(pos: number, data: Uint8Array): void {
    const limit = this.#taken + this.#capacity;
    const end = Math.min(pos + data.length, limit);
    for (let at = Math.max(pos, this.#next); at < end; at++) {
      this.#bytes[at % this.#capacity] = data[at - pos]!;
      this.#here[at % this.#capacity] = 1;
    }
    while (this.#next < limit && this.#here[this.#next % this.#capacity]) {
      this.#next++;
    }
  }

  take(): Uint8Array {
    const bytes = new Uint8Array(this.#next - this.#taken);
    for (let i = 0; i < bytes.length; i++) {
      const place = this.#taken++ % this.#capacity;
      bytes[i] = this.#bytes[place]!;
      this.#here[place] = 0;
    }
    return bytes;
  }
}

export interface SenderOptions {
  window: number;
  mss: number;
  rtoMs: number;
  now: () => number;
}

export interface Segment {
  pos: number;
  data: Uint8Array;
}

export class Sender {
  readonly #options: SenderOptions;
  #bytes: Uint8Array = new Uint8Array();
  #acked = 0;
  #sent = 0;
  #rtoMs: number;
  #lateAt = Infinity;

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#rtoMs = options.rtoMs;
  }

  push(data: Uint8Array): void {
    this.#bytes = concat([this.#bytes, data]);
  }

  due(): Segment[] {
    const now = this.#options.now();
    const segments: Segment[] = [];
    if (now >= this.#lateAt) {
      segments.push(this.#segment(this.#acked, this.#sent));
      this.#rtoMs *= 2;
      this.#lateAt = now + this.#rtoMs;
    }
    const { window } = this.#options;
    const end = this.#acked + Math.min(window, this.#bytes.length);
    while (this.#sent < end) {
      const segment = this.#segment(this.#sent, end);
      segments.push(segment);
      this.#sent += segment.data.length;
      if (this.#lateAt === Infinity) this.#lateAt = now + this.#rtoMs;
    }
    return segments;
  }

  onAck(pos: number): boolean {
    if (pos > this.#sent) {
      throw new Deno.errors.InvalidData(
        `Cannot believe an ack of ${pos} bytes: ${this.#sent} were sent`,
      );
    }
    const { now, rtoMs } = this.#options;
    this.#rtoMs = rtoMs;
    if (pos <= this.#acked) return false;
    this.#bytes = this.#bytes.subarray(pos - this.#acked);
    this.#acked = pos;
    this.#lateAt = this.#acked < this.#sent ? now() + rtoMs : Infinity;
    return true;
  }

  get done(): boolean {
    return this.#bytes.length === 0;
  }

  get waitMs(): number {
    return Math.max(0, this.#lateAt - this.#options.now());
  }

  #segment(from: number, end: number): Segment {
    const start = from - this.#acked;
    const length = Math.min(this.#options.mss, end - from);
    return { pos: from, data: this.#bytes.subarray(start, start + length) };
  }
}

export interface Options {
  rtoMs?: number;
  giveUpMs?: number;
  session?: number;
}

const DEFAULTS = { rtoMs: 500, giveUpMs: 60_000 };

export interface Stream {
  from: Deno.NetAddr;
  session: number;
  data: Uint8Array;
}

interface Session {
  readonly reassembler: Reassembler;
  parts: Uint8Array[] | undefined;
  heardAt: number;
}

export async function serve(
  socket: Deno.DatagramConn,
  onStream: (stream: Stream) => void,
  { giveUpMs = DEFAULTS.giveUpMs }: Options = {},
): Promise<void> {
  const sessions = new Map<string, Session>();
  for await (const [datagram, sender] of socket) {
    const message = decode(datagram);
    if (message === undefined || message.type === "ack") continue;
    const from = sender as Deno.NetAddr;
    forget(sessions, performance.now() - giveUpMs);
    const session = sessionOf(message, from, sessions);
    if (session === undefined) continue;
    const data = takeIn(session, message);
    if (data) onStream({ from, session: message.session, data });
    await reply(socket, answerTo(message, session), from);
  }
}

function sessionOf(
  { type, session: number }: Message,
  { hostname, port }: Deno.NetAddr,
  sessions: Map<string, Session>,
): Session | undefined {
  const key = `${hostname} ${port} ${number}`;
  const known = sessions.get(key);
  if (known === undefined && type !== "connect") return;
  const session = known ??
    { reassembler: new Reassembler(WINDOW), parts: [], heardAt: 0 };
  session.heardAt = performance.now();
  sessions.delete(key);
  sessions.set(key, session);
  return session;
}

function forget(sessions: Map<string, Session>, time: number) {
  for (const [key, { heardAt }] of sessions) {
    if (heardAt > time) return;
    sessions.delete(key);
  }
}

function takeIn(session: Session, message: Message): Uint8Array | undefined {
  const { reassembler, parts } = session;
  if (parts === undefined) return;
  if (message.type === "data") {
    reassembler.insert(message.pos, message.data);
    parts.push(reassembler.take());
  }
  if (message.type !== "close") return;
  session.parts = undefined;
  return concat(parts);
}

function answerTo({ type, session }: Message, known: Session): Message {
  if (type === "close") return { type, session };
  return { type: "ack", session, pos: known.reassembler.nextPos };
}

async function reply(
  socket: Deno.DatagramConn,
  message: Message,
  to: Deno.NetAddr,
): Promise<void> {
  try {
    await socket.send(encode(message), to);
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}

export async function sendReliably(
  to: Deno.NetAddr,
  data: Uint8Array,
  options: Options = {},
): Promise<void> {
  const patience = { ...DEFAULTS, ...options };
  const session = options.session ?? Math.floor(Math.random() * LIMIT);
  const line = new Line(to, session);
  try {
    await ask(line, { question: "connect", answer: "ack" }, patience);
    await sendData(line, data, patience);
    await ask(line, { question: "close", answer: "close" }, patience);
  } finally {
    line.close();
  }
}

async function ask(
  line: Line,
  { question, answer }: {
    question: "connect" | "close";
    answer: "ack" | "close";
  },
  { rtoMs, giveUpMs }: typeof DEFAULTS,
): Promise<void> {
  const giveUpAt = performance.now() + giveUpMs;
  for (let waitMs = rtoMs; performance.now() < giveUpAt; waitMs *= 2) {
    await line.send({ type: question, session: line.session });
    const until = Math.min(performance.now() + waitMs, giveUpAt);
    if (await line.receive(answer, until)) return;
  }
  throw silence(giveUpMs);
}

async function sendData(
  line: Line,
  data: Uint8Array,
  { rtoMs, giveUpMs }: typeof DEFAULTS,
): Promise<void> {
  const now = () => performance.now();
  const sender = new Sender({ window: WINDOW, mss: PIECE, rtoMs, now });
  sender.push(data);
  let giveUpAt = now() + giveUpMs;
  while (!sender.done) {
    for (const segment of sender.due()) {
      await line.send({ type: "data", session: line.session, ...segment });
    }
    const until = Math.min(now() + sender.waitMs, giveUpAt);
    const ack = await line.receive("ack", until);
    const isNews = ack?.type === "ack" && sender.onAck(ack.pos);
    if (isNews) giveUpAt = now() + giveUpMs;
    else if (now() >= giveUpAt) throw silence(giveUpMs);
  }
}

function silence(ms: number): Error {
  return new Deno.errors.TimedOut(`Cannot go on: no news for ${ms} ms`);
}

class Line {
  readonly session: number;
  readonly #to: Deno.NetAddr;
  readonly #socket = openSocket(0);
  #receiving: ReturnType<Deno.DatagramConn["receive"]> | undefined;

  constructor(to: Deno.NetAddr, session: number) {
    this.#to = to;
    this.session = session;
  }

  async send(message: Message): Promise<void> {
    await this.#socket.send(encode(message), this.#to);
  }

  async receive(
    type: Message["type"],
    until: number,
  ): Promise<Message | undefined> {
    const late = Promise.withResolvers<undefined>();
    const ms = Math.ceil(until - performance.now());
    const timer = setTimeout(() => late.resolve(undefined), ms);
    try {
      for (;;) {
        this.#receiving ??= this.#socket.receive();
        const received = await Promise.race([this.#receiving, late.promise]);
        if (received === undefined) return;
        this.#receiving = undefined;
        const [datagram, from] = received;
        const message = decode(datagram);
        const mine = message?.session === this.session && this.#isPeer(from);
        if (mine && message.type === type) return message;
      }
    } finally {
      clearTimeout(timer);
    }
  }

  #isPeer(from: Deno.Addr): boolean {
    const { hostname, port } = from as Deno.NetAddr;
    return hostname === this.#to.hostname && port === this.#to.port;
  }

  close() {
    this.#socket.close();
  }
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, p) => sum + p.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function openSocket(port: number): Deno.DatagramConn {
  return Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port });
}

function print({ session, data }: Stream) {
  const text = new TextDecoder().decode(data);
  console.log(`session ${session}, ${data.length} bytes: ${text}`);
}

if (import.meta.main) {
  const [mode, port = "7018"] = Deno.args;
  if (mode === "send") {
    const data = await new Response(Deno.stdin.readable).bytes();
    const to = { transport: "udp", hostname: "127.0.0.1" } as const;
    await sendReliably({ ...to, port: Number(port) }, data);
  } else await serve(openSocket(7018), print);
}
