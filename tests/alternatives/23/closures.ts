// style: closures and callbacks; inside, all bytes are text of one byte each
import { Buffer } from "node:buffer";

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

// Everything inside is text with one character a byte.
const latin1 = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");
const bytes = (text: string) => new Uint8Array(Buffer.from(text, "latin1"));
const flat = (text: string) =>
  Buffer.from(text.replace(/[\r\n]/g, " "), "utf8").toString("latin1");

function write(value: Resp): string {
  if (value === null) return "$-1\r\n";
  if (Array.isArray(value)) {
    return `*${value.length}\r\n` + value.map(write).join("");
  }
  if (value instanceof Error) return `-${flat(value.message)}\r\n`;
  if (value instanceof Uint8Array) {
    return `$${value.length}\r\n${latin1(value)}\r\n`;
  }
  return typeof value === "string" ? `+${flat(value)}\r\n` : `:${value}\r\n`;
}

export function encodeResp(value: Resp): Uint8Array {
  return bytes(write(value));
}

type Step = [used: number, words?: Uint8Array[] | undefined];

export class RespDecoder {
  #state: "type" | "header" | "body" = "type";
  #line = "";
  #words: Uint8Array[] = [];
  #lacks = 0;
  #body = new Uint8Array();
  #filled = 0;
  readonly #limits: Required<RespLimits>;

  constructor(limits: RespLimits = {}) {
    const defaults = { maxBulk: 2 ** 20, maxArgs: 1_024, maxLine: 4_096 };
    this.#limits = { ...defaults, ...limits };
  }

  /** Not a generator, but an iterator written by hand. */
  push(chunk: Uint8Array): Iterable<Uint8Array[]> {
    const copy = chunk.slice();
    let at = 0;
    const next = (): IteratorResult<Uint8Array[]> => {
      while (at < copy.length) {
        const [used, words] = this.#step(copy.subarray(at));
        at += used;
        if (words?.length) return { done: false, value: words };
      }
      return { done: true, value: undefined };
    };
    return { [Symbol.iterator]: () => ({ next }) };
  }

