import { beside, written } from "./numbers.ts";
import { type Peer, type Server, Servers } from "./servers.ts";
import type { Table } from "./table.ts";

/** One column: what is measured, and how. */
export interface Column {
  readonly name: string;
  readonly measure: (server: Server) => Promise<number>;
  /**
   * Set if a promise hangs on it: it is measured three times as often. Between
   * two runs the ratio of medians of three has gone from 0.62 to 0.87.
   */
  readonly promised?: boolean;
}

/** Servers side by side. */
export interface Comparison {
  readonly title: string;
  readonly text: string;
  readonly peers: readonly Peer[];
  /** The peer that counts as 1. */
  readonly reference: string;
  readonly columns: readonly Column[];
  readonly rounds: number;
}

/** What came of it: a table, and the numbers behind it. */
export interface Compared {
  readonly table: Table;
  /** What was measured of a peer in a column; NaN if nothing was. */
  readonly number: (peer: string, column: string) => number;
}

/** Starts the peers, measures column after column, and ends them. */
export async function compare(comparison: Comparison): Promise<Compared> {
  const { title, peers, reference, columns, rounds } = comparison;
  await using servers = await Servers.start(peers);
  const found = new Map<string, Map<string, number>>();
  const troubles = [...servers.troubles];
  for (const { name, measure, promised } of columns) {
    const often = promised ? 3 * rounds : rounds;
    const measured = await servers.measure(often, measure);
    found.set(name, measured.medians);
    troubles.push(...measured.troubles);
  }
  const number = (peer: string, column: string) =>
    found.get(column)?.get(peer) ?? NaN;
  const rows = peers.map(({ name }) => [
    name,
    ...columns.map((column) =>
      cell(number(name, column.name), number(reference, column.name))
    ),
  ]);
  return {
    table: {
      title,
      text: textWith(comparison.text, troubles),
      head: ["", ...columns.map(({ name }) => name)],
      rows,
    },
    number,
  };
}

/** `text`, and behind it what went wrong: each thing once. */
export function textWith(text: string, troubles: readonly string[]): string {
  return [text, ...new Set(troubles)].join("\n\n");
}

function cell(number: number, reference: number): string {
  if (Number.isNaN(number)) return "–";
  return Number.isNaN(reference) ? written(number) : beside(number, reference);
}
