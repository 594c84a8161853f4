// Lesson 01: your first TCP client.
//
// It connects, asks, listens and hangs up: one call for each, as in the first
// example of every tutorial. A short question gets a short answer. When either
// is long, bytes are lost, and some servers never answer at all.

/** Where bytes come from. A connection is a reader, and so is a file. */
export type Reader = {
  /**
   * Puts what has come at the beginning of `into`. Resolves to the number of
   * bytes, or to null when the other side has ended and all is read.
   */
  read(into: Uint8Array): Promise<number | null>;
};

/** Where bytes go. */
export type Writer = {
  /** Takes the first of `bytes`. Resolves to how many it took. */
  write(bytes: Uint8Array): Promise<number>;
};

/** Writes all of `data`, each byte once and in order. */
export async function writeAll(
  writer: Writer,
  data: Uint8Array,
): Promise<void> {
  // TODO: Of a long request, only the beginning is on its way.
  await writer.write(data);
}

/**
 * Reads until the end, and returns everything that came.
 *
 * @throws {RangeError} As soon as it is more than `limit` bytes.
 */
export async function readToEnd(
  reader: Reader,
  limit = 10_000_000,
): Promise<Uint8Array> {
  const buffer = new Uint8Array(1_024);
  const parts: Uint8Array[] = [];
  // TODO: Every answer is 1,024 bytes long, whatever the server said.
  await reader.read(buffer);
  parts.push(buffer);
  const answer = joined(parts);
  // TODO: This line refuses what is in memory already.
  if (answer.length > limit) throw tooMuch(limit);
  return answer;
}

function tooMuch(limit: number): RangeError {
  return new RangeError(`Cannot read more than ${limit} bytes: more came`);
}

/** One array of all `parts`, in order. */
function joined(parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, p) => sum + p.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Sends `request` to the server at `to`, and returns its whole answer. */
export async function exchange(
  to: { hostname: string; port: number },
  request: Uint8Array,
): Promise<Uint8Array> {
  const conn = await Deno.connect(to);
  await writeAll(conn, request);
  // TODO: The server waits for the rest of the request, and we for the answer.
  const answer = await readToEnd(conn);
  // TODO: If a line above throws, this one is never reached.
  conn.close();
  return answer;
}

// Try it by hand: `seq 1000 | nc -l 127.0.0.1 7001` in one terminal, and in
// another `deno run -P lessons/01/exchange.ts`, with a question if you like.
if (import.meta.main) {
  // HTTP servers want an empty line at the end; nobody else minds one.
  const question = `${Deno.args.join(" ") || "What time is it?"}\r\n\r\n`;
  const answer = await exchange(
    { hostname: "127.0.0.1", port: 7001 },
    new TextEncoder().encode(question),
  );
  // Decoded whole: between two reads, a character may be cut in half.
  console.log(new TextDecoder().decode(answer));
  console.log(`(${answer.length} bytes)`);
}
