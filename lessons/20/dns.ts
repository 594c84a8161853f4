// Lesson 20: DNS.
//
// A server for the names of one zone, over UDP and TCP, which asks another one
// about the rest. It was tried with friendly packets. There are five parts, in
// the order of the checks; each works without those that follow it.

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

// -- 1. Names and messages --

/** Reads a packet from front to back. */
class PacketReader {
  readonly #packet: Uint8Array;
  #at: number;

  constructor(packet: Uint8Array, at = 0) {
    this.#packet = packet;
    this.#at = at;
  }

  /** The next `length` bytes. Everything else is read through this. */
  bytes(length: number): Uint8Array {
    // TODO: Of a packet that was cut, the rest reads as if it had come.
    const bytes = this.#packet.subarray(this.#at, this.#at + length);
    this.#at += length;
    return bytes;
  }

  uint8(): number {
    return this.bytes(1)[0] ?? 0;
  }

  uint16(): number {
    return this.uint8() << 8 | this.uint8();
  }

  uint32(): number {
    return this.uint16() * 0x1_0000 + this.uint16();
  }

  name(): string {
    return this.labels().join(".");
  }

  /** A name: labels, each behind its length, up to a zero or to a pointer. */
  labels(): string[] {
    const labels: string[] = [];
    for (let length; (length = this.uint8()) > 0;) {
      if (length >= 0xc0) { // The other bits say where the name goes on.
        const target = (length & 0x3f) << 8 | this.uint8();
        // TODO: Whoever sent the packet chose this number.
        const rest = new PacketReader(this.#packet, target).labels();
        return [...labels, ...rest];
      }
      // TODO: And this one.
      labels.push(labelText(this.bytes(length)));
    }
    return labels;
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
    for (const label of labels) {
      // TODO: Written like this, 192 letters turn into a pointer.
      this.bytes([label.length, ...label]);
    }
    this.bytes([0]);
  }
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
  const [questions] = counts;
  return {
    id,
    ...flagsOf(flags),
    questions: Array.from({ length: questions! }, () => readQuestion(reader)),
    // TODO: dig says that there is one additional record. We say none.
    answers: [],
    authorities: [],
    additionals: [],
  };
}

function readQuestion(reader: PacketReader): Question {
  return {
    name: reader.name(),
    type: reader.uint16(),
    class: reader.uint16(),
  };
}

/**
 * Writes a message. Of one that takes more than `maxSize` bytes it leaves out
 * records, whole ones, and sets TC; the questions and OPT stay.
 *
 * @throws {FormatError} If a name in it is too long, or has an empty label.
 */
export function encodeMessage(
  message: DnsMessage,
  _options: { maxSize?: number } = {},
): Uint8Array {
  // TODO: Somebody had room for 512 bytes, and got 2,000.
  return write(message);
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
  // TODO: There may be none, or two. Or it is no question, and wants something
  // to be changed.
  const question = query.questions[0]!;
  if (!isWithin(question.name, zone.origin)) {
    return { ...reply, rcode: RCODE.REFUSED };
  }
  // TODO: No such name, no such record, an alias: all three look alike.
  const answers = zone.records.filter(({ name, type }) =>
    name === question.name && type === question.type
  );
  return { ...reply, authoritative: true, answers };
}

/** An answer to `query` that says nothing yet. */
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
    // Forty may all point to one long name: written out, they are twenty times
    // as long as the query.
    questions: questions.length === 1 ? questions : [],
    answers: [],
    authorities: [],
    // TODO: Who sends OPT expects it: name "", class 1232, ttl 0, no data.
    additionals: [],
  };
}

/** Whether `name` is `origin`, or ends in it. */
function isWithin(name: string, origin: string): boolean {
  // TODO: What about WWW.Example.TEST? And about notexample.test?
  return name.endsWith(origin);
}

// -- 3. The server, and UDP --

/** Makes the answer to a packet. */
type Respond = (packet: Uint8Array) => Promise<Uint8Array>;

/**
 * Answers all queries that come to `listener` and to `socket`, which have one
 * port, until both close.
 */
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

/** Answers each datagram to its sender, until the socket closes. */
async function serveUdp(
  socket: Deno.DatagramConn,
  respond: Respond,
): Promise<void> {
  for await (const [packet, from] of socket) {
    // TODO: One sender of nonsense, or from an address that cannot be, and
    // nobody gets an answer any more.
    // TODO: An answer goes out however long it is, to whoever `from` is said
    // to be; and if the packet was an answer itself, it is answered, too.
    await socket.send(await respond(packet), from);
  }
}

// -- 4. TCP: each message behind its length, two bytes --

/** Answers over TCP, to all clients at once, until the listener closes. */
async function serveTcp(
  listener: Deno.TcpListener,
  respond: Respond,
): Promise<void> {
  const clients = new Set<Promise<void>>();
  for await (const conn of arrivals(listener)) {
    const client = talk(conn, respond).finally(() => clients.delete(client));
    clients.add(client);
  }
  await Promise.all(clients);
}

/** One client, query by query, until it ends. */
async function talk(conn: Deno.TcpConn, respond: Respond): Promise<void> {
  using _closing = conn;
  const buffer = new Uint8Array(4_096);
  try {
    // TODO: Whoever connects may say nothing for a year.
    for (let n; (n = await conn.read(buffer)) !== null;) {
      // TODO: Is what came one message?
      const reply = await respond(buffer.subarray(2, n));
      await writeAll(conn, reply);
    }
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

// -- 5. Asking another server --

/** Asks `upstream` what `query` asks, and returns its answer. */
async function forward(
  query: Uint8Array,
  upstream: Deno.NetAddr,
): Promise<Uint8Array> {
  const socket = openSocket();
  await socket.send(query, upstream);
  // TODO: Who says that this comes from upstream, and under the id that was
  // sent? Who says that anything comes? And who waits meanwhile?
  const [reply] = await socket.receive();
  socket.close();
  return reply;
}

/** Opens a socket that reaches this machine; from 0.0.0.0 one reaches any. */
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

// Try it by hand: `deno run -P lessons/20/dns.ts`, then, elsewhere,
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
