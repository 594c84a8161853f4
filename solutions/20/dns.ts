// Lesson 20, solved: DNS.
//
// A server for the names of one zone, over UDP and TCP, which asks another one
// about the rest. Every length, pointer and count in a packet is a claim that a
// stranger makes, and over UDP even the address it came from is one.

// -- What a message consists of --
//
//   message    id, flags, four counts, and as many questions, answers,
//              authorities and additionals as they say
//   question   name, type, class
//   record     name, type, class, ttl, length of the data, data
//   name       03 www 07 example 04 test 00    a length before each label
//              03 www c0 10                    "goes on at byte 0x10"
//
// Numbers have 16 bits, the ttl 32; the highest byte comes first.

/** What cannot be read as a DNS message, or written as one. */
export class FormatError extends Error {
  override name = "FormatError";
}

/** Types of records, and what a question may ask for. */
export const TYPE = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  /** Not about a name: it says more about the message, and its name is "". */
  OPT: 41,
  /** Only asked for: whatever there is. */
  ANY: 255,
} as const;

/** How an answer went. */
export const RCODE = {
  NOERROR: 0,
  /** The query cannot be understood. */
  FORMERR: 1,
  /** The server could not find out. */
  SERVFAIL: 2,
  /** There is no such name, whatever the type. */
  NXDOMAIN: 3,
  /** The server does not do such things. */
  NOTIMP: 4,
  /** The server does not do this for you. */
  REFUSED: 5,
} as const;

/** The class of all that is on the internet. */
const IN = 1;

/** What is asked. */
export interface Question {
  /**
   * Labels with dots between, and none at the end; the root is "". A label has
   * 1 to 63 bytes, a name at most 255, with length bytes and the final zero.
   */
  name: string;
  /** One of {@linkcode TYPE}, or another. */
  type: number;
  /** 1 for the internet. In an OPT record: how many bytes its sender takes. */
  class: number;
}

/** What is known about a name. */
export interface ResourceRecord extends Question {
  /** How long it may be remembered, in seconds. */
  ttl: number;
  /**
   * What it says. Of a CNAME in a zone, `new PacketReader(data).name()` is the
   * target; in a packet a pointer may lead out of the data.
   */
  data: Uint8Array;
}

/** A query, or the answer to one. */
export interface DnsMessage {
  /** Chosen by whoever asks; the answer has the same. */
  id: number;
  /** QR: whether this is an answer. */
  response: boolean;
  /** What is wanted: 0 is to look something up. */
  opcode: number;
  /** AA: whether the answer comes from whoever holds the zone. */
  authoritative: boolean;
  /** TC: whether something was left out, and is to be asked for over TCP. */
  truncated: boolean;
  /** RD: whether the server shall ask others, too. */
  recursionDesired: boolean;
  /** RA: whether the server does that. */
  recursionAvailable: boolean;
  /** One of {@linkcode RCODE}, or another. */
  rcode: number;
  questions: Question[];
  answers: ResourceRecord[];
  /** Who is responsible. Where something is not there: the SOA of the zone. */
  authorities: ResourceRecord[];
  /** What may be useful, too; and OPT, from those who know it. */
  additionals: ResourceRecord[];
}

/** All that one server knows by itself. */
export interface Zone {
  /** The name that its names end in, such as "example.test". */
  origin: string;
  /** One of them, at the origin, is of type SOA. */
  records: ResourceRecord[];
}

/** Settings of a server. */
export interface ServeOptions {
  /** Who is asked about names outside the zone; without it they are refused. */
  upstream?: Deno.NetAddr;
  /**
   * How long `upstream` may take, in milliseconds, whatever strangers send.
   * Default: 2,000.
   */
  timeoutMs?: number;
  /** How long a whole query may take to come over TCP. Default: 10,000. */
  idleMs?: number;
}

/** A label has at most so many bytes. */
const MAX_LABEL = 63;

/** A name has at most so many, length bytes and the final zero included. */
const MAX_NAME = 255;

/** How many bytes the header takes. */
const HEADER = 12;

