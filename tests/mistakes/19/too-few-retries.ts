// expect: too-few-retries
// `retries` times, so the loop runs as often.

export type Packet =
  | { op: "read" | "write"; name: string; mode: string; options: Fields }
  | { op: "data"; block: number; data: Uint8Array }
  | { op: "ack"; block: number }
  | { op: "error"; code: number; message: string }
  | { op: "oack"; options: Fields };

export type Fields = Record<string, string>;

const OPS = ["", "read", "write", "data", "ack", "error", "oack"] as const;

export function encode(packet: Packet): Uint8Array {
  const op = uint16(OPS.indexOf(packet.op));
  switch (packet.op) {
    case "read":
    case "write": {
      const { name, mode, options } = packet;
      return concat([op, strings([name, mode, ...flat(options)])]);
    }
    case "data":
      return concat([op, uint16(packet.block), packet.data]);
    case "ack":
      return concat([op, uint16(packet.block)]);
    case "error":
      return concat([op, uint16(packet.code), strings([packet.message])]);
    case "oack":
      return concat([op, strings(flat(packet.options))]);
  }
}

export function parse(datagram: Uint8Array): Packet | undefined {
  if (datagram.length < 4) return;
  const view = new DataView(datagram.buffer, datagram.byteOffset);
  const op = OPS[view.getUint16(0)];
  const number = view.getUint16(2);
  const rest = datagram.subarray(4);
  if (op === "data") return { op, block: number, data: rest };
  if (op === "ack") {
    return rest.length === 0 ? { op, block: number } : undefined;
  }
  if (op === "error") {
    return { op, code: number, message: stringsIn(rest)?.[0] ?? "" };
  }
  const texts = stringsIn(datagram.subarray(2));
  if (texts === undefined) return;
  if (op === "oack") return withOptions({ op }, texts);
  if (op !== "read" && op !== "write") return;
  const [name, mode, ...options] = texts;
  if (!name || mode === undefined) return;
  return withOptions({ op, name, mode: mode.toLowerCase() }, options);
}

function withOptions(
  packet: Record<string, string>,
  texts: string[],
): Packet | undefined {
  if (texts.length % 2 !== 0) return;
  const options: Fields = {};
  for (let i = 0; i < texts.length; i += 2) {
    options[texts[i]!.toLowerCase()] = texts[i + 1]!;
  }
  return { ...packet, options } as Packet;
}

function stringsIn(bytes: Uint8Array): string[] | undefined {
  if (bytes.at(-1) !== 0) return;
  return new TextDecoder().decode(bytes.subarray(0, -1)).split("\0");
}

function strings(texts: string[]): Uint8Array {
  return new TextEncoder().encode(texts.map((text) => `${text}\0`).join(""));
}

function flat(options: Fields): string[] {
  return Object.entries(options).flat();
}

function uint16(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value);
}

function next(block: number): number {
  return (block + 1) % 2 ** 16;
}

export class FileSender {
  readonly #file: Uint8Array;
  readonly #size: number;
  #at = 0;
  block = 1;
  done = false;

  constructor(file: Uint8Array, size: number) {
    this.#file = file;
    this.#size = size;
  }

  get data(): Uint8Array {
    return this.#file.subarray(this.#at, this.#at + this.#size);
  }

  onAck(block: number): boolean {
    if (block !== this.block || this.done) return false;
    this.done = this.data.length < this.#size;
    this.#at += this.#size;
    if (!this.done) this.block = next(block);
    return true;
  }
}

export class FileReceiver {
  readonly #size: number;
  #room = new Uint8Array(4_096);
  #length = 0;
  block = 0;
  done = false;

  constructor(size: number) {
    this.#size = size;
  }

  onData(block: number, data: Uint8Array): boolean {
    if (block !== next(this.block) || this.done) return false;
    this.#append(data);
    this.block = block;
    this.done = data.length < this.#size;
    return true;
  }

  get file(): Uint8Array {
    return this.#room.slice(0, this.#length);
  }

