// expect: copies-all-each-time
// joined() is there, so it can be used for each piece as well.

type Reader = { read(into: Uint8Array): Promise<number | null> };
type Writer = { write(bytes: Uint8Array): Promise<number> };

export async function writeAll(writer: Writer, data: Uint8Array) {
  for (let sent = 0; sent < data.length;) {
    sent += await writer.write(data.subarray(sent));
  }
}

export async function readToEnd(reader: Reader, limit = 10_000_000) {
  const buffer = new Uint8Array(4_096);
  const parts: Uint8Array[] = [];
  let answer = joined(parts);
  for (let n; (n = await reader.read(buffer)) !== null;) {
    parts.push(buffer.slice(0, n));
    answer = joined(parts);
    if (answer.length > limit) throw new RangeError("too long");
  }
  return answer;
}

function joined(parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, p) => sum + p.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
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
