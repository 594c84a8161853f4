// style: streams and generators; a class for each kind of value
export type Resp =
  | string
  | number
  | bigint
  | Error
  | Uint8Array
  | null
  | Iterable<Resp>;

export interface RespLimits {
  maxBulk?: number;
  maxArgs?: number;
  maxLine?: number;
}

export interface ServeOptions extends RespLimits {
  maxQueued?: number;
}

const encoder = new TextEncoder();

function* pieces(reply: Resp): Generator<Uint8Array> {
  if (typeof reply === "string") yield line("+", reply);
  else if (typeof reply === "number") yield line(":", `${reply}`);
  else if (typeof reply === "bigint") yield line(":", `${reply}`);
  else if (reply === null) yield line("$", "-1");
  else if (reply instanceof Error) yield line("-", reply.message);
  else if (reply instanceof Uint8Array) {
    yield line("$", `${reply.length}`);
    yield reply;
    yield encoder.encode("\r\n");
  } else {
    const items = [...reply];
    yield line("*", `${items.length}`);
    for (const item of items) yield* pieces(item);
  }
}

function line(sign: string, text: string): Uint8Array {
  const safe = text.split("\r").join(" ").split("\n").join(" ");
  return encoder.encode(`${sign}${safe}\r\n`);
}

export function encodeResp(reply: Resp): Uint8Array {
  return new Uint8Array([...pieces(reply)].flatMap((piece) => [...piece]));
}

/** Tries again from the start of a command, but not before a body is there. */
export class RespDecoder {
  #held = new Uint8Array();
  #used = 0;
  /** Below so many bytes there is no use in trying again. */
  #needed = 0;
  #limits;

  constructor({ maxBulk = 2 ** 20, maxArgs = 1024, maxLine = 4096 } = {}) {
    this.#limits = { maxBulk, maxArgs, maxLine };
  }

