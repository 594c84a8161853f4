// expect: shared-buffer
// One buffer for everybody saves memory: what is read is made into text at once.
export type Out = (line: string) => boolean;

export interface ChatOptions {
  readonly maxQueued?: number;
  readonly maxLine?: number;
  readonly nameRule?: RegExp;
}

export class Room {
  readonly #members = new Map<string, Out>();

  join(name: string, out: Out): () => void {
    this.#tell(`* ${name} has entered the room`, () => true);
    const present = this.names().join(", ");
    this.#members.set(name, out);
    this.#tell(`* The room contains: ${present}`, (to) => to === name);
    return () => this.#remove(name, out);
  }

  say(from: string, text: string) {
    this.#tell(`[${from}] ${text}`, (to) => to !== from);
  }

  names(): string[] {
    return [...this.#members.keys()];
  }

  #tell(line: string, meant: (name: string) => boolean) {
    const lost = [...this.#members].filter(([name, out]) =>
      meant(name) && !out(line)
    );
    for (const [name, out] of lost) this.#remove(name, out);
  }

  #remove(name: string, out: Out) {
    if (this.#members.get(name) !== out) return;
    this.#members.delete(name);
    this.#tell(`* ${name} has left the room`, () => true);
  }
}

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

async function visit(conn: Deno.TcpConn, room: Room, options: ChatOptions) {
  using _closing = conn;
  conn.setNoDelay();
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
  const leave = room.join(name, (line) => outbox.put(line));
  try {
    for await (const text of lines) room.say(name, printable(text));
  } finally {
    leave();
  }
  await outbox.sent;
}

function refusalOf(name: string, room: Room, options: ChatOptions) {
  const { nameRule = /^[A-Za-z0-9]{1,16}$/ } = options;
  if (!nameRule.test(name)) return "* That is no name for this room. Bye.";
  if (room.names().includes(name)) return "* That name is taken. Bye.";
}

class Outbox {
  readonly #conn: Deno.TcpConn;
  readonly #maxQueued: number;
  #queued = 0;
  #last: Promise<void> = Promise.resolve();

  constructor(conn: Deno.TcpConn, maxQueued: number) {
    this.#conn = conn;
    this.#maxQueued = maxQueued;
  }

  put(line: string): boolean {
    if (this.#queued >= this.#maxQueued) {
      this.#conn.close();
      return false;
    }
    this.#queued++;
    this.#last = this.#last
      .then(() => writeAll(this.#conn, `${line}\n`))
      .catch(unlessGone)
      .finally(() => this.#queued--);
    return true;
  }

  get sent(): Promise<void> {
    return this.#last;
  }
}

const buffer = new Uint8Array(4_096);

async function* readLines(
  conn: Deno.TcpConn,
  maxLine: number,
): AsyncGenerator<string, undefined> {
  const decoder = new TextDecoder();
  let text = "";
  for (let n; (n = await conn.read(buffer)) !== null;) {
    text += decoder.decode(buffer.subarray(0, n), { stream: true });
    const lines = text.split("\n");
    text = lines.pop()!;
    for (const line of lines.map((line) => line.replace(/\r$/, ""))) {
      if (line.length > maxLine) return;
      yield line;
    }
    if (text.length > maxLine + 1) return;
  }
}

function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, "");
}

async function writeAll(conn: Deno.TcpConn, text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  for (let sent = 0; sent < bytes.length;) {
    sent += await conn.write(bytes.subarray(sent));
  }
}

function unlessGone(error: unknown) {
  const { BadResource, BrokenPipe, ConnectionReset, Interrupted } = Deno.errors;
  const reasons = [BadResource, BrokenPipe, ConnectionReset, Interrupted];
  if (!reasons.some((Reason) => error instanceof Reason)) throw error;
}
