// style: a byte reader, classes with callbacks, and one timer for each transfer

export type Fields = Record<string, string>;

export type Packet =
  | { op: "read" | "write"; name: string; mode: string; options: Fields }
  | { op: "data"; block: number; data: Uint8Array }
  | { op: "ack"; block: number }
  | { op: "error"; code: number; message: string }
  | { op: "oack"; options: Fields };

export interface Files {
  read(name: string): Promise<Uint8Array | undefined>;
  write?(name: string, file: Uint8Array): Promise<void>;
}

export interface Patience {
  timeoutMs: number;
  retries: number;
}

const NUMBERS = { read: 1, write: 2, data: 3, ack: 4, error: 5, oack: 6 };

export function encode(packet: Packet): Uint8Array {
  const out: number[] = [0, NUMBERS[packet.op]];
  const text = (...words: string[]) => {
    for (const word of words) out.push(...new TextEncoder().encode(word), 0);
  };
  if ("block" in packet) out.push(packet.block >>> 8, packet.block & 255);
  if (packet.op === "error") {
    out.push(0, packet.code);
    text(packet.message);
  }
  if ("name" in packet) text(packet.name, packet.mode);
  if ("options" in packet) {
    for (const [name, value] of Object.entries(packet.options)) {
      text(name, value);
    }
  }
  if (packet.op !== "data") return Uint8Array.from(out);
  const whole = new Uint8Array(4 + packet.data.length);
  whole.set(out);
  whole.set(packet.data, 4);
  return whole;
}

class Cursor {
  #at = 0;
  constructor(readonly bytes: Uint8Array) {}

  get left(): number {
    return this.bytes.length - this.#at;
  }

