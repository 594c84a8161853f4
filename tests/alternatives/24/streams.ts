// style: streams; bytes go through a transformer that makes events of them
export type WsEvent =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "binary" | "ping" | "pong"; readonly data: Uint8Array }
  | { readonly type: "close"; readonly code: number; readonly reason: string };

export class WsError extends Deno.errors.InvalidData {
  override name = "WsError";
  readonly code: number;

  constructor(code: number) {
    super(`Cannot go on: ${code}`);
    this.code = code;
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

export async function acceptKey(key: string): Promise<string> {
  const bytes = utf8(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-1", bytes));
  return hash.toBase64();
}

export function encodeWs(op: number, payload: Uint8Array): Uint8Array {
  const view = new DataView(new ArrayBuffer(10));
  const [size, short] = payload.length <= 125
    ? [2, payload.length]
    : payload.length <= 65_535
    ? [4, 126]
    : [10, 127];
  view.setUint16(0, ((0x80 | op) << 8) | short);
  if (short === 126) view.setUint16(2, payload.length);
  if (short === 127) view.setUint32(6, payload.length);
  return concat(new Uint8Array(view.buffer, 0, size), payload);
}

/** Keeps all that it could not use yet in one array. */
export class WsDecoder {
  #bytes = new Uint8Array();
  #parts: Uint8Array[] = [];
  #op = 0;
  #done = false;
  readonly #limit: number;

  constructor({ maxMessage }: { maxMessage: number }) {
    this.#limit = maxMessage;
  }

  *push(chunk: Uint8Array): Generator<WsEvent> {
    this.#bytes = concat(this.#bytes, chunk);
    for (let taken = 1; taken > 0 && !this.#done;) {
      const events: WsEvent[] = [];
      taken = this.#frame(events);
      this.#bytes = this.#bytes.slice(taken);
      yield* events;
    }
  }

  /** Reads one frame; says how long it was, or 0 if it is not here yet. */
  #frame(events: WsEvent[]): number {
    const bytes = this.#bytes;
    if (bytes.length < 2) return 0;
    const [first, second] = [bytes[0]!, bytes[1]!];
    const [op, last, control] = [first & 15, first > 127, (first & 8) > 0];
    const size = second & 127;
    const fine = (first & 0x70) === 0 && second > 127 && (op & 7) < 3 &&
      (control ? last && size < 126 : (op === 0) === (this.#op > 0));
    if (!fine) throw new WsError(1002);

    const start = size < 126 ? 6 : size === 126 ? 8 : 14;
    if (bytes.length < start) return 0;
    let length = size;
    if (size === 126) length = bytes[2]! * 256 + bytes[3]!;
    if (size === 127) {
      length = 0;
      for (const byte of bytes.subarray(2, 10)) length = length * 256 + byte;
    }
    const before = this.#parts.reduce((sum, part) => sum + part.length, 0);
    if (!control && before + length > this.#limit) throw new WsError(1009);
    if (bytes.length < start + length) return 0;
    const mask = bytes.subarray(start - 4, start);
    const data = bytes.slice(start, start + length)
      .map((byte, i) => byte ^ mask[i & 3]!);

    if (op === 8) events.push(this.#close(data));
    else if (op > 8) events.push({ type: op === 9 ? "ping" : "pong", data });
    else {
      this.#parts.push(data);
      this.#op = op || this.#op;
      if (last) events.push(this.#message());
    }
    return start + length;
  }

  #message(): WsEvent {
    const data = concat(...this.#parts);
    const isText = this.#op === 1;
    [this.#parts, this.#op] = [[], 0];
    return isText ? { type: "text", text: text(data) } : {
      type: "binary",
      data,
    };
  }

  #close(data: Uint8Array): WsEvent {
    this.#done = true;
    if (data.length === 0) return { type: "close", code: 1005, reason: "" };
    const code = data[0]! * 256 + (data[1] ?? NaN);
    const may = code >= 3000 && code < 5000 ||
      code >= 1000 && code < 1015 && ![1004, 1005, 1006].includes(code);
    if (!may) throw new WsError(1002);
    return { type: "close", code, reason: text(data.slice(2)) };
  }
}

export async function serve(
  listener: Deno.TcpListener,
  options: WsOptions = {},
): Promise<void> {
  const guests = new Map<Deno.TcpConn, Guest | undefined>();
  const visits: Promise<unknown>[] = [];
  options.signal?.addEventListener("abort", () => {
    listener.close();
    for (const [conn, guest] of guests) {
      guest ? guest.close(1001) : conn[Symbol.dispose]();
    }
  });
  for await (const conn of listener) {
    guests.set(conn, undefined);
    visits.push(
      visit(conn, guests, options).catch(gone).finally(() => {
        guests.delete(conn);
        conn[Symbol.dispose]();
      }),
    );
  }
  await Promise.all(visits);
}

/** Somebody with a writer of their own, and an account of what waits for it. */
class Guest {
  readonly #conn: Deno.TcpConn;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #options: WsOptions;
  #waiting = 0;
  code: number | undefined;
  timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    conn: Deno.TcpConn,
    writer: WritableStreamDefaultWriter<Uint8Array>,
    options: WsOptions,
  ) {
    this.#conn = conn;
    this.#writer = writer;
    this.#options = options;
  }

  send(frame: Uint8Array) {
    if (this.code !== undefined) return;
    this.#waiting += frame.length;
    const { maxQueued = 2 ** 20 } = this.#options;
    if (this.#waiting > maxQueued) return this.#conn[Symbol.dispose]();
    this.#writer.write(frame)
      .then(() => void (this.#waiting -= frame.length), gone);
  }

  /** Says goodbye; whoever answers is let go at once. */
  close(code: number, payload = Uint8Array.of(code >> 8, code & 255)) {
    if (this.code !== undefined) return;
    this.send(encodeWs(8, payload));
    this.code = code;
    this.timer = setTimeout(
      () => this.#conn[Symbol.dispose](),
      this.#options.closeMs ?? 2_000,
    );
  }
}

async function visit(
  conn: Deno.TcpConn,
  guests: Map<Deno.TcpConn, Guest | undefined>,
  options: WsOptions,
) {
  conn.setNoDelay();
  const reader = conn.readable.getReader();
  const writer = conn.writable.getWriter();
  let head = new Uint8Array();
  let end = -1;
  while (end < 0) {
    const { value, done } = await reader.read();
    if (done) return;
    head = concat(head, value);
    end = new TextDecoder("latin1").decode(head).indexOf("\r\n\r\n");
  }
  reader.releaseLock();
  const request = new TextDecoder().decode(head.subarray(0, end + 2));
  const response = await answer(request);
  await writer.write(utf8(response));
  if (!response.includes(" 101 ")) return;

  const { maxMessage = 65_536, pingMs, onClose = () => {} } = options;
  const guest = new Guest(conn, writer, options);
  guests.set(conn, guest);
  const decoder = new WsDecoder({ maxMessage });
  let pings = 0;
  const timer = pingMs && setInterval(() => {
    if (pings++ > 0) conn[Symbol.dispose]();
    else guest.send(encodeWs(9, utf8(String(Date.now()))));
  }, pingMs);
  const events = new TransformStream<Uint8Array, WsEvent>({
    start: (to) =>
      decoder.push(head.slice(end + 4)).forEach((e) => to.enqueue(e)),
    transform: (chunk, to) => {
      pings = 0;
      decoder.push(chunk).forEach((event) => to.enqueue(event));
    },
  });
  const everybody = (frame: Uint8Array) =>
    guests.values().forEach((other) => other?.send(frame));
  try {
    const heard = conn.readable.pipeThrough(events, { preventCancel: true });
    for await (const event of heard) {
      if (event.type === "text") everybody(encodeWs(1, utf8(event.text)));
      if (event.type === "binary") everybody(encodeWs(2, event.data));
      if (event.type === "ping") guest.send(encodeWs(10, event.data));
      if (event.type !== "close") continue;
      const empty = event.code === 1005 ? new Uint8Array() : undefined;
      guest.close(event.code, empty);
      break;
    }
  } catch (error) {
    if (!(error instanceof WsError)) throw error;
    guest.close(error.code);
    // The client ends first, if it does in closeMs.
    const waste = new Uint8Array(9_999);
    while (await conn.read(waste) !== null);
  } finally {
    clearInterval(timer);
    guests.delete(conn);
    await Promise.race([writer.ready, writer.closed]).catch(gone);
    clearTimeout(guest.timer);
    onClose(guest.code ?? 1006);
  }
}

async function answer(request: string): Promise<string> {
  const field = (name: string) =>
    request.match(new RegExp(`^${name}: *(.*)\r$`, "mi"))?.[1] ?? "";
  if (!/^GET /.test(request)) return "HTTP/1.1 405 GET only\r\n\r\n";
  if (!/websocket/i.test(field("upgrade"))) return "HTTP/1.1 404 None\r\n\r\n";
  if (field("sec-websocket-version") !== "13") {
    return "HTTP/1.1 426 Upgrade Required\r\nSec-WebSocket-Version: 13\r\n\r\n";
  }
  const key = field("sec-websocket-key");
  if (key.length !== 24) return "HTTP/1.1 400 Bad Request\r\n\r\n";
  return "HTTP/1.1 101 Switching Protocols\r\n" +
    `Sec-WebSocket-Accept: ${await acceptKey(key)}\r\n` +
    "Upgrade: WebSocket\r\nConnection: upgrade\r\n\r\n";
}

function utf8(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

function text(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(
      bytes,
    );
  } catch {
    throw new WsError(1007);
  }
}

function concat(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, p) => sum + p.length, 0));
  parts.reduce((at, part) => (whole.set(part, at), at + part.length), 0);
  return whole;
}

function gone(error: unknown) {
  const { BadResource, BrokenPipe, ConnectionReset, Interrupted } = Deno.errors;
  const reasons = [BadResource, BrokenPipe, ConnectionReset, Interrupted];
  if (!reasons.some((Reason) => error instanceof Reason)) throw error;
}
