// expect: ignore-read-count
// The number that read() gives is tested for null, and then forgotten.

type Reader = { read(into: Uint8Array): Promise<number | null> };
type Writer = { write(bytes: Uint8Array): Promise<number> };

export async function writeAll(writer: Writer, data: Uint8Array) {
  for (let sent = 0; sent < data.length;) {
    sent += await writer.write(data.subarray(sent));
  }
}

export async function readToEnd(reader: Reader, limit = 10_000_000) {
  let answer = new Uint8Array();
  const buffer = new Uint8Array(1_024);
  while (await reader.read(buffer) !== null) {
    answer = new Uint8Array([...answer, ...buffer]);
    if (answer.length > limit) throw new RangeError("too long");
  }
  return answer;
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
