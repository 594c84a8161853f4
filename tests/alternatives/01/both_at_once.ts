// style: a BYOB reader beside a writer, both directions at the same time
type Reader = { read(into: Uint8Array): Promise<number | null> };
type Writer = { write(bytes: Uint8Array): Promise<number> };

export async function writeAll(writer: Writer, data: Uint8Array) {
  let rest = data;
  do rest = rest.subarray(await writer.write(rest)); while (rest.length > 0);
}

async function* chunks(reader: Reader) {
  while (true) {
    const chunk = new Uint8Array(1_000);
    const n = await reader.read(chunk);
    if (n === null) return;
    yield chunk.subarray(0, n);
  }
}

export async function readToEnd(reader: Reader, limit = Infinity) {
  const answer: number[] = [];
  for await (const chunk of chunks(reader)) {
    if (answer.length + chunk.length > limit) throw new RangeError("too much");
    for (const byte of chunk) answer.push(byte);
  }
  return Uint8Array.from(answer);
}

/** A connection's stream, seen as a reader. */
function byob(conn: Deno.Conn): Reader {
  const reader = conn.readable.getReader({ mode: "byob" });
  return {
    async read(into) {
      const { value, done } = await reader.read(new Uint8Array(into.length));
      if (value === undefined || (done && value.length === 0)) return null;
      into.set(value);
      return value.length;
    },
  };
}

export async function exchange(
  to: { hostname: string; port: number },
  request: Uint8Array,
) {
  using conn = await Deno.connect(to);
  const [answer] = await Promise.all([
    readToEnd(byob(conn)),
    writeAll(conn, request).then(() => conn.closeWrite()),
  ]);
  return answer;
}
