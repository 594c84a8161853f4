import { highlightedLines } from "./code.ts";
import { type Markup, markup } from "../web/markup.ts";

/** The learner's file, with its lines numbered and one of them lit. */
export function source(
  { file, code, lit }: { file: string; code: string; lit?: number | undefined },
): Markup {
  const lines = highlightedLines(code.replace(/\n$/, ""), "ts");
  return markup`<figure class="source"><figcaption>${file}</figcaption>
<pre><code>${
    lines.map((line, i) => row(line, i + 1, i + 1 === lit))
  }</code></pre></figure>`;
}

function row(line: Markup, number: number, lit: boolean): Markup {
  const kind = lit ? "row lit" : "row";
  return markup`<span class="${kind}" id="line-${number}" data-n="${number}">${line}
</span>`;
}

/** The number of a line of `file` that a place such as "echo.ts:14:9" names. */
export function lineIn(
  file: string,
  place: string | undefined,
): number | undefined {
  if (!place?.startsWith(`${file}:`)) return;
  return Number(/^\d+/.exec(place.slice(file.length + 1))?.[0]) || undefined;
}
