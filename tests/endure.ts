// `deno task endure [rounds] [lesson ...]`: plays every program again and again,
// so many at once that each gets a third of a core, and reports each verdict
// that is not what it was the first time, or not what it should be. Rounds: 20
// if none is said; right programs play two and a half times as often as wrong
// ones. With `--solutions` nothing but the solutions plays, once a round; with
// `--only=records`, what has that word in its name.
import { parseArgs } from "@std/cli/parse-args";
import {
  directive,
  findLessons,
  HOUSE,
  type LessonFiles,
} from "./course_files.ts";
import { brokenMistake } from "./mistake_promises.ts";
import { type LessonRun, type Network, runLesson } from "./lesson_run.ts";
import { pooled } from "./pool.ts";

const unknown: string[] = [];
const flags = parseArgs(Deno.args, {
  boolean: ["solutions"],
  string: ["_", "only"],
  default: { only: "" },
  unknown: (word, flag) => flag === undefined || unknown.push(word) === 0,
});
const [said = "20", ...named] = flags._.map(String);
const rounds = Number(said);
const chosen = named.map((number) => number.padStart(2, "0"));
const lessons = findLessons().filter(({ number }) =>
  chosen.length === 0 || chosen.includes(number)
);
const numbers = lessons.map(({ number }) => number);
unknown.push(...chosen.filter((number) => !numbers.includes(number)));
if (unknown.length > 0 || !Number.isInteger(rounds) || rounds < 1) {
  const wrong = unknown.length > 0 ? unknown.join(", ") : said;
  console.error(
    `Cannot endure ${wrong}: say how many rounds, and which lessons, such as 20 03`,
  );
  Deno.exit(2);
}

/** Three to a core: no program may fail because it has to wait for its turn. */
const PLACES = 3 * navigator.hardwareConcurrency;

/** One thing that has to turn out the same each time. */
interface Trial {
  readonly name: string;
  /** What is wrong; nothing if all is well. */
  readonly play: () => Promise<string[]>;
}

function rightPrograms({ number, solution, alternatives }: LessonFiles) {
  const programs = flags.solutions ? [solution] : [solution, ...alternatives];
  return programs.map((program): Trial => ({
    name: `lesson ${number} passes ${nameOf(program)}`,
    play: async () => {
      const source = Deno.readTextFileSync(program);
      const network = directive(source, "network") as Network | undefined;
      const run = await runLesson(number, {
        program,
        permission: true,
        limitMs: 120_000,
        ...(network && { network }),
      });
      return run.passed ? [] : [run.told, run.output];
    },
  }));
}

function wrongPrograms({ number, mistakes }: LessonFiles): Trial[] {
  return mistakes.map((mistake) => ({
    name: `lesson ${number} names ${mistake.id}`,
    play: () => brokenMistake(number, mistake, HOUSE),
  }));
}

/** The recording of a starter's failure has to be the same to the byte. */
function recordings({ number, starter }: LessonFiles): Trial {
  let first: string | undefined;
  return {
    name: `lesson ${number} records the same`,
    play: async () => {
      const run = await runLesson(number, {
        program: starter,
        network: "simulated",
      });
      const told = failures(run);
      first ??= told;
      return told === first ? [] : [`was:\n${first}\nis now:\n${told}`];
    },
  };
}

function failures({ checks }: LessonRun): string {
  return JSON.stringify(checks.map(({ failure }) => failure ?? null));
}

function nameOf(program: URL): string {
  return program.href.slice(HOUSE.href.length);
}

/** Plays `trial` so many times, and counts what went wrong. */
async function endure(trial: Trial, times: number): Promise<number> {
  if (!trial.name.includes(String(flags.only))) return 0;
  played++;
  const plays = Array.from({ length: times });
  const results = await pooled(plays, trial.play, PLACES);
  const wrong = results.filter((broken) => broken.length > 0);
  console.log(`${times - wrong.length} of ${times}  ${trial.name}`);
  if (wrong.length > 0) console.log(wrong[0]!.join("\n"));
  return wrong.length;
}

let wrong = 0;
let played = 0;
const times = flags.solutions ? rounds : Math.ceil(rounds * 2.5);
for (const lesson of lessons) {
  for (const trial of rightPrograms(lesson)) {
    wrong += await endure(trial, times);
  }
  if (flags.solutions) continue;
  const others = [recordings(lesson), ...wrongPrograms(lesson)];
  for (const trial of others) wrong += await endure(trial, rounds);
}
if (played === 0) {
  console.error(`Cannot endure: nothing has "${flags.only}" in its name`);
  Deno.exit(2);
}
console.log(`${wrong} wrong verdicts`);
Deno.exit(wrong === 0 ? 0 : 1);
