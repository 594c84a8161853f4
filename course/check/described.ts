/** An error in one line: its name and the first line of its message. */
export function described(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const [line] = error.message.split("\n");
  return line ? `${error.name}: ${line}` : error.name;
}

/** The name of an error; what else was thrown, as text. */
export function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : String(error);
}
