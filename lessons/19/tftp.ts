// Lesson 19: TFTP.
//
// A file crosses the network block by block, and each block waits for its ack.
// That is simple, and it works for one client at a time, whose datagrams all
// arrive, and whose file has a lucky length.

// -- Part 1: packets --

/** What one datagram says (RFC 1350; "oack" is from RFC 2347). */
export type Packet =
  | { op: "read" | "write"; name: string; mode: string; options: Fields }
  | { op: "data"; block: number; data: Uint8Array }
  | { op: "ack"; block: number }
  | { op: "error"; code: number; message: string }
  | { op: "oack"; options: Fields };

/** Names of options, in lower case, and their values. */
export type Fields = Record<string, string>;

/** The number of an operation is its place; there is no operation 0. */
const OPS = ["", "read", "write", "data", "ack", "error", "oack"] as const;

/** Writes `packet` as a datagram. */
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

/** Reads a datagram. Returns nothing if it is no packet of TFTP. */
export function parse(datagram: Uint8Array): Packet | undefined {
  // TODO: Anybody can send anything, one byte for example.
  const view = new DataView(datagram.buffer, datagram.byteOffset);
  const op = OPS[view.getUint16(0)];
  const number = view.getUint16(2);
  const rest = datagram.subarray(4);
  if (op === "data") return { op, block: number, data: rest };
  if (op === "ack") return { op, block: number };
  if (op === "error") {
    return { op, code: number, message: stringsIn(rest)?.[0] ?? "" };
  }
  const texts = stringsIn(datagram.subarray(2));
  if (texts === undefined) return;
  if (op === "oack") return withOptions({ op }, texts);
  if (op !== "read" && op !== "write") return;
  const [name, mode, ...options] = texts;
  if (!name || mode === undefined) return;
  // TODO: Some clients write OCTET.
  return withOptions({ op, name, mode }, options);
}

/** Adds options, if `texts` are pairs: a name and its value, and so on. */
// TODO: And if they are not?
function withOptions(
  packet: Record<string, string>,
  texts: string[],
): Packet | undefined {
  const options: Fields = {};
  for (let i = 0; i < texts.length; i += 2) {
    options[texts[i]!.toLowerCase()] = texts[i + 1]!;
  }
  return { ...packet, options } as Packet;
}

