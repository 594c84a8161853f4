import hljs from "highlight.js";
import bash from "highlight.js/bash";
import typescript from "highlight.js/typescript";
import { type Markup, raw } from "../web/markup.ts";

hljs.registerLanguage("ts", typescript);
hljs.registerLanguage("sh", bash);

/** Code as markup with classes for what its words are, or escaped as it is. */
export function highlighted(code: string, language: string): Markup {
  return raw(markup(code, language));
}

/** The same line by line: what began in a line above goes on in the next. */
export function highlightedLines(code: string, language: string): Markup[] {
  const open: string[] = [];
  return markup(code, language).split("\n").map((line) => {
    const begun = open.join("");
    for (const [tag] of line.matchAll(/<span[^>]*>|<\/span>/g)) {
      if (tag === "</span>") open.pop();
      else open.push(tag);
    }
    return raw(begun + line + "</span>".repeat(open.length));
  });
}

function markup(code: string, language: string): string {
  if (hljs.getLanguage(language)) {
    return hljs.highlight(code, { language }).value;
  }
  return escaped(code);
}

/** Text as markup that shows it letter by letter. */
export function escaped(text: string): string {
  const names: Record<string, string> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
  };
  return text.replace(/[&<>"']/g, (letter) => names[letter]!);
}
