// expect: write-count-not-added
// One sign is missing, and the loop never comes to its end.

type Reader = { read(into: Uint8Array): Promise<number | null> };
type Writer = { write(bytes: Uint8Array): Promise<number> };

export async function writeAll(writer: Writer, data: Uint8Array) {
  let sent = 0;
  while (sent < data.length) {
    sent = await writer.write(data.subarray(sent));
  }
}

export async function readToEnd(reader: Reader, limit = 10_000_000) {
  const buffer = new Uint8Array(4_096);
  const answer: number[] = [];
  let n = await reader.read(buffer);
  while (n !== null) {
    if (answer.length + n > limit) throw new RangeError("too long");
    answer.push(...buffer.subarray(0, n));
    n = await reader.read(buffer);
  }
  return new Uint8Array(answer);
}

export async function exchange(
  to: { hostname: string; port: number },
  request: Uint8Array,
) {
  const conn = await Deno.connect(to);
  try {
    await writeAll(conn, request);
    await conn.closeWrite();
    return await readToEnd(conn);
  } finally {
    conn.close();
  }
}
