// expect: reset-is-clean-eof
// Whatever stops the reading, what was read is returned.

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
  while (answer.length <= limit) {
    try {
      const n = await reader.read(buffer);
      if (n === null) return new Uint8Array(answer);
      answer.push(...buffer.subarray(0, n));
    } catch {
      return new Uint8Array(answer);
    }
  }
  throw new RangeError("too long");
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
