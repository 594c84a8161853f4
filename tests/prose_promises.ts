// What prose promises. Each function returns what is broken, in words.
import {
  anchors,
  blocks,
  countWords,
  links,
  prose,
  sections,
  unfenced,
} from "./markdown.ts";

/** The text of a file named relative to the prose, if there is one. */
export type Read = (path: string) => string | undefined;

const SECTIONS = ["What to do", "Try it", "Questions", "Further"];
const WORDS = { least: 150, most: 400 };
const HINT = { paragraphs: 3, words: 60 };

/** Quotations that differ from the file they name, and blocks of no kind. */
export function misquotations(markdown: string, read: Read): string[] {
  return blocks(markdown).flatMap(({ info, code }) => {
    const [language, file, ...more] = info.split(" ");
    if (!/^(ts|tsx|typescript|js|javascript)$/.test(language!)) return [];
    if (language !== "ts" || more.length > 0 || file === "ignore") {
      return [`a block is fenced as "${info}": say "ts", or "ts" and a file`];
    }
    if (file === undefined) return []; // It runs, instead of being compared.
    const source = read(file);
    if (source === undefined) return [`"${file}" is quoted, and is not there`];
    if (unindented(source).includes(unindented(code))) return [];
    return [`"${file}" is quoted, and does not say:\n${code}`];
  });
}

/** What the README of lesson `number` lacks, or has too much of. */
export function brokenReadme(markdown: string, number: string): string[] {
  const found = sections(markdown);
  const text = (title: string) =>
    found.find((section) => section.title === title)?.text ?? "";
  const words = countWords(markdown);
  const missing = SECTIONS.filter((title) => text(title) === "");
  return [
    ...missing.map((title) => `there is nothing under "## ${title}"`),
    ...(markdown.startsWith(`# ${number} · `)
      ? []
      : [`it does not begin with "# ${number} · "`]),
    ...(words < WORDS.least || words > WORDS.most
      ? [`it has ${words} words, not ${WORDS.least} to ${WORDS.most}`]
      : []),
    ...(blocks(text("Try it")).some(({ info }) => info === "sh")
      ? []
      : ['no "sh" block under "## Try it" says what to type']),
    ...(/<summary>[^]+<\/summary>/.test(text("Questions"))
      ? []
      : ['no answer is folded with <summary> under "## Questions"']),
  ];
}

/** What is wrong with hints.md, for a lesson that catches these mistakes. */
export function brokenHints(markdown: string, mistakes: string[]): string[] {
  const found = sections(markdown);
  const titles = found.map(({ title }) => title.replaceAll("`", ""));
  return [
    ...["lesson", ...mistakes]
      .filter((id) => !titles.includes(id))
      .map((id) => `there is no "## ${id}"`),
    ...titles
      .filter((title, index) => titles.indexOf(title) !== index)
      .map((title) => `"## ${title}" stands there twice`),
    ...found.flatMap(({ title, text }) =>
      brokenHint(text).map((what) => `"## ${title}" ${what}`)
    ),
  ];
}

function brokenHint(text: string): string[] {
  const paragraphs = text.split(/\n\s*\n/).filter((p) => p.trim() !== "");
  const longest = Math.max(...paragraphs.map(countWords), 0);
  const { paragraphs: most, words } = HINT;
  return [
    ...(paragraphs.length === 0 ? ["is empty"] : []),
    ...(paragraphs.length > most ? [`has more than ${most} paragraphs`] : []),
    ...(longest > words ? [`has a paragraph of ${longest} words`] : []),
    ...(/^( {4}|\s*```)/m.test(text) ? ["shows a block of code"] : []),
  ];
}

/** Relative links that lead nowhere; `here` is the page's own text. */
export function deadLinks(here: string, read: Read): string[] {
  return links(here)
    .filter((to) => !/^[a-z]+:/.test(to))
    .filter((to) => {
      const [path, anchor] = to.split("#");
      const page = path === "" ? here : read(decodeURIComponent(path!));
      if (page === undefined) return true;
      return anchor !== undefined && !anchors(page).includes(anchor);
    });
}

/** Paths in running text, as `course/check/mod.ts`, that are not there. */
export function deadPaths(markdown: string, ...readers: Read[]): string[] {
  return [...unfenced(markdown).matchAll(/`([\w./-]+\/[\w.-]+\.(?:ts|md))`/g)]
    .map(([, path]) => path!)
    // NN and "name" stand for what is not written yet.
    .filter((path) => !/\bNN|\bname\b/.test(path))
    .filter((path) => readers.every((read) => read(path) === undefined));
}

/** Sentences that shout, and pictures among the letters. */
export function wrongTone(markdown: string): string[] {
  return prose(markdown).split("\n")
    .filter((line) => /!|\p{Emoji_Presentation}|\ufe0f/u.test(line))
    .map((line) => `an exclamation mark or an emoji: ${line.trim()}`);
}

/** Drops indentation, so that prose can quote from inside a function. */
function unindented(code: string): string {
  return code.replace(/^[ \t]+/gm, "").trim();
}
