// style: node:events and Buffer; names that point back, answers side by side in
// the order in which they are ready, and questions of a class of their own
import { Buffer } from "node:buffer";
import { EventEmitter, once } from "node:events";

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

class PacketWriter {
  #parts: Buffer[] = [];
  #names = new Map<string, number>();
  #at = 0;
  get packet(): Uint8Array {
    return Buffer.concat(this.#parts);
  }
  bytes(b: Iterable<number>) {
    const x = Buffer.from([...b]);
    this.#parts.push(x);
    this.#at += x.length;
  }
  uint16(v: number) {
    this.bytes([v >> 8 & 255, v & 255]);
  }
  uint32(v: number) {
    const b = Buffer.alloc(4);
    b.writeUInt32BE(v >>> 0);
    this.bytes(b);
  }
  name(name: string, compress = false) {
    const labels = name === "" ? [] : name.split(".");
    let total = 1;
    for (const l of labels) {
      const n = labelBytes(l).length;
      if (n < 1 || n > 63) throw new FormatError(`label of ${n}`);
      total += n + 1;
    }
    if (total > 255) throw new FormatError("name of " + total);
    for (let i = 0; i < labels.length; i++) {
      const rest = labels.slice(i).join(".");
      const known = this.#names.get(rest);
      if (compress && known !== undefined) return this.uint16(0xc000 | known);
      if (compress && this.#at < 0x4000) this.#names.set(rest, this.#at);
      const l = labelBytes(labels[i]!);
      this.bytes([l.length, ...l]);
    }
    this.bytes([0]);
  }
}

function* fields(b: Buffer): Generator<number | Buffer, void, number> {
  let at = 0;
  let want = yield 0;
  for (;;) {
    if (at + want > b.length) throw new FormatError("breaks off");
    const got = b.subarray(at, at += want);
    want = yield got;
  }
}

class Asked {
  name = "";
  type = 0;
  class = 1;
}

class Cursor {
  #it;
  at = 0;
  constructor(readonly b: Buffer) {
    this.#it = fields(b);
    this.#it.next();
    this.#it.next(0);
  }
  take(n: number): Buffer {
    this.at += n;
    return this.#it.next(n).value as Buffer;
  }
  u8() {
    return this.take(1).readUInt8();
  }
  u16() {
    return this.take(2).readUInt16BE();
  }
  u32() {
    return this.take(4).readUInt32BE();
  }
  name(): string {
    const out: string[] = [];
    let bound = this.at, total = 1;
    let peek: number | undefined;
    const u8 = () => {
      if (peek === undefined) return this.u8();
      const v = this.b[peek++];
      if (v === undefined) throw new FormatError("past the end");
      return v;
    };
    for (;;) {
      const n = u8();
      if (n === 0) return out.join(".");
      switch (n & 0xc0) {
        case 0xc0: {
          const t = (n & 0x3f) << 8 | u8();
          if (t >= bound) throw new FormatError("forward");
          bound = peek = t;
          break;
        }
        case 0:
          total += n + 1;
          if (total > 255) throw new FormatError("255");
          out.push(labelText(Uint8Array.from({ length: n }, u8)));
          break;
        default:
          throw new FormatError("bits");
      }
    }
  }
  question(): Question {
    return Object.assign(new Asked(), {
      name: this.name(),
      type: this.u16(),
      class: this.u16(),
    });
  }
  record() {
    return { ...this.question(), ttl: this.u32(), data: this.take(this.u16()) };
  }
}

export function decodeMessage(packet: Uint8Array): DnsMessage {
  const c = new Cursor(Buffer.from(packet));
  const id = c.u16();
  const flags = flagsOf(c.u16());
  const n = [c.u16(), c.u16(), c.u16(), c.u16()] as const;
  const list = <T>(k: number, f: () => T) => {
    const a: T[] = [];
    while (k-- > 0) a.push(f());
    return a;
  };
  const questions = list(n[0], () => c.question());
  const answers = list(n[1], () => c.record());
  const authorities = list(n[2], () => c.record());
  const additionals = list(n[3], () => c.record());
  return { id, ...flags, questions, answers, authorities, additionals };
}

export function encodeMessage(
  message: DnsMessage,
  { maxSize = Infinity }: { maxSize?: number } = {},
): Uint8Array {
  const m = structuredClone(message);
  for (;;) {
    const w = new PacketWriter();
    w.uint16(m.id);
    w.uint16(flagWord(m));
    for (const s of [m.questions, m.answers, m.authorities, m.additionals]) {
      w.uint16(s.length);
    }
    const q = (x: Question) => {
      w.name(x.name, true);
      w.uint16(x.type);
      w.uint16(x.class);
    };
    m.questions.forEach(q);
    for (const r of [...m.answers, ...m.authorities, ...m.additionals]) {
      q(r);
      w.uint32(r.ttl);
      w.uint16(r.data.length);
      w.bytes(r.data);
    }
    if (w.packet.length <= maxSize) return w.packet;
    m.truncated = true;
    const i = m.additionals.findLastIndex((r) => r.type !== TYPE.OPT);
    if (i >= 0) m.additionals.splice(i, 1);
    else if (m.authorities.length) m.authorities.pop();
    else if (m.answers.length) m.answers.pop();
    else return w.packet;
  }
}
const nameOf = (d: Uint8Array) => new Cursor(Buffer.from(d)).name();

const low = (s: string) => s.toLowerCase();

export function answer(query: DnsMessage, zone: Zone): DnsMessage {
  const reply: DnsMessage = {
    ...query,
    response: true,
    authoritative: false,
    truncated: false,
    recursionAvailable: false,
    rcode: 0,
    answers: [],
    authorities: [],
    additionals: query.additionals.some((r) => r.type === TYPE.OPT)
      ? [{
        name: "",
        type: TYPE.OPT,
        class: 1232,
        ttl: 0,
        data: new Uint8Array(),
      }]
      : [],
  };
  if (query.opcode !== 0) return { ...reply, rcode: RCODE.NOTIMP };
  if (query.questions.length !== 1) {
    return { ...reply, questions: [], rcode: RCODE.FORMERR };
  }
  const q = query.questions[0]!;
  const origin = low(zone.origin);
  const inside = (n: string) =>
    low(n) === origin || low(n).endsWith("." + origin);
  if (!inside(q.name)) return { ...reply, rcode: RCODE.REFUSED };
  reply.authoritative = true;
  const soa = zone.records.filter((r) => r.type === TYPE.SOA);
  const seen = new Set<string>();
  let name = low(q.name);
  for (;;) {
    seen.add(name);
    const here = zone.records.filter((r) => low(r.name) === name);
    const there = here.length > 0 ||
      zone.records.some((r) => low(r.name).endsWith("." + name));
    if (!there) return { ...reply, rcode: RCODE.NXDOMAIN, authorities: soa };
    const type = q.type === TYPE.ANY ? here[0]?.type : q.type;
    const hit = here.filter((r) => r.type === type);
    if (hit.length) {
      reply.answers.push(...hit);
      return reply;
    }
    const alias = here.find((r) => r.type === TYPE.CNAME);
    if (!alias) return { ...reply, authorities: soa };
    reply.answers.push(alias);
    name = low(nameOf(alias.data));
    if (!inside(name) || seen.has(name)) return reply;
  }
}

interface Up {
  ask(packet: Uint8Array): Promise<Uint8Array | null>;
  close(): void;
}

class Shared implements Up {
  #sock = openSocket();
  #wait = new Map<number, (p: Uint8Array) => void>();
  constructor(readonly to: Deno.NetAddr, readonly ms: number) {
    void this.#pump();
  }
  async #pump() {
    try {
      for (;;) {
        const [p, from] = await this.#sock.receive();
        const a = from as Deno.NetAddr;
        if (
          a.hostname !== this.to.hostname || a.port !== this.to.port ||
          p.length < 12
        ) continue;
        const b = Buffer.from(p);
        this.#wait.get(b.readUInt16BE(0))?.(b);
      }
    } catch { /* closed */ }
  }
  async ask(packet: Uint8Array) {
    let id: number;
    do id = crypto.getRandomValues(new Uint16Array(1))[0]!; while (
      this.#wait.has(id)
    );
    const out = Buffer.from(packet);
    out.writeUInt16BE(id, 0);
    let timer: ReturnType<typeof setTimeout> | undefined;
    try {
      return await new Promise<Uint8Array | null>((resolve) => {
        timer = setTimeout(() => resolve(null), this.ms);
        this.#wait.set(id, (p) => {
          const r = Buffer.from(p);
          r.set(packet.subarray(0, 2));
          resolve(r);
        });
        this.#sock.send(out, this.to).catch(() => resolve(null));
      });
    } finally {
      clearTimeout(timer);
      this.#wait.delete(id);
    }
  }
  close() {
    this.#sock.close();
  }
}

