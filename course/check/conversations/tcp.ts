// Two ends of a TCP connection do whatever comes to mind. What is under way
// stays far below what any buffer holds: how much those hold is each kernel's
// own affair, and the checks do not depend on it.
import type { RawConn } from "../network.ts";
import type { Random } from "../stand_ins/random.ts";
import type { Room } from "./conversation.ts";
import type { Log } from "./log.ts";

const STEPS = 14;
const HERE = { hostname: "127.0.0.1", port: 0 };

/** One end, and what it has written so far. */
class End {
  readonly name: string;
  readonly conn: RawConn;
  #written = 0;
  #readTotal = 0;
  #reading = false;

  constructor(name: string, conn: RawConn) {
    this.name = name;
    this.conn = conn;
  }

  get isReading(): boolean {
    return this.#reading;
  }

  /** Byte number n of each direction has the value n, modulo 251. */
  write(size: number): Promise<number> {
    const from = this.#written;
    const bytes = Uint8Array.from({ length: size }, (_, i) => (from + i) % 251);
    return this.conn.write(bytes).then((n) => {
      this.#written += n;
      return n;
    });
  }

  /** Reads at most `size` bytes, and says whether they are the right ones. */
  async read(size: number): Promise<string> {
    this.#reading = true;
    try {
      const into = new Uint8Array(size);
      const n = await this.conn.read(into);
      if (n === null) return "null";
      const from = this.#readTotal;
      this.#readTotal += n;
      const right = into.subarray(0, n).every((byte, i) =>
        byte === (from + i) % 251
      );
      return right ? String(n) : `${n} wrong bytes`;
    } finally {
      this.#reading = false;
    }
  }
}

/** Both ends are Deno's own. */
export async function tcp({ network, random, log }: Room): Promise<void> {
  const listener = network.listen(HERE);
  const accepted = listener.accept();
  const near = new End("near", await network.connect(listener.addr));
  const far = new End("far", await accepted);
  listener.close();
  for (let i = 0; i < STEPS; i++) {
    await act(random.below(2) === 0 ? near : far, random, log);
  }
  await leave([near, far], log);
}

async function act(end: End, random: Random, log: Log) {
  const { name, conn } = end;
  const size = 1 + random.below(2_000);
  const what = random.below(12);
  if (what < 4) {
    return await log.step(`${name} writes ${size}`, () => end.write(size));
  }
  if (what < 9 && end.isReading) return;
  if (what < 9) {
    return await log.step(`${name} reads ${size}`, () => end.read(size));
  }
  if (what < 10) {
    return await log.step(
      `${name} ends`,
      () => conn.closeWrite().then(nothing),
    );
  }
  if (what < 11) return await log.step(`${name} closes`, () => conn.close());
  await log.step(`${name} reads 0`, () => conn.read(new Uint8Array()));
}

/**
 * The far end can reset. It never reads: on the kernel it is one of node:net,
 * which reads ahead, and what it has read is no longer unread.
 */
export async function withResets(
  { network, random, log }: Room,
): Promise<void> {
  const listener = network.listen(HERE);
  const accepted = listener.accept();
  const far = new End("far", await network.connectAbrupt(listener.addr));
  const near = new End("near", await accepted);
  listener.close();
  let isThere = true;
  for (let i = 0; i < STEPS; i++) {
    if (!isThere || random.below(2) === 0) await act(near, random, log);
    else {
      const what = random.below(6);
      const size = 1 + random.below(2_000);
      if (what < 3) {
        await log.step(`far writes ${size}`, () => end(far.write(size)));
      } else if (what === 3) {
        await log.step("far ends", () => far.conn.closeWrite().then(nothing));
        isThere = false;
      } else {
        await log.step("far resets", () => far.conn.reset!());
        isThere = false;
      }
    }
  }
  await leave([near, far], log);
}

/** What a write of the far end comes to is node's affair. */
function end(writing: Promise<number>): Promise<string> {
  return writing.then(() => "wrote", () => "wrote");
}

/** Deno's own type says that nothing comes back, and null does. */
function nothing() {}

/** Closes what is open still, and waits for what waited for it. */
async function leave(ends: End[], log: Log) {
  for (const { conn } of ends) {
    try {
      // One of node:net closes once all is sent, and a reset sends nothing.
      if (conn.reset) conn.reset();
      else conn.close();
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  }
  await log.over();
}
