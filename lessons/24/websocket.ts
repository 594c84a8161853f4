// Lesson 24: WebSocket.
//
// A page in a browser gets no socket, but it gets this: a request that turns an
// HTTP connection into one for messages, both ways, at any time. This draft has
// met one client, who says short words, and waits. Teach it, part by part and
// in the order of the checks: the key, frames that go out, frames that come in,
// the server. Below "What is needed beside it" nothing has to change.

/**
 * What a client says: whole messages, and control frames as they come. A close
 * without a code has 1005, which never travels.
 */
export type WsEvent =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "binary" | "ping" | "pong"; readonly data: Uint8Array }
  | { readonly type: "close"; readonly code: number; readonly reason: string };

/** Somebody broke the rules of RFC 6455. */
export class WsError extends Deno.errors.InvalidData {
  override name = "WsError";
  /** What to close with: 1002 for a broken rule, 1007 for text that is none. */
  readonly code: number;

  /** `code` may also be 1009: too long. `message` is for people. */
  constructor(code: 1002 | 1007 | 1009, message: string) {
    super(message);
    this.code = code;
  }
}

/** What a frame is: the low four bits of its first byte. */
const OP = {
  more: 0x0,
  text: 0x1,
  binary: 0x2,
  close: 0x8,
  ping: 0x9,
  pong: 0xa,
} as const;

// -- Part 1: the key --

/** What "Sec-WebSocket-Accept" says to a "Sec-WebSocket-Key". */
export async function acceptKey(key: string): Promise<string> {
  // TODO: Curl is content with this. A browser breaks off: it has worked out
  // what the answer to its key is, and this is another.
  const hash = await crypto.subtle.digest("SHA-1", toBytes(key));
  return new Uint8Array(hash).toBase64();
}

// -- Part 2: frames that go out --

/** One frame of a server: whole and unmasked, its length as short as it goes. */
export function encodeWs(op: number, payload: Uint8Array): Uint8Array {
  // TODO: A text of 200 bytes goes out, and a browser complains of a mask.
  return concat([Uint8Array.of(0x80 | op, payload.length), payload]);
}

// -- Part 3: frames that come in --

/** Makes events of what a client sends, wherever the chunks were cut. */
export class WsDecoder {
  readonly #maxMessage: number;

  /** Messages may have `maxMessage` bytes, at most 2 ** 53 - 1. */
  constructor({ maxMessage }: { maxMessage: number }) {
    this.#maxMessage = maxMessage;
  }

  /**
   * Takes the next bytes, and yields what is complete with them. What follows
   * a close, or an error, is ignored.
   *
   * @throws {WsError} As soon as a rule is broken; behind all that came first.
   */
  *push(chunk: Uint8Array): Generator<WsEvent> {
    // TODO: One chunk is one frame here, and one frame is one message, as long
    // as it is short. Neither networks nor clients have heard of that.
    const [first = 0, second = 0] = chunk;
    const op = first & 0x0f;
    const length = second & 0x7f;
    // TODO: A client says "Hello", and what comes out is no word.
    const payload = chunk.slice(6, 6 + length);
    // TODO: Whatever comes is believed.
    if (op === OP.text) yield { type: "text", text: toText(payload) };
    else if (op === OP.close) yield closing(payload);
    else if (op === OP.ping) yield { type: "ping", data: payload };
    else if (op === OP.pong) yield { type: "pong", data: payload };
    else yield { type: "binary", data: payload };
  }
}

function closing(payload: Uint8Array): WsEvent {
  const [high = 0, low = 0] = payload;
  const reason = toText(payload.subarray(2));
  return { type: "close", code: high * 256 + low, reason };
}

