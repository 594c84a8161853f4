/** What the table of contents says about one lesson. */
export interface Entry {
  /** The heading that the lesson stands under: "First connections". */
  readonly part: string;
  /** What one builds in it. */
  readonly builds: string;
  /** The real program to try it with. */
  readonly client: string;
}

/**
 * Reads `lessons/README.md`: headings name the parts, and each row
 * `| [03](03/README.md) | title | builds | client |` is one lesson.
 */
export function contents(markdown: string): Map<string, Entry> {
  const entries = new Map<string, Entry>();
  let part = "";
  for (const line of markdown.split("\n")) {
    const heading = /^##+\s+(.+)$/.exec(line)?.[1];
    if (heading !== undefined) part = words(heading);
    const cells = line.split("|").slice(1, -1).map(words);
    const id = /^\d\d$/.exec(cells[0] ?? "")?.[0];
    if (id === undefined) continue;
    entries.set(id, { part, builds: cells[2] ?? "", client: cells[3] ?? "" });
  }
  return entries;
}

/** Markdown without its marks: links become their text, code its letters. */
export function words(markdown: string): string {
  return markdown
    .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replace(/<[^>]*>/g, "")
    .replace(/[`*]/g, "")
    .replace(/\s+/g, " ")
    .trim();
}
