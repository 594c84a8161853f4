// style: streams from one end to the other, and a Response that collects
type Reader = { read(into: Uint8Array): Promise<number | null> };
type Writer = { write(bytes: Uint8Array): Promise<number> };

export async function writeAll(writer: Writer, data: Uint8Array) {
  const sink = new WritableStream<Uint8Array>({
    async write(chunk) {
      while (chunk.length > 0) {
        chunk = chunk.subarray(await writer.write(chunk));
      }
    },
  });
  const out = sink.getWriter();
  await out.write(data);
  await out.close();
}

export async function readToEnd(reader: Reader, limit = 10_000_000) {
  let rest = limit;
  const source = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      const chunk = new Uint8Array(16_384);
      const n = await reader.read(chunk);
      if (n === null) return controller.close();
      rest -= n;
      if (rest < 0) throw new RangeError(`The limit is ${limit} bytes`);
      controller.enqueue(chunk.subarray(0, n));
    },
  });
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for await (const part of source) parts.push(part);
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

export async function exchange(
  to: { hostname: string; port: number },
  request: Uint8Array,
) {
  using conn = await Deno.connect(to);
  const out = conn.writable.getWriter();
  await out.write(request);
  out.releaseLock();
  await conn.closeWrite();
  return new Uint8Array(await new Response(conn.readable).arrayBuffer());
}
