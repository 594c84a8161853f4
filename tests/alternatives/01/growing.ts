// style: one buffer that doubles, read into where it is free, and a promise chain
import { setImmediate } from "node:timers/promises";

type Reader = { read(into: Uint8Array): Promise<number | null> };
type Writer = { write(bytes: Uint8Array): Promise<number> };

export function writeAll(writer: Writer, data: Uint8Array): Promise<void> {
  if (data.length === 0) return Promise.resolve();
  return writer.write(data).then((n) => writeAll(writer, data.subarray(n)));
}

export async function readToEnd(reader: Reader, limit = 10_000_000) {
  let buffer = new Uint8Array(16);
  let length = 0;
  while (true) {
    if (length === buffer.length) {
      const larger = new Uint8Array(2 * buffer.length);
      larger.set(buffer);
      buffer = larger;
      await setImmediate(); // Lets others run before a long answer goes on.
    }
    const n = await reader.read(buffer.subarray(length));
    if (n === null) return buffer.slice(0, length);
    length += n;
    if (length > limit) throw new RangeError(`${limit} bytes are enough`);
  }
}

export function exchange(
  to: { hostname: string; port: number },
  request: Uint8Array,
): Promise<Uint8Array> {
  return Deno.connect(to).then((conn) =>
    writeAll(conn, request)
      .then(() => conn.closeWrite())
      .then(() => readToEnd(conn))
      .finally(() => conn.close())
  );
}
