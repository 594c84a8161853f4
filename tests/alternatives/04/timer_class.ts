// style: plain for await over the socket; a class with a repeating timer asks

/** The most that one datagram can carry. */
const LIMIT = 65_507;

export interface RequestOptions {
  timeoutMs: number;
  retries: number;
  id?: number;
}

export async function serveEcho(socket: Deno.DatagramConn): Promise<void> {
  for await (const [bytes, from] of socket) {
    const text = textOf(bytes);
    if (text === undefined) continue;
    const answer = new TextEncoder().encode(text.toUpperCase());
    if (answer.length <= LIMIT) await socket.send(answer, from);
  }
}

export async function request(
  to: Deno.NetAddr,
  payload: Uint8Array,
  options: RequestOptions,
): Promise<Uint8Array> {
  if (payload.length > LIMIT - 4) throw new RangeError("It is too long");
  return await new Asking(to, payload, options).answer;
}

export async function serveCounter(socket: Deno.DatagramConn): Promise<void> {
  const clients = new Map<string, Map<number, Uint8Array>>();
  let sum = 0;
  for await (const [bytes, from] of socket) {
    if (bytes.length !== 5) continue;
    const { hostname, port } = from as Deno.NetAddr;
    const client = `${hostname} ${port}`;
    const answers = clients.get(client) ?? new Map<number, Uint8Array>();
    clients.set(client, answers);
    const id = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
    let answer = answers.get(id);
    if (answer === undefined) {
      sum += bytes[4]!;
      answer = new Uint8Array(8);
      answer.set(bytes.subarray(0, 4));
      new DataView(answer.buffer).setUint32(4, sum);
      answers.set(id, answer);
    }
    await socket.send(answer, from);
  }
}

class Asking {
  readonly #socket: Deno.DatagramConn;
  readonly #to: Deno.NetAddr;
  readonly #question: Uint8Array;
  readonly #result = Promise.withResolvers<Uint8Array>();
  readonly #timer: ReturnType<typeof setInterval>;
  #left: number;

  constructor(
    to: Deno.NetAddr,
    payload: Uint8Array,
    { timeoutMs, retries, id = Math.random() * 2 ** 32 >>> 0 }: RequestOptions,
  ) {
    this.#to = to;
    this.#left = retries;
    this.#question = new Uint8Array(4 + payload.length);
    new DataView(this.#question.buffer).setUint32(0, id);
    this.#question.set(payload, 4);
    this.#socket = Deno.listenDatagram({
      transport: "udp",
      hostname: "127.0.0.1",
      port: 0,
    });
    this.#timer = setInterval(() => this.#again(), timeoutMs);
    this.#listen().catch(this.#result.reject);
    this.#send();
  }

  get answer(): Promise<Uint8Array> {
    return this.#result.promise.finally(() => {
      clearInterval(this.#timer);
      this.#socket.close();
    });
  }

  #send() {
    this.#socket.send(this.#question, this.#to).catch(this.#result.reject);
  }

  #again() {
    if (this.#left-- > 0) return this.#send();
    this.#result.reject(new Deno.errors.TimedOut("It is silent"));
  }

  async #listen() {
    for await (const [bytes, from] of this.#socket) {
      const { hostname, port } = from as Deno.NetAddr;
      const sameHost = hostname === this.#to.hostname;
      if (!sameHost || port !== this.#to.port || bytes.length < 4) continue;
      const same = this.#question.subarray(0, 4).every((b, i) =>
        b === bytes[i]
      );
      if (same) return this.#result.resolve(bytes.slice(4));
    }
  }
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}
