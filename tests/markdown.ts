// Markdown, as far as promises about prose need it.

/** A fenced block. */
export interface Block {
  /** What follows the fence: `sh`, `ts`, `ts echo.ts`. */
  readonly info: string;
  readonly code: string;
}

const FENCE = /^(`{3,})(.*)\n([^]*?)^\1$\n?/gm;

/** The fenced blocks, in order. */
export function blocks(markdown: string): Block[] {
  return [...markdown.matchAll(FENCE)]
    .map(([, , info, code]) => ({ info: info!.trim(), code: code! }));
}

/** What is left without fenced blocks and comments. */
export function unfenced(markdown: string): string {
  return markdown.replace(FENCE, "").replace(/<!--[^]*?-->/g, "");
}

/** What people read as sentences: no code of any kind, and no link targets. */
export function prose(markdown: string): string {
  return unfenced(markdown)
    .replace(/(`+)[^]*?\1/g, "code")
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replace(/<[^>]+>/g, "");
}

/** How many words people read. */
export function countWords(markdown: string): number {
  return prose(markdown).split(/\s+/).filter((w) => /[\p{L}\p{N}]/u.test(w))
    .length;
}

/** A heading and all that stands under it, up to the next of its level. */
export interface Section {
  readonly title: string;
  readonly text: string;
}

/** The sections under headings of the second level. */
export function sections(markdown: string): Section[] {
  // A line of code may begin with `##` too; blocks are put back afterwards.
  const kept: string[] = [];
  const plain = markdown.replace(
    FENCE,
    (block) => `\0${kept.push(block) - 1}\n`,
  );
  return plain.split(/^## /m).slice(1).map((part) => ({
    title: part.slice(0, part.indexOf("\n")).trim(),
    text: part.slice(part.indexOf("\n") + 1)
      .replace(/\0(\d+)\n/g, (_, index) => kept[Number(index)]!).trim(),
  }));
}

/** The names by which links reach the headings, as GitHub makes them. */
export function anchors(markdown: string): string[] {
  const seen = new Map<string, number>();
  return [...unfenced(markdown).matchAll(/^#+ (.+)$/gm)].map(([, title]) => {
    const slug = title!.toLowerCase().trim()
      .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .replace(/[^\p{L}\p{N}\s_-]/gu, "").replace(/\s/g, "-");
    const times = seen.get(slug) ?? 0;
    seen.set(slug, times + 1);
    return times === 0 ? slug : `${slug}-${times}`;
  });
}

/** The targets of links and pictures, outside of code. */
export function links(markdown: string): string[] {
  const text = unfenced(markdown).replace(/(`+)[^]*?\1/g, "code");
  return [...text.matchAll(/\]\(([^)\s]+)[^)]*\)/g)].map(([, to]) => to!);
}