export async function serve(
  listener: Deno.TcpListener,
  socket: Deno.DatagramConn,
  zone: Zone,
  { upstream, timeoutMs = 2_000, idleMs = 10_000 }: ServeOptions = {},
): Promise<void> {
  const up = upstream && new Shared(upstream, timeoutMs);
  const respond = async (
    packet: Uint8Array,
    udp: boolean,
  ): Promise<Uint8Array | undefined> => {
    let q: DnsMessage;
    try {
      q = decodeMessage(packet);
    } catch (e) {
      if (e instanceof FormatError) return;
      throw e;
    }
    if (q.response) return;
    const opt = q.additionals.find((r) => r.type === TYPE.OPT);
    const maxSize = udp
      ? Math.min(1232, Math.max(512, opt?.class ?? 512))
      : 65535;
    const r = answer(q, zone);
    r.recursionAvailable = up !== undefined;
    if (up && r.rcode === RCODE.REFUSED) {
      const got = await up.ask(packet);
      if (got) return got;
      r.rcode = RCODE.SERVFAIL;
    }
    return encodeMessage(r, { maxSize });
  };
  const udp = async () => {
    for await (const [p, from] of socket) {
      respond(p, true).then((r) => r && socket.send(r, from)).catch(() => {});
    }
  };
  const tcp = async () => {
    const all = new Set<Promise<void>>();
    for await (const conn of arrivals(listener)) {
      const p = new Client(conn, respond, idleMs).run().finally(() =>
        all.delete(p)
      );
      all.add(p);
    }
    await Promise.all(all);
  };
  await Promise.all([udp(), tcp()]);
  up?.close();
}