  #append(data: Uint8Array) {
    const length = this.#length + data.length;
    if (length > this.#room.length) {
      const larger = new Uint8Array(2 * length);
      larger.set(this.#room);
      this.#room = larger;
    }
    this.#room.set(data, this.#length);
    this.#length = length;
  }
}

export interface Files {
  read(name: string): Promise<Uint8Array | undefined>;
  write?(name: string, file: Uint8Array): Promise<void>;
}

export interface Patience {
  timeoutMs: number;
  retries: number;
}

type Request = Extract<Packet, { name: string }>;

export async function serve(
  socket: Deno.DatagramConn,
  files: Files,
  { timeoutMs = 1_000, retries = 5 }: Partial<Patience> = {},
): Promise<void> {
  const { hostname } = socket.addr as Deno.NetAddr;
  const transfers = new Map<Line, Promise<void>>();
  for await (const [datagram, from] of socket) {
    const packet = parse(datagram);
    if (packet?.op !== "read" && packet?.op !== "write") continue;
    const line = new Line(openSocket(hostname, 0), from as Deno.NetAddr);
    const ended = transfer(line, packet, { files, timeoutMs, retries })
      .finally(() => transfers.delete(line));
    transfers.set(line, ended);
  }
  for (const line of transfers.keys()) line.close();
  await Promise.all(transfers.values());
}

class Refusal extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

async function transfer(
  line: Line,
  request: Request,
  { files, ...patience }: Patience & { files: Files },
): Promise<void> {
  try {
    const { op, name, mode } = request;
    if (mode !== "octet") throw new Refusal(0, "only octet mode");
    if (isOutside(name)) throw new Refusal(2, "access violation");
    if (op === "read") {
      const file = await files.read(name);
      if (file === undefined) throw new Refusal(1, "file not found");
      await sendFile(line, file, agree(request, patience, file.length));
    } else {
      if (!files.write) throw new Refusal(2, "read only");
      const keep = (file: Uint8Array) => files.write!(name, file);
      await receiveFile(line, keep, agree(request, patience));
    }
  } catch (error) {
    if (isTheirs(error)) return;
    const [code, message] = error instanceof Refusal
      ? [error.code, error.message]
      : [0, "it went wrong here"];
    if (!(error instanceof Refusal)) console.error(error);
    await line.send({ op: "error", code, message });
  } finally {
    line.close();
  }
}

function isOutside(name: string): boolean {
  return /^[/\\]/.test(name) || name.split(/[/\\]/).includes("..");
}

function isTheirs(error: unknown): boolean {
  const { BadResource, ConnectionAborted, Interrupted, TimedOut } = Deno.errors;
  return [BadResource, ConnectionAborted, Interrupted, TimedOut]
    .some((Class) => error instanceof Class);
}

interface Terms extends Patience {
  size: number;
  accepted: Fields;
}

function agree(
  { options: { blksize, timeout, tsize } }: Request,
  { timeoutMs, retries }: Patience,
  length?: number,
): Terms {
  const terms: Terms = { timeoutMs, retries, size: 512, accepted: {} };
  if (isBetween(8, blksize, 65_464)) {
    terms.size = Number(blksize);
    terms.accepted.blksize = blksize;
  }
  if (isBetween(1, timeout, 255)) {
    terms.timeoutMs = 1_000 * Number(timeout);
    terms.accepted.timeout = timeout;
  }
  if (isBetween(0, tsize, Infinity)) {
    terms.accepted.tsize = length === undefined ? tsize : String(length);
  }
  return terms;
}

function isBetween(
  least: number,
  value: string | undefined,
  most: number,
): value is string {
  if (value === undefined || !/^\d+$/.test(value)) return false;
  return Number(value) >= least && Number(value) <= most;
}

async function sendFile(
  line: Line,
  file: Uint8Array,
  { accepted, size, ...patience }: Terms,
): Promise<void> {
  if (Object.keys(accepted).length > 0) {
    const oack = { op: "oack", options: accepted } as const;
    await line.ask(oack, patience, (p) => p.op === "ack" && p.block === 0);
  }
  const sender = new FileSender(file, size);
  while (!sender.done) {
    const { block, data } = sender;
    await line.ask(
      { op: "data", block, data },
      patience,
      (packet) => packet.op === "ack" && sender.onAck(packet.block),
    );
  }
}

