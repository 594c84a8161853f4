// Spelling, by the dictionary that Firefox and LibreOffice have, and a list of
// our own: `words.txt`, one word a line, sorted.
import dictionary from "dictionary-en";
import nspell from "nspell";
import { unfenced } from "./markdown.ts";

const known: { correct(word: string): boolean } = nspell(dictionary);

/** The words of prose that neither the dictionary nor `ours` has. */
export function misspelled(
  markdown: string,
  ours: ReadonlySet<string>,
): string[] {
  const prose = unfenced(markdown)
    .replace(/`[^`]*`/g, " ") // Code has words of its own.
    .replace(/<[^>]+>/g, " ")
    .replace(/\]\([^)]*\)/g, " ")
    .replace(/https?:\S+/g, " ");
  const words = [...prose.matchAll(/\p{L}[\p{L}'’]*/gu)]
    .map(([word]) => word.replace(/['’]s?$/, ""));
  const isKnown = (word: string) =>
    known.correct(word) || ours.has(word) || ours.has(word.toLowerCase());
  return [...new Set(words)]
    .filter((word) => word.length > 1 && !isKnown(word));
}
