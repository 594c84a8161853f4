// Lesson 23, solved: a RESP key-value store.
//
// Redis clients talk to it: redis-cli, redis-benchmark, and the libraries of
// many languages. Replies become bytes, bytes become commands, and commands
// change what the store holds. Each part needs only the parts above it, and the
// tools at the end.

// -- Part 1: replies become bytes --

/**
 * A reply. On the wire it is
 *
 * - `+OK\r\n` for the string "OK"; each CR or LF inside becomes a space
 * - `-ERR no\r\n` for an error with that message; the same holds for it
 * - `:-2\r\n` for the number -2
 * - `$5\r\nhello\r\n` for bytes, a "bulk string": their number, then they
 *   themselves, whatever they are, and an end that is not counted
 * - `$-1\r\n` for null
 * - `*2\r\n:1\r\n+OK\r\n` for the array `[1, "OK"]`
 */
export type Resp =
  | string
  | Error
  | number
  | bigint
  | Uint8Array
  | null
  | readonly Resp[];

/** Writes `reply` as version 2 of the protocol does. */
export function encodeResp(reply: Resp): Uint8Array {
  const out = new Bytes();
  append(out, reply);
  return out.view;
}

/** Adds `reply` to `out`. */
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

/** A line break would end this reply, and begin one that nobody gave. */
function inOneLine(text: string): string {
  return text.replace(/[\r\n]/g, " ");
}

// -- Part 2: bytes become commands --

/** What a client may send. */
export interface RespLimits {
  /** The longest bulk string, in bytes. Default: 1 MiB. */
  readonly maxBulk?: number;
  /** How many bulk strings a command may have. Default: 1,024. */
  readonly maxArgs?: number;
  /** The longest line, in bytes, its end included. Default: 4,096. */
  readonly maxLine?: number;
}

const [CR, LF, BULK, ARRAY] = [0x0d, 0x0a, 0x24, 0x2a] as const; // \r \n $ *

/**
 * Makes commands of chunks, wherever the chunks were cut. A command is
 *
 * - `*2\r\n$4\r\nECHO\r\n$5\r\nhello\r\n`, an array of bulk strings, or
 * - `ECHO hello\r\n`, or with `\n` alone: a line of words, as people type it,
 *   that begins with anything but `*`.
 *
 * An array of nothing, and a line without a word, are passed over.
 */
export class RespDecoder {
  readonly #limits: Required<RespLimits>;
  /** What has come; it is used up as far as `#at`. */
  #bytes = new Bytes();
  #at = 0;
  /** The command that has begun, and how many bulk strings it still lacks. */
  #command: Uint8Array[] = [];
  #missing = 0;
  /** The length of the bulk string that comes next; -1 if a line comes next. */
  #bulk = -1;

  /** Accepts commands within these limits. */
  constructor(
    { maxBulk = 2 ** 20, maxArgs = 1_024, maxLine = 4_096 }: RespLimits = {},
  ) {
    this.#limits = { maxBulk, maxArgs, maxLine };
  }

  /**
   * Takes the next bytes, and yields each command that is complete with them: a
   * name, and its arguments. They stay as they are, whatever becomes of `chunk`.
   *
   * @throws {Deno.errors.InvalidData} After all commands that came before it, at
   * what is none: a length that is not made of digits, or above its limit;
   * something else than a bulk string in an array; a bulk string without CR LF
   * at its end; a line that is too long.
   */
  *push(chunk: Uint8Array): Generator<Uint8Array[]> {
    this.#keep(chunk);
    const bytes = this.#bytes.view;
    for (let command; (command = this.#next(bytes)) !== undefined;) {
      if (command.length > 0) yield command; // An empty line asks for nothing.
    }
  }

  #keep(chunk: Uint8Array) {
    if (2 * this.#at > this.#bytes.length) {
      // Most is used up. Commands are views of it, so it stays as it is for as
      // long as they need it, and the rest moves.
      const rest = this.#bytes.view.subarray(this.#at);
      this.#bytes = new Bytes();
      this.#bytes.bytes(rest);
      this.#at = 0;
    }
    this.#bytes.bytes(chunk);
  }

  /** The next command, if all of it has come. An empty line is an empty one. */
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
        // Nothing but bulk strings: an array in an array is refused here.
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

  /** The bulk string that has begun, if all of it has come. */
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

