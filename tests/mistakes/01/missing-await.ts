// expect: missing-await
// One line sends the request, the next one says that it is over.

type Reader = { read(into: Uint8Array): Promise<number | null> };
type Writer = { write(bytes: Uint8Array): Promise<number> };

export async function writeAll(writer: Writer, data: Uint8Array) {
  for (let sent = 0; sent < data.length;) {
    sent += await writer.write(data.subarray(sent));
  }
}

export async function readToEnd(reader: Reader, limit = 10_000_000) {
  const buffer = new Uint8Array(4_096);
  const answer: number[] = [];
  while (true) {
    const n = await reader.read(buffer);
    if (n === null) break;
    if (answer.length + n > limit) throw new RangeError("too long");
    answer.push(...buffer.subarray(0, n));
  }
  return new Uint8Array(answer);
}

export async function exchange(
  to: { hostname: string; port: number },
  request: Uint8Array,
) {
  const conn = await Deno.connect(to);
  try {
    writeAll(conn, request);
    await conn.closeWrite();
    return await readToEnd(conn);
  } finally {
    conn.close();
  }
}
