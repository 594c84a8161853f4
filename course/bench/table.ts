/** One table of the report. */
export interface Table {
  readonly title: string;
  /** What was measured and how, in a sentence or two. */
  readonly text: string;
  /** The names of the columns. */
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** What the design promises of these numbers. */
  readonly goals?: readonly Goal[];
}

/** A promise, and what came of it. */
export interface Goal {
  readonly what: string;
  readonly unit?: string;
  readonly measured: number;
  readonly atMost?: number;
  readonly atLeast?: number;
}

const START = "<!-- Written by `deno task bench --write`: from here … -->";
const END = "<!-- … to here. -->";

/** Whether a promise is kept. One that was not measured is not. */
export function isKept(goal: Goal): boolean {
  const { measured, atMost = Infinity, atLeast = -Infinity } = goal;
  return measured <= atMost && measured >= atLeast;
}

/** The report in Markdown: the promises first, then table after table. */
export function report(machine: string, tables: readonly Table[]): string {
  const goals = tables.flatMap(({ goals = [] }) => goals);
  const promises = rowsOf(
    ["promise", "goal", "measured", ""],
    goals.map(goalRow),
  );
  const parts = tables.map(markdown);
  return [machine, ...(goals.length > 0 ? [promises] : []), ...parts]
    .join("\n\n");
}

/** One table in Markdown, with its heading and text. */
export function markdown({ title, text, head, rows }: Table): string {
  const table = rows.length > 0 ? [rowsOf(head, rows)] : [];
  return [`### ${title}`, text, ...table].join("\n\n");
}

/** `page` with `text` between its two marks, in place of what was there. */
export function withBlock(page: string, text: string): string {
  const [start, end] = [page.indexOf(START), page.indexOf(END)];
  if (start < 0 || end < start) {
    throw new Error(`Cannot write the report: the page lacks "${START}"`);
  }
  return `${page.slice(0, start)}${START}\n\n${text}\n\n${page.slice(end)}`;
}

function goalRow(goal: Goal): string[] {
  const { what, unit = "", measured, atMost, atLeast } = goal;
  const bound = atMost === undefined ? `≥ ${atLeast}` : `≤ ${atMost}`;
  if (Number.isNaN(measured)) return [what, `${bound}${unit}`, "–", ""];
  const number = measured.toFixed(measured < 10 ? 2 : 0);
  const kept = isKept(goal) ? "kept" : "not kept";
  return [what, `${bound}${unit}`, `${number}${unit}`, kept];
}

function rowsOf(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  // Names to the left, numbers to the right.
  const bar = head.map((_, column) => column === 0 ? "---" : "--:");
  return [head, bar, ...rows]
    .map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
