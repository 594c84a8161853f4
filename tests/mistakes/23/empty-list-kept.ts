// expect: empty-list-kept
// Who waits takes from the list itself. LPOP knows how to clear up.
export type Resp =
  | string
  | Error
  | number
  | bigint
  | Uint8Array
  | null
  | readonly Resp[];

export function encodeResp(reply: Resp): Uint8Array {
  const out = new Bytes();
  append(out, reply);
  return out.view;
}

function append(out: Bytes, reply: Resp) {
  if (typeof reply === "string") {
    out.text(`+${inOneLine(reply)}\r\n`);
  } else if (reply instanceof Error) {
    out.text(`-${inOneLine(reply.message)}\r\n`);
  } else if (reply instanceof Uint8Array) {
    out.text(`$${reply.length}\r\n`);
    out.bytes(reply);
    out.text("\r\n");
  } else if (reply === null) {
    out.text("$-1\r\n");
  } else if (typeof reply === "object") {
    out.text(`*${reply.length}\r\n`);
    for (const item of reply) append(out, item);
  } else {
    out.text(`:${reply}\r\n`);
  }
}

function inOneLine(text: string): string {
  return text.replace(/[\r\n]/g, " ");
}

export interface RespLimits {
  readonly maxBulk?: number;
  readonly maxArgs?: number;
  readonly maxLine?: number;
}

const [CR, LF, BULK, ARRAY] = [0x0d, 0x0a, 0x24, 0x2a] as const;

export class RespDecoder {
  readonly #limits: Required<RespLimits>;
  #bytes = new Bytes();
  #at = 0;
  #command: Uint8Array[] = [];
  #missing = 0;
  #bulk = -1;

  constructor(
    { maxBulk = 2 ** 20, maxArgs = 1_024, maxLine = 4_096 }: RespLimits = {},
  ) {
    this.#limits = { maxBulk, maxArgs, maxLine };
  }

  *push(chunk: Uint8Array): Generator<Uint8Array[]> {
    this.#keep(chunk);
    const bytes = this.#bytes.view;
    for (let command; (command = this.#next(bytes)) !== undefined;) {
      if (command.length > 0) yield command;
    }
  }

  #keep(chunk: Uint8Array) {
    if (2 * this.#at > this.#bytes.length) {
      const rest = this.#bytes.view.subarray(this.#at);
      this.#bytes = new Bytes();
      this.#bytes.bytes(rest);
      this.#at = 0;
    }
    this.#bytes.bytes(chunk);
  }

  #next(bytes: Uint8Array): Uint8Array[] | undefined {
    const { maxArgs, maxBulk } = this.#limits;
    for (;;) {
      if (this.#bulk >= 0) {
        const argument = this.#counted(bytes);
        if (argument === undefined) return;
        this.#command.push(argument);
        if (--this.#missing === 0) return this.#command;
        continue;
      }
      const line = this.#line(bytes);
      if (line === undefined) return;
      if (this.#missing > 0) {
        this.#bulk = lengthIn(line, BULK, maxBulk);
      } else if (line[0] === ARRAY) {
        this.#missing = lengthIn(line, ARRAY, maxArgs);
        this.#command = [];
        if (this.#missing === 0) return this.#command;
      } else {
        return words(line);
      }
    }
  }

  #counted(bytes: Uint8Array): Uint8Array | undefined {
    const [begin, end] = [this.#at, this.#at + this.#bulk];
    if (bytes.length < end + 2) return;
    if (bytes[end] !== CR || bytes[end + 1] !== LF) {
      throw new Deno.errors.InvalidData("a bulk string is longer than it says");
    }
    this.#at = end + 2;
    this.#bulk = -1;
    return bytes.subarray(begin, end);
  }

  #line(bytes: Uint8Array): Uint8Array | undefined {
    const begin = this.#at;
    const end = bytes.indexOf(LF, begin);
    const length = (end < 0 ? bytes.length : end + 1) - begin;
    if (length > this.#limits.maxLine) {
      throw new Deno.errors.InvalidData("a line is too long");
    }
    if (end < 0) return;
    this.#at = end + 1;
    return bytes.subarray(begin, bytes[end - 1] === CR ? end - 1 : end);
  }
}

function lengthIn(line: Uint8Array, type: number, most: number): number {
  let length = line[0] === type && line.length > 1 ? 0 : NaN;
  for (const byte of line.subarray(1)) {
    length = byte >= 0x30 && byte <= 0x39 ? 10 * length + byte - 0x30 : NaN;
  }
  if (length <= most) return length;
  const wanted = `${String.fromCharCode(type)} and at most ${most}`;
  throw new Deno.errors.InvalidData(`expected ${wanted}, got ${asText(line)}`);
}

