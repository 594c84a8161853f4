import type { Row } from "./rows.ts";
import { SILENCE_MS } from "./step.ts";

/** A row with its place. */
export interface Placed {
  readonly row: Row;
  /** Its middle, in pixels from the top. */
  readonly y: number;
  readonly height: number;
  /** Whether time went by before it, and nothing happened. */
  readonly quiet: boolean;
}

/** Below the names of the participants. */
const TOP = 44;
const ROW = 34;
/** A row that has something below its arrow, too. */
const HIGH = 46;

/** A silence that shows as a long one, in milliseconds. */
const LONG_MS = 1_000;
/** What a silence adds before a row. */
const PAUSE = { short: 12, long: 26 };

/** Finds the place of each row, from top to bottom. */
export function placed(rows: readonly Row[]): Placed[] {
  let y = TOP;
  let before: number | undefined;
  return rows.map((row) => {
    const at = "step" in row ? row.step.at : undefined;
    const passed = (at ?? 0) - (before ?? at ?? 0);
    const quiet = passed >= SILENCE_MS;
    if (quiet) y += passed >= LONG_MS ? PAUSE.long : PAUSE.short;
    before = at ?? before;
    const height = "step" in row && row.step.arrow?.below ? HIGH : ROW;
    y += height;
    return { row, y: y - height / 2, height, quiet };
  });
}
