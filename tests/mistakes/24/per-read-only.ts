// expect: per-read-only
// As long as something comes, the client is about to leave.

export type WsEvent =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "binary" | "ping" | "pong"; readonly data: Uint8Array }
  | { readonly type: "close"; readonly code: number; readonly reason: string };

export class WsError extends Deno.errors.InvalidData {
  override name = "WsError";
  readonly code: number;

  constructor(code: 1002 | 1007 | 1009, message: string) {
    super(message);
    this.code = code;
  }
}

const OP = {
  more: 0x0,
  text: 0x1,
  binary: 0x2,
  close: 0x8,
  ping: 0x9,
  pong: 0xa,
} as const;

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

export async function acceptKey(key: string): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-1", toBytes(key + GUID));
  return new Uint8Array(hash).toBase64();
}

export function encodeWs(op: number, payload: Uint8Array): Uint8Array {
  const { length } = payload;
  const header = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const frame = new Uint8Array(header + length);
  const view = new DataView(frame.buffer);
  view.setUint8(0, 0x80 | op);
  view.setUint8(1, header === 2 ? length : header === 4 ? 126 : 127);
  if (header === 4) view.setUint16(2, length);
  if (header === 10) view.setBigUint64(2, BigInt(length));
  frame.set(payload, header);
  return frame;
}

export class WsDecoder {
  readonly #maxMessage: number;
  #step: "start" | "rest" | "payload" = "start";
  #part = new Uint8Array(2);
  #filled = 0;
  #frame = { op: 0, isLast: false, short: 0 };
  #mask = new Uint8Array(4);
  #message: { op: number; parts: Uint8Array[]; size: number } | undefined;
  #isOver = false;

  constructor({ maxMessage }: { maxMessage: number }) {
    this.#maxMessage = maxMessage;
  }

  *push(chunk: Uint8Array): Generator<WsEvent> {
    while (!this.#isOver) {
      const fitting = chunk.subarray(0, this.#part.length - this.#filled);
      this.#part.set(fitting, this.#filled);
      this.#filled += fitting.length;
      chunk = chunk.subarray(fitting.length);
      if (this.#filled < this.#part.length) return;
      this.#isOver = true;
      const event = this.#take(this.#part);
      this.#isOver = event?.type === "close";
      if (event) yield event;
    }
  }

  #take(part: Uint8Array): WsEvent | undefined {
    if (this.#step === "start") this.#start(part[0]!, part[1]!);
    else if (this.#step === "rest") this.#rest(part);
    else return this.#payload(part);
  }

  #start(first: number, second: number) {
    const op = first & 0x0f;
    const short = second & 0x7f;
    const isLast = first >= 0x80;
    must(KNOWN.has(op), `there is no opcode ${op}`);
    must((first & 0x70) === 0, "it sets a bit that no extension has claimed");
    must(second >= 0x80, "it is not masked");
    must(!isControl(op) || isLast, "a ping, a pong or a close is one frame");
    must(
      !isControl(op) || short < 126,
      "a control frame has 125 bytes at most",
    );
    const isInside = this.#message !== undefined;
    must(isControl(op) || (op === OP.more) === isInside, "it is out of order");
    this.#frame = { op, isLast, short };
    const extended = short === 126 ? 2 : short === 127 ? 8 : 0;
    this.#expect("rest", extended + this.#mask.length);
  }

  #rest(part: Uint8Array) {
    const { op, short } = this.#frame;
    const view = new DataView(part.buffer);
    const length = short === 126
      ? view.getUint16(0)
      : short === 127
      ? Number(view.getBigUint64(0))
      : short;
    const whole = (this.#message?.size ?? 0) + length;
    if (!isControl(op) && whole > this.#maxMessage) {
      throw new WsError(
        1009,
        `Cannot accept ${whole} bytes: ${this.#maxMessage} are allowed`,
      );
    }
    this.#mask = part.slice(-4);
    this.#expect("payload", length);
  }

  #payload(payload: Uint8Array): WsEvent | undefined {
    const { op, isLast } = this.#frame;
    for (let i = 0; i < payload.length; i++) payload[i]! ^= this.#mask[i & 3]!;
    this.#expect("start", 2);
    if (op === OP.close) return closing(payload);
    if (op === OP.ping) return { type: "ping", data: payload };
    if (op === OP.pong) return { type: "pong", data: payload };
    const message = this.#message ??= { op, parts: [], size: 0 };
    message.size += payload.length;
    if (payload.length > 0) message.parts.push(payload);
    if (!isLast) return;
    this.#message = undefined;
    const data = concat(message.parts);
    return message.op === OP.text
      ? { type: "text", text: toText(data) }
      : { type: "binary", data };
  }

  #expect(step: "start" | "rest" | "payload", length: number) {
    this.#step = step;
    this.#part = new Uint8Array(length);
    this.#filled = 0;
  }
}

const KNOWN = new Set<number>(Object.values(OP));

function isControl(op: number): boolean {
  return op >= OP.close;
}

function must(claim: boolean, otherwise: string) {
  if (!claim) throw new WsError(1002, `Cannot accept a frame: ${otherwise}`);
}

function closing(payload: Uint8Array): WsEvent {
  if (payload.length === 0) return { type: "close", code: 1005, reason: "" };
  const code = payload[0]! * 256 + (payload[1] ?? 0);
  const isUsable = code >= 1000 && code < 5000 &&
    ![1004, 1005, 1006, 1015].includes(code);
  must(payload.length > 1 && isUsable, "it closes with a code that is none");
  return { type: "close", code, reason: toText(payload.subarray(2)) };
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function toText(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new WsError(1007, "Cannot accept a text: it is not UTF-8");
  }
}

