import { type Markup, markup } from "../../web/markup.ts";
import type { Lanes } from "./lanes.ts";
import type { Placed } from "./placed.ts";
import { PROGRAM, type Step } from "./step.ts";

/** Where lifelines begin, below the names. */
const TOP = 28;
/** How much of a lifeline is dotted where nothing happens for a while. */
const QUIET = 14;

/** A lane for each participant, solid from its first row to its last. */
export function lifelines(
  placed: readonly Placed[],
  lanes: Lanes,
  floor: number,
): Markup {
  const names = [...lanes.names, PROGRAM];
  const silences = placed.filter(({ quiet }) => quiet)
    .flatMap((row) => names.map((name) => silence(row, lanes.x(name))));
  return markup`<g aria-hidden="true">
${names.map((name) => lifeline(name, placed, { lanes, floor }))}
${silences}
</g>`;
}

function lifeline(
  name: string,
  placed: readonly Placed[],
  { lanes, floor }: { lanes: Lanes; floor: number },
): Markup {
  const x = lanes.x(name);
  const rows = placed.filter(({ row }) =>
    "step" in row && touched(row.step).some((who) => lanes.x(who) === x)
  );
  const end = rows.find(({ row }) => "step" in row && row.step.leaves);
  const from = name === PROGRAM ? TOP : rows[0]?.y ?? TOP;
  // Of those who share a lane, the others go on when one leaves.
  const shared = lanes.others > 0 && name === lanes.names.at(-1);
  const until = end && !shared ? end.y : floor;
  const kind = name === PROGRAM ? "life program" : "life";
  return markup`<line class="lane" x1="${x}" x2="${x}" y1="${TOP}" y2="${floor}"/>
<line class="${kind}" x1="${x}" x2="${x}" y1="${from}" y2="${until}"/>
`;
}

function silence({ y, height }: Placed, x: number): Markup {
  const end = y - height / 2 + 4;
  return markup`<line class="quiet" x1="${x}" x2="${x}" y1="${
    end - QUIET
  }" y2="${end}"/>
`;
}

function touched({ who, arrow }: Step): string[] {
  return arrow ? [who, arrow.from, arrow.to] : [who];
}
