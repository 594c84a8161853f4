// Lesson 18, solved: reliable transfer over lossy UDP.
//
// Every byte has a position. The receiver says up to where it has them all, and
// the sender repeats what is missing. Neither relies on a datagram that comes
// once, in order, unchanged, from a friend, or at all.

// -- Part 1: messages --

/** The most bytes that one datagram may have. */
const MAX_DATAGRAM = 1_000;

/** How many bytes of data go into one. */
// Up to 33 bytes stand around them, and each of them may need a backslash.
const PIECE = Math.floor((MAX_DATAGRAM - 33) / 2);

/** How many bytes of data may be on their way at once. */
// Ninety datagrams of 1,000 bytes fill a socket's buffer, whoever sent them.
const WINDOW = 32 * PIECE;

/** Numbers of sessions, and positions, are smaller than this. */
const LIMIT = 2 ** 31;

/** What one datagram says. */
export type Message =
  | { type: "connect" | "close"; session: number }
  | { type: "ack"; session: number; pos: number }
  | { type: "data"; session: number; pos: number; data: Uint8Array };

/** Writes `message` as a datagram: its fields between slashes, and a checksum. */
export function encode(message: Message): Uint8Array {
  const fields: unknown[] = [message.type, message.session];
  if ("pos" in message) fields.push(message.pos);
  // Escaped here and nowhere else: positions know nothing of backslashes.
  if ("data" in message) fields.push(escape(toText(message.data)));
  const text = `/${fields.join("/")}/`;
  return toBytes(text + checksum(text));
}

/**
 * Reads a datagram. Returns nothing if it is no message, or was changed on its
 * way. The checksum may be missing, so that people can type messages.
 */
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

/** A message; then, perhaps, a checksum, and the newline that nc sends. */
const FRAME = /^(.*\/)([0-9a-f]{4})?\n?$/s;

/** Data may hold a slash or a backslash only behind a backslash. */
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