  number(): number {
    if (this.left < 2) throw new RangeError("too short");
    return this.bytes[this.#at++]! * 256 + this.bytes[this.#at++]!;
  }

  text(): string {
    const end = this.bytes.indexOf(0, this.#at);
    if (end < 0) throw new RangeError("no zero");
    const text = new TextDecoder().decode(this.bytes.subarray(this.#at, end));
    this.#at = end + 1;
    return text;
  }

  fields(): Fields {
    const fields: Fields = {};
    while (this.left > 0) fields[this.text().toLowerCase()] = this.text();
    return fields;
  }

  rest(): Uint8Array {
    return this.bytes.slice(this.#at);
  }
}

export function parse(datagram: Uint8Array): Packet | undefined {
  try {
    const cursor = new Cursor(datagram);
    const number = cursor.number();
    if (number === 1 || number === 2) {
      const name = cursor.text();
      const mode = cursor.text().toLowerCase();
      if (name === "") return undefined;
      const op = number === 1 ? "read" : "write";
      return { op, name, mode, options: cursor.fields() };
    }
    if (number === 3) {
      return { op: "data", block: cursor.number(), data: cursor.rest() };
    }
    if (number === 4) return { op: "ack", block: cursor.number() };
    if (number === 5) {
      const code = cursor.number();
      return { op: "error", code, message: cursor.text() };
    }
    if (number === 6) return { op: "oack", options: cursor.fields() };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  return undefined;
}

export class FileSender {
  #blocks = 0;
  constructor(readonly all: Uint8Array, readonly size: number) {}

  get #count(): number {
    return Math.floor(this.all.length / this.size) + 1;
  }

  get block(): number {
    return Math.min(this.#blocks + 1, this.#count) & 0xffff;
  }

  get data(): Uint8Array {
    const start = this.#blocks * this.size;
    return this.all.slice(start, start + this.size);
  }

  get done(): boolean {
    return this.#blocks === this.#count;
  }

  onAck(block: number): boolean {
    if (this.done || block !== this.block) return false;
    this.#blocks++;
    return true;
  }
}

export class FileReceiver {
  #file = new Uint8Array(1_024);
  #length = 0;
  #count = 0;
  done = false;
  constructor(readonly size: number) {}

  get block(): number {
    return this.#count & 0xffff;
  }

  get file(): Uint8Array {
    return this.#file.slice(0, this.#length);
  }

  onData(block: number, data: Uint8Array): boolean {
    if (this.done || block !== (this.#count + 1) % 65_536) return false;
    while (this.#length + data.length > this.#file.length) {
      const larger = new Uint8Array(2 * this.#file.length);
      larger.set(this.#file);
      this.#file = larger;
    }
    this.#file.set(data, this.#length);
    this.#length += data.length;
    this.#count++;
    this.done = data.length < this.size;
    return true;
  }
}

/** One transfer: it hears packets, and says the last thing again in silence. */
class Transfer {
  readonly socket: Deno.DatagramConn;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #last: Packet | undefined;
  #left: number;
  #over = false;
  hear: (packet: Packet) => void = () => {};

  constructor(
    hostname: string,
    readonly peer: Deno.NetAddr,
    public timeoutMs: number,
    readonly retries: number,
    readonly onEnd: () => void,
  ) {
    this.socket = Deno.listenDatagram({ transport: "udp", hostname, port: 0 });
    this.#left = retries;
    this.#listen();
  }

  async #listen() {
    for await (const [datagram, from] of this.socket) {
      const packet = parse(datagram);
      const { hostname, port } = from as Deno.NetAddr;
      const known = hostname === this.peer.hostname && port === this.peer.port;
      if (packet?.op === "error") {
        if (known) this.end();
      } else if (!known) {
        const error = { op: "error", code: 5, message: "who?" } as const;
        this.#post(error, from);
      } else if (packet) this.hear(packet);
    }
  }

  #post(packet: Packet, to: Deno.Addr) {
    this.socket.send(encode(packet), to).catch(() => {}); // As good as lost.
  }

  /** Says something new. */
  say(packet: Packet) {
    this.#last = packet;
    this.#left = this.retries;
    this.#post(packet, this.peer);
    this.#wind();
  }

  /** Says the last thing again, and leaves the clock alone. */
  again() {
    if (this.#last) this.#post(this.#last, this.peer);
  }

  #wind() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (this.#left-- === 0) return this.end();
      this.again();
      this.#wind();
    }, this.timeoutMs);
  }

  /** Waits for copies only. */
  linger() {
    clearTimeout(this.#timer);
    const ms = this.timeoutMs * (this.retries + 1);
    this.#timer = setTimeout(() => this.end(), ms);
  }

  refuse(code: number, message: string) {
    this.#post({ op: "error", code, message }, this.peer);
    this.end();
  }

  end() {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#timer);
    // What was sent a moment ago has left already.
    this.socket.close();
    this.onEnd();
  }
}

export async function serve(
  socket: Deno.DatagramConn,
  files: Files,
  { timeoutMs = 1_000, retries = 5 }: Partial<Patience> = {},
): Promise<void> {
  const transfers = new Set<Transfer>();
  const { hostname } = socket.addr as Deno.NetAddr;
  for await (const [datagram, from] of socket) {
    const request = parse(datagram);
    if (request?.op !== "read" && request?.op !== "write") continue;
    const peer = from as Deno.NetAddr;
    const transfer: Transfer = new Transfer(
      hostname,
      peer,
      timeoutMs,
      retries,
      () => transfers.delete(transfer),
    );
    transfers.add(transfer);
    begin(transfer, request, files).catch(() => transfer.refuse(0, "sorry"));
  }
  for (const transfer of [...transfers]) transfer.end();
}

async function begin(
  transfer: Transfer,
  request: Extract<Packet, { name: string }>,
  files: Files,
) {
  const { name, mode, options, op } = request;
  if (mode !== "octet") return transfer.refuse(0, "octet, please");
  const parts = name.split("/");
  if (parts[0] === "" || parts.includes("..")) return transfer.refuse(2, "no");
  const file = op === "read" ? await files.read(name) : undefined;
  if (op === "read" && !file) return transfer.refuse(1, "no such file");
  if (op === "write" && !files.write) return transfer.refuse(2, "read only");
  const agreed: Fields = {};
  const whole = (text: string | undefined, low: number, high: number) => {
    const value = /^[0-9]+$/.test(text ?? "") ? parseInt(text!) : -1;
    return value >= low && value <= high ? value : undefined;
  };
  const size = whole(options.blksize, 8, 65_464);
  if (size !== undefined) agreed.blksize = `${size}`;
  const seconds = whole(options.timeout, 1, 255);
  if (seconds !== undefined) {
    agreed.timeout = `${seconds}`;
    transfer.timeoutMs = seconds * 1_000;
  }
  const tsize = whole(options.tsize, 0, Infinity);
  if (tsize !== undefined) agreed.tsize = `${file?.length ?? tsize}`;
  const oack: Packet | undefined = Object.keys(agreed).length === 0
    ? undefined
    : { op: "oack", options: agreed };
  if (file) return send(transfer, new FileSender(file, size ?? 512), oack);
  const receiver = new FileReceiver(size ?? 512);
  const keep = () => files.write!(name, receiver.file);
  receive(transfer, receiver, { keep, oack });
}

function send(transfer: Transfer, sender: FileSender, oack?: Packet) {
  let begun = oack === undefined;
  const next = () => {
    const { block, data } = sender;
    transfer.say({ op: "data", block, data });
  };
  transfer.hear = (packet) => {
    if (packet.op !== "ack") return;
    if (!begun) {
      if (packet.block !== 0) return;
      begun = true;
      next();
    } else if (sender.onAck(packet.block)) {
      if (sender.done) transfer.end();
      else next();
    }
  };
  if (oack) transfer.say(oack);
  else next();
}

function receive(
  transfer: Transfer,
  receiver: FileReceiver,
  { keep, oack }: { keep: () => Promise<void>; oack: Packet | undefined },
) {
  let kept: Promise<void> | undefined;
  transfer.hear = async (packet) => {
    if (packet.op !== "data") return;
    const news = receiver.onData(packet.block, packet.data);
    if (!news && packet.block !== receiver.block) return;
    if (receiver.done) {
      kept ??= keep();
      await kept;
    }
    if (!news) return transfer.again();
    transfer.say({ op: "ack", block: receiver.block });
    if (receiver.done) transfer.linger();
  };
  transfer.say(oack ?? { op: "ack", block: 0 });
}