/** The strings in `bytes`, each with a zero behind it; nothing if one lacks. */
function stringsIn(bytes: Uint8Array): string[] | undefined {
  // TODO: What if the last zero is missing, and with it half of a name?
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

// -- Part 2: what each side of a transfer remembers --

/** Cuts a file into blocks. It has no socket and no clock. */
export class FileSender {
  readonly #file: Uint8Array;
  readonly #size: number;
  #at = 0;
  /** The number of the block that is on its way, from 1. */
  block = 1;
  /** Whether the last block has been acknowledged. */
  done = false;

  /** Sends `file` in blocks of `size` bytes. */
  constructor(file: Uint8Array, size: number) {
    this.#file = file;
    this.#size = size;
  }

  /** The block that has to be sent now. */
  get data(): Uint8Array {
    return this.#file.subarray(this.#at, this.#at + this.#size);
  }

  /** Takes an ack. Returns whether it is news. */
  onAck(block: number): boolean {
    if (block !== this.block) return false;
    this.#at += this.#size;
    // TODO: A client waits for more after 1,024 bytes, and not after 1,000.
    this.done = this.#at >= this.#file.length;
    // TODO: A block number has 16 bits.
    this.block++;
    return true;
  }
}

/** Puts a file together. It has no socket and no clock. */
export class FileReceiver {
  readonly #size: number;
  #room = new Uint8Array(4_096);
  #length = 0;
  /** The number of the last block that has come: what an ack has to say. */
  block = 0;
  /** Whether the last block has come. */
  done = false;

  /** Expects blocks of `size` bytes, and a shorter one at the end. */
  constructor(size: number) {
    this.#size = size;
  }

  /** Takes a block. Returns whether it is news. */
  onData(block: number, data: Uint8Array): boolean {
    // TODO: Any block is taken for the next one.
    this.#append(data);
    this.block = block;
    this.done = data.length < this.#size;
    return true;
  }

  /** All that has come. */
  get file(): Uint8Array {
    return this.#room.slice(0, this.#length);
  }

  // A production server would limit the length, and write blocks to a disk.
  #append(data: Uint8Array) {
    const length = this.#length + data.length;
    if (length > this.#room.length) {
      // Twice the room: so each byte is copied about once.
      const larger = new Uint8Array(2 * length);
      larger.set(this.#room);
      this.#room = larger;
    }
    this.#room.set(data, this.#length);
    this.#length = length;
  }
}

// -- Part 3: the server --

/** Where files are. */
export interface Files {
  /** Gives the content of a file, or nothing if there is none. */
  read(name: string): Promise<Uint8Array | undefined>;
  /** Keeps a file. Without this function nobody can write. */
  write?(name: string, file: Uint8Array): Promise<void>;
}

/** How patient the server is. */
export interface Patience {
  /** How long to wait for an answer before saying it again, in milliseconds. */
  timeoutMs: number;
  /** How often to say it again. */
  retries: number;
}

type Request = Extract<Packet, { name: string }>;

/**
 * Serves `files` to whoever asks at `socket`, each from a port of its own, until
 * `socket` closes. That ends all transfers.
 */
export async function serve(
  socket: Deno.DatagramConn,
  files: Files,
  { timeoutMs = 1_000, retries = 5 }: Partial<Patience> = {},
): Promise<void> {
  for await (const [datagram, from] of socket) {
    const packet = parse(datagram);
    if (packet?.op !== "read" && packet?.op !== "write") continue;
    // TODO: Everybody else waits until this transfer is over, and what they
    // send meanwhile is taken for a part of it.
    const line = new Line(socket, from as Deno.NetAddr);
    await transfer(line, packet, { files, timeoutMs, retries });
  }
}

/** Says no, with a code of RFC 1350. */
class Refusal extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** Does what `request` asks for. */
async function transfer(
  line: Line,
  request: Request,
  { files, ...patience }: Patience & { files: Files },
): Promise<void> {
  try {
    const { op, name, mode } = request;
    if (mode !== "octet") throw new Refusal(0, "only octet mode");
    // TODO: There are files that nobody should see: ../../etc/passwd
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
  }
}

/** Whether a client, or the end of the server, has ended a transfer. */
function isTheirs(error: unknown): boolean {
  const { BadResource, ConnectionAborted, Interrupted, TimedOut } = Deno.errors;
  return [BadResource, ConnectionAborted, Interrupted, TimedOut]
    .some((Class) => error instanceof Class);
}

/** What both sides have agreed on. */
interface Terms extends Patience {
  /** The size of a block. */
  size: number;
  /** The options of the request that are accepted, as the answer names them. */
  accepted: Fields;
}

/** Accepts the options that make sense (RFC 2348, RFC 2349), and no others. */
function agree(
  _request: Request,
  { timeoutMs, retries }: Patience,
  _length?: number,
): Terms {
  // TODO: blksize, timeout and tsize: a client that is not answered does without.
  return { timeoutMs, retries, size: 512, accepted: {} };
}
async function sendFile(
  line: Line,
  file: Uint8Array,
  { size, ...patience }: Terms,
): Promise<void> {
  const sender = new FileSender(file, size);
  while (!sender.done) {
    const { block, data } = sender;
    // TODO: If an ack comes twice, so does each block from then on.
    const answer = await line.ask({ op: "data", block, data }, patience);
    if (answer?.op === "ack") sender.onAck(answer.block);
  }
}

async function receiveFile(
  line: Line,
  keep: (file: Uint8Array) => Promise<void>,
  { size, ...patience }: Terms,
): Promise<void> {
  const receiver = new FileReceiver(size);
  while (!receiver.done) {
    const { block } = receiver;
    const answer = await line.ask({ op: "ack", block }, patience);
    if (answer?.op === "data") receiver.onData(answer.block, answer.data);
  }
  await keep(receiver.file);
  // TODO: If this last ack is lost, nobody says it again.
  await line.send({ op: "ack", block: receiver.block });
}

/** The server's end of one transfer. */
class Line {
  readonly #socket: Deno.DatagramConn;
  readonly #peer: Deno.NetAddr;
  /** A receive() that nobody has heard the end of. It goes on waiting. */
  #receiving: ReturnType<Deno.DatagramConn["receive"]> | undefined;

  constructor(socket: Deno.DatagramConn, peer: Deno.NetAddr) {
    this.#socket = socket;
    this.#peer = peer;
  }

  async send(packet: Packet): Promise<void> {
    await this.#socket.send(encode(packet), this.#peer);
  }

  /**
   * Says `packet`, and returns the answer.
   *
   * @throws {Deno.errors.ConnectionAborted} If the answer is an error.
   */
  async ask(
    packet: Packet,
    { timeoutMs }: Patience,
  ): Promise<Packet | undefined> {
    // TODO: If this or its answer is lost, somebody has to say it again, and
    // to give up in the end.
    await this.send(packet);
    return await this.receive(performance.now() + 100 * timeoutMs);
  }

  /** The next packet of the other side; nothing if none comes before `until`. */
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
        // TODO: Anybody can send to this socket.
        const [datagram, _from] = received;
        const packet = parse(datagram);
        if (packet?.op === "error") throw aborted(packet.message);
        if (packet !== undefined) return packet;
      }
    } finally {
      clearTimeout(timer);
    }
  }
}

function aborted(message: string): Error {
  return new Deno.errors.ConnectionAborted(`Cannot go on: ${message}`);
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

/** Opens a UDP socket; port 0 is one that is free. */
function openSocket(hostname: string, port: number): Deno.DatagramConn {
  return Deno.listenDatagram({ transport: "udp", hostname, port });
}

/** Files that are kept in memory, and a few to begin with. */
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

// Try it by hand: `deno run -P lessons/19/tftp.ts`, then, elsewhere,
// curl -s tftp://127.0.0.1:7019/1000.txt | wc -c
if (import.meta.main) {
  await serve(openSocket("127.0.0.1", 7019), inMemory());
}
