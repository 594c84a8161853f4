// expect: dns-edns
// A query is a question and nothing else, says this program. It was so in 1987.

export class FormatError extends Error {
  override name = "FormatError";
}

export const TYPE = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  OPT: 41,
  ANY: 255,
} as const;

export const RCODE = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
} as const;

const IN = 1;

export interface Question {
  name: string;
  type: number;
  class: number;
}

export interface ResourceRecord extends Question {
  ttl: number;
  data: Uint8Array;
}

export interface DnsMessage {
  id: number;
  response: boolean;
  opcode: number;
  authoritative: boolean;
  truncated: boolean;
  recursionDesired: boolean;
  recursionAvailable: boolean;
  rcode: number;
  questions: Question[];
  answers: ResourceRecord[];
  authorities: ResourceRecord[];
  additionals: ResourceRecord[];
}

export interface Zone {
  origin: string;
  records: ResourceRecord[];
}

export interface ServeOptions {
  upstream?: Deno.NetAddr;
  timeoutMs?: number;
  idleMs?: number;
}

const MAX_LABEL = 63;
const MAX_NAME = 255;
const MAX_MESSAGE = 65_535;

// -- 1. Names and messages --

class PacketReader {
  readonly #packet: Uint8Array;
  #at = 0;

  constructor(packet: Uint8Array) {
    this.#packet = packet;
  }

  bytes(length: number): Uint8Array {
    const end = this.#at + length;
    if (end > this.#packet.length) {
      throw new FormatError(
        `Cannot read up to byte ${end}: the packet has ${this.#packet.length}`,
      );
    }
    const bytes = this.#packet.subarray(this.#at, end);
    this.#at = end;
    return bytes;
  }

  uint8(): number {
    return this.bytes(1)[0]!;
  }

  uint16(): number {
    return this.uint8() << 8 | this.uint8();
  }

  uint32(): number {
    return this.uint16() * 0x1_0000 + this.uint16();
  }

  name(): string {
    const labels: string[] = [];
    let size = 1;
    let start = this.#at;
    let behind: number | undefined;
    for (let length; (length = this.uint8()) > 0;) {
      if (length >= 0xc0) {
        const target = (length & 0x3f) << 8 | this.uint8();
        behind ??= this.#at;
        if (target >= start) {
          throw new FormatError(
            `Cannot go on at byte ${target}: this part began at ${start}`,
          );
        }
        this.#at = start = target;
        continue;
      }
      size += 1 + length;
      if (length > MAX_LABEL || size > MAX_NAME) throw tooLong(length, size);
      labels.push(labelText(this.bytes(length)));
    }
    this.#at = behind ?? this.#at;
    return labels.join(".");
  }
}

class PacketWriter {
  readonly #bytes: number[] = [];

  get packet(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }

  bytes(bytes: Iterable<number>) {
    for (const byte of bytes) this.#bytes.push(byte);
  }

  uint16(value: number) {
    this.bytes([value >> 8 & 0xff, value & 0xff]);
  }

  uint32(value: number) {
    this.uint16(value >>> 16);
    this.uint16(value & 0xffff);
  }

  name(name: string) {
    const labels = name === "" ? [] : name.split(".").map(labelBytes);
    let size = 1;
    for (const label of labels) {
      size += 1 + label.length;
      const fits = label.length <= MAX_LABEL && size <= MAX_NAME;
      if (!fits || label.length === 0) throw tooLong(label.length, size);
      this.bytes([label.length, ...label]);
    }
    this.bytes([0]);
  }
}

function tooLong(label: number, name: number): FormatError {
  return new FormatError(
    `Cannot have a label of ${label} bytes in a name of ${name}: ` +
      `1 to ${MAX_LABEL} are allowed, and ${MAX_NAME}`,
  );
}

