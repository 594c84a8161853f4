import { words } from "./contents.ts";

/** The hints that answer one mistake, or a lesson as a whole. */
export interface Hints {
  /** The mistake's id, or "lesson". */
  readonly id: string;
  /** A question, a place, an idea: up to three. */
  readonly steps: readonly string[];
}

const STEPS = 3;

/**
 * Reads hints: those under the heading of `diagnosis`, or the general
 * ones under "lesson" where it is unknown or has none. Undefined if neither.
 */
export function hintsFor(
  markdown: string,
  diagnosis: string | undefined,
): Hints | undefined {
  for (const id of [diagnosis, "lesson"]) {
    const steps = id === undefined ? [] : under(markdown, id);
    if (steps.length > 0) return { id: id!, steps };
  }
  return undefined;
}

function under(markdown: string, id: string): string[] {
  const parts = markdown.split(/^## +/m).slice(1);
  const found = parts.find((part) => words(part.split("\n")[0]!) === id);
  const paragraphs = found?.slice(found.indexOf("\n") + 1).split(/\n\s*\n/) ??
    [];
  return paragraphs
    .map((paragraph) => paragraph.replace(/\s+/g, " ").trim())
    .filter((paragraph) => paragraph !== "")
    .slice(0, STEPS);
}
