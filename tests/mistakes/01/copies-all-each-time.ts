// expect: copies-all-each-time
// One array that grows, as one would write it for strings.

type Reader = { read(into: Uint8Array): Promise<number | null> };
type Writer = { write(bytes: Uint8Array): Promise<number> };

export async function writeAll(writer: Writer, data: Uint8Array) {
  for (let sent = 0; sent < data.length;) {
    sent += await writer.write(data.subarray(sent));
  }
}

export async function readToEnd(reader: Reader, limit = 10_000_000) {
  const buffer = new Uint8Array(4_096);
  let answer: Uint8Array = new Uint8Array();
  for (let n; (n = await reader.read(buffer)) !== null;) {
    answer = joined(answer, buffer.subarray(0, n));
    if (answer.length > limit) throw new RangeError("too long");
  }
  return answer;
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array {
  const both = new Uint8Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
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
