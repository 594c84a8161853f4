import { width } from "../../runner/mod.ts";
import type { Row } from "./rows.ts";
import { PROGRAM, type Step } from "./step.ts";

/** The columns of the diagram. */
export interface Lanes {
  /** The names of the others, from left to right. */
  readonly names: readonly string[];
  /** How many share the lane of those that have none of their own. */
  readonly others: number;
  /** Where the lane of a participant is, in pixels from the left. */
  readonly x: (who: string) => number;
  /** The middle of the wire, where all words stand. */
  readonly wire: number;
  /** Where the lines of the program's calls stand. */
  readonly calls: number;
  /** Where the calls stand, behind their lines. */
  readonly words: number;
  /** Where they end. */
  readonly end: number;
  /** How wide all of it is. */
  readonly width: number;
}

/** How many of the others have a lane of their own. */
const MOST = 6;
/** What one letter takes, in pixels. */
const LETTER = 8.45;

/** A diagnosis needs some room, too. */
const NARROWEST = 560;
const LEFT = 80;
const NEAREST = 70;
/** Between the nearest of the others and the program: all words stand there. */
const WIRE = 256;
const GAP = 18;

/** Finds room for everyone in `rows`: the others in order, then the program. */
export function lanesOf(rows: readonly Row[], file: string): Lanes {
  const steps = rows.flatMap((row) => "step" in row ? [row.step] : []);
  const { names, others } = participants(steps);
  const labels = others > 0 ? [...names, othersName(others)] : names;
  const widest = Math.max(0, ...labels.map(width)) * LETTER;
  const space = Math.max(NEAREST, widest + GAP);
  const first = LEFT + Math.max(16, widest / 2);
  const at = new Map(labels.map((name, i) => [name, first + i * space]));
  const program = labels.length === 0
    ? first
    : first + (labels.length - 1) * space + WIRE;
  const calls = program + GAP;
  const numbers = Math.max(
    0,
    ...steps.map(({ line }) => width(shortLine(line, file))),
  );
  const words = calls + (numbers + 1) * LETTER;
  const longest = Math.max(
    0,
    ...steps.map(({ call = "" }) => Math.min(width(call), CALL)),
  );
  // The file's name stands above them, and the program's to its left.
  const end = Math.max(
    words + longest * LETTER,
    program + (SYMBOL + width(file)) * LETTER,
  );
  return {
    names: labels,
    others,
    x: (who) =>
      who === PROGRAM ? program : at.get(who) ?? at.get(othersName(others))!,
    wire: program - WIRE / 2,
    calls,
    words,
    end,
    width: Math.max(NARROWEST, Math.ceil(end + 8)),
  };
}

/** How many letters right of its lane the name of the program may take. */
const SYMBOL = 12;
/** How many letters of a call are shown. */
export const CALL = 46;

/** ":23" in the learner's file, "test:23" in the checks, or all of it. */
export function shortLine(line: string | undefined, file: string): string {
  if (line?.startsWith(`${file}:`)) return line.slice(file.length);
  return line?.replace(/^.*_test\.ts:/, "test:") ?? "";
}

function othersName(others: number): string {
  return `${others} others`;
}

/** Those who take part, in the order of their first appearance. */
function participants(steps: readonly Step[]) {
  const rows = new Map<string, number>();
  for (const { who, arrow, state } of steps) {
    for (const name of new Set([who, arrow?.from, arrow?.to])) {
      if (name === undefined || name === PROGRAM) continue;
      // Whoever is at fault, or misses something, has to be seen.
      const weight = state === "fault" ? 1_000 : 1;
      rows.set(name, (rows.get(name) ?? 0) + weight);
    }
  }
  if (rows.size <= MOST) return { names: [...rows.keys()], others: 0 };
  const own = [...rows].sort(([, a], [, b]) => b - a).slice(0, MOST - 1)
    .map(([name]) => name);
  const names = [...rows.keys()].filter((name) => own.includes(name));
  return { names, others: rows.size - names.length };
}