function toText(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

// -- Part 4: the server --

/** Settings of a server. */
export interface WsOptions {
  /** Aborts when the server is to finish. */
  readonly signal?: AbortSignal;
  /** How long a message may be, in bytes. Default: 65,536. */
  readonly maxMessage?: number;
  /** How many bytes may wait for a client that does not read. Default: 1 MiB. */
  readonly maxQueued?: number;
  /**
   * How long a client may be silent before it is sent a ping, in milliseconds,
   * and how long after that before it is given up. Default: for ever.
   */
  readonly pingMs?: number;
  /** How long a client has to leave once a close was sent. Default: 2 s. */
  readonly closeMs?: number;
  /**
   * Told once for each client that got as far as frames with which code it
   * ended: that of the close that was said first, by either side; 1005 if that
   * one had none, and 1006 if there was no close at all.
   */
  readonly onClose?: (code: number) => void;
}

type Settings = Required<Omit<WsOptions, "signal">>;

const DEFAULTS: Settings = {
  maxMessage: 65_536,
  maxQueued: 1_048_576,
  pingMs: Infinity, // No timer holds that: it would ring at once.
  closeMs: 2_000,
  onClose: () => {},
};

/**
 * Passes each message of a client on to all clients of `listener`, as one
 * frame, to its sender too. When the signal aborts nobody new gets in, and
 * everyone is sent a close with 1001. Returns when the listener has closed and
 * the last client has left.
 */
export async function serve(
  listener: Deno.TcpListener,
  { signal, ...options }: WsOptions = {},
): Promise<void> {
  const settings = { ...DEFAULTS, ...options };
  const room = new Set<Client>();
  const visits = new Set<Promise<void>>();
  const stop = () => {
    listener[Symbol.dispose](); // It may be closed already.
    for (const client of room) client.close(1001);
  };
  signal?.addEventListener("abort", stop);
  if (signal?.aborted) stop(); // What has happened is not told again.

  for await (const conn of arrivals(listener)) {
    const visit = new Client(conn, room, settings).visit()
      .catch(unlessGone)
      .finally(() => visits.delete(visit));
    visits.add(visit);
  }
  await Promise.all(visits);
  signal?.removeEventListener("abort", stop);
}

/** One client: what it says, the frames on their way to it, and how we part. */
class Client {
  readonly #conn: Deno.TcpConn;
  readonly #room: Set<Client>;
  readonly #settings: Settings;
  readonly #decoder: WsDecoder;
  #isOpen = false;

  constructor(conn: Deno.TcpConn, room: Set<Client>, settings: Settings) {
    this.#conn = conn;
    this.#room = room;
    this.#settings = settings;
    this.#decoder = new WsDecoder(settings);
  }

  /** From its request to its end. */
  async visit(): Promise<void> {
    using _closing = this.#conn; // Twice is fine: others close it, too.
    this.#conn.setNoDelay(); // A frame is short, and need not wait for more.
    // TODO: A client whose cable is cut sends no end. This asks after it, in two
    // hours.
    this.#conn.setKeepAlive();
    this.#room.add(this);
    try {
      const rest = await upgrade(this.#conn);
      if (rest === undefined) return;
      this.#isOpen = true;
      // TODO: A client is quick, and its first frame comes with its request.
      const nothing = new Uint8Array();
      for await (const chunk of chunks(this.#conn, nothing)) {
        await this.#hear(chunk);
      }
    } finally {
      this.#room.delete(this);
      // TODO: However it ended, this says that all was well.
      if (this.#isOpen) this.#settings.onClose(1000);
    }
  }

  /** Sends a frame. */
  async put(frame: Uint8Array): Promise<void> {
    if (!this.#isOpen) return;
    // TODO: This client may be on holiday, and everybody waits for it here. Or
    // two frames are on their way to it at the same time.
    await writeAll(this.#conn, frame);
  }

  /** Ends the conversation, and says why. */
  close(_code: number) {
    // TODO: The client calls this an accident: nobody has said a word.
    this.#conn[Symbol.dispose]();
  }

  async #hear(chunk: Uint8Array): Promise<void> {
    // TODO: Once the decoder refuses something, who tells the client why? And
    // who is gone when nobody catches that error?
    for (const event of this.#decoder.push(chunk)) await this.#obey(event);
  }

  async #obey(event: WsEvent): Promise<void> {
    if (event.type === "close") return this.close(event.code);
    // TODO: One of the two asks for something.
    if (event.type === "ping" || event.type === "pong") return;
    const frame = event.type === "text"
      ? encodeWs(OP.text, toBytes(event.text))
      : encodeWs(OP.binary, event.data);
    for (const client of this.#room) await client.put(frame);
  }
}

// -- What is needed beside it --

/**
 * The clients of `listener`, until it closes. One client that cannot be let in
 * ends nothing (lesson 17).
 */
async function* arrivals(
  listener: Deno.TcpListener,
): AsyncGenerator<Deno.TcpConn> {
  for (;;) {
    try {
      yield await listener.accept();
    } catch (error) {
      const { BadResource, NotConnected } = Deno.errors;
      if (error instanceof BadResource) return; // It is closed.
      if (error instanceof NotConnected) continue; // The client has reset.
      console.error("Cannot accept:", error); // Too many files, perhaps.
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/**
 * Answers the request that a client begins with. Gives what came behind it, if
 * the connection is for frames from now on.
 *
 * A server for more than this machine would let nobody take all day over a head
 * (lesson 17), and look at "Origin": a page of any site can connect.
 */
async function upgrade(conn: Deno.TcpConn): Promise<Uint8Array | undefined> {
  const buffer = new Uint8Array(8_192); // No head may be longer.
  const latin1 = new TextDecoder("latin1"); // One character for each byte.
  for (let filled = 0; filled < buffer.length;) {
    const n = await conn.read(buffer.subarray(filled));
    if (n === null) return;
    filled += n;
    const text = latin1.decode(buffer.subarray(0, filled));
    const end = text.indexOf("\r\n\r\n");
    if (end < 0) continue;
    const response = await answer(text.slice(0, end));
    await writeAll(conn, toBytes(response));
    if (!response.startsWith("HTTP/1.1 101 ")) return;
    return buffer.subarray(end + 4, filled);
  }
}

/** The response to the head of a request; lesson 21 takes more care with it. */
async function answer(head: string): Promise<string> {
  const field = (name: string) =>
    head.match(RegExp(`^${name}:[ \\t]*(.*?)[ \\t]*$`, "im"))?.[1] ?? "";
  const lists = (name: string, word: string) =>
    field(name).toLowerCase().split(/[ \t,]+/).includes(word);
  const respond = (status: string, field: string, body = "") =>
    `HTTP/1.1 ${status}\r\n${field}\r\nContent-Length: ${body.length}\r\n` +
    `Connection: close\r\n\r\n${body}`;
  if (!head.startsWith("GET ")) {
    return respond("405 Method Not Allowed", "Allow: GET");
  }
  if (!lists("Upgrade", "websocket")) {
    return respond("200 OK", "Content-Type: text/html", PAGE);
  }
  if (field("Sec-WebSocket-Version") !== "13") {
    return respond("426 Upgrade Required", "Sec-WebSocket-Version: 13");
  }
  const key = field("Sec-WebSocket-Key");
  if (!lists("Connection", "upgrade") || !/^[\w+/]{22}==$/.test(key)) {
    return respond("400 Bad Request", "Content-Type: text/plain");
  }
  return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n" +
    "Connection: Upgrade\r\n" +
    `Sec-WebSocket-Accept: ${await acceptKey(key)}\r\n\r\n`;
}

const PAGE = `<!doctype html><title>Lesson 24</title>
<form><input autofocus></form><pre></pre>
<script>
  const [form] = document.forms;
  const log = (text) => document.querySelector("pre").append(text, "\\n");
  const socket = new WebSocket("ws://" + location.host);
  socket.onopen = () => log("open");
  socket.onmessage = ({ data }) => log(data);
  socket.onclose = ({ code, wasClean }) => log(code + ", clean: " + wasClean);
  form.onsubmit = () => (socket.send(form[0].value), form.reset(), false);
</script>`;

/** What came with the request, and then what each read brings. */
async function* chunks(
  conn: Deno.TcpConn,
  rest: Uint8Array,
): AsyncGenerator<Uint8Array> {
  if (rest.length > 0) yield rest;
  const buffer = new Uint8Array(16_384);
  for (let n; (n = await conn.read(buffer)) !== null;) {
    yield buffer.subarray(0, n);
  }
}

/** Writes all of `bytes`, however little the kernel takes at a time. */
async function writeAll(conn: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) {
    sent += await conn.write(bytes.subarray(sent));
  }
}

function toBytes(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, p) => sum + p.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** The client vanished, or was let go. Any other error is a bug of ours. */
function unlessGone(error: unknown) {
  const { BadResource, BrokenPipe, ConnectionReset, Interrupted } = Deno.errors;
  const reasons = [BadResource, BrokenPipe, ConnectionReset, Interrupted];
  if (!reasons.some((Reason) => error instanceof Reason)) throw error;
}

// Try it by hand: `deno run -P lessons/24/websocket.ts`, then open
// http://127.0.0.1:7024 in two windows of a browser.
if (import.meta.main) {
  const controller = new AbortController();
  const stop = () => {
    Deno.removeSignalListener("SIGINT", stop); // The next one ends the process.
    controller.abort();
  };
  Deno.addSignalListener("SIGINT", stop);
  await serve(Deno.listen({ hostname: "127.0.0.1", port: 7024 }), {
    signal: controller.signal,
    pingMs: 30_000,
    onClose: (code) => console.log(`closed with ${code}`),
  });
}
