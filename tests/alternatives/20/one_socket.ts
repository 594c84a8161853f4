// style: functions and streams; one socket for all that upstream is asked

export class FormatError extends Error {}

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

export interface Question {
  name: string;
  type: number;
  class: number;
}

export interface ResourceRecord extends Question {
  ttl: number;
  data: Uint8Array;
}

interface Flags {
  response: boolean;
  opcode: number;
  authoritative: boolean;
  truncated: boolean;
  recursionDesired: boolean;
  recursionAvailable: boolean;
  rcode: number;
}

export interface DnsMessage extends Flags {
  id: number;
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

// -- Messages: offsets go in, and come out behind what was read --

function check(fits: boolean, what: string): asserts fits {
  if (!fits) throw new FormatError(`Cannot have ${what}`);
}

/** The labels of the name at `at`, and where it ends. */
function labelsAt(
  packet: Uint8Array,
  at: number,
  room = 254,
): [string[], number] {
  const labels: string[] = [];
  for (const start = at;;) {
    const length = packet[at];
    check(length !== undefined, "a name without an end");
    if (length === 0) return [labels, at + 1];
    if (length >= 192) {
      check(at + 1 < packet.length, "half a pointer");
      const target = (length - 192) * 256 + packet[at + 1]!;
      check(target < start, "a pointer ahead");
      // Not deeper than names are long: a label, or nothing, for each step.
      check(room > 0, "a name of so many parts");
      return [[...labels, ...labelsAt(packet, target, room - 1)[0]], at + 2];
    }
    check(length < 64, "such a label");
    check(at + length < packet.length, "half a label");
    const label = packet.subarray(at + 1, at + 1 + length);
    labels.push(String.fromCharCode(...label).replace(/[^\w*-]/g, escaped));
    at += 1 + length;
  }
}

function escaped(letter: string): string {
  return "\\" + String(letter.charCodeAt(0)).padStart(3, "0");
}

function sizeOf(labels: string[]): number {
  const plain = labels.map((label) => label.replace(/\\\d{3}/g, "x").length);
  return plain.reduce((sum, length) => sum + length + 1, 1);
}

function view(packet: Uint8Array): DataView {
  return new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
}

export function decodeMessage(packet: Uint8Array): DnsMessage {
  check(packet.length >= 12, "a message without a header");
  const fields = view(packet);
  let at = 12;
  const question = (): Question => {
    const [labels, end] = labelsAt(packet, at);
    check(sizeOf(labels) <= 255, "such a long name");
    check(end + 4 <= packet.length, "half a question");
    at = end + 4;
    return {
      name: labels.join("."),
      type: fields.getUint16(end),
      class: fields.getUint16(end + 2),
    };
  };
  const resource = (): ResourceRecord => {
    const owner = question();
    check(at + 6 <= packet.length, "half a record");
    const [ttl, length] = [fields.getUint32(at), fields.getUint16(at + 4)];
    at += 6 + length;
    check(at <= packet.length, "a record without its data");
    return { ...owner, ttl, data: packet.slice(at - length, at) };
  };
  const many = <T>(index: number, read: () => T): T[] => {
    const all: T[] = [];
    for (let n = fields.getUint16(index); n > 0; n--) all.push(read());
    return all;
  };
  return {
    id: fields.getUint16(0),
    ...unpacked(fields.getUint16(2)),
    questions: many(4, question),
    answers: many(6, resource),
    authorities: many(8, resource),
    additionals: many(10, resource),
  };
}

function unpacked(word: number): Flags {
  const bit = (n: number) => (word >> n & 1) === 1;
  return {
    response: bit(15),
    opcode: word >> 11 & 15,
    authoritative: bit(10),
    truncated: bit(9),
    recursionDesired: bit(8),
    recursionAvailable: bit(7),
    rcode: word & 15,
  };
}

function packed(flags: Flags): number {
  const bits: [boolean, number][] = [
    [flags.response, 15],
    [flags.authoritative, 10],
    [flags.truncated, 9],
    [flags.recursionDesired, 8],
    [flags.recursionAvailable, 7],
  ];
  return bits.reduce(
    (word, [on, n]) => word | Number(on) << n,
    flags.opcode << 11 | flags.rcode,
  );
}

/** Writes as many records as fit, and names with pointers. */
export function encodeMessage(
  message: DnsMessage,
  { maxSize = 65_535 }: { maxSize?: number } = {},
): Uint8Array {
  const out: number[] = new Array(12).fill(0);
  const known = new Map<string, number>();
  const word = (value: number) => out.push(value >> 8 & 255, value & 255);
  const name = (labels: string[]) => {
    for (let i = 0; i < labels.length; i++) {
      const rest = labels.slice(i).join(".");
      const before = known.get(rest);
      if (before !== undefined) return word(0xc000 | before);
      if (out.length < 0x4000) known.set(rest, out.length);
      out.push(...labelBytes(labels[i]!));
    }
    out.push(0);
  };
  const question = (one: Question) => {
    const labels = one.name === "" ? [] : one.name.split(".");
    check(sizeOf(labels) <= 255, "such a long name");
    name(labels);
    word(one.type);
    word(one.class);
  };
  message.questions.forEach(question);
  const counts = [message.questions.length, 0, 0, 0];
  let { truncated } = message;
  const isOpt = (record: ResourceRecord) => record.type === TYPE.OPT;
  // OPT has its place kept: it is what makes the others fit.
  const reserved = message.additionals.some(isOpt) ? 11 : 0;
  const sections = [
    message.answers,
    message.authorities,
    message.additionals.toSorted((a, b) => Number(isOpt(b)) - Number(isOpt(a))),
  ];
  sections.forEach((records, i) => {
    for (const record of records) {
      const before = out.length;
      question(record);
      word(record.ttl >>> 16);
      word(record.ttl & 0xffff);
      word(record.data.length);
      for (const byte of record.data) out.push(byte);
      const room = maxSize - (isOpt(record) ? 0 : reserved);
      if (out.length > room || truncated !== message.truncated) {
        out.length = before;
        for (const [key, at] of known) if (at >= before) known.delete(key);
        truncated = true;
        if (!isOpt(record)) continue;
        question(record);
        out.push(0, 0, 0, 0, 0, 0);
      }
      counts[i + 1]!++;
    }
  });
  const packet = Uint8Array.from(out);
  const fields = view(packet);
  fields.setUint16(0, message.id);
  fields.setUint16(2, packed({ ...message, truncated }));
  counts.forEach((count, i) => fields.setUint16(4 + 2 * i, count));
  return packet;
}

function labelBytes(label: string): number[] {
  const bytes = Array.from(
    label.matchAll(/\\(\d{3})|[^]/g),
    ([letter, code]) => code === undefined ? letter.charCodeAt(0) : +code,
  );
  check(bytes.length > 0 && bytes.length < 64, "such a label");
  return [bytes.length, ...bytes];
}

export function record(
  name: string,
  type: "A" | "AAAA" | "CNAME" | "MX" | "NS" | "SOA" | "TXT",
  text: string,
  ttl = 300,
): ResourceRecord {
  const data = Uint8Array.from(dataOf(type, text));
  return { name, type: TYPE[type], class: 1, ttl, data };
}

function dataOf(type: string, text: string): number[] {
  const words = text.split(" ");
  const whole = (name: string) => [...name.split(".").flatMap(labelBytes), 0];
  switch (type) {
    case "A":
      return text.split(".").map(Number);
    case "AAAA": {
      const groups = text.split(":").map((group) => parseInt(group || "0", 16));
      const gap = text.split(":").indexOf("");
      if (gap >= 0) {
        groups.splice(gap, 1, ...new Array(9 - groups.length).fill(0));
      }
      return groups.flatMap((group) => [group >> 8, group & 255]);
    }
    case "MX":
      return [0, Number(words[0]), ...whole(words[1]!)];
    case "SOA":
      return [
        ...whole(words[0]!),
        ...whole(words[1]!),
        ...words.slice(2).flatMap((n) => [0, 0, +n >> 8, +n & 255]),
      ];
    case "TXT": {
      const parts = text.match(/[^]{1,255}/g) ?? [""];
      return parts.flatMap((part) => [
        part.length,
        ...Array.from(part, (letter) => letter.charCodeAt(0)),
      ]);
    }
  }
  return whole(text);
}

// -- The zone --

const lower = (name: string) => name.toLowerCase();

function within(name: string, origin: string): boolean {
  return `.${lower(name)}`.endsWith(`.${lower(origin)}`);
}

export function answer(query: DnsMessage, zone: Zone): DnsMessage {
  const opt = query.additionals.find(({ type }) => type === TYPE.OPT);
  const reply: DnsMessage = {
    ...query,
    response: true,
    authoritative: false,
    truncated: false,
    recursionAvailable: false,
    rcode: 0,
    answers: [],
    authorities: [],
    additionals: opt ? [{ ...opt, class: 1_232, ttl: 0, data: NOTHING }] : [],
  };
  const [question] = query.questions;
  if (query.opcode > 0) reply.rcode = RCODE.NOTIMP;
  else if (question === undefined || query.questions.length > 1) {
    reply.rcode = RCODE.FORMERR;
    reply.questions = [];
  } else if (!within(question.name, zone.origin) || question.class !== 1) {
    reply.rcode = RCODE.REFUSED;
  } else look(question, zone, reply);
  return reply;
}

const NOTHING = new Uint8Array();

/** Of ANY it says that it does not answer it (RFC 8482, section 4.2). */
const HINFO = Uint8Array.of(7, ...new TextEncoder().encode("RFC8482"), 0);

function look({ name, type }: Question, zone: Zone, reply: DnsMessage) {
  reply.authoritative = true;
  const seen = new Set<string>();
  for (; within(name, zone.origin) && !seen.has(lower(name));) {
    seen.add(lower(name));
    const here = zone.records.filter((one) => lower(one.name) === lower(name));
    if (type === TYPE.ANY && here.length > 0) {
      const hinfo = { type: 13, class: 1, ttl: 3_600, data: HINFO };
      return reply.answers.push({ name, ...hinfo });
    }
    const found = here.filter((one) => one.type === type);
    if (found.length > 0) return reply.answers.push(...found.reverse());
    const alias = here.find((one) => one.type === TYPE.CNAME);
    if (alias === undefined) {
      const below = zone.records.some((one) => within(one.name, name));
      if (!below) reply.rcode = RCODE.NXDOMAIN;
      const soa = zone.records.find((one) => one.type === TYPE.SOA)!;
      return reply.authorities.push(soa);
    }
    reply.answers.push(alias);
    name = labelsAt(alias.data, 0)[0].join(".");
  }
}

// -- The server --

type Ask = (packet: Uint8Array) => Promise<Uint8Array | undefined>;

export async function serve(
  listener: Deno.TcpListener,
  socket: Deno.DatagramConn,
  zone: Zone,
  { upstream, timeoutMs = 2_000, idleMs = 10_000 }: ServeOptions = {},
): Promise<void> {
  const others = upstream && askingAt(upstream, timeoutMs);
  const respond = async (packet: Uint8Array, limit?: number) => {
    let query;
    try {
      query = decodeMessage(packet);
    } catch (error) {
      if (error instanceof FormatError) return; // Not a word to such.
      throw error;
    }
    if (query.response) return;
    const reply = answer(query, zone);
    reply.recursionAvailable = others !== undefined;
    if (others && reply.rcode === RCODE.REFUSED) {
      const theirs = await others.ask(packet);
      if (theirs) return theirs;
      reply.rcode = RCODE.SERVFAIL;
    }
    const opt = query.additionals.find(({ type }) => type === TYPE.OPT);
    const udp = Math.min(1_232, Math.max(512, opt?.class ?? 0));
    return encodeMessage(reply, { maxSize: limit ?? udp });
  };
  await Promise.all([
    datagrams(socket, respond),
    streams(listener, (packet) => respond(packet, 65_535), idleMs),
  ]);
  others?.close();
}

async function datagrams(socket: Deno.DatagramConn, respond: Ask) {
  const going: Promise<unknown>[] = [];
  for await (const [packet, from] of socket) {
    const send = (reply?: Uint8Array) => reply && socket.send(reply, from);
    going.push(respond(packet).then(send).catch(() => {}));
  }
  await Promise.all(going);
}

async function streams(
  listener: Deno.TcpListener,
  respond: Ask,
  idleMs: number,
) {
  const going: Promise<unknown>[] = [];
  for await (const conn of listener) {
    going.push(conversation(conn, respond, idleMs).catch(() => {}));
  }
  await Promise.all(going);
}

/** Answers go out as they are ready, in any order (RFC 7766, section 6.2.1). */
async function conversation(
  conn: Deno.TcpConn,
  respond: Ask,
  idleMs: number,
) {
  const reader = conn.readable.getReader();
  const writer = conn.writable.getWriter();
  const going: Promise<unknown>[] = [];
  let buffer = new Uint8Array();
  let timer = setTimeout(() => conn.close(), idleMs);
  // The end of `readable` would close everything, so it is left unread: the
  // last read gives it, and then the answers are still to be written.
  try {
    for (;;) {
      const length = buffer.length < 2 ? 0 : view(buffer).getUint16(0);
      if (buffer.length >= 2 && buffer.length >= 2 + length) {
        const packet = buffer.slice(2, 2 + length);
        buffer = buffer.slice(2 + length);
        clearTimeout(timer);
        const work = respond(packet).then(async (reply) => {
          if (reply === undefined) return;
          const { length } = reply;
          await writer.write(
            Uint8Array.of(length >> 8, length & 255, ...reply),
          );
        });
        going.push(work);
        // With the end comes the close; so what can be answered is, before.
        await work;
        timer = setTimeout(() => conn.close(), idleMs);
        continue;
      }
      const { value, done } = await reader.read();
      if (done) break;
      const joined = new Uint8Array(buffer.length + value.length);
      joined.set(buffer);
      joined.set(value, buffer.length);
      buffer = joined;
    }
  } finally {
    clearTimeout(timer);
    await Promise.allSettled(going);
    conn[Symbol.dispose]();
  }
}

/** Asks `upstream` through one socket; ids tell the answers apart. */
function askingAt(upstream: Deno.NetAddr, timeoutMs: number) {
  const socket = Deno.listenDatagram({
    transport: "udp",
    hostname: "127.0.0.1",
    port: 0,
  });
  const waiting = new Map<number, (reply?: Uint8Array) => void>();
  (async () => {
    for await (const [reply, addr] of socket) {
      const from = addr as Deno.NetAddr;
      const theirs = from.hostname === upstream.hostname &&
        from.port === upstream.port && reply.length >= 12;
      if (theirs) waiting.get(view(reply).getUint16(0))?.(reply);
    }
  })();
  const freeId = (): number => {
    const [id] = crypto.getRandomValues(new Uint16Array(1));
    return waiting.has(id!) ? freeId() : id!;
  };
  return {
    close: () => socket.close(),
    async ask(packet: Uint8Array): Promise<Uint8Array | undefined> {
      const id = freeId();
      const { promise, resolve } = Promise.withResolvers<
        Uint8Array | undefined
      >();
      waiting.set(id, resolve);
      const timer = setTimeout(resolve, timeoutMs, undefined);
      const question = packet.slice();
      view(question).setUint16(0, id);
      await socket.send(question, upstream);
      const reply = await promise;
      clearTimeout(timer);
      waiting.delete(id);
      return reply && Uint8Array.of(packet[0]!, packet[1]!, ...reply.slice(2));
    },
  };
}
