// Lesson 04, solved: UDP, messages without a connection.
//
// A datagram comes whole or not at all, and from anybody. So none of them may
// end a server, and a client asks again until it holds an answer to its own
// question, from the address that it asked.

/** The longest payload of a UDP datagram over IPv4. */
const MAX_DATAGRAM = 65_507;

/** How many bytes an id takes on the wire. */
const ID_BYTES = 4;

/** How many answers the counter remembers, for clients that ask again. */
const REMEMBERED = 10_000;

/** How long, and how often, `request()` tries. */
export interface RequestOptions {
  /** How long each try waits for the answer, in milliseconds. */
  timeoutMs: number;
  /** How often it asks again after the first try. */
  retries: number;
  /** Tells this request from others, 0 to 2³² − 1; random if not given. */
  id?: number;
}

/** Answers each text with the same in upper case, until the socket closes. */
export async function serveEcho(socket: Deno.DatagramConn): Promise<void> {
  await answerAll(socket, upperCase);
}

/**
 * Sends an id and `payload` to the server at `to`, and returns what follows the
 * same id in its answer.
 */
export async function request(
  to: Deno.NetAddr,
  payload: Uint8Array,
  { timeoutMs, retries, id = randomId() }: RequestOptions,
): Promise<Uint8Array> {
  const question = withId(id, payload);
  if (question.length > MAX_DATAGRAM) {
    throw new RangeError(
      `Cannot send ${payload.length} bytes: a datagram takes 65,503 and the id`,
    );
  }
  const socket = openSocket(0);
  try {
    // One wait for all tries: the answer to the first may come during the last.
    const answer = answerTo(id, to, socket);
    for (let tries = 0; tries <= retries; tries++) {
      // The same bytes each time: the server knows a repeated request by its id.
      await socket.send(question, to);
      const found = await within(timeoutMs, answer);
      if (found !== undefined) return found;
    }
  } finally {
    socket.close();
  }
  throw new Deno.errors.TimedOut(
    `Cannot get an answer from ${to.hostname}:${to.port}: ` +
      `nothing came in ${retries + 1} tries of ${timeoutMs} ms`,
  );
}

/** Adds what clients send, once for each address and id; answers the sum. */
export async function serveCounter(socket: Deno.DatagramConn): Promise<void> {
  let sum = 0;
  const answers = new Map<string, Uint8Array>();
  await answerAll(socket, (bytes, from) => {
    const { id, amount } = parseAddition(bytes);
    const key = `${from.hostname}:${from.port} ${id}`;
    const known = answers.get(key);
    // Who asks again has not heard the answer. Saying it twice does no harm.
    if (known !== undefined) return known;
    sum += amount;
    const answer = withId(id, uint32(sum));
    answers.set(key, answer);
    const [oldest] = answers.keys(); // A map keeps the order of insertion.
    if (answers.size > REMEMBERED) answers.delete(oldest!);
    return answer;
  });
}

/** Sends back what `answer` makes of each datagram, until the socket closes. */
async function answerAll(
  socket: Deno.DatagramConn,
  answer: (bytes: Uint8Array, from: Deno.NetAddr) => Uint8Array,
): Promise<void> {
  for await (const [bytes, from] of datagrams(socket)) {
    try {
      await socket.send(answer(bytes, from), from);
    } catch (error) {
      // This sender goes without an answer. Uncaught, everybody would.
      console.error(`No answer for ${from.hostname}:${from.port}: ${error}`);
    }
  }
}

/**
 * Yields datagrams and their senders, until the socket closes. All share one
 * buffer: the bytes are good until the next datagram.
 */
async function* datagrams(
  socket: Deno.DatagramConn,
): AsyncGenerator<[Uint8Array, Deno.NetAddr]> {
  // What does not fit is thrown away, and nobody is told. The longest fits.
  const buffer = new Uint8Array(MAX_DATAGRAM);
  try {
    while (true) {
      const [bytes, from] = await socket.receive(buffer);
      yield [bytes, from as Deno.NetAddr];
    }
  } catch (error) {
    // UDP has no end of its own: whoever closes the socket ends the loop.
    const { BadResource, Interrupted } = Deno.errors;
    const closed = error instanceof BadResource || error instanceof Interrupted;
    if (!closed) throw error;
  }
}

/** The payload of the answer to `id` from `to`; nothing if `socket` closes. */
async function answerTo(
  id: number,
  to: Deno.NetAddr,
  socket: Deno.DatagramConn,
): Promise<Uint8Array | undefined> {
  for await (const [bytes, from] of datagrams(socket)) {
    // Anybody can send to this port, and an old answer may still be on its way.
    const asked = from.hostname === to.hostname && from.port === to.port;
    const fits = bytes.length >= ID_BYTES && idOf(bytes) === id;
    if (asked && fits) return bytes.slice(ID_BYTES);
  }
}

/** What `promise` gives; nothing if that takes longer than `ms` milliseconds. */
async function within<T>(ms: number, promise: Promise<T>) {
  const late = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => late.resolve(undefined), ms);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** UTF-8 text in upper case. Throws TypeError if `bytes` are no text. */
function upperCase(bytes: Uint8Array): Uint8Array {
  // ignoreBOM keeps a byte order mark; a decoder would leave it out.
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const text = decoder.decode(bytes);
  return new TextEncoder().encode(text.toUpperCase());
}

/** A request to the counter: four bytes of id, and one that says how much. */
function parseAddition(bytes: Uint8Array): { id: number; amount: number } {
  if (bytes.length !== ID_BYTES + 1) {
    throw new RangeError(
      `Cannot add: a request has 5 bytes, not ${bytes.length}`,
    );
  }
  return { id: idOf(bytes), amount: bytes[ID_BYTES]! };
}

function withId(id: number, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(ID_BYTES + payload.length);
  bytes.set(uint32(id));
  bytes.set(payload, ID_BYTES);
  return bytes;
}

function idOf(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, ID_BYTES).getUint32(0);
}

/** Four bytes, the highest first: the order of bytes on the network. */
function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

function randomId(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0]!;
}

/** Opens a UDP socket of this machine; port 0 lets the kernel choose one. */
function openSocket(port: number): Deno.DatagramConn {
  if (Deno.listenDatagram === undefined) {
    throw new Error(
      "Cannot open a UDP socket: Deno runs without --unstable-net. " +
        'Add the flag, or "unstable": ["net"] to deno.json',
    );
  }
  return Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port });
}

if (import.meta.main) {
  const serve = Deno.args[0] === "counter" ? serveCounter : serveEcho;
  await serve(openSocket(7004));
}
