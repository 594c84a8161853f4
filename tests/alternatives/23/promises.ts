// style: a reader and a runner for each client, and a promise for each wait
export type Resp =
  | string
  | number
  | bigint
  | Error
  | Uint8Array
  | null
  | Resp[];

export interface RespLimits {
  maxBulk?: number;
  maxArgs?: number;
  maxLine?: number;
}

export interface ServeOptions extends RespLimits {
  maxQueued?: number;
}

const utf8 = new TextEncoder();
const CRLF = utf8.encode("\r\n");

function concat(...parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, p) => sum + p.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export function encodeResp(value: Resp): Uint8Array {
  const line = (text: string | number | bigint, sign: string) =>
    utf8.encode(sign + String(text).replaceAll(/\r|\n/g, " ") + "\r\n");
  switch (typeof value) {
    case "string":
      return line(value, "+");
    case "number":
    case "bigint":
      return line(value, ":");
  }
  if (value === null) return line(-1, "$");
  if (value instanceof Error) return line(value.message, "-");
  if (Array.isArray(value)) {
    return concat(line(value.length, "*"), ...value.map(encodeResp));
  }
  return concat(line(value.length, "$"), value, CRLF);
}

/** Takes pieces one after the other, and gives them out by number or line. */
class Pile {
  #pieces: Uint8Array[] = [];
  size = 0;

  add(piece: Uint8Array) {
    this.#pieces.push(piece.slice());
    this.size += piece.length;
  }

  take(count: number): Uint8Array | undefined {
    if (count > this.size) return;
    this.#join();
    const [whole] = this.#pieces as [Uint8Array];
    this.#pieces = [whole.subarray(count)];
    this.size -= count;
    return whole.slice(0, count);
  }

  lineLength(): number {
    let before = 0;
    for (const piece of this.#pieces) {
      const at = piece.indexOf(10);
      if (at >= 0) return before + at + 1;
      before += piece.length;
    }
    return -1;
  }

  #join() {
    if (this.#pieces.length !== 1) this.#pieces = [concat(...this.#pieces)];
  }
}

export class RespDecoder {
  readonly #pile = new Pile();
  readonly #limits: Required<RespLimits>;
  readonly #parser: Generator<Uint8Array[] | undefined, never, void>;

  constructor(limits: RespLimits = {}) {
    const { maxBulk = 1_048_576, maxArgs = 1_024, maxLine = 4_096 } = limits;
    this.#limits = { maxBulk, maxArgs, maxLine };
    this.#parser = this.#parse();
  }

  *push(chunk: Uint8Array): Generator<Uint8Array[]> {
    this.#pile.add(chunk);
    for (;;) {
      const { value } = this.#parser.next();
      if (value === undefined) return;
      yield value;
    }
  }

  /** Yields undefined whenever it needs more. */
  *#parse(): Generator<Uint8Array[] | undefined, never, void> {
    for (;;) {
      const line = yield* this.#line();
      if (!line.startsWith("*")) {
        const words = line.split(/\s+/).filter(Boolean);
        if (words.length > 0) yield words.map((word) => utf8.encode(word));
        continue;
      }
      const count = this.#number(line, "*", this.#limits.maxArgs);
      const words: Uint8Array[] = [];
      while (words.length < count) {
        const header = yield* this.#line();
        const length = this.#number(header, "$", this.#limits.maxBulk);
        const bulk = yield* this.#bytes(length + 2);
        if (bulk.at(-2) !== 13 || bulk.at(-1) !== 10) this.#fail("no CR LF");
        words.push(bulk.subarray(0, length));
      }
      if (words.length > 0) yield words;
    }
  }

  *#bytes(count: number): Generator<undefined, Uint8Array, void> {
    while (this.#pile.size < count) yield;
    return this.#pile.take(count)!;
  }

  *#line(): Generator<undefined, string, void> {
    for (;;) {
      const length = this.#pile.lineLength();
      if (Math.max(length, this.#pile.size && length) > this.#limits.maxLine) {
        this.#fail("long line");
      }
      if (length > 0) {
        const line = this.#pile.take(length)!;
        return new TextDecoder().decode(line).replace(/\r?\n$/, "");
      }
      if (this.#pile.size > this.#limits.maxLine) this.#fail("long line");
      yield;
    }
  }

  #number(line: string, sign: string, most: number): number {
    const match = line.match(/^[*$](\d{1,15})$/);
    const number = Number(match?.[1] ?? NaN);
    if (line[0] !== sign || !(number <= most)) this.#fail(`bad length ${line}`);
    return number;
  }

  #fail(why: string): never {
    throw new Deno.errors.InvalidData(why);
  }
}