/** The sum that IP, UDP and TCP use (RFC 1071), in four hex digits. */
function checksum(text: string): string {
  let sum = 0;
  for (let i = 0; i < text.length; i++) {
    sum += text.charCodeAt(i) << (i % 2 === 0 ? 8 : 0);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return (sum ^ 0xffff).toString(16).padStart(4, "0");
}

/** One character for each byte, whatever the byte. */
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

// -- Part 2: the receiver's memory --

/** Puts pieces of a stream in order, whatever order they come in. */
export class Reassembler {
  readonly #capacity: number;
  // Byte `pos` lies at `pos % capacity`, so copies and overlaps fall in place.
  readonly #bytes: Uint8Array;
  readonly #here: Uint8Array;
  #taken = 0;
  #next = 0;

  /**
   * Has room for `capacity` bytes: those from the first that is not taken on.
   * What lies behind them is lost, and its sender will repeat it.
   */
  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#bytes = new Uint8Array(capacity);
    this.#here = new Uint8Array(capacity);
  }

  /** The position of the first byte that has not come. */
  get nextPos(): number {
    return this.#next;
  }

  /**
   * Adds `data`, whose first byte is at `pos` in the stream. Its memory belongs
   * to the caller, who may overwrite it afterwards.
   */
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

  /** Removes and returns the bytes that are next in the stream, without gap. */
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

// -- Part 3: the sender's memory --

/** What a {@linkcode Sender} is told. */
export interface SenderOptions {
  /** How many bytes may be sent and not acknowledged. */
  window: number;
  /** How many bytes a segment holds at most. */
  mss: number;
  /** How long to wait for news before the oldest segment is sent again. */
  rtoMs: number;
  /** The time in milliseconds. */
  now: () => number;
}

/** A piece of the stream, and where it belongs. */
export interface Segment {
  pos: number;
  data: Uint8Array;
}

/** Decides what of a stream has to be sent, and when. It has no socket. */
export class Sender {
  readonly #options: SenderOptions;
  /** What is not acknowledged, from position `#acked` on. */
  #bytes: Uint8Array = new Uint8Array();
  #acked = 0;
  #sent = 0;
  #rtoMs: number;
  /** When the oldest segment has waited long enough. */
  #lateAt = Infinity;

  /** Begins at position 0. */
  constructor(options: SenderOptions) {
    this.#options = options;
    this.#rtoMs = options.rtoMs;
  }

  /** Adds `data` to the end of the stream. */
  push(data: Uint8Array): void {
    this.#bytes = concat([this.#bytes, data]);
  }

  /**
   * The segments that have to go out now; whoever asks has to send them. May be
   * asked at any time, and as often as one likes.
   */
  due(): Segment[] {
    const now = this.#options.now();
    const segments: Segment[] = [];
    if (now >= this.#lateAt) {
      // Only the oldest: what came behind it may well have arrived.
      segments.push(this.#segment(this.#acked, this.#sent));
      // The network may be full. Whoever insists makes it fuller.
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

  /**
   * Takes an acknowledgement of all bytes before `pos`. Returns whether it is
   * news; most are not, because they come twice or too late.
   *
   * @throws {Deno.errors.InvalidData} If these bytes were never sent.
   */
  onAck(pos: number): boolean {
    if (pos > this.#sent) {
      throw new Deno.errors.InvalidData(
        `Cannot believe an ack of ${pos} bytes: ${this.#sent} were sent`,
      );
    }
    if (pos <= this.#acked) return false;
    this.#bytes = this.#bytes.subarray(pos - this.#acked);
    this.#acked = pos;
    // TCP would measure how long answers take, and wait a little longer than
    // that (RFC 6298); it would also notice sooner what is missing (RFC 5681).
    const { now, rtoMs } = this.#options;
    this.#rtoMs = rtoMs;
    this.#lateAt = this.#acked < this.#sent ? now() + rtoMs : Infinity;
    return true;
  }

  /** Whether all that was pushed has been acknowledged. */
  get done(): boolean {
    return this.#bytes.length === 0;
  }

  /**
   * After due(): how long nothing more will be, in milliseconds, if no news
   * comes.
   */
  get waitMs(): number {
    return Math.max(0, this.#lateAt - this.#options.now());
  }

  #segment(from: number, end: number): Segment {
    const start = from - this.#acked;
    const length = Math.min(this.#options.mss, end - from);
    return { pos: from, data: this.#bytes.subarray(start, start + length) };
  }
}

// -- Part 4: receiving --

/** How patient both sides are. */
export interface Options {
  /** How long to wait for news before asking again, in milliseconds. */
  rtoMs?: number;
  /** After how long without news the other side counts as gone. */
  giveUpMs?: number;
  /** The session's number, below 2³¹; random if not given. */
  session?: number;
}

// An answer from the other side of the world may take 300 ms.
const DEFAULTS = { rtoMs: 500, giveUpMs: 60_000 };

/** A whole stream that has arrived. */
export interface Stream {
  from: Deno.NetAddr;
  session: number;
  data: Uint8Array;
}

/** What the receiver knows of one session. */
interface Session {
  readonly reassembler: Reassembler;
  /** What has arrived, until it is delivered. */
  parts: Uint8Array[] | undefined;
  /** When its latest message came. */
  heardAt: number;
}

/**
 * Receives streams on `socket` until that closes. Calls `onStream` once for
 * each, when its sender closes it, and before it answers that.
 */
export async function serve(
  socket: Deno.DatagramConn,
  onStream: (stream: Stream) => void,
  { giveUpMs = DEFAULTS.giveUpMs }: Options = {},
): Promise<void> {
  const sessions = new Map<string, Session>();
  for await (const [datagram, sender] of socket) {
    const message = decode(datagram);
    // What is no message counts as lost: its sender will repeat it. And two
    // receivers that answered each other's acks would never stop.
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

/** The session that `message` belongs to, or opens. */
function sessionOf(
  { type, session: number }: Message,
  { hostname, port }: Deno.NetAddr,
  sessions: Map<string, Session>,
): Session | undefined {
  // Two senders may choose the same number, and anybody may guess it.
  const key = `${hostname} ${port} ${number}`;
  const known = sessions.get(key);
  if (known === undefined && type !== "connect") return;
  // A production server would limit their number, in all and for each host.
  const session = known ??
    { reassembler: new Reassembler(WINDOW), parts: [], heardAt: 0 };
  session.heardAt = performance.now();
  sessions.delete(key); // Whoever spoke last stands last.
  sessions.set(key, session);
  return session;
}

/** Forgets sessions, open or closed, that have been silent since `time`. */
function forget(sessions: Map<string, Session>, time: number) {
  for (const [key, { heardAt }] of sessions) {
    if (heardAt > time) return;
    sessions.delete(key);
  }
}

/** Lets a message change its session. Returns the stream that it completes. */
function takeIn(session: Session, message: Message): Uint8Array | undefined {
  const { reassembler, parts } = session;
  if (parts === undefined) return; // A copy, from before the end.
  if (message.type === "data") {
    reassembler.insert(message.pos, message.data);
    parts.push(reassembler.take());
  }
  if (message.type !== "close") return;
  session.parts = undefined;
  return concat(parts);
}

/** The answer to a message is always the same: the one before may be lost. */
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
    // Somebody has closed the socket, and the loop above is about to end.
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}

// -- Part 5: sending --

/**
 * Sends `data` to the receiver at `to`. Returns when all of it has arrived.
 *
 * @throws {Deno.errors.TimedOut} If `giveUpMs` pass without news. Then nobody
 * knows how much has arrived.
 * @throws {Deno.errors.InvalidData} If the receiver has what was never sent.
 */
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

/** Asks again and again, until the answer comes. */
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

/** Sends `data` in pieces, and what is missing of it again, until it is there. */
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
    // An old ack again and again is no news, whoever sends it.
    const isNews = ack?.type === "ack" && sender.onAck(ack.pos);
    if (isNews) giveUpAt = now() + giveUpMs;
    else if (now() >= giveUpAt) throw silence(giveUpMs);
  }
}

function silence(ms: number): Error {
  return new Deno.errors.TimedOut(`Cannot go on: no news for ${ms} ms`);
}

/** The sender's end of a session. */
class Line {
  readonly session: number;
  readonly #to: Deno.NetAddr;
  readonly #socket = openSocket(0);
  /** A receive() that nobody has heard the end of. It goes on waiting. */
  #receiving: ReturnType<Deno.DatagramConn["receive"]> | undefined;

  /** Opens a socket, to talk to the receiver at `to`. */
  constructor(to: Deno.NetAddr, session: number) {
    this.#to = to;
    this.session = session;
  }

  async send(message: Message): Promise<void> {
    await this.#socket.send(encode(message), this.#to);
  }

  /** The next message of `type`; nothing if none comes before `until`. */
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

// -- What all parts use --

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, p) => sum + p.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Opens a UDP socket on this machine; port 0 is one that is free. */
function openSocket(port: number): Deno.DatagramConn {
  return Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port });
}

function print({ session, data }: Stream) {
  const text = new TextDecoder().decode(data);
  console.log(`session ${session}, ${data.length} bytes: ${text}`);
}

// Try it by hand: `deno run -P lessons/18/transfer.ts`, then, elsewhere,
// nc -u 127.0.0.1 7018
if (import.meta.main) {
  const [mode, port = "7018"] = Deno.args;
  if (mode === "send") {
    const data = await new Response(Deno.stdin.readable).bytes();
    const to = { transport: "udp", hostname: "127.0.0.1" } as const;
    await sendReliably({ ...to, port: Number(port) }, data);
  } else await serve(openSocket(7018), print);
}
