// style: coroutines; the decoder asks for bytes, and a pump empties each queue
export type WsEvent =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "binary" | "ping" | "pong"; readonly data: Uint8Array }
  | { readonly type: "close"; readonly code: number; readonly reason: string };

export class WsError extends Deno.errors.InvalidData {
  override name = "WsError";
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
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

const encoder = new TextEncoder();

export async function acceptKey(key: string): Promise<string> {
  const text = `${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
  const hash = await crypto.subtle.digest("SHA-1", encoder.encode(text));
  return btoa(String.fromCharCode(...new Uint8Array(hash)));
}

export function encodeWs(op: number, payload: Uint8Array): Uint8Array {
  const n = payload.length;
  const long = [n / 2 ** 24, n / 2 ** 16, n / 2 ** 8, n];
  const length = n < 126
    ? [n]
    : n < 65_536
    ? [126, ...long.slice(2)]
    : [127, 0, 0, 0, 0, ...long];
  const frame = new Uint8Array(1 + length.length + n);
  frame.set([128 + op, ...length]);
  frame.set(payload, 1 + length.length);
  return frame;
}

/** What the coroutine does: it wants bytes, or it has something to say. */
type Step = { readonly want: number } | { readonly say: WsEvent };

export class WsDecoder {
  readonly #steps: Generator<Step, void, Uint8Array>;
  #next: IteratorResult<Step, void>;
  #held: number[] = [];

  constructor({ maxMessage }: { maxMessage: number }) {
    this.#steps = decode(maxMessage);
    this.#next = this.#steps.next();
  }

  *push(chunk: Uint8Array): Generator<WsEvent> {
    for (const byte of chunk) this.#held.push(byte);
    while (!this.#next.done) {
      const step = this.#next.value;
      if ("say" in step) {
        yield step.say;
        this.#next = this.#steps.next();
        continue;
      }
      if (this.#held.length < step.want) return;
      const bytes = Uint8Array.from(this.#held.slice(0, step.want));
      this.#held = this.#held.slice(step.want);
      try {
        this.#next = this.#steps.next(bytes);
      } catch (error) {
        this.#next = { done: true, value: undefined };
        throw error;
      }
    }
  }
}

function* decode(maxMessage: number): Generator<Step, void, Uint8Array> {
  let kind = 0;
  let message: number[] = [];
  for (;;) {
    const [first = 0, second = 0] = yield { want: 2 };
    const op = first & 15;
    if (first & 0x70 || second < 128) throw broken();
    if (![0, 1, 2, 8, 9, 10].includes(op)) throw broken();
    let length = BigInt(second & 127);
    if (op > 7 && (length > 125n || first < 128)) throw broken();
    if (op < 8 && (op === 0) !== (kind !== 0)) throw broken();
    const more = length === 126n ? 2 : length === 127n ? 8 : 0;
    if (more > 0) {
      const bytes = yield { want: more };
      length = bytes.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
    }
    if (length >= 1n << 63n) throw broken();
    if (op < 8 && length + BigInt(message.length) > BigInt(maxMessage)) {
      throw new WsError(1009, "too long");
    }
    const mask = yield { want: 4 };
    const masked = yield { want: Number(length) };
    const data = masked.map((byte, i) => byte ^ mask[i % 4]!);
    if (op === 9) yield { say: { type: "ping", data } };
    else if (op === 10) yield { say: { type: "pong", data } };
    else if (op === 8) return void (yield { say: closed(data) });
    else {
      kind ||= op;
      message = message.concat([...data]);
      if (first < 128) continue;
      const whole = Uint8Array.from(message);
      yield {
        say: kind === 1
          ? { type: "text", text: utf8(whole) }
          : { type: "binary", data: whole },
      };
      kind = 0;
      message = [];
    }
  }
}

function closed(data: Uint8Array): WsEvent {
  if (data.length === 0) return { type: "close", code: 1005, reason: "" };
  const code = (data[0]! << 8) | (data[1] ?? 0);
  const bad = [1004, 1005, 1006, 1015].includes(code) || code < 1000;
  if (data.length === 1 || bad) throw broken();
  return { type: "close", code, reason: utf8(data.slice(2)) };
}

function utf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(
      bytes,
    );
  } catch {
    throw new WsError(1007, "no UTF-8");
  }
}

function broken(): WsError {
  return new WsError(1002, "a rule is broken");
}

export async function serve(
  listener: Deno.TcpListener,
  options: WsOptions = {},
): Promise<void> {
  const { signal, maxMessage = 65_536, maxQueued = 2 ** 20 } = options;
  const { pingMs, closeMs = 2_000, onClose = () => {} } = options;
  const everyone = new Set<{
    send: (op: number, payload: Uint8Array) => void;
    bye: (code: number) => void;
  }>();
  const strangers = new Set<Deno.TcpConn>();

  const end = () => {
    listener[Symbol.dispose]();
    strangers.forEach((conn) => conn[Symbol.dispose]());
    everyone.forEach(({ bye }) => bye(1001));
  };
  if (signal?.aborted) end();
  signal?.addEventListener("abort", end);

  const meet = async (conn: Deno.TcpConn) => {
    using _closing = conn;
    conn.setNoDelay(true);
    strangers.add(conn);
    const rest = await shakeHands(conn).finally(() => strangers.delete(conn));
    if (!rest) return;

    const queue: Uint8Array[] = [];
    let wake = Promise.withResolvers<void>();
    let [over, saidBye, code] = [false, false, 1006];
    const timers: ReturnType<typeof setTimeout>[] = [];
    const after = (ms: number, act: () => void) =>
      timers.push(setTimeout(act, ms));
    const hangUp = () => conn[Symbol.dispose]();
    const send = (op: number, payload: Uint8Array) => {
      if (saidBye) return;
      queue.push(encodeWs(op, payload));
      const waiting = queue.reduce((sum, { length }) => sum + length, 0);
      if (waiting > maxQueued) {
        // It may hear why, if it ever reads again.
        queue.splice(1);
        bye(1008);
      }
      wake.resolve();
    };
    const bye = (why: number) => {
      if (saidBye) return;
      const reason = why === 1005 ? [] : [why >> 8, why & 255, 0x2e];
      code = why;
      queue.push(encodeWs(8, Uint8Array.from(reason)));
      saidBye = true;
      after(closeMs, hangUp);
      wake.resolve();
    };
    const pump = async () => {
      while (!over || queue.length > 0) {
        const frame = queue[0];
        if (frame === undefined) {
          if (saidBye) return await conn.closeWrite();
          await wake.promise;
          wake = Promise.withResolvers();
          continue;
        }
        for (let at = 0; at < frame.length;) {
          at += await conn.write(frame.subarray(at));
        }
        queue.shift();
      }
    };
    const pumping = pump().catch(unlessGone);

    let answered = true;
    const beat = () => {
      if (!answered) return hangUp();
      answered = false;
      send(9, encoder.encode("are you there?"));
      after(pingMs!, beat);
    };
    if (pingMs) after(pingMs, beat);

    const me = { send, bye };
    everyone.add(me);
    const decoder = new WsDecoder({ maxMessage });
    try {
      let chunk = rest;
      for (const buffer = new Uint8Array(32_768);;) {
        answered = true;
        try {
          if (!saidBye) {
            for (const event of decoder.push(chunk)) {
              if (event.type === "close") bye(event.code);
              else if (event.type === "ping") send(10, event.data);
              else if (event.type === "text") {
                const data = encoder.encode(event.text);
                everyone.forEach(({ send }) => send(1, data));
              } else if (event.type === "binary") {
                everyone.forEach(({ send }) => send(2, event.data));
              }
            }
          }
        } catch (error) {
          if (!(error instanceof WsError)) throw error;
          bye(error.code);
        }
        const n = await conn.read(buffer);
        if (n === null) break;
        chunk = buffer.subarray(0, n);
      }
    } finally {
      everyone.delete(me);
      over = true;
      wake.resolve();
      after(closeMs, hangUp);
      await pumping;
      timers.forEach(clearTimeout);
      onClose(code);
    }
  };

  const meetings: Promise<void>[] = [];
  for await (const conn of listener) {
    meetings.push(meet(conn).catch(unlessGone));
  }
  await Promise.all(meetings);
}

async function shakeHands(
  conn: Deno.TcpConn,
): Promise<Uint8Array | undefined> {
  const buffer = new Uint8Array(4_096);
  for (let size = 0, end; size < buffer.length;) {
    const n = await conn.read(buffer.subarray(size));
    if (n === null) return;
    size += n;
    const text = String.fromCharCode(...buffer.subarray(0, size));
    if ((end = text.indexOf("\r\n\r\n")) < 0) continue;
    const [line = "", ...lines] = text.slice(0, end).split("\r\n");
    const head = new Headers(
      lines.map((field) => field.split(/:(.*)/, 2) as [string, string]),
    );
    const key = head.get("Sec-WebSocket-Key");
    const response = !line.startsWith("GET")
      ? "HTTP/1.1 405 No\r\n\r\n"
      : head.get("Upgrade")?.toLowerCase() !== "websocket"
      ? "HTTP/1.1 404 Not Found\r\n\r\n"
      : head.get("Sec-WebSocket-Version") !== "13"
      ? "HTTP/1.1 426 Old\r\nsec-websocket-version: 13\r\n\r\n"
      : !key
      ? "HTTP/1.1 400 No key\r\n\r\n"
      : "HTTP/1.1 101 Yes\r\nconnection: Upgrade\r\nupgrade: websocket\r\n" +
        `sec-websocket-accept: ${await acceptKey(key)}\r\n\r\n`;
    const bytes = encoder.encode(response);
    for (let at = 0; at < bytes.length;) {
      at += await conn.write(bytes.subarray(at));
    }
    return response.includes(" 101 ") ? buffer.slice(end + 4, size) : undefined;
  }
}

function unlessGone(error: unknown) {
  const { BadResource, BrokenPipe, ConnectionReset, Interrupted } = Deno.errors;
  const reasons = [BadResource, BrokenPipe, ConnectionReset, Interrupted];
  if (!reasons.some((Reason) => error instanceof Reason)) throw error;
}