interface Record {
  value: Uint8Array | Uint8Array[];
  until?: number;
}

function binary(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

function int(bytes: Uint8Array): bigint {
  const text = binary(bytes);
  if (!/^-?\d{1,19}$/.test(text)) throw new Reply("ERR not an integer");
  const n = BigInt(text);
  if (n !== BigInt.asIntN(64, n)) throw new Reply("ERR out of range");
  return n;
}

/** An error that is a reply. */
class Reply extends Error {}

const LIMITS: { [name: string]: [number, number] | undefined } = {
  PING: [0, 1],
  ECHO: [1, 1],
  SET: [2, 5],
  GET: [1, 1],
  DEL: [1, 1_000],
  INCR: [1, 1],
  EXPIRE: [2, 2],
  TTL: [1, 1],
  LPUSH: [2, 1_000],
  LPOP: [1, 1],
  BLPOP: [2, 1_000],
  DBSIZE: [0, 0],
  INFO: [0, 1],
  COMMAND: [0, 1_000],
  CONFIG: [1, 1_000],
  SUBSCRIBE: [1, 1_000],
  PUBLISH: [2, 2],
};

interface Waiter {
  keys: string[];
  give: (key: string) => void;
}

export class Database {
  readonly #now: () => number;
  readonly #records = new Map<string, Record>();
  #waiters: Waiter[] = [];

  constructor(options?: { now?: () => number }) {
    this.#now = options?.now ?? Date.now;
  }

  run(name: string, ...args: Uint8Array[]): Resp {
    const upper = name.toUpperCase();
    const limits = Object.hasOwn(LIMITS, upper) ? LIMITS[upper] : undefined;
    if (!limits) return new Reply(`ERR unknown command ${name}`);
    if (args.length < limits[0] || args.length > limits[1]) {
      return new Reply(`ERR wrong number of arguments for ${name}`);
    }
    try {
      return this.#run(upper, args);
    } catch (error) {
      if (error instanceof Reply) return error;
      throw error;
    }
  }

  #run(name: string, args: Uint8Array[]): Resp {
    const key = args[0] === undefined ? "" : binary(args[0]);
    const record = this.#live(key);
    switch (name) {
      case "PING":
        return args[0] ?? "PONG";
      case "ECHO":
        return args[0]!;
      case "SET":
        return this.#set(key, args[1]!, args.slice(2));
      case "GET":
        return record ? this.#bytesOf(record) : null;
      case "DEL":
        return this.#del(args.map(binary));
      case "INCR": {
        const n = int(record ? this.#bytesOf(record) : utf8.encode("0")) + 1n;
        if (n > 0x7fffffffffffffffn) throw new Reply("ERR overflow");
        const value = utf8.encode(String(n));
        if (record) record.value = value;
        else this.#records.set(key, { value });
        return n;
      }
      case "EXPIRE": {
        const seconds = Number(int(args[1]!));
        if (!record) return 0;
        record.until = this.#now() + seconds * 1_000;
        return 1;
      }
      case "TTL":
        if (!record) return -2;
        if (record.until === undefined) return -1;
        return Math.round((record.until - this.#now()) / 1_000);
      case "LPUSH":
        return this.#lpush(key, args.slice(1));
      case "LPOP":
        return this.pop(key) ?? null;
      case "DBSIZE":
        return this.#records.size;
      case "INFO":
        return utf8.encode("# Clients\r\n");
      case "CONFIG":
        return [args[1] ?? null, utf8.encode("")];
      default:
        return [];
    }
  }

  #set(key: string, value: Uint8Array, options: Uint8Array[]): Resp {
    const words = options.map((o) => binary(o).toUpperCase());
    const record: Record = { value: value.slice() };
    let nx = false;
    while (words.length > 0) {
      const word = words.shift()!;
      if (word === "NX") nx = true;
      else if (word === "EX" || word === "PX") {
        const digits = words.shift();
        if (digits === undefined || record.until !== undefined) {
          throw new Reply("ERR syntax error");
        }
        const n = Number(int(utf8.encode(digits)));
        if (n < 1) throw new Reply("ERR invalid time");
        record.until = this.#now() + (word === "EX" ? n * 1_000 : n);
      } else throw new Reply("ERR syntax error");
    }
    if (nx && this.#live(key)) return null;
    this.#records.set(key, record);
    return "OK";
  }

  #del(keys: string[]): number {
    let count = 0;
    for (const key of keys) {
      if (this.#live(key) && this.#records.delete(key)) count++;
    }
    return count;
  }

  #lpush(key: string, items: Uint8Array[]): number {
    const record = this.#live(key) ?? { value: [] };
    const list = this.#listOf(record);
    this.#records.set(key, record);
    for (const item of items) list.unshift(item.slice());
    const length = list.length;
    while (list.length > 0) {
      const index = this.#waiters.findIndex(({ keys }) => keys.includes(key));
      if (index < 0) break;
      const [waiter] = this.#waiters.splice(index, 1);
      waiter!.give(key);
    }
    return length;
  }

  pop(key: string): Uint8Array | undefined {
    const record = this.#live(key);
    if (!record) return;
    const list = this.#listOf(record);
    const item = list.shift();
    if (list.length === 0) this.#records.delete(key);
    return item;
  }

  /** Resolves with a key and an item, or with null when `signal` aborts. */
  popLater(keys: string[], signal: AbortSignal): Promise<Resp> {
    return new Promise((resolve) => {
      const give = (key: string) => {
        signal.removeEventListener("abort", stop);
        resolve([this.#key(key), this.pop(key)!]);
      };
      const waiter = { keys, give };
      const stop = () => {
        this.#waiters = this.#waiters.filter((other) => other !== waiter);
        resolve(null);
      };
      signal.addEventListener("abort", stop, { once: true });
      this.#waiters.push(waiter);
    });
  }

  #key(key: string): Uint8Array {
    return Uint8Array.from(key, (character) => character.charCodeAt(0));
  }

  #bytesOf({ value }: Record): Uint8Array {
    if (value instanceof Uint8Array) return value;
    throw new Reply("WRONGTYPE not a string");
  }

  #listOf({ value }: Record): Uint8Array[] {
    if (Array.isArray(value)) return value;
    throw new Reply("WRONGTYPE not a list");
  }

  #live(key: string): Record | undefined {
    const record = this.#records.get(key);
    if (record?.until === undefined || this.#now() <= record.until) {
      return record;
    }
    this.#records.delete(key);
  }

  sweep(): void {
    for (const key of [...this.#records.keys()]) this.#live(key);
  }
}

export async function serve(
  listener: Deno.Listener,
  options: ServeOptions = {},
): Promise<void> {
  const server = {
    database: new Database(),
    subscribers: new Set<Client>(),
    options,
  };
  let sweep = setTimeout(function again() {
    server.database.sweep();
    sweep = setTimeout(again, 5_000);
  }, 5_000);
  const clients: Promise<void>[] = [];
  for await (const conn of listener) {
    clients.push(new Client(conn, server).talk());
  }
  await Promise.all(clients);
  clearTimeout(sweep);
}

interface Server {
  database: Database;
  subscribers: Set<Client>;
  options: ServeOptions;
}

class Client {
  readonly #conn: Deno.Conn;
  readonly #server: Server;
  readonly #gone = new AbortController();
  readonly channels: string[] = [];
  #queue: Uint8Array[] = [];
  #queued = 0;
  #last: Promise<void> = Promise.resolve();
  /** Resolves when all commands until now have been run. */
  #ran: Promise<void> = Promise.resolve();
  /** Resolves when a BLPOP waits: reading on tells whether its client leaves. */
  #waits = Promise.withResolvers<void>();

  constructor(conn: Deno.Conn, server: Server) {
    this.#conn = conn;
    this.#server = server;
  }

  async talk() {
    const decoder = new RespDecoder(this.#server.options);
    const buffer = new Uint8Array(65_536);
    try {
      for (;;) {
        const n = await this.#conn.read(buffer);
        if (n === null) break;
        for (const words of decoder.push(buffer.subarray(0, n))) {
          this.#ran = this.#ran.then(() => this.#command(words));
        }
        const sent = this.#ran.then(() => this.#last);
        await Promise.race([sent, this.#waits.promise]);
      }
    } catch (error) {
      if (error instanceof Deno.errors.InvalidData) {
        this.#ran = this.#ran.then(() =>
          this.send(new Reply(`ERR Protocol error: ${error.message}`))
        );
        await Promise.race([this.#ran, this.#readOn(buffer)]);
      } else if (!isGone(error)) throw error;
    }
    this.#gone.abort();
    await this.#ran;
    await this.#last;
    this.#server.subscribers.delete(this);
    this.#close();
  }

  /** Nothing counts any more, but that the client is there. */
  async #readOn(buffer: Uint8Array<ArrayBuffer>) {
    try {
      while (await this.#conn.read(buffer) !== null);
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }

  async #command([name, ...args]: Uint8Array[]) {
    const { database, subscribers } = this.#server;
    const upper = binary(name!).toUpperCase();
    const keys = args.map(binary);
    if (upper === "BLPOP" && args.length > 1) {
      const seconds = Number(keys.pop()!.trim() || NaN);
      if (!(seconds >= 0)) return this.send(new Reply("ERR no number"));
      for (const key of keys) {
        const item = database.run("LPOP", args[keys.indexOf(key)]!);
        if (item !== null) return this.send([args[keys.indexOf(key)]!, item]);
      }
      await this.#blpop(keys, seconds);
    } else if (upper === "SUBSCRIBE" && args.length > 0) {
      for (const channel of args) {
        if (!this.channels.includes(binary(channel))) {
          this.channels.push(binary(channel));
        }
        subscribers.add(this);
        this.send([utf8.encode("subscribe"), channel, this.channels.length]);
      }
    } else if (upper === "PUBLISH" && args.length === 2) {
      const hearing = [...subscribers]
        .filter(({ channels }) => channels.includes(keys[0]!));
      for (const client of hearing) client.hear(args[0]!, args[1]!);
      this.send(hearing.length);
    } else {
      this.send(database.run(binary(name!), ...args));
    }
    // Whoever does not read what it asked for is not served any further.
    if (this.#queued > 100_000) await this.#last;
  }

  async #blpop(keys: string[], seconds: number) {
    const late = new AbortController();
    const timer = seconds > 0
      ? setTimeout(() => late.abort(), Math.min(seconds, 2e6) * 1_000)
      : undefined;
    const signal = AbortSignal.any([this.#gone.signal, late.signal]);
    if (signal.aborted) return;
    this.#waits.resolve();
    this.send(await this.#server.database.popLater(keys, signal));
    this.#waits = Promise.withResolvers();
    clearTimeout(timer);
  }

  hear(channel: Uint8Array, message: Uint8Array) {
    if (this.#queued > (this.#server.options.maxQueued ?? 1_000_000)) {
      this.#server.subscribers.delete(this);
      return this.#close();
    }
    this.send([utf8.encode("message"), channel, message]);
  }

  send(reply: Resp) {
    const bytes = encodeResp(reply);
    this.#queue.push(bytes);
    this.#queued += bytes.length;
    if (this.#queue.length === 1) this.#last = this.#write();
  }

  async #write() {
    try {
      for (let bytes; (bytes = this.#queue[0]); this.#queue.shift()) {
        for (let sent = 0; sent < bytes.length;) {
          sent += await this.#conn.write(bytes.subarray(sent));
        }
        this.#queued -= bytes.length;
      }
    } catch (error) {
      if (!isGone(error)) throw error;
      this.#queue = [];
    }
  }

  #close() {
    try {
      this.#conn.close();
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }
}

function isGone(error: unknown): boolean {
  const { BadResource, BrokenPipe, ConnectionReset, Interrupted } = Deno.errors;
  return error instanceof BadResource || error instanceof BrokenPipe ||
    error instanceof ConnectionReset || error instanceof Interrupted;
}