/** The longest message over TCP: its length is written in two bytes. */
const MAX_MESSAGE = 65_535;

/** What anybody can take over UDP. */
const PLAIN_UDP = 512;

/** What we send over UDP at the most: IPv6 takes it in one packet anywhere. */
const MAX_UDP = 1_232;

// -- 1. Names and messages --

/** Reads a packet from front to back. */
class PacketReader {
  readonly #packet: Uint8Array;
  #at = 0;

  constructor(packet: Uint8Array) {
    this.#packet = packet;
  }

  /** The next `length` bytes. Everything else is read through this. */
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

  /** A name: labels, each behind its length, up to a zero or to a pointer. */
  name(): string {
    const labels: string[] = [];
    let size = 1; // The final zero.
    let start = this.#at;
    let behind: number | undefined;
    for (let length; (length = this.uint8()) > 0;) {
      if (length >= 0xc0) { // The other bits say where the name goes on.
        const target = (length & 0x3f) << 8 | this.uint8();
        behind ??= this.#at;
        // Each jump leads further back, so there is a last one.
        if (target >= start) {
          throw new FormatError(
            `Cannot go on at byte ${target}: this part began at ${start}`,
          );
        }
        this.#at = start = target;
        continue;
      }
      size += 1 + length;
      // 0x40 and 0x80 would announce other kinds of labels; nobody uses any.
      if (length > MAX_LABEL || size > MAX_NAME) throw tooLong(length, size);
      labels.push(labelText(this.bytes(length)));
    }
    this.#at = behind ?? this.#at;
    return labels.join(".");
  }
}

/** Writes a packet from front to back. */
class PacketWriter {
  readonly #bytes: number[] = [];

  /** What has been written. */
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

  /** A name, in full. Pointers would be shorter; nobody has to write them. */
  name(name: string) {
    const labels = name === "" ? [] : name.split(".").map(labelBytes);
    let size = 1; // The final zero.
    for (const label of labels) {
      size += 1 + label.length;
      const fits = label.length <= MAX_LABEL && size <= MAX_NAME;
      // An empty label would be the end.
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

/**
 * Reads a message.
 *
 * @throws {FormatError} If `packet` is no message, or only a part of one.
 */
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
  const question = readQuestion(reader); // They begin alike.
  const ttl = reader.uint32();
  return { ...question, ttl, data: reader.bytes(reader.uint16()) };
}

/**
 * Writes a message. Of one that takes more than `maxSize` bytes it writes the
 * header, with TC set, the questions and the OPT record.
 *
 * @throws {FormatError} If a name in it is too long, or has an empty label.
 */
export function encodeMessage(
  message: DnsMessage,
  { maxSize = MAX_MESSAGE }: { maxSize?: number } = {},
): Uint8Array {
  const packet = write(message);
  if (packet.length <= maxSize) return packet;
  // Who asks again over TCP gets everything, and needs no part of it before.
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
    writeQuestion(writer, record); // They begin alike.
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

/**
 * Answers `query` from `zone`.
 *
 * What an alias leads to is looked up as if it had been asked, and the rcode
 * and the authorities speak of the last name. Where that is outside the zone,
 * or was there before, the answers end with the CNAME.
 */
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
  // A name is there if anything ends in it; then it is its records that are
  // not. The SOA says for how long either kind of no may be remembered.
  const exists = zone.records.some((record) => isWithin(record.name, name));
  return {
    ...known,
    rcode: exists ? RCODE.NOERROR : RCODE.NXDOMAIN,
    authorities: zone.records.filter(({ type }) => type === TYPE.SOA),
  };
}

/** An answer to `query` that says nothing yet. */
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
    // Forty may all point to one long name: written out, they are twenty times
    // as long as the query.
    questions: questions.length === 1 ? questions : [],
    answers: [],
    authorities: [],
    additionals: optOf(query) ? [{ ...opt, data: new Uint8Array() }] : [],
  };
}

