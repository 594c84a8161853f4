import { clip } from "../../runner/mod.ts";
import { type Markup, markup } from "../../web/markup.ts";
import type { Lanes } from "./lanes.ts";
import { type Arrow, COLUMNS, PROGRAM } from "./step.ts";

/** How far an arrow stays away from the middle of a lane. */
const AWAY = 6;
/** How far what nobody has taken stays away from whom it is for. */
const QUEUE = 26;
/** How far beyond the middle of the wire what is lost comes. */
const LOST = 60;

/** An arrow, the sign at its head, and the words above and below it. */
export function drawArrow(arrow: Arrow, y: number, lanes: Lanes): Markup {
  const { from, to, sign, fate, below } = arrow;
  const [start, end] = [lanes.x(from), lanes.x(to)];
  const forth = end > start ? 1 : -1;
  const tip = fate === "lost"
    ? lanes.wire + forth * LOST
    : end - forth * (fate === "queued" ? QUEUE : AWAY);
  const other = from === PROGRAM ? to : from;
  // The tray takes some of the room.
  const columns = fate === "queued" ? COLUMNS - 4 : COLUMNS;
  const above = clip(named(other, arrow.above, lanes), columns);
  return markup`<g class="arrow ${sign} ${fate}">
  <line x1="${start + forth * AWAY}" x2="${
    tip - forth * 2
  }" y1="${y}" y2="${y}"/>
  ${head(arrow, tip, y, forth)}
  ${fate === "queued" && tray(tip + forth * 5, y, forth)}
  ${words("above", above, lanes.wire, y - 7)}
  ${words("below", below, lanes.wire, y + 16)}
</g>`;
}

/** Words in the middle of the wire. */
export function words(kind: string, text: string, x: number, y: number) {
  if (text === "") return;
  return markup`<text class="${kind}" x="${x}" y="${y}" text-anchor="middle">${text}</text>`;
}

/** Those who share a lane are told apart by their names. */
export function named(who: string, text: string, lanes: Lanes): string {
  return who === PROGRAM || lanes.names.includes(who)
    ? text
    : `${who}: ${text}`;
}

/** The sign of what arrives: a head, a head at a wall (FIN), a cross (RST). */
function head({ sign, fate }: Arrow, x: number, y: number, forth: number) {
  if (fate === "lost" || sign === "reset") {
    const at = x - forth * 5;
    return markup`<path class="cross" d="M${at - 6} ${y - 6} l12 12 M${
      at + 6
    } ${y - 6} l-12 12"/>`;
  }
  const triangle = markup`<path class="tip" d="M${x} ${y} l${
    -10 * forth
  } -5 v10 Z"/>`;
  if (sign !== "end") return triangle;
  const wall = x - forth * 12;
  return markup`${triangle}<path class="wall" d="M${wall} ${y - 8} v16 M${
    wall - forth * 5
  } ${y - 8} v16"/>`;
}

/** Where bytes lie in the kernel until somebody reads them. */
function tray(x: number, y: number, forth: number): Markup {
  const open = x - forth * 6;
  return markup`<path class="tray" d="M${open} ${y - 9} H${x} v18 H${open}"/>`;
}
