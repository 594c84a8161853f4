import { parseArgs } from "@std/cli/parse-args";
import type { Bench } from "./bench.ts";
import { checks, firstScreen, whole } from "./course.ts";
import { costs } from "./costs.ts";
import { datagrams, echo } from "./echo.ts";
import { http } from "./http.ts";
import { described, thisMachine } from "./machine.ts";
import { memory } from "./memory.ts";
import { killAll, output } from "./process.ts";
import { reason } from "./servers.ts";
import { store } from "./store.ts";
import { markdown, report, type Table, withBlock } from "./table.ts";
import { verdicts } from "./verdicts.ts";
import { workshop } from "./workshop.ts";

const USAGE = `deno task bench [NAME ...]

Measures the course beside its peers, in one run. Names: all but \`tests\`,
unless some are given.

  echo        lesson 03 beside C, Node and Python
  costs       where the time of such a message goes
  datagrams   lesson 04 beside the same
  http        lesson 21 beside Deno.serve
  store       lesson 23 beside Redis
  memory      what an idle connection costs lesson 27
  screen      from the start to the first screen
  checks      the checks of each solved lesson
  board       a thousand learners at the board
  verdicts    from a save to the verdict, beside other runners
  tests       deno task test, which takes minutes

  --tests     measure that, too
  --tiny      as little as possible of everything, to try the bench itself
  --write     put the tables into course/bench/README.md; all of them, or none
`;

const ROOT = decodeURIComponent(new URL("../..", import.meta.url).pathname)
  .replace(/\/$/, "");

/** By name, in the order in which they are measured. */
const MEASUREMENTS: Record<string, (bench: Bench) => Promise<Table>> = {
  echo,
  costs,
  datagrams,
  http,
  store,
  memory,
  screen: firstScreen,
  checks,
  board: workshop,
  verdicts,
  tests: whole,
};

/** What is begun within this time is measured. The rest is said to be missing. */
const LIMIT_MS = 300_000;

async function main(args: string[]): Promise<number> {
  const { _: words, ...flags } = parseArgs(args, {
    boolean: ["help", "tests", "tiny", "write"],
  });
  const unknown = words.find((name) => !Object.hasOwn(MEASUREMENTS, name));
  const partly = words.length > 0 || flags.tiny;
  if (flags.help || unknown !== undefined || flags.write && partly) {
    console.error(USAGE);
    return flags.help ? 0 : 2;
  }
  const names = words.length > 0
    ? words.map(String)
    : Object.keys(MEASUREMENTS).filter((name) =>
      name !== "tests" || flags.tests
    );
  const folder = Deno.makeTempDirSync({ prefix: "bench-" });
  const leave = (code: number) => {
    killAll();
    Deno.removeSync(folder, { recursive: true });
    return code;
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => Deno.exit(leave(130)));
  }
  const size = flags.tiny
    ? { rounds: 1, seconds: 0.1 }
    : { rounds: 3, seconds: 0.6 };
  const text = await measureAll(
    { root: ROOT, folder, tiny: Boolean(flags.tiny), ...size },
    names,
  );
  if (flags.write) await write(text);
  return leave(0);
}

/** Prints table after table, and gives the whole report. */
async function measureAll(
  bench: Bench,
  names: readonly string[],
): Promise<string> {
  const machine = described(thisMachine());
  console.log(machine);
  const began = performance.now();
  const tables: Table[] = [];
  for (const name of names) {
    const late = performance.now() - began > LIMIT_MS && name !== "tests";
    const table = late
      ? missing(name, "there was no time left")
      : await MEASUREMENTS[name]!(bench)
        .catch((error) => missing(name, reason(error)));
    tables.push(table);
    console.log(`\n${markdown(table)}`);
  }
  const seconds = Math.round((performance.now() - began) / 1_000);
  console.log(`\n${seconds} seconds`);
  return report(`${machine} The run took ${seconds} seconds.`, tables);
}

function missing(name: string, why: string): Table {
  return { title: name, text: `Not measured: ${why}.`, head: [], rows: [] };
}

/** Puts the report into the README, in the form that `deno fmt` gives it. */
async function write(text: string): Promise<void> {
  const path = `${ROOT}/course/bench/README.md`;
  Deno.writeTextFileSync(path, withBlock(Deno.readTextFileSync(path), text));
  await output([Deno.execPath(), "fmt", "-q", path], { cwd: ROOT });
}

Deno.exit(await main(Deno.args));