export function decodeMessage(packet: Uint8Array): DnsMessage {
  const reader = new PacketReader(packet);
  const [id, flags] = [reader.uint16(), reader.uint16()];
  const counts = Array.from({ length: 4 }, () => reader.uint16());
  const [questions, ...more] = counts;
  if (more.some((count) => count > 0)) {
    throw new FormatError("Cannot read a query with records in it");
  }
  return {
    id,
    ...flagsOf(flags),
    questions: list(questions!, () => readQuestion(reader)),
    answers: [],
    authorities: [],
    additionals: [],
  };
}

function list<T>(length: number, read: () => T): T[] {
  return Array.from({ length }, read);
}

function readQuestion(reader: PacketReader): Question {
  return {
    name: reader.name(),
    type: reader.uint16(),
    class: reader.uint16(),
  };
}

export function encodeMessage(
  message: DnsMessage,
  { maxSize = MAX_MESSAGE }: { maxSize?: number } = {},
): Uint8Array {
  const packet = write(message);
  if (packet.length <= maxSize) return packet;
  return write({
    ...message,
    truncated: true,
    answers: [],
    authorities: [],
    additionals: message.additionals.filter(({ type }) => type === TYPE.OPT),
  });
}

function write(message: DnsMessage): Uint8Array {
  const { questions, answers, authorities, additionals } = message;
  const writer = new PacketWriter();
  writer.uint16(message.id);
  writer.uint16(flagWord(message));
  for (const section of [questions, answers, authorities, additionals]) {
    writer.uint16(section.length);
  }
  for (const question of questions) writeQuestion(writer, question);
  for (const record of [...answers, ...authorities, ...additionals]) {
    writeQuestion(writer, record);
    writer.uint32(record.ttl);
    writer.uint16(record.data.length);
    writer.bytes(record.data);
  }
  return writer.packet;
}

function writeQuestion(writer: PacketWriter, question: Question) {
  writer.name(question.name);
  writer.uint16(question.type);
  writer.uint16(question.class);
}

// -- 2. What a zone answers --

export function answer(query: DnsMessage, zone: Zone): DnsMessage {
  const reply = replyTo(query);
  const question = query.questions[0]!;
  if (!isWithin(question.name, zone.origin)) {
    return { ...reply, rcode: RCODE.REFUSED };
  }
  const answers = zone.records.filter(({ name, type }) =>
    name === question.name && type === question.type
  );
  return { ...reply, authoritative: true, answers };
}

function replyTo(query: DnsMessage): DnsMessage {
  const { id, opcode, recursionDesired, questions } = query;
  return {
    id,
    response: true,
    opcode,
    authoritative: false,
    truncated: false,
    recursionDesired,
    recursionAvailable: false,
    rcode: RCODE.NOERROR,
    questions: questions.length === 1 ? questions : [],
    answers: [],
    authorities: [],
    additionals: [],
  };
}

function isWithin(name: string, origin: string): boolean {
  return name.endsWith(origin);
}

// -- 3. The server, and UDP --

type Respond = (packet: Uint8Array) => Promise<Uint8Array>;

export async function serve(
  listener: Deno.TcpListener,
  socket: Deno.DatagramConn,
  zone: Zone,
  { upstream }: ServeOptions = {},
): Promise<void> {
  const respond: Respond = async (packet) => {
    const query = decodeMessage(packet);
    const reply = answer(query, zone);
    if (upstream && reply.rcode === RCODE.REFUSED) {
      return await forward(packet, upstream);
    }
    return encodeMessage(reply);
  };
  await Promise.all([
    serveUdp(socket, respond),
    serveTcp(listener, respond),
  ]);
}

async function serveUdp(
  socket: Deno.DatagramConn,
  respond: Respond,
): Promise<void> {
  for await (const [packet, from] of socket) {
    await socket.send(await respond(packet), from);
  }
}

// -- 4. TCP: each message behind its length, two bytes --

async function serveTcp(
  listener: Deno.TcpListener,
  respond: Respond,
): Promise<void> {
  const clients = new Set<Promise<void>>();
  for await (const conn of listener) {
    const client = talk(conn, respond).finally(() => clients.delete(client));
    clients.add(client);
  }
  await Promise.all(clients);
}

