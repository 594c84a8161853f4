import { clip, type Diagnosis } from "../../runner/mod.ts";
import { count, time } from "../bytes.ts";
import { type Markup, markup } from "../../web/markup.ts";
import { drawArrow, named, words } from "./arrow.ts";
import { callout } from "./callout.ts";
import { CALL, type Lanes, lanesOf, shortLine } from "./lanes.ts";
import { lifelines } from "./lifelines.ts";
import { type Placed, placed } from "./placed.ts";
import type { Row } from "./rows.ts";
import { COLUMNS, PROGRAM, type Step } from "./step.ts";

/** What the diagram shows beside its rows. */
export interface Drawing {
  /** What the program's lane is called: "serve()". */
  readonly program: string;
  /** The name of the learner's file. */
  readonly file: string;
  /** The mistake, if it has a name; it stands where it shows. */
  readonly diagnosis?: Diagnosis | undefined;
}

/** Where the last lane ends, above the lower edge. */
const BOTTOM = 24;
/** Where the times end. */
const TIME = 68;
/** Type stands on its line, not in the middle of it. */
const BASE = 5;

/**
 * The sequence diagram: a column for each participant, time downwards. It is
 * SVG that leaves its looks to the style sheet; the same rows give the same.
 */
export function draw(rows: readonly Row[], drawing: Drawing): Markup {
  const lanes = lanesOf(rows, drawing.file);
  const all = placed(rows);
  const fault = faulty(all);
  const note = drawing.diagnosis && callout(drawing.diagnosis, lanes.width);
  const room = note?.height ?? 0;
  const moved = all.map((p) => p.y > fault.y ? { ...p, y: p.y + room } : p);
  const bottom = lower(moved.at(-1)!);
  // No lane goes on below a diagnosis that is the end.
  const last = note !== undefined && fault === all.at(-1);
  const height = last ? bottom + room : bottom + BOTTOM;
  const [w, h] = [lanes.width, Math.ceil(height)];
  return markup`<svg class="wire" role="group" aria-label="What crossed the wire" width="${w}" height="${h}" viewBox="0 0 ${w} ${h}">
${heads(lanes, drawing)}
${lifelines(moved, lanes, last ? bottom + 6 : height - 6)}
${moved.map((p, i) => drawRow(p, moved[i - 1], { lanes, drawing }))}
${note?.at(lower(fault), numberOf(fault))}
</svg>`;
}

/** The row that the diagnosis stands under. */
function faulty(placed: readonly Placed[]): Placed {
  return placed.findLast(({ row }) =>
    "step" in row && row.step.state === "fault"
  ) ?? placed.at(-1)!;
}

function lower({ y, height }: Placed): number {
  return y + height / 2;
}

function numberOf({ row }: Placed): number {
  return "step" in row ? row.number : 0;
}

function heads(lanes: Lanes, { program, file }: Drawing): Markup {
  const names = [...lanes.names.map((name) => [name, name]), [
    PROGRAM,
    program,
  ]];
  return markup`<g aria-hidden="true">${
    names.map(([who, name]) =>
      markup`<text class="head ${who === PROGRAM ? "program" : "cast"}" x="${
        lanes.x(who!)
      }" y="18" text-anchor="middle">${name}</text>
`
    )
  }<text class="file" x="${lanes.end}" y="18" text-anchor="end">${file}</text></g>`;
}

function drawRow(
  placed: Placed,
  before: Placed | undefined,
  { lanes, drawing }: { lanes: Lanes; drawing: Drawing },
): Markup {
  const { row, y, height } = placed;
  if ("gap" in row) {
    const text = `… ${count(row.gap, "more event")} …`;
    return markup`${words("gap", text, lanes.wire, y + BASE)}`;
  }
  const { step, number } = row;
  const when = time(step.at);
  const known = before && "step" in before.row && time(before.row.step.at);
  // The link holds no words: those around it are for eyes, its own for ears.
  return markup`<g class="step ${step.state}">
<a id="step-${number}" href="#event-${number}" aria-label="${when}: ${step.sentence}"><rect class="band" x="0" y="${
    y - height / 2
  }" width="${lanes.width}" height="${height}" rx="4"/></a>
<g class="drawn" aria-hidden="true">
  ${
    when !== known &&
    markup`<text class="time" x="${TIME}" y="${
      y + BASE
    }" text-anchor="end">${when}</text>`
  }
  ${step.arrow && drawArrow(step.arrow, y, lanes)}
  ${
    step.aside &&
    drawAside(step, y, lanes)
  }
  ${dot(lanes.x(step.who), y, step)}
  ${step.call && drawCall(step, y, { lanes, file: drawing.file })}
</g>
</g>
`;
}

/** What somebody did that goes to nobody. */
function drawAside({ who, aside = "" }: Step, y: number, lanes: Lanes) {
  const text = clip(named(who, aside, lanes), COLUMNS);
  return words("above", text, lanes.wire, y + BASE);
}

/** What the program did: a dot on its lane, the line, and the call. */
function drawCall(
  { who, line, call }: Step,
  y: number,
  { lanes, file }: { lanes: Lanes; file: string },
): Markup {
  const met = who !== PROGRAM && dot(lanes.x(PROGRAM), y, { state: "done" });
  return markup`${met}
  <text class="line" x="${lanes.calls}" y="${y + BASE}">${
    shortLine(line, file)
  }</text>
  <text class="call" x="${lanes.words}" y="${y + BASE}">${
    clip(call!, CALL)
  }</text>`;
}

/** Filled where something happened, and open where somebody still waits. */
function dot(x: number, y: number, { state, leaves }: Partial<Step>): Markup {
  const radius = state === "waits" ? 5.5 : 4;
  const stop = leaves &&
    markup`<line class="stop" x1="${x - 9}" x2="${x + 9}" y1="${y + 8}" y2="${
      y + 8
    }"/>`;
  return markup`<circle class="dot" cx="${x}" cy="${y}" r="${radius}"/>${stop}`;
}