  /** Uses some bytes, and gives a command if they complete one. */
  #step(rest: Uint8Array): Step {
    if (this.#state === "body") return this.#fill(rest);
    const end = rest.indexOf(10);
    const used = end < 0 ? rest.length : end + 1;
    if (this.#line.length + used > this.#limits.maxLine) throw invalid("line");
    this.#line += latin1(rest.subarray(0, used));
    if (end < 0) return [used];
    const line = this.#line.replace(/\r?\n$/, "");
    this.#line = "";
    return [used, this.#header(line)];
  }

  #header(line: string): Uint8Array[] | undefined {
    if (this.#state === "type" && !line.startsWith("*")) {
      return line.split(/[ \t]+/).filter((word) => word).map(bytes);
    }
    const sign = this.#state === "type" ? "*" : "$";
    const { maxArgs, maxBulk } = this.#limits;
    const most = sign === "*" ? maxArgs : maxBulk;
    if (!/^.\d{1,10}$/.test(line) || line[0] !== sign) throw invalid(line);
    const length = parseInt(line.slice(1), 10);
    if (length > most) throw invalid(line);
    if (sign === "*") {
      this.#lacks = length;
      this.#words = [];
      this.#state = length > 0 ? "header" : "type";
    } else {
      this.#body = new Uint8Array(length + 2);
      this.#filled = 0;
      this.#state = "body";
    }
  }

  #fill(rest: Uint8Array): Step {
    const part = rest.subarray(0, this.#body.length - this.#filled);
    this.#body.set(part, this.#filled);
    this.#filled += part.length;
    if (this.#filled < this.#body.length) return [part.length];
    if (latin1(this.#body.subarray(-2)) !== "\r\n") throw invalid("end");
    this.#words.push(this.#body.subarray(0, -2));
    this.#state = --this.#lacks > 0 ? "header" : "type";
    return this.#lacks > 0 ? [part.length] : [part.length, this.#words];
  }
}

function invalid(what: string) {
  return new Deno.errors.InvalidData(`unexpected ${what}`);
}

type Run = (args: string[]) => Resp;

export class Database {
  readonly #now: () => number;
  readonly #strings: { [key: string]: string } = Object.create(null);
  readonly #lists: { [key: string]: string[] } = Object.create(null);
  readonly #ends: { [key: string]: number } = Object.create(null);
  /** Called when a list has an item. */
  onPush: (key: string) => void = () => {};

  constructor({ now = () => Date.now() } = {}) {
    this.#now = now;
  }

  readonly #table: { [name: string]: [least: number, most: number, Run] } = {
    PING: [0, 1, ([word]) => word === undefined ? "PONG" : bytes(word)],
    ECHO: [1, 1, ([word]) => bytes(word!)],
    GET: [1, 1, ([key]) => {
      if (this.#lists[key!]) return wrongType();
      const value = this.#strings[key!];
      return value === undefined ? null : bytes(value);
    }],
    SET: [2, 5, (args) => this.#set(args)],
    DEL: [1, 999, (keys) => keys.filter((key) => this.#drop(key)).length],
    INCR: [1, 1, ([key]) => {
      if (this.#lists[key!]) return wrongType();
      const sum = int64(this.#strings[key!] ?? "0", 1n);
      if (typeof sum === "bigint") this.#strings[key!] = `${sum}`;
      return sum;
    }],
    EXPIRE: [2, 2, ([key, seconds]) => {
      const n = int64(seconds!);
      if (typeof n !== "bigint") return n;
      if (!this.#has(key!)) return 0;
      this.#ends[key!] = this.#now() + Number(n) * 1_000;
      return 1;
    }],
    TTL: [1, 1, ([key]) => {
      if (!this.#has(key!)) return -2;
      const end = this.#ends[key!];
      return end === undefined ? -1 : Math.floor((end - this.#now()) / 1_000);
    }],
    LPUSH: [2, 999, ([key, ...items]) => {
      if (this.#strings[key!] !== undefined) return wrongType();
      const list = this.#lists[key!] ??= [];
      list.unshift(...items.reverse());
      const { length } = list;
      this.onPush(key!);
      return length;
    }],
    LPOP: [1, 1, ([key]) => {
      if (this.#strings[key!] !== undefined) return wrongType();
      const item = this.#lists[key!]?.shift();
      if (this.#lists[key!]?.length === 0) this.#drop(key!);
      return item === undefined ? null : bytes(item);
    }],
    DBSIZE: [
      0,
      0,
      () => [this.#strings, this.#lists].flatMap(Object.keys).length,
    ],
    INFO: [0, 9, () => bytes("")],
    COMMAND: [0, 999, () => []],
    CONFIG: [0, 999, ([, name = ""]) => [bytes(name), bytes("")]],
  };

  run(name: string, ...args: Uint8Array[]): Resp {
    const entry = this.#table[name.toUpperCase()];
    if (!entry) return new Error(`ERR unknown command '${name}'`);
    if (args.length < entry[0] || args.length > entry[1]) {
      return new Error(`ERR wrong number of arguments for '${name}'`);
    }
    const words = args.map(latin1);
    // All of them may be keys, and one that is over must not be found.
    for (const word of words) {
      if (this.#ends[word]! <= this.#now()) this.#drop(word);
    }
    return entry[2](words);
  }

  #set([key, value, ...options]: string[]): Resp {
    const said = options.join(" ").toUpperCase();
    const [, first = "", unit, time, last = ""] =
      said.match(/^(NX ?)?(?:\b([EP]X) (\S+))?( ?NX)?$/) ?? [, "no"];
    if (first === "no") return new Error("ERR syntax error");
    const count = unit ? int64(time!) : 1n;
    if (typeof count !== "bigint") return count;
    if (count <= 0n) return new Error("ERR invalid expire time");
    if (first + last !== "" && this.#has(key!)) return null;
    this.#drop(key!);
    this.#strings[key!] = value!;
    if (unit) {
      const ms = Number(count) * (unit === "EX" ? 1_000 : 1);
      this.#ends[key!] = this.#now() + ms;
    }
    return "OK";
  }

  #has(key: string): boolean {
    return this.#strings[key] !== undefined || this.#lists[key] !== undefined;
  }

  #drop(key: string): boolean {
    const there = this.#has(key);
    delete this.#strings[key];
    delete this.#lists[key];
    delete this.#ends[key];
    return there;
  }

  sweep() {
    const now = this.#now();
    for (const [key, end] of Object.entries(this.#ends)) {
      if (end <= now) this.#drop(key);
    }
  }
}

function wrongType() {
  return new Error("WRONGTYPE Operation against a key of another type");
}

function int64(text: string, plus = 0n): bigint | Error {
  if (!/^-?[0-9]+$/.test(text)) return new Error("ERR value is not an integer");
  const sum = BigInt(text) + plus;
  if (BigInt(text) === BigInt.asIntN(64, BigInt(text))) {
    if (sum === BigInt.asIntN(64, sum)) return sum;
  }
  return new Error("ERR value is out of range");
}

interface Wait {
  keys: string[];
  give: (key: string) => void;
}

export function serve(
  listener: Deno.Listener,
  options: ServeOptions = {},
): Promise<void> {
  const database = new Database();
  const waits: Wait[] = [];
  type Hear = (message: Uint8Array) => void;
  const rooms = new Map<string, Set<Hear>>();
  database.onPush = (key) => {
    for (const wait of [...waits]) {
      if (wait.keys.includes(key)) wait.give(key);
    }
  };

  function visit(conn: Deno.Conn, done: () => void) {
    const decoder = new RespDecoder(options);
    const buffer = Buffer.alloc(4_096);
    const todo: (Uint8Array[] | Error)[] = [];
    let refused = false;
    let ended = false;
    let stopWaiting: (() => void) | undefined;
    let open = true;
    let unsent = Buffer.alloc(0);
    let writing = false;
    let whenSent: (() => void) | undefined;

    function say(value: Resp) {
      send(encodeResp(value));
    }

    function send(message: Uint8Array) {
      unsent = Buffer.concat([unsent, message]);
      if (!writing) flush();
    }

    function flush() {
      if (unsent.length === 0 || !open) {
        writing = false;
        const then = whenSent;
        whenSent = undefined;
        return then?.();
      }
      writing = true;
      const part = new Uint8Array(unsent);
      unsent = Buffer.alloc(0);
      conn.write(part).then((n) => {
        unsent = Buffer.concat([part.subarray(n), unsent]);
        flush();
      }, (error) => lost(error));
    }

    /** Calls `then` when all has been sent, or is lost. */
    function sent(then: () => void) {
      if (!writing) return then();
      whenSent = then;
    }

    const hear: Hear = (message) => {
      const { maxQueued = 1_000_000 } = options;
      if (unsent.length > maxQueued) shut();
      else send(message);
    };

    function blpop(keys: string[], seconds: number) {
      for (const key of keys) {
        const item = database.run("LPOP", bytes(key));
        if (item instanceof Error) return say(item);
        if (item !== null) return say([bytes(key), item]);
      }
      const finish = (value: Resp) => {
        stopWaiting?.();
        say(value);
        Promise.resolve().then(go);
      };
      const give = (key: string) => {
        const item = database.run("LPOP", bytes(key));
        if (item !== null) finish([bytes(key), item]);
      };
      const wait = { keys, give };
      waits.push(wait);
      const timer = seconds > 0
        ? setTimeout(() => finish(null), Math.min(seconds * 1_000, 2e9))
        : undefined;
      stopWaiting = () => {
        clearTimeout(timer);
        waits.splice(waits.indexOf(wait), 1);
        stopWaiting = undefined;
      };
    }

    function run([first, ...args]: Uint8Array[]) {
      const name = latin1(first!).toUpperCase();
      const keys = args.map(latin1);
      if (name === "BLPOP" && args.length >= 2) {
        const seconds = Number(keys.pop()!.trim() || NaN);
        if (seconds >= 0) blpop(keys, seconds);
        else say(new Error("ERR timeout is not a float"));
      } else if (name === "SUBSCRIBE" && args.length >= 1) {
        for (const key of keys) {
          rooms.set(key, (rooms.get(key) ?? new Set()).add(hear));
          const all = [...rooms.values()].filter((room) => room.has(hear));
          say([bytes("subscribe"), bytes(key), all.length]);
        }
      } else if (name === "PUBLISH" && args.length === 2) {
        const room = rooms.get(keys[0]!) ?? new Set();
        const message = encodeResp([bytes("message"), ...args]);
        say(room.size);
        for (const other of room) other(message);
      } else say(database.run(latin1(first!), ...args));
    }

    function go() {
      while (todo.length > 0 && !stopWaiting) {
        const next = todo.shift()!;
        if (next instanceof Error) {
          say(next);
          end();
        } else run(next);
      }
    }

    function take(chunk: Uint8Array) {
      try {
        for (const words of decoder.push(chunk)) todo.push(words);
      } catch (error) {
        if (!(error instanceof Deno.errors.InvalidData)) throw error;
        refused = true;
        todo.push(new Error(`ERR Protocol error: ${error.message}`));
      }
    }

    function read() {
      conn.read(buffer).then((n) => {
        if (n === null) return end();
        if (!refused) take(buffer.subarray(0, n));
        go();
        if (!ended) sent(read);
      }).catch(lost);
    }

    function leave() {
      stopWaiting?.();
      for (const room of rooms.values()) room.delete(hear);
    }

    function end() {
      ended = true;
      leave();
      sent(shut);
    }

    function shut() {
      leave();
      if (!open) return;
      open = false;
      conn.close();
      flush();
      done();
    }

    function lost(error: unknown) {
      const { BadResource, BrokenPipe, ConnectionReset, Interrupted } =
        Deno.errors;
      const gone = [BadResource, BrokenPipe, ConnectionReset, Interrupted]
        .some((Gone) => error instanceof Gone);
      if (!gone) throw error;
      shut();
    }

    read();
  }

  const clock = setInterval(() => database.sweep(), 1_000);
  return new Promise((resolve, reject) => {
    let inside = 0;
    let closed = false;
    const check = () => {
      if (inside > 0 || !closed) return;
      clearInterval(clock);
      resolve();
    };
    const accept = () =>
      listener.accept().then((conn) => {
        inside++;
        visit(conn, () => {
          inside--;
          check();
        });
        accept();
      }, (error) => {
        if (!(error instanceof Deno.errors.BadResource)) return reject(error);
        closed = true;
        check();
      });
    accept();
  });
}
