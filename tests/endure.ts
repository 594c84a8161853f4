// `deno task endure [rounds]`: plays every program again and again while both
// cores are kept busy by something else, and reports each verdict that is not
// what it was the first time, or not what it should be. Rounds: 20 if none is
// said; right programs play two and a half times as often as wrong ones.
import {
  directive,
  findLessons,
  HOUSE,
  type LessonFiles,
} from "./course_files.ts";
import { brokenMistake } from "./mistake_promises.ts";
import { type LessonRun, type Network, runLesson } from "./lesson_run.ts";
import { pooled } from "./pool.ts";

const rounds = Number(Deno.args[0] ?? 20);
const chosen = Deno.args[1];
if (!Number.isInteger(rounds) || rounds < 1) {
  console.error("Cannot endure: say how many rounds, such as 20");
  Deno.exit(2);
}

/** One thing that has to turn out the same each time. */
interface Trial {
  readonly name: string;
  /** What is wrong; nothing if all is well. */
  readonly play: () => Promise<string[]>;
}

/** Keeps a core busy until it is killed. */
function burn(): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["eval", "while (true);"],
    stdout: "null",
    stderr: "null",
  }).spawn();
}

function rightPrograms({ number, solution, alternatives }: LessonFiles) {
  return [solution, ...alternatives].map((program): Trial => ({
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
      return run.passed ? [] : [run.output];
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

/** Plays `trial` so many times, two at a time, and counts what went wrong. */
async function endure(trial: Trial, times: number): Promise<number> {
  const results = await pooled(Array.from({ length: times }), trial.play);
  const wrong = results.filter((broken) => broken.length > 0);
  console.log(`${times - wrong.length} of ${times}  ${trial.name}`);
  if (wrong.length > 0) console.log(wrong[0]!.join("\n"));
  return wrong.length;
}

const lessons = findLessons().filter(({ number }) =>
  chosen === undefined || number === chosen
);
const load = [burn(), burn()];
let wrong = 0;
try {
  for (const lesson of lessons) {
    for (const trial of rightPrograms(lesson)) {
      wrong += await endure(trial, Math.ceil(rounds * 2.5));
    }
    const others = [recordings(lesson), ...wrongPrograms(lesson)];
    for (const trial of others) wrong += await endure(trial, rounds);
  }
} finally {
  for (const child of load) child.kill("SIGKILL");
}
console.log(`${wrong} wrong verdicts`);
Deno.exit(wrong === 0 ? 0 : 1);