  *push(chunk: Uint8Array): Generator<Uint8Array[], void> {
    const used = this.#used + chunk.length;
    if (used > this.#held.length) {
      const grown = new Uint8Array(2 * used);
      grown.set(this.#held.subarray(0, this.#used));
      this.#held = grown;
    }
    this.#held.set(chunk, this.#used);
    this.#used = used;
    if (used < this.#needed) return;
    let start = 0;
    try {
      for (;;) {
        const [words, end] = this.#try(start);
        start = end;
        if (words.length > 0) yield words;
      }
    } catch (error) {
      if (!(error instanceof Incomplete)) throw error;
      const rest = this.#used - start;
      this.#needed = Math.max(error.needed - start, 0);
      this.#held.copyWithin(0, start, this.#used);
      this.#used = rest;
    }
  }

  #try(start: number): [words: Uint8Array[], end: number] {
    const [first, afterFirst] = this.#line(start);
    if (!first.startsWith("*")) {
      const words = first.split(" ").map((word) => word.trim());
      return [words.filter(Boolean).map((w) => encoder.encode(w)), afterFirst];
    }
    const words: Uint8Array[] = [];
    let at = afterFirst;
    for (let n = this.#length(first, "*"); n > 0; n--) {
      const [header, begin] = this.#line(at);
      const end = begin + this.#length(header, "$");
      if (end + 2 > this.#used) {
        throw new Incomplete(end + 2);
      }
      if (this.#held[end] !== 13 || this.#held[end + 1] !== 10) {
        throw new Deno.errors.InvalidData("no end");
      }
      words.push(this.#held.slice(begin, end));
      at = end + 2;
    }
    return [words, at];
  }

  #line(start: number): [text: string, end: number] {
    const end = this.#held.subarray(0, this.#used).indexOf(10, start) + 1;
    const length = (end || this.#used) - start;
    if (length > this.#limits.maxLine) {
      throw new Deno.errors.InvalidData("long line");
    }
    if (end === 0) throw new Incomplete(this.#used + 1);
    const bytes = this.#held.subarray(start, end - 1);
    return [new TextDecoder().decode(bytes).replace(/\r$/, ""), end];
  }

  #length(line: string, sign: "*" | "$"): number {
    const digits = line.slice(1);
    const most = this.#limits[sign === "*" ? "maxArgs" : "maxBulk"];
    const fine = line[0] === sign && digits.length > 0 &&
      digits.length < 16 &&
      [...digits].every((digit) => "0" <= digit && digit <= "9");
    if (fine && Number(digits) <= most) return Number(digits);
    throw new Deno.errors.InvalidData(`no length: ${line}`);
  }
}

class Incomplete extends Error {
  constructor(readonly needed: number) {
    super();
  }
}

abstract class Value {
  end = Infinity;
  text(): Uint8Array {
    throw new Problem("WRONGTYPE this is no string");
  }
  items(): Uint8Array[] {
    throw new Problem("WRONGTYPE this is no list");
  }
}

class Text extends Value {
  constructor(readonly bytes: Uint8Array) {
    super();
  }
  override text() {
    return this.bytes;
  }
}

class List extends Value {
  readonly #items: Uint8Array[] = [];
  override items() {
    return this.#items;
  }
}

class Problem extends Error {}

/** Keys as hex: no two are alike. */
const hex = (bytes: Uint8Array) => bytes.toHex();

export class Database {
  readonly #now: () => number;
  readonly #values = new Map<string, Value>();

  constructor({ now = () => Date.now() }: { now?: () => number } = {}) {
    this.#now = now;
  }

  run(name: string, ...args: Uint8Array[]): Resp {
    try {
      return this.#run(name.toLowerCase(), args);
    } catch (error) {
      if (error instanceof Problem) return error;
      throw error;
    }
  }

  #run(name: string, args: Uint8Array[]): Resp {
    const between = (least: number, most = least) => {
      if (args.length >= least && args.length <= most) return;
      throw new Problem(`ERR wrong number of arguments for '${name}'`);
    };
    const [first, second] = args as [Uint8Array, Uint8Array];
    switch (name) {
      case "ping":
        between(0, 1);
        return first ?? "PONG";
      case "echo":
        between(1);
        return first;
      case "set":
        between(2, 5);
        return this.#set(first, second, args.slice(2));
      case "get":
        between(1);
        return this.#get(first)?.text() ?? null;
      case "del": {
        between(1, Infinity);
        const before = args.filter((key) => this.#get(key));
        return before.filter((key) => this.#values.delete(hex(key))).length;
      }
      case "incr": {
        between(1);
        const old = this.#get(first);
        const sum = integer(old?.text() ?? encoder.encode("0")) + 1n;
        if (BigInt.asIntN(64, sum) !== sum) throw new Problem("ERR too large");
        const text = new Text(encoder.encode(`${sum}`));
        text.end = old?.end ?? Infinity;
        this.#values.set(hex(first), text);
        return sum;
      }
      case "expire": {
        between(2);
        const seconds = Number(integer(second));
        const value = this.#get(first);
        if (value) value.end = this.#now() + seconds * 1_000;
        return value ? 1 : 0;
      }
      case "ttl": {
        between(1);
        const value = this.#get(first);
        if (value?.end === Infinity) return -1;
        return value ? Math.ceil((value.end - this.#now()) / 1_000) : -2;
      }
      case "lpush": {
        between(2, Infinity);
        const list = this.#get(first) ?? new List();
        const copies = args.slice(1).map((item) => item.slice());
        list.items().unshift(...copies.reverse());
        this.#values.set(hex(first), list);
        return list.items().length;
      }
      case "lpop": {
        between(1);
        const items = this.#get(first)?.items() ?? [];
        const item = items.shift() ?? null;
        if (items.length === 0) this.#values.delete(hex(first));
        return item;
      }
      case "dbsize":
        between(0);
        return this.#values.size;
      case "info":
        return encoder.encode("# nothing\r\n");
      case "command":
        return [];
      case "config":
        between(2, Infinity);
        return [second, new Uint8Array()];
      default:
        throw new Problem(`ERR unknown command '${name}'`);
    }
  }

  #set(key: Uint8Array, value: Uint8Array, options: Uint8Array[]): Resp {
    const text = new Text(value.slice());
    const words = options.map((o) => new TextDecoder().decode(o).toLowerCase());
    let free = true;
    for (let word; (word = words.shift());) {
      const unit = new Map([["ex", 1_000], ["px", 1]]).get(word);
      if (word === "nx") free = !this.#get(key);
      else if (unit && words.length > 0 && text.end === Infinity) {
        const count = Number(integer(encoder.encode(words.shift())));
        if (count < 1) throw new Problem("ERR invalid expire time");
        text.end = this.#now() + count * unit;
      } else throw new Problem("ERR syntax error");
    }
    if (!free) return null;
    this.#values.set(hex(key), text);
    return "OK";
  }

  #get(key: Uint8Array): Value | undefined {
    const value = this.#values.get(hex(key));
    if (value && value.end < this.#now()) this.#values.delete(hex(key));
    return this.#values.get(hex(key));
  }

  sweep() {
    for (const [key, { end }] of this.#values) {
      if (end < this.#now()) this.#values.delete(key);
    }
  }
}

function integer(bytes: Uint8Array): bigint {
  const digits = new TextDecoder().decode(bytes);
  const fine = digits === `${parseInt(digits)}` ||
    /^-?[1-9]\d{14,18}$/.test(digits);
  if (fine && BigInt.asIntN(64, BigInt(digits)) === BigInt(digits)) {
    return BigInt(digits);
  }
  throw new Problem("ERR that is no integer");
}

class Waiter {
  readonly taken = Promise.withResolvers<Resp>();
  constructor(readonly keys: Uint8Array[]) {}
}

class Server {
  readonly database = new Database();
  readonly waiters = new Set<Waiter>();
  readonly channels = new Map<string, Set<Peer>>();

  constructor(readonly options: ServeOptions) {}

  lpush(args: Uint8Array[]): Resp {
    const length = this.database.run("LPUSH", ...args);
    for (const waiter of this.waiters) {
      const found = this.popOne(waiter.keys);
      if (!found) continue;
      this.waiters.delete(waiter);
      waiter.taken.resolve(found);
    }
    return length;
  }

  popOne(keys: Uint8Array[]): Resp | undefined {
    for (const key of keys) {
      const item = this.database.run("LPOP", key);
      if (item instanceof Error) return item;
      if (item) return [key, item];
    }
  }
}

class Peer {
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  #queued = 0;
  /** How many commands have come that have no answer yet. */
  #open = 0;
  /** Resolves when all have one, or one waits for an item. */
  #calm = Promise.withResolvers<void>();

  constructor(readonly conn: Deno.Conn, readonly server: Server) {
    // Small pieces leave together, a moment later.
    this.#writer = conn.writable.getWriter();
  }

  /** Resolves when the writer can take more. */
  send(reply: Resp): Promise<void> {
    const bytes = encodeResp(reply);
    this.#queued += bytes.length;
    return this.#writer.write(bytes).then(
      () => void (this.#queued -= bytes.length),
      unlessGone,
    );
  }

  hear(message: Resp) {
    const { maxQueued = 2 ** 20 } = this.server.options;
    if (this.#queued > maxQueued) this.conn[Symbol.dispose]();
    else this.send(message);
  }

  asks() {
    if (this.#open++ === 0) this.#calm = Promise.withResolvers();
  }

  isAnswered() {
    if (--this.#open === 0) this.#calm.resolve();
  }

  /** While `item` is awaited, more is read: that tells whether it leaves. */
  async waits<T>(item: Promise<T>): Promise<T> {
    this.#calm.resolve();
    try {
      return await item;
    } finally {
      this.#calm = Promise.withResolvers();
    }
  }

  get calm(): Promise<void> | undefined {
    return this.#open > 0 ? this.#calm.promise : undefined;
  }

  leave() {
    for (const peers of this.server.channels.values()) peers.delete(this);
  }
}

/** Everything that one client sends, as commands, or as the error behind them. */
function commands(peer: Peer, { conn, server: { options } } = peer) {
  const decoder = new RespDecoder(options);
  return ReadableStream.from(read());

  async function* read(): AsyncGenerator<Uint8Array[] | Problem> {
    const buffer = new Uint8Array(8_192);
    const drain = async (n: number | null) => {
      while (n !== null) n = await conn.read(buffer);
    };
    try {
      for (let n; (n = await conn.read(buffer)) !== null;) {
        for (const words of decoder.push(buffer.subarray(0, n))) {
          peer.asks();
          yield words;
        }
        await peer.calm; // Before that it gets no more commands in.
      }
    } catch (error) {
      if (error instanceof Deno.errors.InvalidData) {
        yield new Problem(`ERR Protocol error: ${error.message}`);
        // Its leaving still counts.
        await conn.read(buffer).then(drain).catch(unlessGone);
      } else unlessGone(error);
    }
  }
}

async function talk(conn: Deno.Conn, server: Server) {
  const peer = new Peer(conn, server);
  const left = Promise.withResolvers<undefined>();
  // Read ahead, so that its leaving is heard of while a command waits.
  const [ahead, behind] = commands(peer).tee();
  const watching = ahead.pipeTo(new WritableStream()).then(() => {
    peer.leave();
    left.resolve(undefined);
  });
  for await (const words of behind.values({ preventCancel: true })) {
    if (words instanceof Problem) {
      await peer.send(words);
      break;
    }
    await answer(peer, server, words, left.promise);
    peer.isAnswered();
  }
  conn[Symbol.dispose]();
  await watching;
}

async function answer(
  peer: Peer,
  server: Server,
  [first, ...args]: Uint8Array[],
  left: Promise<undefined>,
) {
  const name = new TextDecoder("latin1").decode(first);
  const full = `${name.toLowerCase()} ${args.length}`;
  if (/^blpop ([2-9]|\d\d)/.test(full)) {
    const reply = await blpop(peer, args, left);
    if (reply !== undefined) await peer.send(reply);
  } else if (/^lpush ([2-9]|\d\d)/.test(full)) {
    await peer.send(server.lpush(args));
  } else if (/^subscribe [1-9]/.test(full)) {
    for (const channel of args) {
      const peers = server.channels.get(hex(channel)) ?? new Set();
      server.channels.set(hex(channel), peers.add(peer));
      const all = [...server.channels.values()].filter((p) => p.has(peer));
      await peer.send([encoder.encode("subscribe"), channel, all.length]);
    }
  } else if (full === "publish 2") {
    const peers = server.channels.get(hex(args[0]!)) ?? new Set();
    const { size } = peers;
    for (const other of peers) other.hear([encoder.encode("message"), ...args]);
    await peer.send(size);
  } else await peer.send(server.database.run(name, ...args));
}

async function blpop(
  peer: Peer,
  args: Uint8Array[],
  left: Promise<undefined>,
): Promise<Resp | undefined> {
  const time = new TextDecoder().decode(args.at(-1));
  const seconds = Number(time.trim() || NaN);
  if (!(seconds >= 0)) return new Problem("ERR timeout is no number");
  const { server } = peer;
  const waiter = new Waiter(args.slice(0, -1));
  const found = server.popOne(waiter.keys);
  if (found) return found;
  server.waiters.add(waiter);
  const late = Promise.withResolvers<null>();
  const timer = seconds > 0
    ? setTimeout(() => {
      server.waiters.delete(waiter); // At once: after an await it is too late.
      late.resolve(null);
    }, Math.min(seconds * 1_000, 0x7fffffff))
    : undefined;
  const gone = left.then(() => void server.waiters.delete(waiter));
  const first = Promise.race([waiter.taken.promise, late.promise, gone]);
  const reply = await peer.waits(first);
  clearTimeout(timer);
  return reply;
}

export async function serve(
  listener: Deno.Listener,
  options: ServeOptions = {},
): Promise<void> {
  const server = new Server(options);
  using _sweeper = setInterval(() => server.database.sweep(), 10_000);
  const talks = new Set<Promise<void>>();
  while (true) {
    try {
      const conn = await listener.accept();
      const done = talk(conn, server).finally(() => talks.delete(done));
      talks.add(done);
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
      break;
    }
  }
  await Promise.all(talks);
}

function unlessGone(error: unknown) {
  const { BadResource, BrokenPipe, ConnectionReset, Interrupted } = Deno.errors;
  for (const Gone of [BadResource, BrokenPipe, ConnectionReset, Interrupted]) {
    if (error instanceof Gone) return;
  }
  throw error;
}