async function receiveFile(
  line: Line,
  keep: (file: Uint8Array) => Promise<void>,
  { accepted, size, ...patience }: Terms,
): Promise<void> {
  const receiver = new FileReceiver(size);
  let answer: Packet = { op: "ack", block: 0 };
  if (Object.keys(accepted).length > 0) {
    answer = { op: "oack", options: accepted };
  }
  while (!receiver.done) {
    await line.ask(answer, patience, (packet) => {
      if (packet.op !== "data") return false;
      if (receiver.onData(packet.block, packet.data)) return true;
      return packet.block === receiver.block ? "again" : false;
    });
    answer = { op: "ack", block: receiver.block };
  }
  await keep(receiver.file);
  await line.send(answer);
  await dally(line, answer, patience);
}

async function dally(
  line: Line,
  ack: Packet,
  { timeoutMs, retries }: Patience,
): Promise<void> {
  const until = performance.now() + timeoutMs * (retries + 1);
  for (;;) {
    const packet = await line.receive(until);
    if (packet === undefined) return;
    if (packet.op === "data") await line.send(ack);
  }
}

class Line {
  readonly #socket: Deno.DatagramConn;
  readonly #peer: Deno.NetAddr;
  #receiving: ReturnType<Deno.DatagramConn["receive"]> | undefined;

  constructor(socket: Deno.DatagramConn, peer: Deno.NetAddr) {
    this.#socket = socket;
    this.#peer = peer;
  }

  async send(packet: Packet): Promise<void> {
    await this.#socket.send(encode(packet), this.#peer);
  }

  async ask(
    packet: Packet,
    { timeoutMs, retries }: Patience,
    hear: (answer: Packet) => boolean | "again",
  ): Promise<void> {
    for (let tries = 0; tries < retries; tries++) {
      await this.send(packet);
      const until = performance.now() + timeoutMs;
      for (;;) {
        const answer = await this.receive(until);
        if (answer === undefined) break;
        const heard = hear(answer);
        if (heard === true) return;
        if (heard === "again") await this.send(packet);
      }
    }
    throw new Deno.errors.TimedOut("Cannot go on: no answer");
  }

  async receive(until: number): Promise<Packet | undefined> {
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
        const packet = parse(datagram);
        if (!this.#isPeer(from)) await this.#refuse(packet, from);
        else if (packet?.op === "error") throw aborted(packet.message);
        else if (packet !== undefined) return packet;
      }
    } finally {
      clearTimeout(timer);
    }
  }

  #isPeer(from: Deno.Addr): boolean {
    const { hostname, port } = from as Deno.NetAddr;
    return hostname === this.#peer.hostname && port === this.#peer.port;
  }

  async #refuse(packet: Packet | undefined, from: Deno.Addr): Promise<void> {
    if (packet?.op === "error") return;
    const error = { op: "error", code: 5, message: "unknown port" } as const;
    await this.#socket.send(encode(error), from);
  }

  close() {
    try {
      this.#socket.close();
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  }
}

function aborted(message: string): Error {
  return new Deno.errors.ConnectionAborted(`Cannot go on: ${message}`);
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

function openSocket(hostname: string, port: number): Deno.DatagramConn {
  return Deno.listenDatagram({ transport: "udp", hostname, port });
}

function inMemory(): Files {
  const files = new Map<string, Uint8Array>();
  for (const length of [1_000, 1_024, 100_000]) {
    files.set(`${length}.txt`, new Uint8Array(length).fill(0x61));
  }
  return {
    read: (name) => Promise.resolve(files.get(name)),
    write: (name, file) => Promise.resolve(void files.set(name, file)),
  };
}

if (import.meta.main) {
  await serve(openSocket("127.0.0.1", 7019), inMemory());
}
