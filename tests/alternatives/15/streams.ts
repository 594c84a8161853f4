// style: streams; the queue of a ReadableStream is the outbox
export type Out = (line: string) => boolean;

export interface ChatOptions {
  readonly maxQueued?: number;
  readonly maxLine?: number;
  readonly nameRule?: RegExp;
}

export class Room {
  #members: { name: string; out: Out }[] = [];

  join(name: string, out: Out): () => void {
    const me = { name, out };
    out(`* The room contains: ${this.names().join(", ")}`);
    this.#members = [...this.#members, me];
    this.#tell(`* ${name} has entered the room`, name);
    return () => {
      if (!this.#members.includes(me)) return;
      this.#members = this.#members.filter((member) => member !== me);
      this.#tell(`* ${name} has left the room`);
    };
  }

  say(from: string, text: string) {
    this.#tell(`[${from}] ${text}`, from);
  }

  names(): string[] {
    return this.#members.map(({ name }) => name);
  }

  #tell(line: string, except?: string) {
    // Each round makes a new list, so this one stays as it is.
    for (const member of this.#members) {
      const { name, out } = member;
      if (name === except || !this.#members.includes(member)) continue;
      if (out(line)) continue;
      this.#members = this.#members.filter((other) => other !== member);
      this.#tell(`* ${name} has left the room`);
    }
  }
}

export async function serve(
  listener: Deno.Listener,
  options: ChatOptions = {},
): Promise<void> {
  const room = new Room();
  const chats: Promise<void>[] = [];
  for await (const conn of listener) chats.push(chat(conn, room, options));
  await Promise.all(chats);
}

async function chat(conn: Deno.Conn, room: Room, options: ChatOptions) {
  const { maxQueued = 1_000, maxLine = 1_024 } = options;
  const { nameRule = /^[0-9a-z]{1,16}$/i } = options;
  let sending!: ReadableStreamDefaultController<Uint8Array>;
  const encoder = new TextEncoder();
  const outbox = new ReadableStream<Uint8Array>({
    start: (controller) => void (sending = controller),
  }, { highWaterMark: maxQueued });
  let over = false;
  const sent = outbox.pipeTo(conn.writable).catch(() => over = true);

  const out = (line: string) => {
    if (over || (sending.desiredSize ?? 0) <= 0) {
      over = true;
      conn[Symbol.dispose]();
      return false;
    }
    sending.enqueue(encoder.encode(`${line}\n`));
    return true;
  };

  out("Welcome to budgetchat! What shall I call you?");
  let leave: (() => void) | undefined;
  let name: string | undefined;
  try {
    const source = linesOf(conn, maxLine);
    for await (const line of source) {
      if (name !== undefined) {
        room.say(name, line.replace(/\p{Cc}/gu, ""));
        continue;
      }
      if (!nameRule.test(line) || room.names().includes(line)) {
        out("* You cannot have this name");
        break;
      }
      name = line;
      leave = room.join(name, out);
    }
  } catch {
    over = true; // Whatever it was: this client is gone.
  }
  leave?.();
  try {
    if (over) sending.error("gone");
    else sending.close();
  } catch {
    // The pipe has just failed, and nobody has heard of it yet.
  }
  await sent;
  conn[Symbol.dispose]();
}

async function* linesOf(conn: Deno.Conn, maxLine: number) {
  const buffer = new Uint8Array(1_024);
  let line: number[] = [];
  const decoder = new TextDecoder();
  for (let n; (n = await conn.read(buffer)) !== null;) {
    for (const byte of buffer.subarray(0, n)) {
      if (byte !== 0x0a) line.push(byte);
      else {
        if (line.at(-1) === 0x0d) line.pop();
        if (line.length > maxLine) return;
        yield decoder.decode(Uint8Array.from(line));
        line = [];
      }
      if (line.length > maxLine + 1) return;
    }
  }
}
