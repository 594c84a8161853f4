// style: a class; reader and writer are two tasks, a queue between them
export async function serve(listener: Deno.Listener): Promise<void> {
  const parrots = new Set<Parrot>();
  for await (const conn of listener) {
    const parrot = new Parrot(conn);
    parrots.add(parrot);
    parrot.ended.then(() => parrots.delete(parrot));
  }
  await Promise.all([...parrots].map(({ ended }) => ended));
}

class Parrot {
  readonly ended: Promise<void>;
  readonly #conn: Deno.Conn;
  readonly #heard: Uint8Array[] = [];
  #quiet = false;
  #wake = () => {};

  constructor(conn: Deno.Conn) {
    this.#conn = conn;
    this.ended = this.#live();
  }

  async #live() {
    using conn = this.#conn;
    const listening = this.#listen(conn);
    const talking = this.#talk(conn);
    // A client may vanish under either; then both have ended.
    await Promise.allSettled([listening, talking]);
  }

  async #listen(conn: Deno.Conn) {
    try {
      for (let n; (n = await this.#take(conn)) !== null;) {
        this.#heard.push(n);
        this.#wake();
      }
    } finally {
      this.#quiet = true;
      this.#wake();
    }
  }

  async #take(conn: Deno.Conn): Promise<Uint8Array | null> {
    const buffer = new Uint8Array(16_384);
    const n = await conn.read(buffer);
    return n === null ? null : buffer.subarray(0, n);
  }

  async #talk(conn: Deno.Conn) {
    while (!this.#quiet || this.#heard.length > 0) {
      const said = this.#heard.shift();
      if (said === undefined) {
        await new Promise<void>((resolve) => this.#wake = resolve);
        continue;
      }
      for (let rest = said; rest.length > 0;) {
        rest = rest.subarray(await conn.write(rest));
      }
    }
  }
}
