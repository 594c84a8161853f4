// expect: read-until-quiet
// Some servers never hang up. When one has said nothing for a while, it is done.

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
    const n = await orQuiet(reader.read(buffer));
    if (n === null) break;
    if (answer.length + n > limit) throw new RangeError("too long");
    answer.push(...buffer.subarray(0, n));
  }
  return new Uint8Array(answer);
}

/** Null if nothing comes for a second. */
async function orQuiet(read: Promise<number | null>) {
  const quiet = Promise.withResolvers<null>();
  const timer = setTimeout(quiet.resolve, 1_000, null);
  try {
    return await Promise.race([read, quiet.promise]);
  } finally {
    clearTimeout(timer);
  }
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
