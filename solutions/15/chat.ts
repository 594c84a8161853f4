// Lesson 15, solved: a chat room.
//
// The room knows who is there and how to hand each of them a line, and it never
// waits. A line goes into its reader's own outbox, where each line waits for
// the one before it. Who does not read fills that outbox, and nothing else.

/** Hands a member one line. False: no more can be taken, and it is over. */
export type Out = (line: string) => boolean;

/** Settings of a chat. */
export interface ChatOptions {
  /** How many lines may wait for a client that does not read. Default: 1,000. */
  readonly maxQueued?: number;
  /** How long a line may be, in characters. Default: 1,024. */
  readonly maxLine?: number;
  /** What a name must look like. Default: 1 to 16 letters and digits, ASCII. */
  readonly nameRule?: RegExp;
}

/** Those who chat, in the order in which they came. Nothing in it waits. */
export class Room {
  readonly #members = new Map<string, Out>();

  /**
   * Lets `name` in, who must not be inside yet: tells the newcomer who is
   * there, and the others who has come. Returns how to leave; twice is fine.
   */
  join(name: string, out: Out): () => void {
    // The others first: should `out` refuse, their goodbye comes afterwards.
    this.#tell(`* ${name} has entered the room`, () => true);
    const present = this.names().join(", ");
    this.#members.set(name, out);
    this.#tell(`* The room contains: ${present}`, (to) => to === name);
    return () => this.#remove(name, out);
  }

  /** Tells everyone but `from` what `from` says. */
  say(from: string, text: string) {
    this.#tell(`[${from}] ${text}`, (to) => to !== from);
  }

  /** Who is there. */
  names(): string[] {
    return [...this.#members.keys()];
  }

  /** Hands `line` to all that are `meant`, and lets go of who cannot take it. */
  #tell(line: string, meant: (name: string) => boolean) {
    // First everyone hears this line; only then does the room change.
    const lost = [...this.#members].filter(([name, out]) =>
      meant(name) && !out(line)
    );
    for (const [name, out] of lost) this.#remove(name, out);
  }

  #remove(name: string, out: Out) {
    // Long gone? Then somebody else may have the name by now.
    if (this.#members.get(name) !== out) return;
    this.#members.delete(name);
    this.#tell(`* ${name} has left the room`, () => true);
  }
}

/**
 * Runs a chat for all clients of `listener`. Returns when the listener has
 * closed and the last client has left.
 */
export async function serve(
  listener: Deno.TcpListener,
  options: ChatOptions = {},
): Promise<void> {
  const room = new Room();
  const clients = new Set<Promise<void>>();
  for await (const conn of listener) {
    const client = visit(conn, room, options)
      .catch(unlessGone)
      .finally(() => clients.delete(client));
    clients.add(client);
  }
  await Promise.all(clients);
}

/** One client, from the first question to the last word. */
async function visit(conn: Deno.TcpConn, room: Room, options: ChatOptions) {
  // A full outbox has hung up before. It is fine to dispose of what is closed
  // already; a second close() would throw.
  using _closing = conn;
  conn.setNoDelay(); // A line is short; it need not wait for a second one.
  const outbox = new Outbox(conn, options.maxQueued ?? 1_000);
  const lines = readLines(conn, options.maxLine ?? 1_024);
  outbox.put("Welcome to budgetchat! What shall I call you?");

  const { value: name } = await lines.next();
  if (name === undefined) return;
  const refusal = refusalOf(name, room, options);
  if (refusal !== undefined) {
    outbox.put(refusal);
    return await outbox.sent;
  }
  // Nothing was awaited since the name was found to be free: it still is.
  const leave = room.join(name, (line) => outbox.put(line));
  try {
    for await (const text of lines) room.say(name, printable(text));
  } finally {
    // At the end, at a reset, at anything else: gone is gone.
    leave();
  }
  await outbox.sent;
}

/** Why `name` may not come in, if it may not. */
function refusalOf(name: string, room: Room, options: ChatOptions) {
  const { nameRule = /^[A-Za-z0-9]{1,16}$/ } = options;
  if (!nameRule.test(name)) return "* That is no name for this room. Bye.";
  if (room.names().includes(name)) return "* That name is taken. Bye.";
}

/** The lines on their way to one client, one after the other. */
class Outbox {
  readonly #conn: Deno.TcpConn;
  readonly #maxQueued: number;
  #queued = 0;
  #last: Promise<void> = Promise.resolve();

  constructor(conn: Deno.TcpConn, maxQueued: number) {
    this.#conn = conn;
    this.#maxQueued = maxQueued;
  }

  /** Takes a line, and never waits. False: it could not, and has hung up. */
  put(line: string): boolean {
    if (this.#queued >= this.#maxQueued) {
      this.#conn.close();
      return false;
    }
    this.#queued++;
    // Each line waits for the one before it, and nobody else does.
    this.#last = this.#last
      .then(() => writeAll(this.#conn, `${line}\n`))
      .catch(unlessGone) // The read notices, too, and says goodbye.
      .finally(() => this.#queued--);
    return true;
  }

  /** Resolves when all has been sent, or nothing can be any more. */
  get sent(): Promise<void> {
    return this.#last;
  }
}

/** Gives line after line without its end, until the client ends or overdoes. */
async function* readLines(
  conn: Deno.TcpConn,
  maxLine: number,
): AsyncGenerator<string, undefined> {
  const buffer = new Uint8Array(16_384);
  const decoder = new TextDecoder();
  let text = "";
  for (let n; (n = await conn.read(buffer)) !== null;) {
    // Copied into the text at once: the next read fills the buffer again.
    text += decoder.decode(buffer.subarray(0, n), { stream: true });
    const lines = text.split("\n");
    text = lines.pop()!; // Not a line yet. At the end, it never was one.
    for (const line of lines.map((line) => line.replace(/\r$/, ""))) {
      if (line.length > maxLine) return;
      yield line;
    }
    if (text.length > maxLine + 1) return; // One more: it may be a "\r".
  }
}

/** `text` without what would move somebody's cursor, or ring their bell. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, "");
}

/** Writes all of `text`, however little the kernel takes at a time. */
async function writeAll(conn: Deno.TcpConn, text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  for (let sent = 0; sent < bytes.length;) {
    sent += await conn.write(bytes.subarray(sent));
  }
}

/** The client vanished, or was let go. Any other error is a bug of ours. */
function unlessGone(error: unknown) {
  const { BadResource, BrokenPipe, ConnectionReset, Interrupted } = Deno.errors;
  const reasons = [BadResource, BrokenPipe, ConnectionReset, Interrupted];
  if (!reasons.some((Reason) => error instanceof Reason)) throw error;
}

// Try it by hand: `deno run -P solutions/15/chat.ts`, then `nc 127.0.0.1 7015`
// in two or three other terminals.
if (import.meta.main) {
  await serve(Deno.listen({ hostname: "127.0.0.1", port: 7015 }));
}
