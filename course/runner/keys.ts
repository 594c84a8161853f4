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

/** After such a pause nothing belongs to what was begun: Escape was pressed. */
const PAUSE_MS = 50;

/** The keys in pieces of what a terminal sends, which may cut a sequence in two. */
export async function* keysIn(
  pieces: AsyncIterator<string>,
): AsyncGenerator<string> {
  let begun = "";
  let next: Promise<IteratorResult<string>> | undefined;
  for (;;) {
    next ??= pieces.next();
    const piece = await (begun === "" ? next : soon(next));
    if (piece !== undefined) next = undefined;
    if (piece?.done) return;
    const typed = begun + (piece?.value ?? "");
    begun = piece === undefined ? "" : beginning(typed);
    yield* keys(typed.slice(0, typed.length - begun.length));
  }
}

/** What stands at the end of `typed` and may be the beginning of a sequence. */
function beginning(typed: string): string {
  // deno-lint-ignore no-control-regex -- Escape begins the special keys.
  return /\u001b(?:O|\[[0-9;?]*[ -/]*)?$/.exec(typed)?.[0] ?? "";
}

/** What comes of `promise`, or undefined if that takes too long. */
async function soon<T>(promise: Promise<T>): Promise<T | undefined> {
  const late = Promise.withResolvers<undefined>();
  const pause = setTimeout(late.resolve, PAUSE_MS, undefined);
  const first = await Promise.race([promise, late.promise]);
  clearTimeout(pause);
  return first;
}
