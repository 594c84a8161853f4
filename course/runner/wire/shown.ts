const ROW = 16;
const ROWS = 16;

/**
 * Bytes for people: as text where they are text, otherwise sixteen to a row in
 * hex. What is longer than 256 bytes is shown in part.
 */
export function shown(
  arrow: string,
  bytes: Uint8Array,
  hex: boolean,
): string[] {
  const part = bytes.subarray(0, ROW * ROWS);
  const size = `${bytes.length.toLocaleString("en")} ${
    bytes.length === 1 ? "byte" : "bytes"
  }`;
  const more = part.length < bytes.length ? [`  … ${size} in all`] : [];
  const text = hex ? undefined : asText(part);
  if (text !== undefined) {
    const line = `${arrow} ${JSON.stringify(text)}`;
    return more.length > 0 ? [line, ...more] : [`${line}  (${size})`];
  }
  const rows = Array.from(
    { length: Math.max(1, Math.ceil(part.length / ROW)) },
    (_, i) => row(part.subarray(i * ROW, i * ROW + ROW)),
  );
  return [...rows.map((row, i) => `${i === 0 ? arrow : " "} ${row}`), ...more];
}

function row(bytes: Uint8Array): string {
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0"));
  const letters = [...bytes].map((byte) =>
    byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "·"
  );
  return `${hex.join(" ").padEnd(ROW * 3)} ${letters.join("")}`;
}

/** Undefined if it is no text, or holds what could move the cursor. */
function asText(bytes: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
      .decode(bytes);
    return /[^\P{C}\n\r\t]/u.test(text) ? undefined : text;
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}
