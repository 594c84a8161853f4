import type { Bench } from "./bench.ts";
import { median, written } from "./numbers.ts";
import { output } from "./process.ts";
import type { Table } from "./table.ts";

const DENO = Deno.execPath();

/** From the start of the runner to the first screen. */
export async function firstScreen(bench: Bench): Promise<Table> {
  const root = await copy(bench, "first_screen");
  const script = `${bench.root}/course/bench/peers/first_screen.py`;
  const command = ["python3", script, "Many clients", DENO];
  const words = ["task", "-q", "learn", "03"];
  const times: number[] = [];
  for (let n = 0; n <= (bench.tiny ? 1 : 9); n++) {
    const said = await output([...command, ...words], { cwd: root });
    times.push(Number(said));
  }
  // The very first start compiles what later ones find.
  const [first, ...others] = times;
  const measured = median(others);
  return {
    title: "From the start to the first screen",
    text: "Of `deno task learn 03` in a terminal.",
    head: ["", "ms"],
    rows: [
      ["in a new checkout", written(first!)],
      [`from then on, median of ${others.length}`, written(measured)],
    ],
    goals: [{
      what: "`deno task learn` to the first screen",
      unit: " ms",
      measured,
      atMost: 400,
    }],
  };
}

/** What `deno task learn check --json` says of a lesson, as far as it counts. */
interface Checked {
  readonly lesson: string;
  readonly title: string;
  readonly passed: boolean;
  readonly ms: number;
  readonly checks: readonly { readonly ms: number }[];
}

/** The checks of each lesson, on its solution. */
export async function checks(bench: Bench): Promise<Table> {
  const root = await copy(bench, "checks");
  for (const { name } of [...Deno.readDirSync(`${root}/lessons`)]) {
    if (!/^\d\d$/.test(name)) continue;
    const lesson = `${root}/lessons/${name}`;
    if (bench.tiny && name !== "01") {
      Deno.removeSync(lesson, { recursive: true });
      continue;
    }
    await output(["cp", "-r", `${root}/solutions/${name}/.`, lesson]);
  }
  const command = [DENO, "task", "-q", "learn", "check", "--json"];
  const runs: Checked[][] = [];
  for (let n = 0; n < (bench.tiny ? 1 : 3); n++) {
    // It exits with 1 if a lesson does not pass; the table says which.
    const said = await output(["sh", "-c", '"$@" || true', "sh", ...command], {
      cwd: root,
      limitMs: 120_000,
    });
    runs.push(said.trim().split("\n").map((line) => JSON.parse(line)));
  }
  const lessons = runs[0]!.map((_, i) => middle(runs.map((run) => run[i]!)));
  return {
    title: "The checks of a solved lesson",
    text: "On both networks, with the start of a process for each, and the " +
      `longest of the checks; the median of ${runs.length}.`,
    head: ["lesson", "checks", "all, ms", "longest, ms"],
    rows: lessons.map(({ lesson, title, passed, ms, checks, longest }) => [
      `${lesson} ${title}${passed ? "" : ", which does not pass"}`,
      `${checks.length}`,
      written(ms),
      written(longest),
    ]),
    goals: [
      slowest(lessons.filter(({ lesson }) => lesson !== "27"), 1_000),
      ...lessons.filter(({ lesson }) => lesson === "27")
        .map((crowd) => slowest([crowd], 5_000)),
    ],
  };
}

/** What all runs said of one lesson; of what was measured, the medians. */
function middle(runs: readonly Checked[]) {
  const longest = runs.map(({ checks }) =>
    Math.max(0, ...checks.map(({ ms }) => ms))
  );
  return {
    ...runs[0]!,
    passed: runs.every(({ passed }) => passed),
    ms: median(runs.map(({ ms }) => ms)),
    longest: median(longest),
  };
}

/** The lesson with the slowest checks, and how long they may take. */
function slowest(
  lessons: readonly { readonly lesson: string; readonly ms: number }[],
  atMost: number,
) {
  const [longest] = lessons.toSorted((one, other) => other.ms - one.ms);
  const what = `checks of a solved lesson, both networks (${longest!.lesson})`;
  return { what, unit: " ms", measured: longest!.ms, atMost };
}

/** All that guards the course. Takes minutes, so it is measured on demand. */
export async function whole({ root }: Bench): Promise<Table> {
  const began = performance.now();
  await output([DENO, "task", "-q", "test"], { cwd: root, limitMs: 1_200_000 });
  const measured = (performance.now() - began) / 60_000;
  return {
    title: "All that guards the course",
    text: "`deno task test`, from its start to its end.",
    head: ["", "minutes"],
    rows: [["`deno task test`", written(measured)]],
    goals: [{ what: "`deno task test`", unit: " min", measured, atMost: 5 }],
  };
}

/** A copy of the checkout in which a learner may work. */
async function copy({ root, folder }: Bench, name: string): Promise<string> {
  const to = `${folder}/${name}`;
  Deno.mkdirSync(to);
  const parts = ["deno.json", "deno.lock", "course", "lessons", "solutions"];
  await output(["cp", "-r", ...parts.map((part) => `${root}/${part}`), to]);
  return to;
}