  /** The next line without its end, if all of it has come. */
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

/** The length in a line such as "$5". Anything but digits makes it none. */
function lengthIn(line: Uint8Array, type: number, most: number): number {
  let length = line[0] === type && line.length > 1 ? 0 : NaN;
  for (const byte of line.subarray(1)) {
    length = byte >= 0x30 && byte <= 0x39 ? 10 * length + byte - 0x30 : NaN;
  }
  if (length <= most) return length;
  const wanted = `${String.fromCharCode(type)} and at most ${most}`;
  throw new Deno.errors.InvalidData(`expected ${wanted}, got ${asText(line)}`);
}

/** The words of a line that a person has typed. Redis knows quotes, too. */
function words(line: Uint8Array): Uint8Array[] {
  const typed = new TextDecoder().decode(line).split(/[ \t]+/);
  return typed.filter((word) => word !== "").map(asBytes);
}

// -- Part 3: commands, and what they act on --

/** What a command is refused with. */
class Refusal extends Error {}

/** How many arguments a command takes, and what it does with them. */
type Command<Reply> = readonly [
  least: number,
  most: number,
  run: (...args: Uint8Array[]) => Reply,
];

/** Commands by their names, in capitals. */
type Commands<Reply> = Readonly<Record<string, Command<Reply>>>;

/** Runs one of `commands`. What is wrong with it is the reply. */
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

/** Keys, and what they stand for. Nothing in it waits. */
export class Database {
  readonly #now: () => number;
  readonly #values = new Map<string, Uint8Array | Uint8Array[]>();
  /** When keys end, of those that do. */
  readonly #ends = new Map<string, number>();
  /** Who waits for an item of a list, by its key. */
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
    DBSIZE: [0, 0, () => this.#values.size], // What is in memory, ended or not.
    // Clients ask these by themselves, and get along with as little as this.
    INFO: [0, Infinity, () => asBytes("# Server\r\nredis_mode:standalone\r\n")],
    COMMAND: [0, Infinity, () => []],
    CONFIG: [2, 2, (_get, name) => [name, asBytes("")]],
  };

  /** `now` tells the time, in milliseconds. */
  constructor({ now = Date.now }: { readonly now?: () => number } = {}) {
    this.#now = now;
  }

  /** Runs a command. What is wrong with it is the reply; nothing is thrown. */
  run(name: string, ...args: Uint8Array[]): Resp {
    return perform(this.#commands, name, args);
  }

  /**
   * SET key value [EX seconds | PX milliseconds] [NX]. NX: only a new key; with
   * another, the reply is null, and nothing changes.
   */
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
    // A copy: a view would keep all that was read together with it.
    this.#values.set(key, value!.slice());
    if (end === undefined) this.#ends.delete(key);
    else this.#ends.set(key, end);
    return "OK";
  }

  #delete(keys: string[]): number {
    return keys.filter((key) => this.#find(key) && this.#remove(key)).length;
  }

  /** INCR key: the integer there, or 0, and one more. It has 64 bits. */
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

