import type { Step } from "./step.ts";

/** A step that is drawn, with its number. */
export interface DrawnStep {
  readonly step: Step;
  readonly number: number;
}

/** A row of the diagram: a step, or how many are left out. */
export type Row = DrawnStep | { readonly gap: number };

/** How many steps are drawn, unless all are asked for. */
const MOST = 40;
const HEAD = 10;
const TAIL = 22;
/** How many steps are drawn on each side of one that is at fault. */
const AROUND = 3;

/**
 * The rows to draw. Of a long recording they are its beginning, its end, and
 * what is around a fault.
 */
export function rowsOf(steps: readonly Step[], all = false): Row[] {
  const { length } = steps;
  const rows: Row[] = [];
  for (const [index, step] of steps.entries()) {
    const shown = all || length <= MOST || index < HEAD ||
      index >= length - TAIL || nearFault(steps, index);
    const last = rows.at(-1);
    if (shown) rows.push({ step, number: index + 1 });
    else if (last && "gap" in last) {
      rows[rows.length - 1] = { gap: last.gap + 1 };
    } else rows.push({ gap: 1 });
  }
  return rows;
}

function nearFault(steps: readonly Step[], index: number): boolean {
  return steps.slice(Math.max(0, index - AROUND), index + AROUND + 1)
    .some(({ state }) => state === "fault");
}
