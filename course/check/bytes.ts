const encoder = new TextEncoder();

/** What a check may send or expect: text stands for its UTF-8 bytes. */
export type Data = string | Uint8Array;

/**
 * The first `length` of `bytes`, all of them if none is said, in an array of
 * their own. What a program gives may be a `Buffer`, whose `slice()` is a view.
 */
export function copyOf(
  bytes: Uint8Array,
  length?: number,
): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes.subarray(0, length));
}

/** The bytes of `data`. */
export function toBytes(data: Data): Uint8Array<ArrayBuffer> {
  return typeof data === "string" ? encoder.encode(data) : copyOf(data);
}

/** One array of all `parts`, in order. */
export function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, p) => sum + p.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Whether `part` stands somewhere in `whole`. */
export function contains(whole: Uint8Array, part: Uint8Array): boolean {
  return whole.some((_, at) =>
    firstDifference(whole.subarray(at, at + part.length), part) < 0
  );
}

/** Where `a` and `b` part ways first; -1 if they are equal. */
export function firstDifference(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return i;
  return a.length === b.length ? -1 : length;
}

/** Whether `bytes` are text that can be shown as it is, escapes aside. */
export function isText(bytes: Uint8Array): boolean {
  return textOf(bytes) !== undefined;
}

/**
 * The text that `bytes` are, if it can be shown as it is. If more of them
 * follow, a last character that is not complete is left out.
 */
function textOf(bytes: Uint8Array, more = false): string | undefined {
  try {
    // A byte order mark is text that nobody sees.
    const options = { fatal: true, ignoreBOM: true };
    const decoder = new TextDecoder("utf-8", options);
    const text = decoder.decode(bytes, { stream: more });
    // deno-lint-ignore no-control-regex -- Control characters are the question.
    return /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufeff]/.test(text)
      ? undefined
      : text;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return undefined; // Not UTF-8: hex will say what it is.
  }
}

/** Groups digits by three; `Intl` would take 10 ms to load. */
function grouped(n: number): string {
  return String(n).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** "1 byte", "1,024 bytes". */
export function count(n: number, unit = "byte"): string {
  return `${grouped(n)} ${unit}${n === 1 ? "" : "s"}`;
}

/** Two hex digits for each byte, with spaces. */
export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join(" ");
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

/** `text` in quotes; what cannot be seen is escaped, unless it is `plain`. */
export function quoted(text: string, plain = isPlain(text)): string {
  return plain ? `"${text}"` : JSON.stringify(text);
}

/** A cut that saves no more columns than these hides bytes for nothing. */
const SAVED = 4;

/**
 * `bytes` in about `width` columns: text in quotes, or hex, cut if that makes
 * it much shorter. If they are the first of more, `size` says of how many.
 */
export function preview(
  bytes: Uint8Array,
  width = 24,
  size = bytes.length,
): string {
  if (size === 0) return '""';
  const head = bytes.subarray(0, width * 4);
  const all = head.length === size;
  const text = textOf(head, !all);
  const whole = text !== undefined
    ? quoted(text)
    : hex(head.subarray(0, width)); // More of them are cut in any case.
  const cut = text !== undefined
    ? `${begun(whole, width - 2)}…" ${count(size)}`
    : `${hex(head.subarray(0, Math.floor(width / 3) - 1))} … ${count(size)}`;
  return all && whole.length <= cut.length + SAVED ? whole : cut;
}

/** The first `length` units of `text`, without half a character at the end. */
function begun(text: string, length: number): string {
  return text.slice(0, length).replace(/[\ud800-\udbff]$/, "");
}
