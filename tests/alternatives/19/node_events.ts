// style: node:events, Buffer, async generators and AbortSignal.timeout; whoever
// asks twice has one transfer, and an empty value is none
import { Buffer } from "node:buffer";
import { EventEmitter, once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";

export type Packet =
  | { op: "read" | "write"; name: string; mode: string; options: Fields }
  | { op: "data"; block: number; data: Uint8Array }
  | { op: "ack"; block: number }
  | { op: "error"; code: number; message: string }
  | { op: "oack"; options: Fields };

export type Fields = Record<string, string>;

const OPS = ["", "read", "write", "data", "ack", "error", "oack"] as const;

class Ack {
  readonly op = "ack";
  constructor(readonly block: number) {}
}

export function encode(packet: Packet): Uint8Array {
  const head = Buffer.alloc(4);
  head.writeUInt16BE(OPS.indexOf(packet.op), 0);
  const z = (...t: string[]) => Buffer.from(t.map((x) => x + "\0").join(""));
  switch (packet.op) {
    case "read":
    case "write":
      return Buffer.concat([
        head.subarray(0, 2),
        z(packet.name, packet.mode, ...Object.entries(packet.options).flat()),
      ]);
    case "data":
      head.writeUInt16BE(packet.block, 2);
      return Buffer.concat([head, packet.data]);
    case "ack":
      head.writeUInt16BE(packet.block, 2);
      return head;
    case "error":
      head.writeUInt16BE(packet.code, 2);
      return Buffer.concat([head, z(packet.message)]);
    case "oack":
      return Buffer.concat([
        head.subarray(0, 2),
        z(...Object.entries(packet.options).flat()),
      ]);
  }
}

export function parse(datagram: Uint8Array): Packet | undefined {
  const b = Buffer.from(datagram);
  if (b.length < 4) return undefined;
  const op = b.readUInt16BE(0);
  const strs = (from: number) => {
    if (b[b.length - 1] !== 0) return undefined;
    return b.toString("utf8", from, b.length - 1).split("\0");
  };
  const opts = (t: string[]) => {
    if (t.length % 2) return undefined;
    const o = Object.create(null) as Fields;
    for (let i = 0; i < t.length; i += 2) o[t[i]!.toLowerCase()] = t[i + 1]!;
    return o;
  };
  if (op === 1 || op === 2) {
    const s = strs(2);
    if (!s || s.length < 2 || s[0] === "") return undefined;
    const options = opts(s.slice(2));
    if (!options) return undefined;
    return {
      op: op === 1 ? "read" : "write",
      name: s[0]!,
      mode: s[1]!.toLowerCase(),
      options,
    };
  }
  if (op === 3) {
    return { op: "data", block: b.readUInt16BE(2), data: b.subarray(4) };
  }
  if (op === 4) return new Ack(b.readUInt16BE(2));
  if (op === 5) {
    return {
      op: "error",
      code: b.readUInt16BE(2),
      message: (strs(4) ?? [""])[0]!,
    };
  }
  if (op === 6) {
    const s = strs(2);
    const options = s && opts(s);
    return options && { op: "oack", options };
  }
  return undefined;
}

export class FileSender {
  #blocks: Buffer[] = [];
  #i = 0;
  block = 1;
  done = false;
  constructor(file: Uint8Array, size: number) {
    const b = Buffer.from(file);
    let at = 0;
    for (; at + size <= b.length; at += size) {
      this.#blocks.push(b.subarray(at, at + size));
    }
    this.#blocks.push(b.subarray(at));
  }
  get data(): Uint8Array {
    return this.#blocks[this.#i] ?? Buffer.alloc(0);
  }
  onAck(block: number): boolean {
    if (this.done || block !== this.block) return false;
    this.#i++;
    if (this.#i === this.#blocks.length) this.done = true;
    else this.block = (this.block + 1) % 65536;
    return true;
  }
}

export class FileReceiver {
  #chunks: Buffer[] = [];
  #size: number;
  block = 0;
  done = false;
  constructor(size: number) {
    this.#size = size;
  }
  onData(block: number, data: Uint8Array): boolean {
    if (this.done || block !== ((this.block + 1) & 0xffff)) return false;
    this.#chunks.push(Buffer.from(data));
    this.block = block;
    if (data.length < this.#size) this.done = true;
    return true;
  }
  get file(): Uint8Array {
    return Buffer.concat(this.#chunks);
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

function negotiate(options: Fields, length?: number) {
  const num = (v: string | undefined, lo: number, hi: number) => {
    if (v === undefined || !/^\d+$/.test(v)) return undefined;
    const n = Number(v);
    return n >= lo && n <= hi ? n : undefined;
  };
  const accepted: Fields = {};
  const size = num(options.blksize, 8, 65464);
  if (size !== undefined) accepted.blksize = String(size);
  const timeout = num(options.timeout, 1, 255);
  if (timeout !== undefined) accepted.timeout = String(timeout);
  const tsize = num(options.tsize, 0, Number.MAX_SAFE_INTEGER);
  if (tsize !== undefined) accepted.tsize = String(length ?? tsize);
  return { size: size ?? 512, ms: timeout && timeout * 1000, accepted };
}

class Queue extends EventEmitter {
  items: Packet[] = [];
  push(p: Packet) {
    this.items.push(p);
    this.emit("more");
  }
  async next(signal: AbortSignal): Promise<Packet | undefined> {
    while (this.items.length === 0) {
      try {
        await once(this, "more", { signal });
      } catch {
        return undefined;
      }
    }
    return this.items.shift();
  }
}

class Gone extends Error {}

async function* exchange(
  q: Queue,
  send: (p: Packet) => Promise<void>,
  p: Packet,
  ms: number,
  retries: number,
  end: AbortSignal,
): AsyncGenerator<Packet, never, void> {
  for (let i = 0; i <= retries; i++) {
    await send(p);
    const signal = AbortSignal.any([end, AbortSignal.timeout(ms)]);
    for (;;) {
      const got = await q.next(signal);
      if (end.aborted) throw new Gone();
      if (!got) break;
      yield got;
    }
  }
  throw new Gone();
}

export async function serve(
  socket: Deno.DatagramConn,
  files: Files,
  { timeoutMs = 1_000, retries = 5 }: Partial<Patience> = {},
): Promise<void> {
  const busy = new Set<string>();
  const end = new AbortController();
  const all: Promise<unknown>[] = [];
  const { hostname } = socket.addr as Deno.NetAddr;
  for (;;) {
    let d: Uint8Array, from: Deno.Addr;
    try {
      [d, from] = await socket.receive();
    } catch {
      break;
    }
    const p = parse(d);
    if (p?.op === "read" || p?.op === "write") {
      const k = JSON.stringify(from);
      if (!busy.has(k)) {
        busy.add(k);
        all.push(run(p, from as Deno.NetAddr).finally(() => busy.delete(k)));
      }
    }
  }
  end.abort();
  await Promise.allSettled(all);

  async function run(p: Request, peer: Deno.NetAddr) {
    const sock = openSocket(hostname, 0);
    const mine = new AbortController();
    const signal = AbortSignal.any([end.signal, mine.signal]);
    const q = new Queue();
    const key = (a: Deno.NetAddr) => a.hostname + " " + a.port;
    const send = async (x: Packet, to = peer) => {
      await sock.send(encode(x), to);
    };
    const pump = (async () => {
      for await (const [d, f] of sock) {
        const x = parse(d);
        const from = f as Deno.NetAddr;
        if (!x) continue;
        if (key(from) !== key(peer)) {
          if (x.op !== "error") {
            await send({ op: "error", code: 5, message: "?" }, from);
          }
        } else if (x.op === "error") mine.abort();
        else q.push(x);
      }
    })().catch(() => {});
    try {
      const no = (code: number) => send({ op: "error", code, message: "no" });
      if (p.mode !== "octet") return await no(0);
      if (p.name.split("/").includes("..") || p.name[0] === "/") {
        return await no(2);
      }
      if (p.op === "read") {
        const file = await files.read(p.name);
        if (file === undefined) return await no(1);
        const { size, ms = timeoutMs, accepted } = negotiate(
          p.options,
          file.length,
        );
        if (Object.keys(accepted).length) {
          for await (
            const x of exchange(
              q,
              send,
              { op: "oack", options: accepted },
              ms,
              retries,
              signal,
            )
          ) if (x.op === "ack" && x.block === 0) break;
        }
        const s = new FileSender(file, size);
        while (!s.done) {
          for await (
            const x of exchange(
              q,
              send,
              { op: "data", block: s.block, data: s.data },
              ms,
              retries,
              signal,
            )
          ) if (x.op === "ack" && s.onAck(x.block)) break;
        }
      } else {
        if (!files.write) return await no(2);
        const { size, ms = timeoutMs, accepted } = negotiate(p.options);
        const r = new FileReceiver(size);
        let say: Packet = Object.keys(accepted).length
          ? { op: "oack", options: accepted }
          : { op: "ack", block: 0 };
        while (!r.done) {
          for await (const x of exchange(q, send, say, ms, retries, signal)) {
            if (x.op !== "data") continue;
            if (r.onData(x.block, x.data)) break;
            if (x.block === r.block && r.block > 0) {
              await send({ op: "ack", block: r.block });
            }
          }
          say = { op: "ack", block: r.block };
        }
        await files.write(p.name, r.file);
        await send(say);
        const over = delay((retries + 1) * ms, undefined, { signal }).catch(
          () => {},
        );
        const stop = new AbortController();
        over.then(() => stop.abort());
        for (;;) {
          const x = await q.next(stop.signal);
          if (!x) break;
          if (x.op === "data" && x.block === r.block) await send(say);
        }
      }
    } catch (e) {
      if (!(e instanceof Gone)) throw e;
    } finally {
      sock.close();
      await pump;
    }
  }
}

function openSocket(hostname: string, port: number): Deno.DatagramConn {
  return Deno.listenDatagram({ transport: "udp", hostname, port });
}
