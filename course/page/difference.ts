import { type DiffLine, folded, type Lesson } from "../runner/mod.ts";
import { highlightedLines } from "./code.ts";
import { type Markup, markup } from "../web/markup.ts";

/** The solution with the learner's own lines where they differ, folded. */
export function difference(
  { id, starter }: Lesson,
  lines: readonly DiffLine[],
): Markup {
  const same = lines.every(({ mark }) => mark === " ");
  const shown = same
    ? markup`<p>Your file is the solution, word for word.</p>`
    : markup`<p>One possibility. <code>-</code> is yours, <code>+</code> is its own.</p>
<pre class="diff"><code>${rows(lines)}</code></pre>`;
  return markup`<details class="fold" id="solution">
<summary>Compare with solutions/${id}/${starter}</summary>
${shown}
</details>`;
}

const KINDS = { " ": "same", "-": "mine", "+": "theirs" };

function rows(lines: readonly DiffLine[]): Markup[] {
  const code = new Map([
    ...colored(lines.filter(({ mark }) => mark !== "+")),
    ...colored(lines.filter(({ mark }) => mark !== "-")),
  ]);
  return folded(lines).map((line) =>
    markup`<span class="row ${KINDS[line.mark]}" data-n="${line.mark}">${
      code.get(line) ?? line.text
    }
</span>`
  );
}

/** One of the two files as a whole: what spans lines is told as such. */
function colored(lines: readonly DiffLine[]): [DiffLine, Markup][] {
  const code = lines.map(({ text }) => text).join("\n");
  const marked = highlightedLines(code, "ts");
  return lines.map((line, i) => [line, marked[i]!]);
}
