// expect: timer-leak
// The timer rings for a socket that is closed.

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
const HEADER = 12;
const MAX_MESSAGE = 65_535;
const PLAIN_UDP = 512;
const MAX_UDP = 1_232;

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
  const [questions, answers, authorities, additionals] = counts;
  return {
    id,
    ...flagsOf(flags),
    questions: list(questions!, () => readQuestion(reader)),
    answers: list(answers!, () => readRecord(reader)),
    authorities: list(authorities!, () => readRecord(reader)),
    additionals: list(additionals!, () => readRecord(reader)),
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

function readRecord(reader: PacketReader): ResourceRecord {
  const question = readQuestion(reader);
  const ttl = reader.uint32();
  return { ...question, ttl, data: reader.bytes(reader.uint16()) };
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
  const [question, ...more] = query.questions;
  if (query.opcode !== 0) return { ...reply, rcode: RCODE.NOTIMP };
  if (question === undefined || more.length > 0) {
    return { ...reply, rcode: RCODE.FORMERR };
  }
  if (question.class !== IN || !isWithin(question.name, zone.origin)) {
    return { ...reply, rcode: RCODE.REFUSED };
  }
  const { answers, name, found } = lookUp(question, zone);
  const known = { ...reply, authoritative: true, answers };
  if (found || !isWithin(name, zone.origin)) return known;
  const exists = zone.records.some((record) => isWithin(record.name, name));
  return {
    ...known,
    rcode: exists ? RCODE.NOERROR : RCODE.NXDOMAIN,
    authorities: zone.records.filter(({ type }) => type === TYPE.SOA),
  };
}

function replyTo(query: DnsMessage): DnsMessage {
  const { id, opcode, recursionDesired, questions } = query;
  const opt = { name: "", type: TYPE.OPT, class: MAX_UDP, ttl: 0 };
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
    additionals: optOf(query) ? [{ ...opt, data: new Uint8Array() }] : [],
  };
}

function lookUp({ name, type }: Question, zone: Zone) {
  const aliases: ResourceRecord[] = [];
  for (;;) {
    const here = zone.records.filter((record) => sameName(record.name, name));
    const wanted = type === TYPE.ANY ? here[0]?.type : type;
    const records = here.filter((record) => record.type === wanted);
    const alias = here.find((record) => record.type === TYPE.CNAME);
    const found = records.length > 0;
    if (found || alias === undefined || aliases.includes(alias)) {
      return { answers: [...aliases, ...records], name, found };
    }
    aliases.push(alias);
    name = new PacketReader(alias.data).name();
  }
}

