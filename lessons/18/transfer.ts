// Lesson 18: reliable transfer over lossy UDP.
//
// A sender cuts a stream into datagrams, and a receiver puts it together. It
// worked, once, on one machine that had nothing else to do. On a network a
// datagram is lost, doubled, late, changed, or a stranger's.

// -- Part 1: messages --

/** The most bytes that one datagram may have. */
const MAX_DATAGRAM = 1_000;

/** How many bytes of data go into one. */
// TODO: 960 slashes make a datagram that is nearly twice as long as it may be.
// The checks of part 5 send them.
const PIECE = MAX_DATAGRAM - 40;

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
  // TODO: A slash in the data looks like the end of the data.
  if ("data" in message) fields.push(toText(message.data));
  const text = `/${fields.join("/")}/`;
  return toBytes(text + checksum(text));
}

/**
 * Reads a datagram. Returns nothing if it is no message, or was changed on its
 * way. The checksum may be missing, so that people can type messages.
 */
export function decode(datagram: Uint8Array): Message | undefined {
  const [, text, _sum] = toText(datagram).match(FRAME) ?? [];
  if (text === undefined) return;
  // TODO: `_sum` is what the sender computed. Nobody looks at it.
  const shape = SHAPES.find((shape) => shape.test(text));
  if (shape === undefined) return;
  const [, type, session, pos, data] = text.match(shape)!;
  if (Number(session) >= LIMIT || Number(pos ?? 0) >= LIMIT) return;
  return {
    type,
    session: Number(session),
    ...(pos !== undefined && { pos: Number(pos) }),
    ...(data !== undefined && { data: toBytes(data) }),
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
  readonly #parts: Uint8Array[] = [];
  #next = 0;

  /**
   * Has room for `capacity` bytes: those from the first that is not taken on.
   * What lies behind them is lost, and its sender will repeat it.
   */
  // TODO: Whoever sends and sends fills the memory: nobody asks for `_capacity`.
  constructor(_capacity: number) {}

  /** The position of the first byte that has not come. */
  get nextPos(): number {
    return this.#next;
  }

  /**
   * Adds `data`, whose first byte is at `pos` in the stream. Its memory belongs
   * to the caller, who may overwrite it afterwards.
   */
  insert(_pos: number, data: Uint8Array): void {
    // TODO: This takes what comes next for what was sent next.
    this.#parts.push(data);
    this.#next += data.length;
  }

  /** Removes and returns the bytes that are next in the stream, without gap. */
  take(): Uint8Array {
    return concat(this.#parts.splice(0));
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
  #bytes: Uint8Array = new Uint8Array();
  #acked = 0;
  #sent = 0;

  /** Begins at position 0. */
  constructor(options: SenderOptions) {
    this.#options = options;
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
    // TODO: All of it at once, and each byte once. The receiver's buffer holds
    // some hundred datagrams, and what is lost stays lost.
    const segments: Segment[] = [];
    while (this.#sent < this.#bytes.length) {
      const end = this.#sent + this.#options.mss;
      const data = this.#bytes.subarray(this.#sent, end);
      segments.push({ pos: this.#sent, data });
      this.#sent += data.length;
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
    // TODO: Old acks come late, and nobody has to believe all that is said.
    this.#acked = pos;
    return true;
  }

  /** Whether all that was pushed has been acknowledged. */
  get done(): boolean {
    return this.#acked >= this.#bytes.length;
  }

  /**
   * After due(): how long nothing more will be, in milliseconds, if no news
   * comes.
   */
  get waitMs(): number {
    return Infinity; // TODO: `rtoMs` and `now()` are not used yet.
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

// TODO: An answer from the other side of the world may take 300 ms.
const DEFAULTS = { rtoMs: 50, giveUpMs: 60_000 };

/** A whole stream that has arrived. */
export interface Stream {
  from: Deno.NetAddr;
  session: number;
  data: Uint8Array;
}

/** What the receiver knows of one session. */
interface Session {
  readonly reassembler: Reassembler;
  /** What has arrived. */
  readonly parts: Uint8Array[];
}

/**
 * Receives streams on `socket` until that closes. Calls `onStream` once for
 * each, when its sender closes it, and before it answers that.
 */
export async function serve(
  socket: Deno.DatagramConn,
  onStream: (stream: Stream) => void,
  // TODO: Nobody asks for `giveUpMs`. Who leaves without a word stays known.
  _options: Options = {},
): Promise<void> {
  // TODO: Two senders may choose the same number, and anybody may guess it.
  const sessions = new Map<number, Session>();
  for await (const [datagram, sender] of socket) {
    const message = decode(datagram);
    // What is no message counts as lost: its sender will repeat it. And two
    // receivers that answered each other's acks would never stop.
    if (message === undefined || message.type === "ack") continue;
    const from = sender as Deno.NetAddr;
    const session = sessionOf(message, sessions);
    if (session === undefined) continue;
    const { reassembler, parts } = session;
    const before = reassembler.nextPos;
    if (message.type === "data") {
      reassembler.insert(message.pos, message.data);
      parts.push(reassembler.take());
      // TODO: Nothing new, nothing to say. But why did it come again?
      if (reassembler.nextPos === before) continue;
    }
    if (message.type === "close") {
      const data = toBytes(unescape(toText(concat(parts))));
      onStream({ from, session: message.session, data });
      // TODO: If our answer is lost, its sender asks once more.
      sessions.delete(message.session);
    }
    await reply(socket, answerTo(message, session), from);
  }
}

/** The session that `message` belongs to, or opens. */
function sessionOf(
  { type, session: number }: Message,
  sessions: Map<number, Session>,
): Session | undefined {
  const known = sessions.get(number);
  if (known !== undefined || type !== "connect") return known;
  const session = { reassembler: new Reassembler(WINDOW), parts: [] };
  sessions.set(number, session);
  return session;
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
  const { rtoMs, giveUpMs } = { ...DEFAULTS, ...options };
  const session = options.session ?? Math.floor(Math.random() * LIMIT);
  const line = new Line(to, session);
  try {
    // TODO: If a question or its answer is lost, nobody asks again. And what
    // if nobody is there?
    await line.send({ type: "connect", session });
    await line.receive("ack", performance.now() + giveUpMs);
    await sendData(line, data, { rtoMs, giveUpMs });
    await line.send({ type: "close", session });
    await line.receive("close", performance.now() + giveUpMs);
  } finally {
    line.close();
  }
}

/** Sends `data` in pieces, until it is there. */
async function sendData(
  line: Line,
  data: Uint8Array,
  { rtoMs, giveUpMs }: typeof DEFAULTS,
): Promise<void> {
  const now = () => performance.now();
  const sender = new Sender({ window: WINDOW, mss: PIECE, rtoMs, now });
  // TODO: A piece may end between a backslash and its slash.
  sender.push(toBytes(escape(toText(data))));
  while (!sender.done) {
    for (const segment of sender.due()) {
      await line.send({ type: "data", session: line.session, ...segment });
    }
    const until = now() + Math.min(sender.waitMs, giveUpMs);
    const ack = await line.receive("ack", until);
    if (ack?.type === "ack") sender.onAck(ack.pos);
    // TODO: Somebody who never acknowledges holds us here for ever.
  }
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
        // TODO: Anybody can send to this socket.
        const [datagram, _from] = received;
        const message = decode(datagram);
        const mine = message?.session === this.session;
        if (mine && message.type === type) return message;
      }
    } finally {
      clearTimeout(timer);
    }
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
