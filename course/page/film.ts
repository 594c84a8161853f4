import { plain, type Problem } from "../runner/mod.ts";
import { count, dump, time } from "./bytes.ts";
import { draw } from "./diagram/draw.ts";
import { type DrawnStep, type Row, rowsOf } from "./diagram/rows.ts";
import { signs } from "./diagram/signs.ts";
import { stepsOf } from "./diagram/steps.ts";
import type { Scene } from "./failure.ts";
import { type Markup, markup } from "../web/markup.ts";
import { lineIn } from "./source.ts";

/**
 * The recording of a failed check: the diagram, and each step of it in words,
 * to be walked through one by one. Undefined if nothing was recorded.
 */
export function film(problem: Problem, scene: Scene): Markup | undefined {
  const steps = stepsOf(problem);
  if (steps.length === 0) return;
  const { lesson, all } = scene;
  const rows = rowsOf(steps, all);
  const { diagnosis, check = lesson.starter } = problem;
  const program = check.split(" ")[0]!;
  const drawn = rows.filter((row) => "step" in row);
  return markup`<figure class="film" id="film">
<div class="scroll" id="scroll" tabindex="-1">${
    draw(rows, { program, file: lesson.starter, diagnosis })
  }</div>
<figcaption>${signs(rows)}${more(rows, problem, lesson.id)}</figcaption>
<div class="player">
<div class="buttons" hidden>
<button type="button" id="first">First</button>
<button type="button" id="back">Back</button>
<button type="button" id="on">Next</button>
<button type="button" id="last">Last</button>
<span id="step">Walk through it, here or with the arrow keys on the diagram.</span>
</div>
<ol class="events" id="events">${drawn.map((row) => event(row, scene))}</ol>
</div>
</figure>`;
}

/** What is left out, and how to see it. */
function more(rows: readonly Row[], { dropped = 0 }: Problem, id: string) {
  const left = rows.reduce((sum, row) => sum + ("gap" in row ? row.gap : 0), 0);
  return markup`${
    left > 0 &&
    markup`<p><a href="/lessons/${id}?all">Draw all rows, with the ${
      count(left, "event")
    } left out</a></p>`
  }${
    dropped > 0 &&
    markup`<p class="soft">${
      count(dropped, "event")
    } more came after these, and were not recorded.</p>`
  }`;
}

function event({ step, number }: DrawnStep, { lesson, code }: Scene): Markup {
  const { at, sentence, line = "" } = step;
  const row = lineIn(lesson.starter, line);
  const written = plain(code.split("\n")[(row ?? 0) - 1] ?? "").trim();
  const place = row
    ? markup` <a href="#line-${row}">${line}</a> <code>${written}</code>`
    : ` ${line}`;
  return markup`<li id="event-${number}" data-line="${
    row ?? ""
  }"><span class="time">${time(at)}</span> ${sentence}.${place}${
    hex(step, number)
  }</li>
`;
}

function hex({ bytes, size = 0 }: DrawnStep["step"], number: number) {
  if (!bytes || bytes.length === 0) return;
  const lines = dump(bytes).map(({ at, hex, text }) =>
    markup`<span class="offset">${at}</span>  ${hex}  ${text}\n`
  );
  const rest = size > bytes.length && `and ${count(size - bytes.length)} more`;
  return markup`<pre class="dump" role="region" tabindex="0" aria-label="The bytes of step ${number}">${lines}${rest}</pre>`;
}
