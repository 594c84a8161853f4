// expect: binary-through-string
// Strings grow with `+=`, and arrays do not.

type Reader = { read(into: Uint8Array): Promise<number | null> };
type Writer = { write(bytes: Uint8Array): Promise<number> };

export async function writeAll(writer: Writer, data: Uint8Array) {
  for (let sent = 0; sent < data.length;) {
    sent += await writer.write(data.subarray(sent));
  }
}

export async function readToEnd(reader: Reader, limit = 10_000_000) {
  const buffer = new Uint8Array(4_096);
  let answer = "";
  let length = 0;
  for (let n; (n = await reader.read(buffer)) !== null;) {
    length += n;
    if (length > limit) throw new RangeError("too long");
    answer += new TextDecoder().decode(buffer.subarray(0, n));
  }
  return new TextEncoder().encode(answer);
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
