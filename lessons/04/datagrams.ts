// Lesson 04: UDP, messages without a connection.
//
// Two small servers, and a client for the second. They work as long as every
// datagram is short, arrives, and comes from a friend. Nothing on a network
// promises any of that.

/** How many bytes an id takes on the wire. */
const ID_BYTES = 4;

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
  { id = randomId() }: RequestOptions,
): Promise<Uint8Array> {
  const socket = openSocket(0);
  // TODO: Some payloads do not get past this line, and the socket stays open.
  await socket.send(withId(id, payload), to);
  // TODO: If the answer gets lost, we are still here tomorrow. If a stranger
  // says anything at all, it is our answer.
  const [bytes] = await socket.receive();
  socket.close();
  return bytes.slice(ID_BYTES);
}

/** Adds what clients send, once for each address and id; answers the sum. */
export async function serveCounter(socket: Deno.DatagramConn): Promise<void> {
  let sum = 0;
  await answerAll(socket, (bytes) => {
    const { id, amount } = parseAddition(bytes);
    // TODO: A client that has not heard our answer asks again, and pays twice.
    sum += amount;
    return withId(id, uint32(sum));
  });
}

/** Sends back what `answer` makes of each datagram, until the socket closes. */
async function answerAll(
  socket: Deno.DatagramConn,
  answer: (bytes: Uint8Array, from: Deno.NetAddr) => Uint8Array,
): Promise<void> {
  for await (const [bytes, from] of datagrams(socket)) {
    // TODO: One sender of nonsense, and nobody gets an answer any more.
    await socket.send(answer(bytes, from), from);
  }
}

/**
 * Yields datagrams and their senders, until the socket closes. All share one
 * buffer: the bytes are good until the next datagram.
 */
async function* datagrams(
  socket: Deno.DatagramConn,
): AsyncGenerator<[Uint8Array, Deno.NetAddr]> {
  // TODO: Of a message of 1,472 bytes, 448 are gone, and nobody says so.
  const buffer = new Uint8Array(1_024);
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
