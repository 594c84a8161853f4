// style: closures and callbacks; two timers of Node, and no class but Room
import { setImmediate } from "node:timers";

export type Out = (line: string) => boolean;

export interface ChatOptions {
  maxQueued?: number;
  maxLine?: number;
  nameRule?: RegExp;
}

export class Room {
  readonly #outs = new Map<string, Out>();

  names(): string[] {
    return Array.from(this.#outs.keys());
  }

  join(name: string, out: Out): () => void {
    const others = this.names();
    this.#outs.set(name, out);
    out("* The room contains: " + others.join(", "));
    this.#broadcast(others, `* ${name} has entered the room`);
    return () => this.#drop(name, out);
  }

  say(from: string, text: string): void {
    const others = this.names().filter((name) => name !== from);
    this.#broadcast(others, `[${from}] ${text}`);
  }

  #drop(name: string, out: Out) {
    if (this.#outs.get(name) !== out) return;
    this.#outs.delete(name);
    this.#broadcast(this.names(), `* ${name} has left the room`);
  }

  #broadcast(names: string[], line: string) {
    for (const name of names) {
      const out = this.#outs.get(name);
      if (out && !out(line)) this.#drop(name, out);
    }
  }
}

export function serve(
  listener: Deno.Listener,
  options: ChatOptions = {},
): Promise<void> {
  const room = new Room();
  const talks = new Set<Promise<void>>();

  async function accept(): Promise<void> {
    let conn: Deno.Conn;
    try {
      conn = await listener.accept();
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
      await Promise.all(talks);
      return;
    }
    const talk = converse(conn, room, options);
    talks.add(talk);
    talk.then(() => talks.delete(talk));
    return accept();
  }

  return accept();
}

function converse(conn: Deno.Conn, room: Room, options: ChatOptions) {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { maxQueued = 500, maxLine = 1_024 } = options;
  const rule = options.nameRule ?? /^[a-zA-Z0-9]{1,16}$/;
  const queue: Uint8Array[] = [];
  let writing = false;
  let ended = false; // No more is read; what is queued is still sent.
  let closed = false;
  let leave = () => {};

  function close() {
    if (closed) return;
    closed = true;
    conn.close();
    leave();
    resolve();
  }

  function pump() {
    if (closed || writing) return;
    // Everything that waits goes out in one write.
    const lines = queue.splice(0);
    if (lines.length === 0) return ended ? close() : undefined;
    const all = new Uint8Array(lines.reduce((sum, l) => sum + l.length, 0));
    lines.reduce((at, l) => (all.set(l, at), at + l.length), 0);
    writing = true;
    write(all);
  }

  function write(bytes: Uint8Array) {
    conn.write(bytes).then((n) => {
      if (n < bytes.length) return write(bytes.subarray(n));
      writing = false;
      pump();
    }, close);
  }

  function out(line: string): boolean {
    if (closed) return false;
    if (queue.length >= maxQueued) {
      setImmediate(close);
      return false;
    }
    queue.push(new TextEncoder().encode(line + "\n"));
    pump();
    return true;
  }

  function end() {
    leave();
    ended = true;
    pump();
  }

  let name: string | undefined;
  function hear(line: string): boolean {
    if (line.length > maxLine) return false;
    if (name !== undefined) {
      // deno-lint-ignore no-control-regex -- They are what is taken out.
      room.say(name, line.replace(/[\x00-\x1f\x7f-\x9f]/g, ""));
      return true;
    }
    if (!rule.test(line)) return out("* Bad name") && false;
    if (room.names().includes(line)) return out("* Name in use") && false;
    name = line;
    leave = room.join(line, out);
    return true;
  }

  let rest = "";
  const decoder = new TextDecoder();
  function read() {
    const buffer = new Uint8Array(512);
    conn.read(buffer).then((n) => {
      if (n === null) return end();
      rest += decoder.decode(buffer.subarray(0, n), { stream: true });
      for (let at; (at = rest.indexOf("\n")) >= 0;) {
        const line = rest.slice(0, at).replace(/\r$/, "");
        rest = rest.slice(at + 1);
        if (!hear(line)) return end();
      }
      if (rest.length > maxLine + 1) return end();
      read();
    }, close);
  }

  out("Welcome to budgetchat! What shall I call you?");
  read();
  return promise;
}