  /** LPUSH key item [item …]: how many there are, before anybody takes one. */
  #push(key: string, items: Uint8Array[]): number {
    const list = this.#list(key) ?? [];
    // Redis has a linked list here; this one gets slow when it is long.
    for (const item of items) list.unshift(item.slice());
    this.#values.set(key, list);
    const { length } = list;
    for (const take of this.#waiting.of(key)) {
      const item = this.#pop(key);
      if (item === null) break;
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

  // -- Part 4: what expires --

  /** What `key` stands for, if it has not ended. */
  #find(key: string): Uint8Array | Uint8Array[] | undefined {
    const end = this.#ends.get(key);
    if (end !== undefined && end <= this.#now()) this.#remove(key);
    return this.#values.get(key);
  }

  /** EXPIRE key seconds: 1, or 0 if there is no such key. */
  #expire(key: string, seconds: Uint8Array): number {
    const end = this.#now() + 1_000 * Number(integer(seconds));
    if (this.#find(key) === undefined) return 0;
    this.#ends.set(key, end);
    return 1;
  }

  /** TTL key: the seconds left; -1 if it does not end, -2 if it is not there. */
  #timeLeft(key: string): number {
    if (this.#find(key) === undefined) return -2;
    const end = this.#ends.get(key);
    return end === undefined ? -1 : Math.ceil((end - this.#now()) / 1_000);
  }

  /** Removes what has ended, though nobody asks for it. */
  sweep() {
    // Everybody waits for this walk. Redis tries a few keys at random instead.
    for (const key of this.#ends.keys()) this.#find(key);
  }

  // -- Part 6: who waits --

  /**
   * Lets `take` have the next item that is pushed to one of `keys`: one item,
   * once, after all who came before. Returns how to stop waiting.
   */
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

/** An integer of 64 bits. A number of JavaScript is exact up to 2^53 only. */
function integer(bytes: Uint8Array): bigint {
  const digits = asText(bytes);
  const value = /^(0|-?[1-9]\d{0,18})$/.test(digits) ? BigInt(digits) : null;
  if (value !== null && BigInt.asIntN(64, value) === value) return value;
  throw new Refusal("ERR value is not an integer or out of range");
}

// -- Part 5: connections --

/** Settings of a server. */
export interface ServeOptions extends RespLimits {
  /**
   * How many bytes may wait in this program for a client that does not read.
   * What the kernel has taken does not count. Default: 1 MiB.
   */
  readonly maxQueued?: number;
}

/** What all clients of a server have in common. */
interface Shared {
  readonly database: Database;
  readonly channels: Groups<(message: Resp) => void>;
  readonly maxQueued: number;
}

/**
 * Runs the commands of all clients of `listener`. Returns when the listener has
 * closed and the last client has left.
 */
export async function serve(
  listener: Deno.TcpListener,
  options: ServeOptions = {},
): Promise<void> {
  const database = new Database();
  const { maxQueued = 2 ** 20 } = options;
  const shared: Shared = { database, channels: new Groups(), maxQueued };
  using _sweeper = setInterval(() => database.sweep(), 1_000);
  const clients = new Set<Promise<void>>();
  for await (const conn of arrivals(listener)) {
    const client = talk(conn, new RespDecoder(options), shared)
      .catch(unlessGone)
      .finally(() => clients.delete(client));
    clients.add(client);
  }
  await Promise.all(clients);
}

/** One client, from its first command to its last reply. */
async function talk(conn: Deno.TcpConn, decoder: RespDecoder, shared: Shared) {
  using _closing = conn; // Twice is fine: a subscriber may be let go.
  conn.setNoDelay(); // Replies leave together, and wait for no others.
  const outbox = new Outbox(conn);
  const session = new Session(outbox, shared);
  const buffer = new Uint8Array(16_384);
  try {
    for (let n; (n = await conn.read(buffer)) !== null;) {
      for (const command of decoder.push(buffer.subarray(0, n))) {
        session.take(command);
        // A few bytes can ask for a thousand times a megabyte.
        if (outbox.queued > shared.maxQueued) await outbox.sent;
      }
      // Who does not read what it asked for is not asked for more.
      await outbox.sent;
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.InvalidData)) throw error;
    const refusal = new Refusal(`ERR Protocol error: ${error.message}`);
    const told = session.idle().then(() => outbox.put(refusal));
    // A BLPOP may wait before it. What comes now counts only as being there.
    await Promise.race([told, silence(conn, buffer)]);
  } finally {
    session.leave();
  }
  await outbox.sent;
}

/** Reads on, and resolves at the end. */
async function silence(conn: Deno.TcpConn, buffer: Uint8Array<ArrayBuffer>) {
  while (await conn.read(buffer) !== null);
}

/** The commands of one client, and all that belongs to it alone. */
class Session {
  readonly #outbox: Outbox;
  readonly #shared: Shared;
  /** What stands behind a BLPOP. Strangers would need a limit here. */
  readonly #queue: (() => void)[] = [];
  /** How to end that wait. */
  #stop: (() => void) | undefined;
  /** How to leave each channel. */
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

  /** Runs a command as soon as all before it have their replies. */
  take(command: Uint8Array[]) {
    this.#queue.push(() => this.#answer(command));
    this.#proceed();
  }

  /** Resolves when all commands that were taken have their replies. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#queue.push(resolve);
      this.#proceed();
    });
  }

  /** Says that the client takes, and hears, nothing any more. */
  leave() {
    this.#stop?.();
    this.#queue.length = 0; // An end() may be about to go on with it.
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

  /** The reply to a command; none if it comes later, or in several parts. */
  #run(name: string, args: Uint8Array[]): Resp | undefined {
    return name.toUpperCase() in this.#commands
      ? perform(this.#commands, name, args)
      : this.#shared.database.run(name, ...args);
  }

  // -- Part 6: a client that waits --

  /**
   * BLPOP key [key …] seconds: `[key, item]` from the first list that has one.
   * If none has, the client waits until one does, but so many seconds at most,
   * and then gets null. 0 seconds are for ever, and 0.5 are half a second; what
   * is no number, or below 0, is refused.
   */
  #pop(args: Uint8Array[]): Resp | undefined {
    const keys = args.slice(0, -1);
    const text = asText(args.at(-1)!);
    const seconds = /\d/.test(text) ? Number(text) : NaN; // Of " " it makes 0.
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
      queueMicrotask(() => this.#proceed()); // When whoever pushed is done.
    };
    const leave = database.wait(keys, (key, item) => end([key, item]));
    const ms = Math.min(1_000 * seconds, 2 ** 31 - 1); // More rings at once.
    const timer = seconds > 0 ? setTimeout(end, ms, null) : undefined;
    this.#stop = () => {
      clearTimeout(timer);
      leave();
    };
  }

  // -- Part 7: a client that listens --

  /** SUBSCRIBE channel [channel …]: one reply for each. */
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

  /** Takes what was published, if there is room for it. */
  #hear(message: Resp) {
    // It does not read, and what it should hear must not fill the memory.
    if (this.#outbox.queued > this.#shared.maxQueued) this.#outbox.hangUp();
    else this.#outbox.put(message);
  }

  /** PUBLISH channel message: how many hear it. */
  #publish(name: Uint8Array, message: Uint8Array): number {
    const listeners = this.#shared.channels.of(asText(name));
    for (const hear of listeners) hear([asBytes("message"), name, message]);
    return listeners.size;
  }
}

// -- Tools: nothing is missing here --

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

/** Bytes that are put together, in an array that grows. */
class Bytes {
  #array = new Uint8Array();
  #length = 0;

  /** How many there are. */
  get length(): number {
    return this.#length;
  }

  /** What there is. More may follow it, and nothing changes in it. */
  get view(): Uint8Array {
    return this.#array.subarray(0, this.#length);
  }

  /** Adds a copy of `bytes`. */
  bytes(bytes: Uint8Array) {
    this.#reserve(bytes.length);
    this.#array.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Adds `text` in UTF-8. */
  text(text: string) {
    this.#reserve(3 * text.length); // More than that it never takes.
    const free = this.#array.subarray(this.#length);
    this.#length += encoder.encodeInto(text, free).written;
  }

  #reserve(more: number) {
    const needed = this.#length + more;
    if (needed <= this.#array.length) return;
    // Twice the room each time: so each byte moves about once, in all.
    const grown = new Uint8Array(Math.max(2 * needed, 1_024));
    grown.set(this.view);
    this.#array = grown;
  }
}

const encoder = new TextEncoder();

/** `text` in UTF-8. */
function asBytes(text: string): Uint8Array {
  return encoder.encode(text);
}

/**
 * A character for each byte. As UTF-8, some keys would look alike. It is not
 * the way back from `asBytes()`: a byte above 127 would become two.
 */
function asText(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/** Sets by name. One that is empty is not kept. */
class Groups<T> {
  readonly #groups = new Map<string, Set<T>>();

  /** Who is in a group, in the order in which they came. */
  of(name: string): ReadonlySet<T> {
    return this.#groups.get(name) ?? new Set();
  }

  /** Adds a member. Returns how to remove it; twice is fine. */
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

/** Replies on their way to one client. */
class Outbox {
  readonly #conn: Deno.TcpConn;
  #waiting = new Bytes();
  #sending: Promise<void> | undefined;

  constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
  }

  /** How many bytes wait until those before them are written. */
  get queued(): number {
    return this.#waiting.length;
  }

  /** Resolves when all is written, or nothing can be any more. */
  get sent(): Promise<void> | undefined {
    return this.#sending;
  }

  /** Takes a reply. Nobody waits for it. */
  put(reply: Resp) {
    append(this.#waiting, reply);
    this.#sending ??= this.#send().catch(unlessGone); // The read notices, too.
  }

  async #send() {
    try {
      await null; // All that is put in one turn goes out in one write.
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

  /** Hangs up on the client. */
  hangUp() {
    this.#conn[Symbol.dispose]();
  }
}

/** The client vanished, or was let go. Any other error is a bug of ours. */
function unlessGone(error: unknown) {
  const { BadResource, BrokenPipe, ConnectionReset, Interrupted } = Deno.errors;
  const reasons = [BadResource, BrokenPipe, ConnectionReset, Interrupted];
  if (!reasons.some((Reason) => error instanceof Reason)) throw error;
}

// Try it by hand: `deno run -P solutions/23/store.ts`, then `redis-cli -p 7023`
// in another terminal.
if (import.meta.main) {
  await serve(Deno.listen({ hostname: "127.0.0.1", port: 7023 }));
}
