const NAMES: Record<string, string> = {
  "\u001b[A": "up",
  "\u001bOA": "up",
  "\u001b[B": "down",
  "\u001bOB": "down",
  "\u001b[5~": "page-up",
  "\u001b[6~": "page-down",
  "\u001b": "escape",
  "\r": "enter",
  "\n": "enter",
  "\u007f": "backspace",
  "\b": "backspace",
  "\u0003": "ctrl-c",
  "\u0004": "ctrl-c",
};

/**
 * The keys in what a terminal in raw mode sends: names for the special ones,
 * the letter itself for the others. Sequences that mean nothing here are left
 * out, whole, so that a stray function key does not type letters.
 */
export function keys(typed: string): string[] {
  const sequences = typed.match(
    // deno-lint-ignore no-control-regex -- Escape begins the special keys.
    /\u001b\[[0-9;?]*[ -/]*[@-~]|\u001bO.|\u001b|[^]/gu,
  ) ?? [];
  return sequences.flatMap((sequence) => {
    const name = NAMES[sequence];
    if (name !== undefined) return [name];
    return /^[^\p{Cc}]$/u.test(sequence) ? [sequence] : [];
  });
}
