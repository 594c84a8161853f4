import { type Bench, exists } from "./bench.ts";
import { written } from "./numbers.ts";
import { parseBoard } from "./parse.ts";
import { Process } from "./process.ts";
import type { Table } from "./table.ts";

const PROGRAM = "course/bench/board.ts";

/** A thousand learners at the board. It has a program of its own. */
export async function workshop(bench: Bench): Promise<Table> {
  if (!exists(bench, PROGRAM)) {
    throw new Error(`Cannot measure the board: ${PROGRAM} is not there`);
  }
  const command = [Deno.execPath(), "run", "-q", "-P=house", PROGRAM];
  await using process = new Process(command, {
    cwd: bench.root,
    limitMs: 120_000,
  });
  await process.ended; // It exits with 1 if the goal is missed.
  const { median, p99 } = parseBoard(process.printed);
  return {
    title: "The board",
    text: "From a learner's report, over HTTP, to the projected page, with " +
      "1,000 learners who send 2,000 events.",
    head: ["", "ms"],
    rows: [["median", written(median)], ["99th percentile", written(p99)]],
    goals: [{
      what: "board, an event to the page, 99th percentile",
      unit: " ms",
      measured: p99,
      atMost: 100,
    }],
  };
}