/** The records that are asked for, and the aliases that lead to them. */
function lookUp({ name, type }: Question, zone: Zone) {
  const aliases: ResourceRecord[] = [];
  for (;;) {
    const here = zone.records.filter((record) => sameName(record.name, name));
    // ANY gets records of one type. All of them would be a gift to whoever asks
    // in the name of a victim: a small question, a large answer (RFC 8482).
    const wanted = type === TYPE.ANY ? here[0]?.type : type;
    const records = here.filter((record) => record.type === wanted);
    const alias = here.find((record) => record.type === TYPE.CNAME);
    const found = records.length > 0;
    // An alias that was there before closes a circle.
    if (found || alias === undefined || aliases.includes(alias)) {
      return { answers: [...aliases, ...records], name, found };
    }
    aliases.push(alias);
    name = new PacketReader(alias.data).name();
  }
}

/** Whether two names are the same; "A" and "a" are the same letter. */
function sameName(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

/** Whether `name` is `origin`, or ends in it, label by label. */
function isWithin(name: string, origin: string): boolean {
  return origin === "" || sameName(name, origin) ||
    name.toLowerCase().endsWith(`.${origin.toLowerCase()}`);
}

function optOf({ additionals }: DnsMessage): ResourceRecord | undefined {
  return additionals.find(({ type }) => type === TYPE.OPT);
}

// -- 3. The server, and UDP --

/** Makes the answer to a packet, if it gets one. */
type Respond = (
  packet: Uint8Array,
  transport: "udp" | "tcp",
) => Promise<Uint8Array | undefined>;

/**
 * Answers all queries that come to `listener` and to `socket`, which have one
 * port, until both close.
 */
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

/** The query in a packet, if it is one that gets an answer. */
function queryIn(packet: Uint8Array): DnsMessage | undefined {
  if (packet.length < HEADER) return; // No id that one could answer to.
  const query = readable(packet) ?? headOf(packet);
  // Two servers that answer answers would never end.
  return query.response ? undefined : query;
}

function readable(packet: Uint8Array): DnsMessage | undefined {
  try {
    return decodeMessage(packet);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
  }
}

/** The header alone: a query without a question, which gets FORMERR. */
function headOf(packet: Uint8Array): DnsMessage {
  return decodeMessage(packet.slice(0, HEADER).fill(0, 4));
}

/** How long an answer over UDP may be: what the asker takes, within reason. */
function udpLimit(query: DnsMessage): number {
  const takes = optOf(query)?.class ?? PLAIN_UDP;
  return Math.min(Math.max(takes, PLAIN_UDP), MAX_UDP);
}

/** Answers each datagram to its sender, until the socket closes. */
async function serveUdp(
  socket: Deno.DatagramConn,
  respond: Respond,
): Promise<void> {
  const pending = new Set<Promise<void>>();
  for await (const [packet, from] of socket) {
    // Nobody has port 0, so this sender is forged; send() would throw.
    if ((from as Deno.NetAddr).port === 0) continue;
    // Not awaited: the answer may have to come from upstream. A server for
    // everybody would count what is pending, and drop what is too much.
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
    // One asker goes without an answer. Uncaught, everybody would.
    if (!isGone(error)) console.error("No answer:", error);
  }
}

// -- 4. TCP: each message behind its length, two bytes --

/** Answers over TCP, to all clients at once, until the listener closes. */
async function serveTcp(
  listener: Deno.TcpListener,
  respond: Respond,
  idleMs: number,
): Promise<void> {
  const clients = new Set<Promise<void>>();
  for await (const conn of arrivals(listener)) {
    const client = talk(conn, respond, idleMs)
      .finally(() => clients.delete(client));
    clients.add(client);
  }
  await Promise.all(clients);
}

/** One client, query by query, until it ends or takes too long. */
async function talk(
  conn: Deno.TcpConn,
  respond: Respond,
  idleMs: number,
): Promise<void> {
  using _closing = conn; // Twice is fine: the clock closes it, too.
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

/** Does `work`, and closes `conn` if that takes more than `ms` milliseconds. */
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

/** The next message; nothing at the end, even if it comes inside one. */
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

/** `message` with its length in front, to go out in one write. */
function framed(message: Uint8Array): Uint8Array {
  const frame = new Uint8Array(2 + message.length);
  new DataView(frame.buffer).setUint16(0, message.length);
  frame.set(message, 2);
  return frame;
}

// -- 5. Asking another server --

/**
 * Asks `upstream` what `query` asks, and returns its answer under the id of
 * `query`; nothing if none has come after `timeoutMs`.
 *
 * It is passed on as it came. A server that also remembers would decode it, and
 * would ask over TCP when TC is set.
 */
async function forward(
  query: Uint8Array,
  upstream: Deno.NetAddr,
  timeoutMs: number,
): Promise<Uint8Array | undefined> {
  const id = crypto.getRandomValues(new Uint8Array(2));
  // A port and an id of its own for each question: whoever wants to answer in
  // upstream's place has to guess both (RFC 5452).
  const socket = openSocket();
  const timer = setTimeout(() => socket.close(), timeoutMs);
  try {
    await socket.send(withId(id, query), upstream);
    for await (const [reply, from] of socket) {
      const asked = sameAddress(from as Deno.NetAddr, upstream);
      const fits = reply.length >= HEADER && sameId(reply, id);
      if (asked && fits) return withId(query, reply);
    }
  } finally {
    clearTimeout(timer);
    closeQuietly(socket);
  }
}

/** `message` under the id that stands at the beginning of `id`. */
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

/** Opens a socket that reaches this machine; from 0.0.0.0 one reaches any. */
function openSocket(): Deno.DatagramConn {
  const hostname = "127.0.0.1";
  return Deno.listenDatagram({ transport: "udp", hostname, port: 0 });
}

/** Closes `socket`, unless the timer has done it. */
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

/** Whether the other side vanished, or we have closed. */
function isGone(error: unknown): boolean {
  const { BadResource, BrokenPipe, ConnectionReset, Interrupted } = Deno.errors;
  return [BadResource, BrokenPipe, ConnectionReset, Interrupted]
    .some((Class) => error instanceof Class);
}

/** The second word of a header, bit by bit. */
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

/** A label as people write it; a byte that is not plain as a number: "\046". */
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

/** Types whose data {@linkcode record} can read. */
export type DataType = "A" | "AAAA" | "CNAME" | "MX" | "NS" | "SOA" | "TXT";

/** Makes a record of `text`, as in a zone file: "10 mail.example.test". */
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
  TXT: (to, text) => { // In pieces of 255 bytes, each behind its length.
    const bytes = new TextEncoder().encode(text);
    for (let at = 0; at === 0 || at < bytes.length; at += 255) {
      const part = bytes.subarray(at, at + 255);
      to.bytes([part.length, ...part]);
    }
  },
};

/** What the program knows when it is started by hand. */
const GARDEN: Zone = {
  origin: "example.test",
  records: [
    record("example.test", "SOA", "ns.example.test me.example.test 1 1 1 1 60"),
    record("example.test", "NS", "ns.example.test"),
    record("example.test", "MX", "10 mail.example.test"),
    record("ns.example.test", "A", "127.0.0.1"),
    record("mail.example.test", "A", "192.0.2.25"),
    record("www.example.test", "A", "192.0.2.1"),
    record("www.example.test", "AAAA", "2001:db8::1"),
    record("blog.example.test", "CNAME", "www.example.test"),
    record("long.example.test", "TXT", "Water the plants. ".repeat(50)),
  ],
};

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

// Try it by hand: `deno run -P solutions/20/dns.ts`, then, elsewhere,
// `dig @127.0.0.1 -p 7020 www.example.test`. An argument names a server on this
// machine that is asked about the rest: `127.0.0.53`, or `127.0.0.1:7120`.
if (import.meta.main) {
  const here = { hostname: "127.0.0.1", port: 7020 };
  const listener = Deno.listen(here);
  const socket = Deno.listenDatagram({ transport: "udp", ...here });
  const [hostname = "", port = "53"] = (Deno.args[0] ?? "").split(":");
  const upstream = { transport: "udp", hostname, port: Number(port) } as const;
  await serve(listener, socket, GARDEN, hostname === "" ? {} : { upstream });
}