class Client extends EventEmitter<{ frame: [Buffer]; idle: [] }> {
  #rest = Buffer.alloc(0);
  #out: Promise<void> = Promise.resolve();
  #open = 0;
  #timer?: ReturnType<typeof setTimeout>;
  constructor(
    readonly conn: Deno.TcpConn,
    readonly respond: (
      p: Uint8Array,
      udp: boolean,
    ) => Promise<Uint8Array | undefined>,
    readonly idleMs: number,
  ) {
    super();
    this.on("frame", (f) => void this.#answer(f));
  }
  #arm() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#close(), this.idleMs);
  }
  #closed = false;
  #close() {
    clearTimeout(this.#timer);
    if (!this.#closed) {
      this.#closed = true;
      this.conn.close();
    }
  }
  async #answer(f: Buffer) {
    this.#open++;
    clearTimeout(this.#timer);
    try {
      const r = await this.respond(f, false);
      if (r) {
        const head = Buffer.alloc(2);
        head.writeUInt16BE(r.length);
        this.#out = this.#out.then(() =>
          writeAll(this.conn, Buffer.concat([head, r]))
        );
        await this.#out;
      }
    } catch {
      this.#close();
    }
    if (--this.#open === 0 && !this.#closed) {
      this.#arm();
      this.emit("idle");
    }
  }
  async run() {
    const buf = Buffer.alloc(4096);
    this.#arm();
    try {
      for (let n; (n = await this.conn.read(buf)) !== null;) {
        this.#rest = Buffer.concat([this.#rest, buf.subarray(0, n)]);
        while (
          this.#rest.length >= 2 &&
          this.#rest.length >= 2 + this.#rest.readUInt16BE(0)
        ) {
          const end = 2 + this.#rest.readUInt16BE(0);
          const f = this.#rest.subarray(2, end);
          this.#rest = this.#rest.subarray(end);
          this.emit("frame", f);
        }
      }
      if (this.#open > 0) await once(this, "idle");
    } catch { /* gone */ }
    this.#close();
  }
}

function openSocket(): Deno.DatagramConn {
  const hostname = "127.0.0.1";
  return Deno.listenDatagram({ transport: "udp", hostname, port: 0 });
}

async function writeAll(conn: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) {
    sent += await conn.write(bytes.subarray(sent));
  }
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
  TXT: (to, text) => { // In pieces of 255 bytes, each behind its length.
    const bytes = new TextEncoder().encode(text);
    for (let at = 0; at === 0 || at < bytes.length; at += 255) {
      const part = bytes.subarray(at, at + 255);
      to.bytes([part.length, ...part]);
    }
  },
};

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
