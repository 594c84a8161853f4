/** What a typed line wants. */
export type Typed =
  | { readonly send: Uint8Array }
  | { readonly wish: "end" | "reset" | "quit" }
  /** It cannot be understood, and nothing is sent. */
  | { readonly trouble: string };

const WISHES = new Set(["end", "reset", "quit"]);

/** Understands one line, without its end. */
export function typed(
  line: string,
  { hex, crlf }: { readonly hex: boolean; readonly crlf: boolean },
): Typed {
  const [, word, rest = ""] = /^:(\w+)(?: (.*))?$/.exec(line) ?? [];
  if (word === "hex") return bytesOf(rest);
  if (word === "send") return { send: new TextEncoder().encode(rest) };
  if (word !== undefined && WISHES.has(word)) {
    return { wish: word as "end" | "reset" | "quit" };
  }
  if (line.startsWith(":") && !line.startsWith("::")) {
    return {
      trouble:
        `There is no wish "${line}"; there are :send, :hex, :end, :reset ` +
        `and :quit. For the line itself type ":${line}".`,
    };
  }
  const text = line.replace(/^::/, ":");
  if (hex) return bytesOf(text);
  return { send: new TextEncoder().encode(text + (crlf ? "\r\n" : "\n")) };
}

function bytesOf(text: string): Typed {
  const digits = text.replace(/\s+/g, "");
  if (digits.length % 2 === 1 || !/^[\da-f]*$/i.test(digits)) {
    const trouble = `"${text}" is no hex: two digits a byte, as in 00 05 68.`;
    return { trouble };
  }
  return { send: Uint8Array.fromHex(digits) };
}
