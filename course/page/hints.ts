import type { Hints } from "../runner/mod.ts";
import { type Markup, markup } from "../web/markup.ts";
import { inline } from "./prose.ts";

/** What each of three steps is. */
const KINDS = ["a question", "a place", "an idea"];

/** Hints that unfold one after the other, each inside the one before it. */
export function hints({ id, steps }: Hints): Markup {
  const about = id === "lesson" ? "this lesson" : id;
  return markup`<section aria-label="Hints"><h3>Hints for ${about}</h3>${
    from(0, id, steps)
  }</section>`;
}

function from(n: number, id: string, steps: readonly string[]): Markup {
  const step = steps[n];
  if (step === undefined) return markup``;
  const kind = steps.length === KINDS.length && `: ${KINDS[n]}`;
  return markup`<details class="fold" id="hint-${id}-${n + 1}">
<summary>Hint ${n + 1} of ${steps.length}${kind}</summary>
<p>${inline(step)}</p>
${from(n + 1, id, steps)}
</details>`;
}