async function talk(conn: Deno.TcpConn, respond: Respond): Promise<void> {
  using _closing = conn;
  const buffer = new Uint8Array(4_096);
  try {
    for (let n; (n = await conn.read(buffer)) !== null;) {
      const reply = await respond(buffer.subarray(2, n));
      await writeAll(conn, reply);
    }
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

// -- 5. Asking another server --

async function forward(
  query: Uint8Array,
  upstream: Deno.NetAddr,
): Promise<Uint8Array> {
  const socket = openSocket();
  await socket.send(query, upstream);
  const [reply] = await socket.receive();
  socket.close();
  return reply;
}

function openSocket(): Deno.DatagramConn {
  const hostname = "127.0.0.1";
  return Deno.listenDatagram({ transport: "udp", hostname, port: 0 });
}

// -- What is tedious, and right as it is --

async function writeAll(conn: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) {
    sent += await conn.write(bytes.subarray(sent));
  }
}

function isGone(error: unknown): boolean {
  const { BadResource, BrokenPipe, ConnectionReset, Interrupted } = Deno.errors;
  return [BadResource, BrokenPipe, ConnectionReset, Interrupted]
    .some((Class) => error instanceof Class);
}

function flagsOf(word: number) {
  return {
    response: (word & 0x8000) !== 0,
    opcode: word >> 11 & 0xf,
    authoritative: (word & 0x0400) !== 0,
    truncated: (word & 0x0200) !== 0,
    recursionDesired: (word & 0x0100) !== 0,
    recursionAvailable: (word & 0x0080) !== 0,
    rcode: word & 0xf,
  };
}

function flagWord(message: DnsMessage): number {
  return (message.response ? 0x8000 : 0) |
    message.opcode << 11 |
    (message.authoritative ? 0x0400 : 0) |
    (message.truncated ? 0x0200 : 0) |
    (message.recursionDesired ? 0x0100 : 0) |
    (message.recursionAvailable ? 0x0080 : 0) |
    message.rcode;
}

function labelText(label: Uint8Array): string {
  return Array.from(label, (byte) => {
    const letter = String.fromCharCode(byte);
    const plain = /[\w*-]/.test(letter);
    return plain ? letter : `\\${String(byte).padStart(3, "0")}`;
  }).join("");
}

function labelBytes(label: string): Uint8Array {
  return Uint8Array.from(
    label.match(/\\\d{3}|[^]/g) ?? [],
    (part) => part.length > 1 ? Number(part.slice(1)) : part.charCodeAt(0),
  );
}

export type DataType = "A" | "AAAA" | "CNAME" | "MX" | "NS" | "SOA" | "TXT";

export function record(
  name: string,
  type: DataType,
  text: string,
  ttl = 300,
): ResourceRecord {
  const writer = new PacketWriter();
  writeData[type](writer, text);
  return { name, type: TYPE[type], class: IN, ttl, data: writer.packet };
}

const writeData: Record<DataType, (to: PacketWriter, text: string) => void> = {
  A: (to, text) => to.bytes(text.split(".").map(Number)),
  AAAA: (to, text) => {
    const [front, back = []] = text.split("::").map((part) =>
      part === "" ? [] : part.split(":").map((group) => parseInt(group, 16))
    );
    const zeros = Array(8 - front!.length - back.length).fill(0);
    for (const group of [...front!, ...zeros, ...back]) to.uint16(group);
  },
  CNAME: (to, text) => to.name(text),
  MX: (to, text) => {
    const [preference, host] = text.split(" ");
    to.uint16(Number(preference));
    to.name(host!);
  },
  NS: (to, text) => to.name(text),
  SOA: (to, text) => {
    const [host, mailbox, ...numbers] = text.split(" ");
    to.name(host!);
    to.name(mailbox!);
    for (const number of numbers) to.uint32(Number(number));
  },
  TXT: (to, text) => {
    const bytes = new TextEncoder().encode(text);
    for (let at = 0; at === 0 || at < bytes.length; at += 255) {
      const part = bytes.subarray(at, at + 255);
      to.bytes([part.length, ...part]);
    }
  },
};