function sameName(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

function isWithin(name: string, origin: string): boolean {
  return origin === "" || sameName(name, origin) ||
    name.toLowerCase().endsWith(`.${origin.toLowerCase()}`);
}

function optOf({ additionals }: DnsMessage): ResourceRecord | undefined {
  return additionals.find(({ type }) => type === TYPE.OPT);
}

// -- 3. The server, and UDP --

type Respond = (
  packet: Uint8Array,
  transport: "udp" | "tcp",
) => Promise<Uint8Array | undefined>;

export async function serve(
  listener: Deno.TcpListener,
  socket: Deno.DatagramConn,
  zone: Zone,
  options: ServeOptions = {},
): Promise<void> {
  const { upstream, timeoutMs = 2_000, idleMs = 10_000 } = options;
  const respond: Respond = async (packet, transport) => {
    const query = queryIn(packet);
    if (query === undefined) return;
    const maxSize = transport === "udp" ? udpLimit(query) : MAX_MESSAGE;
    let reply = answer(query, zone);
    const refused = reply.rcode === RCODE.REFUSED;
    if (upstream && refused && query.recursionDesired) {
      const theirs = await forward(packet, upstream, timeoutMs);
      if (theirs !== undefined) return theirs;
      reply = { ...reply, rcode: RCODE.SERVFAIL };
    }
    const recursionAvailable = upstream !== undefined;
    return encodeMessage({ ...reply, recursionAvailable }, { maxSize });
  };
  await Promise.all([
    serveUdp(socket, respond),
    serveTcp(listener, respond, idleMs),
  ]);
}

function queryIn(packet: Uint8Array): DnsMessage | undefined {
  if (packet.length < HEADER) return;
  const query = readable(packet) ?? headOf(packet);
  return query.response ? undefined : query;
}

function readable(packet: Uint8Array): DnsMessage | undefined {
  try {
    return decodeMessage(packet);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
  }
}

function headOf(packet: Uint8Array): DnsMessage {
  return decodeMessage(packet.slice(0, HEADER).fill(0, 4));
}

function udpLimit(query: DnsMessage): number {
  const takes = optOf(query)?.class ?? PLAIN_UDP;
  return Math.min(Math.max(takes, PLAIN_UDP), MAX_UDP);
}

async function serveUdp(
  socket: Deno.DatagramConn,
  respond: Respond,
): Promise<void> {
  const pending = new Set<Promise<void>>();
  for await (const [packet, from] of socket) {
    const work = answerOne(socket, respond, packet, from)
      .finally(() => pending.delete(work));
    pending.add(work);
  }
  await Promise.all(pending);
}

async function answerOne(
  socket: Deno.DatagramConn,
  respond: Respond,
  packet: Uint8Array,
  from: Deno.Addr,
): Promise<void> {
  try {
    const reply = await respond(packet, "udp");
    if (reply !== undefined) await socket.send(reply, from);
  } catch (error) {
    if (!isGone(error)) console.error("No answer:", error);
  }
}

// -- 4. TCP: each message behind its length, two bytes --

async function serveTcp(
  listener: Deno.TcpListener,
  respond: Respond,
  idleMs: number,
): Promise<void> {
  const clients = new Set<Promise<void>>();
  for await (const conn of listener) {
    const client = talk(conn, respond, idleMs)
      .finally(() => clients.delete(client));
    clients.add(client);
  }
  await Promise.all(clients);
}

async function talk(
  conn: Deno.TcpConn,
  respond: Respond,
  idleMs: number,
): Promise<void> {
  using _closing = conn;
  try {
    for (;;) {
      const packet = await within(idleMs, conn, () => readMessage(conn));
      if (packet === undefined) return;
      const reply = await respond(packet, "tcp");
      if (reply === undefined) continue;
      await within(idleMs, conn, () => writeAll(conn, framed(reply)));
    }
  } catch (error) {
    if (!isGone(error)) console.error("A client is let go:", error);
  }
}

async function within<T>(
  ms: number,
  conn: Deno.TcpConn,
  work: () => Promise<T>,
): Promise<T> {
  const timer = setTimeout(() => conn.close(), ms);
  try {
    return await work();
  } finally {
    clearTimeout(timer);
  }
}

async function readMessage(
  conn: Deno.TcpConn,
): Promise<Uint8Array | undefined> {
  const length = await readExactly(conn, 2);
  return length && await readExactly(conn, length[0]! << 8 | length[1]!);
}

async function readExactly(
  conn: Deno.TcpConn,
  length: number,
): Promise<Uint8Array | undefined> {
  const bytes = new Uint8Array(length);
  for (let filled = 0; filled < length;) {
    const n = await conn.read(bytes.subarray(filled));
    if (n === null) return;
    filled += n;
  }
  return bytes;
}

function framed(message: Uint8Array): Uint8Array {
  const frame = new Uint8Array(2 + message.length);
  new DataView(frame.buffer).setUint16(0, message.length);
  frame.set(message, 2);
  return frame;
}

// -- 5. Asking another server --

async function forward(
  query: Uint8Array,
  upstream: Deno.NetAddr,
  timeoutMs: number,
): Promise<Uint8Array | undefined> {
  const id = crypto.getRandomValues(new Uint8Array(2));
  const socket = openSocket();
  setTimeout(() => closeQuietly(socket), timeoutMs);
  try {
    await socket.send(withId(id, query), upstream);
    for await (const [reply, from] of socket) {
      const asked = sameAddress(from as Deno.NetAddr, upstream);
      const fits = reply.length >= HEADER && sameId(reply, id);
      if (asked && fits) return withId(query, reply);
    }
  } finally {
    closeQuietly(socket);
  }
}

function withId(id: Uint8Array, message: Uint8Array): Uint8Array {
  const copy = message.slice();
  copy.set(id.subarray(0, 2));
  return copy;
}

function sameId(one: Uint8Array, other: Uint8Array): boolean {
  return one[0] === other[0] && one[1] === other[1];
}

function sameAddress(one: Deno.NetAddr, other: Deno.NetAddr): boolean {
  return one.hostname === other.hostname && one.port === other.port;
}

function openSocket(): Deno.DatagramConn {
  const hostname = "127.0.0.1";
  return Deno.listenDatagram({ transport: "udp", hostname, port: 0 });
}

function closeQuietly(socket: Deno.DatagramConn) {
  try {
    socket.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
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
