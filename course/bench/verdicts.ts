import type { Bench } from "./bench.ts";
import { textWith } from "./comparison.ts";
import { changed, saved, watched, type Watcher } from "./exercise.ts";
import { beside } from "./numbers.ts";
import { parseLatency, type Verdicts } from "./parse.ts";
import { output, Process } from "./process.ts";
import { reason } from "./servers.ts";
import type { Table } from "./table.ts";

const OURS = "`deno task learn`";

/** These versions, so that a later run measures the same. */
const LEARNYOUNODE = "learnyounode@4.2.2";
const VITEST = "vitest@4.1.12";

const WATCHERS: readonly Watcher[] = [
  {
    name: "`deno test --watch`",
    test: "export const { test } = Deno;",
    command: [Deno.execPath(), "test", "-A", "--watch", "echo.test.mjs"],
    verdict: /^(ok|FAILED) \| /m,
    passed: "ok",
  },
  {
    name: "`node --test --watch`",
    test: 'export { test } from "node:test";',
    command: "node --test --watch --test-reporter=tap echo.test.mjs".split(" "),
    verdict: /^(ok|not ok) 15 - /m, // The last of them: it prints no summary.
    passed: "ok",
  },
];

const TEXT = "Medians, with our runner as 1. It checks lesson 03, on two " +
  "networks; the starter fails. The other runners watch an echo server with " +
  "as many checks, on loopback, where all fail at once. `learnyounode` " +
  "watches nothing and has no echo server: its own TCP exercise is verified by " +
  "hand, from the save to the end of the command.";

/** From a save to its verdict: our runner, and others. */
export async function verdicts(bench: Bench): Promise<Table> {
  const saves = bench.tiny ? 1 : 7;
  const ours = await latency(bench, bench.tiny ? 1 : 15);
  const rows = [row(OURS, ours, ours)];
  const troubles: string[] = [];
  const attempt = async (
    name: string,
    measure: () => ReturnType<typeof saved>,
  ) => {
    try {
      const { falseOnes, ...times } = await measure();
      rows.push(row(name, times, ours));
      if (falseOnes === 0) return;
      troubles.push(
        `${name} gave ${falseOnes} false verdicts of ${2 * saves}.`,
      );
    } catch (error) {
      rows.push([name, "–", "–"]);
      troubles.push(`${name} is missing: ${reason(error)}`);
    }
  };
  for (const watcher of WATCHERS) {
    await attempt(watcher.name, () => watched(bench, watcher, saves));
  }
  await attempt(`\`vitest --watch\``, async () => {
    return await watched(bench, vitest(await install(bench, VITEST)), saves);
  });
  await attempt(`\`learnyounode verify\``, async () => {
    return await verified(bench, await install(bench, LEARNYOUNODE), saves);
  });
  return {
    title: "From a save to the verdict",
    text: textWith(TEXT, troubles),
    head: ["", "passing, ms", "failing, ms"],
    rows,
    goals: (["passing", "failing"] as const).map((how) => ({
      what: `save to verdict, ${how}`,
      unit: " ms",
      measured: ours[how],
      atMost: 200,
    })),
  };
}

function row(name: string, times: Verdicts, ours: Verdicts): string[] {
  const cell = (how: keyof Verdicts) => beside(times[how], ours[how]);
  return [name, cell("passing"), cell("failing")];
}

/** Our runner, measured by its own program. */
async function latency({ root }: Bench, saves: number): Promise<Verdicts> {
  const program = `${root}/course/runner/latency.ts`;
  const flags = ["run", "-q", "-A", "--config", `${root}/deno.json`];
  const args = ["03", `${saves}`];
  return parseLatency(
    await output([Deno.execPath(), ...flags, program, ...args], {
      limitMs: 120_000,
    }),
  );
}

/** Installs a package into the temporary folder, and gives its programs' folder. */
async function install({ folder }: Bench, name: string): Promise<string> {
  const npm = ["npm", "install", "--no-audit", "--no-fund", "--prefix", folder];
  await output([...npm, name], { cwd: folder, limitMs: 90_000 });
  return `${folder}/node_modules/.bin`;
}

function vitest(bin: string): Watcher {
  return {
    name: "`vitest --watch`",
    // It finds itself from the copy of the exercise, which is in its folder.
    test: 'export { test } from "vitest";',
    command: [`${bin}/vitest`, "--watch", "echo.test.mjs"],
    verdict: /Tests +\d+ (passed|failed)/,
    passed: "passed",
  };
}

/** learnyounode's exercise with TCP, verified after each save. */
async function verified(
  { root, folder }: Bench,
  bin: string,
  saves: number,
): ReturnType<typeof saved> {
  const source = `${root}/course/bench/peers/exercise/time_server.mjs`;
  const right = Deno.readTextFileSync(source);
  const wrong = changed(right, 'padStart(2, "0")', 'padStart(3, "0")');
  const path = `${folder}/time_server.mjs`;
  const run = (...words: string[]) =>
    new Process([`${bin}/learnyounode`, ...words], {
      // There it keeps which exercise is the current one.
      env: { HOME: folder },
      cwd: folder,
    });
  await using selected = run("select", "TIME SERVER");
  await selected.ended;
  return await saved(
    { path, right, wrong },
    saves,
    () =>
      Promise.resolve(async () => {
        await using verification = run("verify", path);
        return (await verification.ended).success;
      }),
  );
}