function words(line: Uint8Array): Uint8Array[] {
  const typed = new TextDecoder().decode(line).split(/[ \t]+/);
  return typed.filter((word) => word !== "").map(asBytes);
}

class Refusal extends Error {}

type Command<Reply> = readonly [
  least: number,
  most: number,
  run: (...args: Uint8Array[]) => Reply,
];

type Commands<Reply> = Readonly<Record<string, Command<Reply>>>;

function perform<Reply>(
  commands: Commands<Reply>,
  name: string,
  args: Uint8Array[],
): Reply | Refusal {
  const command = commands[name.toUpperCase()];
  if (!command) return new Refusal(`ERR unknown command '${name}'`);
  const [least, most, run] = command;
  if (args.length < least || args.length > most) {
    return new Refusal(`ERR wrong number of arguments for '${name}'`);
  }
  try {
    return run(...args);
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}

export class Database {
  readonly #now: () => number;
  readonly #values = new Map<string, Uint8Array | Uint8Array[]>();
  readonly #ends = new Map<string, number>();
  readonly #waiting = new Groups<(item: Uint8Array) => void>();

  readonly #commands: Commands<Resp> = {
    PING: [0, 1, (word) => word ?? "PONG"],
    ECHO: [1, 1, (word) => word],
    SET: [2, Infinity, (key, ...more) => this.#set(asText(key), more)],
    GET: [1, 1, (key) => this.#string(asText(key))],
    DEL: [1, Infinity, (...keys) => this.#delete(keys.map(asText))],
    INCR: [1, 1, (key) => this.#increment(asText(key))],
    EXPIRE: [2, 2, (key, time) => this.#expire(asText(key), time)],
    TTL: [1, 1, (key) => this.#timeLeft(asText(key))],
    LPUSH: [2, Infinity, (key, ...items) => this.#push(asText(key), items)],
    LPOP: [1, 1, (key) => this.#pop(asText(key))],
    DBSIZE: [0, 0, () => this.#values.size],
    INFO: [0, Infinity, () => asBytes("# Server\r\nredis_mode:standalone\r\n")],
    COMMAND: [0, Infinity, () => []],
    CONFIG: [2, 2, (_get, name) => [name, asBytes("")]],
  };

  constructor({ now = Date.now }: { readonly now?: () => number } = {}) {
    this.#now = now;
  }

  run(name: string, ...args: Uint8Array[]): Resp {
    return perform(this.#commands, name, args);
  }

  #set(key: string, [value, ...options]: Uint8Array[]): Resp {
    let onlyNew = false;
    let end: number | undefined;
    for (let i = 0; i < options.length; i++) {
      const option = asText(options[i]!).toUpperCase();
      const time = options[i + 1];
      if (option === "NX") {
        onlyNew = true;
      } else if (/^[EP]X$/.test(option) && time && end === undefined) {
        const ms = Number(integer(time)) * (option === "EX" ? 1_000 : 1);
        if (ms <= 0) throw new Refusal("ERR invalid expire time");
        end = this.#now() + ms;
        i++;
      } else {
        throw new Refusal("ERR syntax error");
      }
    }
    if (onlyNew && this.#find(key)) return null;
    this.#values.set(key, value!.slice());
    if (end === undefined) this.#ends.delete(key);
    else this.#ends.set(key, end);
    return "OK";
  }

  #delete(keys: string[]): number {
    return keys.filter((key) => this.#find(key) && this.#remove(key)).length;
  }

  #increment(key: string): bigint {
    const sum = integer(this.#string(key) ?? asBytes("0")) + 1n;
    if (sum >= 2n ** 63n) throw new Refusal("ERR the sum would overflow");
    this.#values.set(key, asBytes(`${sum}`));
    return sum;
  }

  #string(key: string): Uint8Array | null {
    const value = this.#find(key) ?? null;
    if (Array.isArray(value)) throw new Refusal(WRONG_TYPE);
    return value;
  }

  #push(key: string, items: Uint8Array[]): number {
    const list = this.#list(key) ?? [];
    for (const item of items) list.unshift(item.slice());
    this.#values.set(key, list);
    const { length } = list;
    for (const take of this.#waiting.of(key)) {
      const item = list.shift();
      if (item === undefined) break;
      take(item);
    }
    return length;
  }

  #pop(key: string): Uint8Array | null {
    const list = this.#list(key);
    const item = list?.shift() ?? null;
    if (list?.length === 0) this.#remove(key);
    return item;
  }

  #list(key: string): Uint8Array[] | undefined {
    const value = this.#find(key);
    if (value instanceof Uint8Array) throw new Refusal(WRONG_TYPE);
    return value;
  }

  #remove(key: string): boolean {
    this.#ends.delete(key);
    return this.#values.delete(key);
  }

  #find(key: string): Uint8Array | Uint8Array[] | undefined {
    const end = this.#ends.get(key);
    if (end !== undefined && end <= this.#now()) this.#remove(key);
    return this.#values.get(key);
  }

  #expire(key: string, seconds: Uint8Array): number {
    const end = this.#now() + 1_000 * Number(integer(seconds));
    if (this.#find(key) === undefined) return 0;
    this.#ends.set(key, end);
    return 1;
  }

  #timeLeft(key: string): number {
    if (this.#find(key) === undefined) return -2;
    const end = this.#ends.get(key);
    return end === undefined ? -1 : Math.ceil((end - this.#now()) / 1_000);
  }

  sweep() {
    for (const key of this.#ends.keys()) this.#find(key);
  }

  wait(
    keys: readonly Uint8Array[],
    take: (key: Uint8Array, item: Uint8Array) => void,
  ): () => void {
    const stop = () => leaves.forEach((leave) => leave());
    const leaves = keys.map((key) =>
      this.#waiting.add(asText(key), (item) => {
        stop();
        take(key, item);
      })
    );
    return stop;
  }
}

const WRONG_TYPE = "WRONGTYPE the key holds another kind of value";

function integer(bytes: Uint8Array): bigint {
  const digits = asText(bytes);
  const value = /^(0|-?[1-9]\d{0,18})$/.test(digits) ? BigInt(digits) : null;
  if (value !== null && BigInt.asIntN(64, value) === value) return value;
  throw new Refusal("ERR value is not an integer or out of range");
}

export interface ServeOptions extends RespLimits {
  readonly maxQueued?: number;
}

interface Shared {
  readonly database: Database;
  readonly channels: Groups<(message: Resp) => void>;
  readonly maxQueued: number;
}

export async function serve(
  listener: Deno.TcpListener,
  options: ServeOptions = {},
): Promise<void> {
  const database = new Database();
  const { maxQueued = 2 ** 20 } = options;
  const shared: Shared = { database, channels: new Groups(), maxQueued };
  using _sweeper = setInterval(() => database.sweep(), 1_000);
  const clients = new Set<Promise<void>>();
  for await (const conn of listener) {
    const client = talk(conn, new RespDecoder(options), shared)
      .catch(unlessGone)
      .finally(() => clients.delete(client));
    clients.add(client);
  }
  await Promise.all(clients);
}

async function talk(conn: Deno.TcpConn, decoder: RespDecoder, shared: Shared) {
  using _closing = conn;
  conn.setNoDelay();
  const outbox = new Outbox(conn);
  const session = new Session(outbox, shared);
  const buffer = new Uint8Array(16_384);
  try {
    for (let n; (n = await conn.read(buffer)) !== null;) {
      for (const command of decoder.push(buffer.subarray(0, n))) {
        session.take(command);
        if (outbox.queued > shared.maxQueued) await outbox.sent;
      }
      await outbox.sent;
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.InvalidData)) throw error;
    const refusal = new Refusal(`ERR Protocol error: ${error.message}`);
    const told = session.idle().then(() => outbox.put(refusal));
    await Promise.race([told, silence(conn, buffer)]);
  } finally {
    session.leave();
  }
  await outbox.sent;
}

async function silence(conn: Deno.TcpConn, buffer: Uint8Array<ArrayBuffer>) {
  while (await conn.read(buffer) !== null);
}

class Session {
  readonly #outbox: Outbox;
  readonly #shared: Shared;
  readonly #queue: (() => void)[] = [];
  #stop: (() => void) | undefined;
  readonly #channels = new Map<string, () => void>();

  readonly #commands: Commands<Resp | undefined> = {
    BLPOP: [2, Infinity, (...args) => this.#pop(args)],
    SUBSCRIBE: [1, Infinity, (...names) => this.#subscribe(names)],
    PUBLISH: [2, 2, (name, message) => this.#publish(name, message)],
  };

  constructor(outbox: Outbox, shared: Shared) {
    this.#outbox = outbox;
    this.#shared = shared;
  }

  take(command: Uint8Array[]) {
    this.#queue.push(() => this.#answer(command));
    this.#proceed();
  }

  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#queue.push(resolve);
      this.#proceed();
    });
  }

  leave() {
    this.#stop?.();
    this.#queue.length = 0;
    for (const leave of this.#channels.values()) leave();
  }

  #proceed() {
    while (this.#stop === undefined && this.#queue.length > 0) {
      this.#queue.shift()!();
    }
  }

  #answer([name, ...args]: Uint8Array[]) {
    const reply = this.#run(asText(name!), args);
    if (reply !== undefined) this.#outbox.put(reply);
  }

  #run(name: string, args: Uint8Array[]): Resp | undefined {
    return name.toUpperCase() in this.#commands
      ? perform(this.#commands, name, args)
      : this.#shared.database.run(name, ...args);
  }

  #pop(args: Uint8Array[]): Resp | undefined {
    const keys = args.slice(0, -1);
    const text = asText(args.at(-1)!);
    const seconds = /\d/.test(text) ? Number(text) : NaN;
    if (!(seconds >= 0)) throw new Refusal("ERR timeout is not a number");
    const { database } = this.#shared;
    for (const key of keys) {
      const item = database.run("LPOP", key);
      if (item instanceof Error) return item;
      if (item !== null) return [key, item];
    }
    const end = (reply: Resp) => {
      this.#stop?.();
      this.#stop = undefined;
      this.#outbox.put(reply);
      queueMicrotask(() => this.#proceed());
    };
    const leave = database.wait(keys, (key, item) => end([key, item]));
    const ms = Math.min(1_000 * seconds, 2 ** 31 - 1);
    const timer = seconds > 0 ? setTimeout(end, ms, null) : undefined;
    this.#stop = () => {
      clearTimeout(timer);
      leave();
    };
  }

  #subscribe(names: Uint8Array[]): undefined {
    const { channels } = this.#shared;
    for (const name of names) {
      const channel = asText(name);
      if (!this.#channels.has(channel)) {
        const leave = channels.add(channel, (message) => this.#hear(message));
        this.#channels.set(channel, leave);
      }
      this.#outbox.put([asBytes("subscribe"), name, this.#channels.size]);
    }
  }

  #hear(message: Resp) {
    if (this.#outbox.queued > this.#shared.maxQueued) this.#outbox.hangUp();
    else this.#outbox.put(message);
  }

  #publish(name: Uint8Array, message: Uint8Array): number {
    const listeners = this.#shared.channels.of(asText(name));
    for (const hear of listeners) hear([asBytes("message"), name, message]);
    return listeners.size;
  }
}

class Bytes {
  #array = new Uint8Array();
  #length = 0;

  get length(): number {
    return this.#length;
  }

  get view(): Uint8Array {
    return this.#array.subarray(0, this.#length);
  }

  bytes(bytes: Uint8Array) {
    this.#reserve(bytes.length);
    this.#array.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  text(text: string) {
    this.#reserve(3 * text.length);
    const free = this.#array.subarray(this.#length);
    this.#length += encoder.encodeInto(text, free).written;
  }

  #reserve(more: number) {
    const needed = this.#length + more;
    if (needed <= this.#array.length) return;
    const grown = new Uint8Array(Math.max(2 * needed, 1_024));
    grown.set(this.view);
    this.#array = grown;
  }
}

const encoder = new TextEncoder();

function asBytes(text: string): Uint8Array {
  return encoder.encode(text);
}

function asText(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

class Groups<T> {
  readonly #groups = new Map<string, Set<T>>();

  of(name: string): ReadonlySet<T> {
    return this.#groups.get(name) ?? new Set();
  }

  add(name: string, member: T): () => void {
    const group = this.#groups.get(name) ?? new Set();
    this.#groups.set(name, group.add(member));
    return () => {
      group.delete(member);
      const empty = group.size === 0 && this.#groups.get(name) === group;
      if (empty) this.#groups.delete(name);
    };
  }
}

class Outbox {
  readonly #conn: Deno.TcpConn;
  #waiting = new Bytes();
  #sending: Promise<void> | undefined;

  constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
  }

  get queued(): number {
    return this.#waiting.length;
  }

  get sent(): Promise<void> | undefined {
    return this.#sending;
  }

  put(reply: Resp) {
    append(this.#waiting, reply);
    this.#sending ??= this.#send().catch(unlessGone);
  }

  async #send() {
    try {
      await null;
      while (this.#waiting.length > 0) {
        let { view } = this.#waiting;
        this.#waiting = new Bytes();
        while (view.length > 0) {
          view = view.subarray(await this.#conn.write(view));
        }
      }
    } finally {
      this.#sending = undefined;
    }
  }

  hangUp() {
    this.#conn[Symbol.dispose]();
  }
}

function unlessGone(error: unknown) {
  const { BadResource, BrokenPipe, ConnectionReset, Interrupted } = Deno.errors;
  const reasons = [BadResource, BrokenPipe, ConnectionReset, Interrupted];
  if (!reasons.some((Reason) => error instanceof Reason)) throw error;
}
