import { type Data, toBytes } from "./bytes.ts";

/** Every way to cut `data` into two pieces, neither of them empty. */
export function everySplit(
  data: Data,
): [Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>][] {
  const bytes = toBytes(data);
  return Array.from({ length: bytes.length - 1 }, (_, i) => [
    bytes.slice(0, i + 1),
    bytes.slice(i + 1),
  ]);
}
