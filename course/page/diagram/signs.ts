import { type Markup, markup } from "../../web/markup.ts";
import { drawArrow } from "./arrow.ts";
import type { Lanes } from "./lanes.ts";
import { placed } from "./placed.ts";
import type { Row } from "./rows.ts";
import { type Arrow, PROGRAM, type Step } from "./step.ts";

/** A sign of the diagram, and what it means. */
interface Explained {
  readonly used: (step: Step) => boolean;
  readonly drawn: Markup;
  readonly means: string;
}

/** Two lanes, just far enough from each other. */
const LANES: Lanes = {
  names: ["from"],
  others: 0,
  x: (who) => who === PROGRAM ? 64 : 6,
  wire: -20,
  calls: 0,
  words: 0,
  end: 0,
  width: 0,
};

/** A short arrow without words. */
function arrow(rest: Partial<Arrow>): Markup {
  const plain = { from: "from", to: PROGRAM, above: "", below: "" } as const;
  const whole = { sign: "bytes", fate: "taken", ...plain, ...rest } as const;
  return drawArrow(whole, 10, LANES);
}

const SIGNS: readonly Explained[] = [
  {
    used: ({ arrow }) => arrow?.sign === "end" && arrow.fate !== "missing",
    drawn: arrow({ sign: "end" }),
    means: "no more will be sent (FIN)",
  },
  {
    used: ({ arrow }) => arrow?.sign === "reset",
    drawn: arrow({ sign: "reset" }),
    means: "gone without an end (RST)",
  },
  {
    used: ({ arrow }) => arrow?.fate === "queued",
    drawn: arrow({ fate: "queued" }),
    means: "in the kernel: nobody has taken it",
  },
  {
    used: ({ arrow }) => arrow?.fate === "missing",
    drawn: markup`<g class="fault">${arrow({ fate: "missing" })}</g>`,
    means: "expected, and it never came",
  },
  {
    used: ({ arrow }) => arrow?.fate === "lost",
    drawn: arrow({ fate: "lost" }),
    means: "it never got there",
  },
  {
    used: ({ state }) => state === "waits",
    drawn:
      markup`<g class="waits"><circle class="dot" cx="35" cy="10" r="5.5"/></g>`,
    means: "a call that has not returned",
  },
];

const SILENCE = item(
  markup`<line class="life" x1="35" x2="35" y1="0" y2="20"/><line class="quiet" x1="35" x2="35" y1="3" y2="17"/>`,
  "silence: time goes by",
);

/** What the signs in these rows mean; what does not occur is not explained. */
export function signs(rows: readonly Row[]): Markup {
  const steps = rows.flatMap((row) => "step" in row ? [row.step] : []);
  const found = SIGNS.filter(({ used }) => steps.some(used))
    .map(({ drawn, means }) => item(drawn, means));
  const quiet = placed(rows).some(({ quiet }) => quiet);
  return markup`<ul class="signs">${found}${quiet && SILENCE}</ul>`;
}

function item(drawn: Markup, means: string): Markup {
  return markup`<li><svg class="wire" width="70" height="20" aria-hidden="true">${drawn}</svg>${means}</li>
`;
}
