// Lesson 01, solved: your first TCP client.
//
// A write takes what there is room for, a read gives what has come; both say
// how much that was, and both are called again until all is done. Each side
// says for itself that it has no more to send.

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
  for (let sent = 0; sent < data.length;) {
    // The kernel takes what it has room for: the rest is still ours to send.
    sent += await writer.write(data.subarray(sent));
  }
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
  const buffer = new Uint8Array(65_536);
  const parts: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const n = await reader.read(buffer);
    if (n === null) break; // Only null is the end: 0 bytes are no news.
    length += n;
    if (length > limit) throw tooMuch(limit);
    parts.push(buffer.slice(0, n)); // A copy: the next read fills the buffer.
  }
  return joined(parts);
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
  // `using` closes the connection however this function ends.
  using conn = await Deno.connect(to);
  await writeAll(conn, request);
  // That was all from our side; the other direction stays open.
  await conn.closeWrite();
  // Without `await`, the connection would close before the first read.
  return await readToEnd(conn);
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