export interface WsOptions {
  readonly signal?: AbortSignal;
  readonly maxMessage?: number;
  readonly maxQueued?: number;
  readonly pingMs?: number;
  readonly closeMs?: number;
  readonly onClose?: (code: number) => void;
}

type Settings = Required<Omit<WsOptions, "signal">>;

const DEFAULTS: Settings = {
  maxMessage: 65_536,
  maxQueued: 1_048_576,
  pingMs: Infinity,
  closeMs: 2_000,
  onClose: () => {},
};

export async function serve(
  listener: Deno.TcpListener,
  { signal, ...options }: WsOptions = {},
): Promise<void> {
  const settings = { ...DEFAULTS, ...options };
  const room = new Set<Client>();
  const visits = new Set<Promise<void>>();
  const stop = () => {
    listener[Symbol.dispose]();
    for (const client of room) client.close(1001);
  };
  signal?.addEventListener("abort", stop);
  if (signal?.aborted) stop();

  for await (const conn of listener) {
    const visit = new Client(conn, room, settings).visit()
      .catch(unlessGone)
      .finally(() => visits.delete(visit));
    visits.add(visit);
  }
  await Promise.all(visits);
  signal?.removeEventListener("abort", stop);
}

class Client {
  readonly #conn: Deno.TcpConn;
  readonly #room: Set<Client>;
  readonly #settings: Settings;
  readonly #decoder: WsDecoder;
  #isOpen = false;
  #isAlive = true;
  #code = 1006;
  #queued = 0;
  #last: Promise<void> = Promise.resolve();
  #deadline: ReturnType<typeof setTimeout> | undefined;

  constructor(conn: Deno.TcpConn, room: Set<Client>, settings: Settings) {
    this.#conn = conn;
    this.#room = room;
    this.#settings = settings;
    this.#decoder = new WsDecoder(settings);
  }

  async visit(): Promise<void> {
    using _closing = this.#conn;
    this.#conn.setNoDelay();
    this.#room.add(this);
    let pings;
    try {
      const rest = await upgrade(this.#conn);
      if (rest === undefined) return;
      this.#isOpen = true;
      const { pingMs } = this.#settings;
      if (pingMs < Infinity) pings = setInterval(() => this.#ask(), pingMs);
      for await (const chunk of chunks(this.#conn, rest)) this.#hear(chunk);
    } finally {
      this.#room.delete(this);
      clearInterval(pings);
      await this.#sent();
      if (this.#isOpen) this.#settings.onClose(this.#code);
    }
  }

  put(frame: Uint8Array) {
    if (!this.#isOpen || this.#isClosing) return;
    if (this.#queued + frame.length > this.#settings.maxQueued) {
      return this.#hangUp();
    }
    this.#queued += frame.length;
    this.#last = this.#last
      .then(() => writeAll(this.#conn, frame))
      .catch(unlessGone) // The read notices, too.
      .finally(() => this.#queued -= frame.length);
  }

  close(code: number) {
    if (!this.#isOpen) return this.#hangUp();
    if (this.#isClosing) return;
    const payload = code === 1005 ? [] : [code >> 8, code & 0xff];
    this.put(encodeWs(OP.close, Uint8Array.from(payload)));
    this.#code = code;
    this.#last = this.#last
      .then(() => this.#conn.closeWrite())
      .catch(unlessGone);
    this.#setDeadline();
  }

  #hear(chunk: Uint8Array) {
    this.#isAlive = true;
    if (this.#isClosing) return this.#setDeadline();
    try {
      for (const event of this.#decoder.push(chunk)) this.#obey(event);
    } catch (error) {
      if (!(error instanceof WsError)) throw error;
      this.close(error.code);
    }
  }

  #obey(event: WsEvent) {
    if (event.type === "close") return this.close(event.code);
    if (event.type === "pong") return;
    if (event.type === "ping") return this.put(encodeWs(OP.pong, event.data));
    const frame = event.type === "text"
      ? encodeWs(OP.text, toBytes(event.text))
      : encodeWs(OP.binary, event.data);
    for (const client of this.#room) client.put(frame);
  }

  #ask() {
    if (!this.#isAlive) return this.#hangUp();
    this.#isAlive = false;
    this.put(encodeWs(OP.ping, new Uint8Array()));
  }

  get #isClosing(): boolean {
    return this.#deadline !== undefined;
  }

  async #sent(): Promise<void> {
    this.#setDeadline();
    await this.#last;
    clearTimeout(this.#deadline);
  }

  #setDeadline() {
    const { closeMs } = this.#settings;
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(() => this.#hangUp(), closeMs);
  }

  #hangUp() {
    this.#conn[Symbol.dispose]();
  }
}

async function upgrade(conn: Deno.TcpConn): Promise<Uint8Array | undefined> {
  const buffer = new Uint8Array(8_192);
  const latin1 = new TextDecoder("latin1");
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

function unlessGone(error: unknown) {
  const { BadResource, BrokenPipe, ConnectionReset, Interrupted } = Deno.errors;
  const reasons = [BadResource, BrokenPipe, ConnectionReset, Interrupted];
  if (!reasons.some((Reason) => error instanceof Reason)) throw error;
}

if (import.meta.main) {
  const controller = new AbortController();
  const stop = () => {
    Deno.removeSignalListener("SIGINT", stop);
    controller.abort();
  };
  Deno.addSignalListener("SIGINT", stop);
  await serve(Deno.listen({ hostname: "127.0.0.1", port: 7024 }), {
    signal: controller.signal,
    pingMs: 30_000,
    onClose: (code) => console.log(`closed with ${code}`),
  });
}
