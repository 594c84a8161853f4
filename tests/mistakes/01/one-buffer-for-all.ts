// expect: one-buffer-for-all
// A new buffer for each call is waste: this one is made once, and what comes is
// copied out of it at once.

type Reader = { read(into: Uint8Array): Promise<number | null> };
type Writer = { write(bytes: Uint8Array): Promise<number> };

export async function writeAll(writer: Writer, data: Uint8Array) {
  for (let sent = 0; sent < data.length;) {
    sent += await writer.write(data.subarray(sent));
  }
}

const buffer = new Uint8Array(4_096);

export async function readToEnd(reader: Reader, limit = 10_000_000) {
  const parts: Uint8Array[] = [];
  let length = 0;
  for (let n; (n = await reader.read(buffer)) !== null;) {
    length += n;
    if (length > limit) throw new RangeError("too long");
    parts.push(buffer.slice(0, n));
  }
  return new Uint8Array(parts.flatMap((part) => [...part]));
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
