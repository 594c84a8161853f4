import { type Markup, raw } from "../web/markup.ts";
import { Marked } from "marked";
import { escaped, highlighted } from "./code.ts";

/** The tags that prose may use, bare; any other shows as it is written. */
const TAGS = /&lt;(\/?(?:details|summary|code|em|strong|kbd|sub|sup))&gt;/g;

const marked = new Marked({
  gfm: true,
  renderer: {
    // The first heading of the page is its own, in the bar at the top.
    heading({ tokens, depth }) {
      const tag = `h${Math.min(6, depth + 1)}`;
      return `<${tag}>${this.parser.parseInline(tokens)}</${tag}>\n`;
    },
    html: ({ text }) => tags(text),
    code: ({ text, lang = "" }) => block(text, lang),
    codespan: ({ text }) => `<code>${escaped(text)}</code>`,
    link({ href, tokens }) {
      const inside = this.parser.parseInline(tokens);
      const to = target(href);
      return to ? `<a href="${escaped(to)}">${inside}</a>` : inside;
    },
    // Everything that a browser loads comes from here, and there are none.
    image: ({ text }) => escaped(text),
  },
});

/** A lesson's README, or a part of one, as markup. */
export function prose(markdown: string): Markup {
  return raw(marked.parse(markdown, { async: false }));
}

/** One paragraph, without the paragraph. */
export function inline(markdown: string): Markup {
  return raw(marked.parseInline(markdown, { async: false }));
}

/** Where a link leads on the page; undefined if it leads nowhere there. */
function target(href: string): string | undefined {
  const lesson = /^(?:\.\.\/)?(\d\d)\/(?:README\.md)?(#.*)?$/.exec(href);
  if (lesson) return `/lessons/${lesson[1]}${lesson[2] ?? ""}`;
  return /^(?:https?:\/\/|#)/.test(href) ? href : undefined;
}

function tags(text: string): string {
  // What is written as an entity is meant as one.
  return escaped(text).replace(/&amp;(#?\w+;)/g, "&$1").replace(TAGS, "<$1>");
}

/** A block of code; one that quotes a file says which. */
function block(code: string, info: string): string {
  const [language = "", file] = info.split(" ");
  const pre = `<pre><code>${highlighted(code, language)}</code></pre>`;
  if (file === undefined) return pre;
  return `<figure><figcaption>${escaped(file)}</figcaption>${pre}</figure>`;
}
