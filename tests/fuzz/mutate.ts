// Inputs that nobody would write: right ones with something wrong in them, and
// bytes that were never right.
import type { Random } from "../../course/check/stand_ins/random.ts";

/** Numbers at which parsers go wrong: signs, lengths, ends, separators. */
const ODD = [
  [0x00],
  [0xff],
  [0x7f, 0xff, 0xff, 0xff],
  [0x80, 0x00, 0x00, 0x00],
  [0xff, 0xff, 0xff, 0xff],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
  [0xc0, 0x0c],
  [0x0d, 0x0a],
  [0x0a],
  [0x0d],
  [0x3a],
  [0x2d, 0x31],
  [0x39, 0x39, 0x39, 0x39, 0x39, 0x39, 0x39, 0x39, 0x39, 0x39],
  [0xef, 0xbb, 0xbf],
  [0xed, 0xa0, 0x80],
];

/** Makes the next input from `seeds`, which are right. */
export function mutated(random: Random, seeds: Uint8Array[]): Uint8Array {
  if (random.below(20) === 0) return random.bytes(random.below(300));
  let bytes = [...pick(random, seeds)];
  for (let changes = 1 + random.below(4); changes > 0; changes--) {
    bytes = change(random, bytes, seeds);
  }
  return Uint8Array.from(bytes.slice(0, 4_000));
}

function change(random: Random, bytes: number[], seeds: Uint8Array[]) {
  const at = random.below(bytes.length + 1);
  const end = at + random.below(Math.min(40, bytes.length - at + 1));
  switch (random.below(8)) {
    case 0: // One byte is another.
      return bytes.map((byte, i) => i === at ? random.below(256) : byte);
    case 1: // One bit is.
      return bytes.map((byte, i) =>
        i === at ? byte ^ (1 << random.below(8)) : byte
      );
    case 2: // Some are missing.
      return bytes.toSpliced(at, end - at);
    case 3: // Some come twice.
      return bytes.toSpliced(at, 0, ...bytes.slice(at, end));
    case 4: // It ends early.
      return bytes.slice(0, at);
    case 5: // Another one begins in the middle.
      return [...bytes.slice(0, at), ...pick(random, seeds)];
    case 6: // A number is odd.
      return bytes.toSpliced(at, end - at, ...pick(random, ODD));
    default: // A number is odd, and nothing is moved.
      return bytes.map((byte, i) => pick(random, ODD)[i - at] ?? byte);
  }
}

/** Cuts `bytes` into pieces of any size. */
export function pieces(random: Random, bytes: Uint8Array): Uint8Array[] {
  const cut: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + 1 + random.below(random.below(4) === 0 ? 3 : 60);
    cut.push(bytes.subarray(at, end));
    at = end;
  }
  return cut;
}

function pick<T>(random: Random, list: T[]): T {
  return list[random.below(list.length)]!;
}
