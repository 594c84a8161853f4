import { clip, plain } from "../runner/mod.ts";

/** The bytes that `hex` names, two digits each: "68 65 6c". */
export function fromHex(hex: string | undefined): Uint8Array<ArrayBuffer> {
  const pairs = hex?.match(/[0-9a-f]{2}/g) ?? [];
  return Uint8Array.from(pairs, (pair) => parseInt(pair, 16));
}

/** Two hex digits for each byte, with spaces. */
export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0"))
    .join(" ");
}

/** "1 byte", "1,472 bytes". */
export function count(n: number, unit = "byte"): string {
  return `${n.toLocaleString("en-US")} ${unit}${n === 1 ? "" : "s"}`;
}

/** "0 ms", "1,200 ms", "86,400 s". */
export function time(ms: number): string {
  if (ms < 10_000) return `${Math.round(ms).toLocaleString("en-US")} ms`;
  const seconds = Math.round(ms / 100) / 10;
  return `${seconds.toLocaleString("en-US")} s`;
}

/** How bytes are written beside an arrow. */
export interface Label {
  /** Above it: the text in quotes, or hex where they are no text. */
  readonly above: string;
  /** Below it: hex, or how many there are. */
  readonly below: string;
}

/** How many bytes stand at an arrow in hex; of more, the first few. */
const HEX = 8;
const FEW = 5;

/**
 * Labels `size` bytes, of which `bytes` are the first, in about `columns`
 * letters: as text and as hex, because one of the two may be the surprise.
 */
export function label(
  bytes: Uint8Array,
  size: number,
  columns: number,
): Label {
  if (size === 0) return { above: "0 bytes", below: "" };
  const hex = toHex(bytes.subarray(0, HEX)) + (size > HEX ? " …" : "");
  const text = textOf(bytes, size > bytes.length);
  if (text === undefined) {
    return { above: clip(hex, columns), below: count(size) };
  }
  const whole = quoted(text);
  // The end of a long text is not here, so it has no closing quote.
  const above = size > bytes.length || whole.length > columns
    ? clip(`${whole.slice(0, -1)}…`, columns)
    : whole;
  const few = `${toHex(bytes.subarray(0, FEW))} … ${count(size)}`;
  return { above, below: size > HEX ? few : hex };
}

/**
 * Whether `text` can stand in quotes as it is: it has no character that needs
 * an escape, and no backslash that looks like the beginning of one.
 */
export function isPlain(text: string): boolean {
  const others = text.replaceAll("\\", "");
  return JSON.stringify(others) === `"${others}"` &&
    !/\\(?:[bfnrtu]|$)/.test(text);
}

/** `text` in quotes; what cannot be seen is escaped, unless it is `asIs`. */
export function quoted(text: string, asIs = isPlain(text)): string {
  return plain(asIs ? `"${text}"` : JSON.stringify(text));
}

/** Bytes as UTF-8 text, or undefined if they are no text that one can read. */
export function textOf(bytes: Uint8Array, cut = false): string | undefined {
  try {
    const options = { fatal: true, ignoreBOM: true };
    const text = new TextDecoder("utf-8", options).decode(bytes, {
      stream: cut,
    });
    // deno-lint-ignore no-control-regex -- Control characters are the question.
    return /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufeff]/.test(text)
      ? undefined
      : text;
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

/** One line of a hex dump: where it begins, the bytes, and the letters. */
export interface DumpLine {
  readonly at: string;
  readonly hex: string;
  readonly text: string;
}

/** How many bytes stand in one line of a dump. */
const WIDTH = 16;

/** The bytes line by line, as `xxd` shows them. */
export function dump(bytes: Uint8Array): DumpLine[] {
  const lines: DumpLine[] = [];
  for (let at = 0; at < bytes.length; at += WIDTH) {
    const part = bytes.subarray(at, at + WIDTH);
    lines.push({
      at: at.toString(16).padStart(4, "0"),
      hex: toHex(part).padEnd(3 * Math.min(WIDTH, bytes.length) - 1),
      text: Array.from(part, letter).join(""),
    });
  }
  return lines;
}

/** The letter that a byte is in ASCII, or a dot. */
export function letter(byte: number): string {
  return byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "·";
}

/** Where `a` and `b` part ways first; -1 if they are equal. */
export function firstDifference(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return i;
  return a.length === b.length ? -1 : length;
}
