// What every lesson promises. Each function returns the promises that are
// broken, in words that tell an author what to mend; none means all are kept.
import { contention } from "./contention.ts";
import {
  exportedNames,
  HOUSE,
  type LessonFiles,
  list,
  shortPath,
} from "./course_files.ts";
import {
  type Check,
  type LessonRun,
  runDeno,
  runLesson,
} from "./lesson_run.ts";
import { pooled } from "./pool.ts";

/**
 * The longest that a check may take on the solution, on both networks, if no
 * other work goes on beside it.
 */
const CHECK_LIMIT_MS = 300;

/** Lessons whose subject is a crowd; their checks may take longer. */
const ABOUT_SCALE = ["27"];

/** Deno says this whenever it reads permissions from deno.json. */
const KNOWN_WARNING =
  /^Warning Permissions in the config file is an experimental feature.*$/m;

/** The files of a lesson, and what starter and solution have in common. */
export function brokenShape(lesson: LessonFiles): string[] {
  const { number, names } = lesson;
  const [starterName] = lesson.starter.pathname.match(/[^/]+$/)!;
  const testName = starterName!.replace(/\.ts$/, "_test.ts");
  const expected = ["README.md", "hints.md", starterName!, testName].sort();
  const solved = list(new URL("./", lesson.solution));
  const starter = Deno.readTextFileSync(lesson.starter);
  if (String(solved) !== starterName) {
    return [`solutions/${number}/ holds ${solved}, and not ${starterName}`];
  }
  const solution = Deno.readTextFileSync(lesson.solution);
  const [first, title] = starter.match(/^\/\/ Lesson \d\d: (.+)/) ?? [];
  return complaints({
    [`lessons/${number}/ holds ${names}, and not ${expected}`]:
      String(names) !== String(expected),
    [`the starter does not begin with "// Lesson ${number}: …"`]: !first
      ?.startsWith(`// Lesson ${number}: `),
    [`the solution does not begin with "// Lesson ${number}, solved: ${title}"`]:
      solution.split("\n")[0] !== `// Lesson ${number}, solved: ${title}`,
    "the starter marks no place with TODO:": !starter.includes("TODO:"),
    "the solution says TODO": solution.includes("TODO"),
    "starter and solution export different names":
      String(exportedNames(starter)) !== String(exportedNames(solution)),
    "the starter exports nothing": exportedNames(starter).length === 0,
  });
}

/**
 * The starters fail, as people type it: type-checked, with no permission, and
 * with nobody who listens. They are run at once, so that the types are checked
 * at once.
 */
export async function brokenCommand(
  lessons: readonly LessonFiles[],
  root: URL = HOUSE,
): Promise<string[]> {
  const { code, output } = await runDeno(["test", "lessons"], { root });
  const [, ...parts] = output.split(/^running \d+ tests? from /m);
  const failing = parts.filter((part) => part.includes(" ... FAILED"));
  return complaints({
    [`"deno test lessons" ends with ${code}:\n${output}`]: code !== 1,
    ...Object.fromEntries(lessons.map(({ number }) => [
      `"deno test lessons" tells of no failure in lesson ${number}:\n${output}`,
      !failing.some((part) => part.startsWith(`./lessons/${number}/`)),
    ])),
  });
}

/** The starter fails on both networks, and the failure is explained. */
export async function brokenStarter(
  lesson: LessonFiles,
  root: URL = HOUSE,
): Promise<string[]> {
  const { number } = lesson;
  const [alone, permitted] = await pooled(
    [false, true],
    (permission) => runLesson(number, { permission, failFast: true, root }),
  );
  return complaints({
    [`the starter passes without permission:\n${alone!.told}`]: alone!.passed,
    [`the starter passes with permission:\n${permitted!.told}`]:
      permitted!.passed,
    [`the failure has no diagnosis:\n${alone!.told}`]: !alone!.failure
      ?.diagnosis,
    [`with permission it has no diagnosis:\n${permitted!.told}`]: !permitted!
      .failure?.diagnosis,
  });
}

/** The solution passes on both networks, quietly, and in time. */
export async function brokenSolution(
  lesson: LessonFiles,
  root: URL = HOUSE,
): Promise<string[]> {
  const { number, solution: program } = lesson;
  const [alone, permitted] = await pooled(
    [false, true],
    (permission) => runLesson(number, { program, permission, root }),
  );
  const slow = await slowChecks(lesson, permitted!, root);
  const used = new Set(permitted!.checks.flatMap(({ networks }) => networks));
  const ignored = permitted!.checks.filter((c) => c.status === "ignored");
  const strange = misnamed(lesson, permitted!.checks);
  return complaints({
    [`the solution fails without permission:\n${alone!.told}`]: !alone!
      .passed,
    [`the solution fails with permission:\n${permitted!.told}`]: !permitted!
      .passed,
    [`with permission, checks are ignored: ${names(ignored)}`]:
      ignored.length > 0,
    [`with permission, the checks use only: ${[...used]}`]: used.size !== 2,
    [`the solution warns:\n${alone!.output}`]: warns(alone!),
    [`with permission it warns:\n${permitted!.output}`]: warns(permitted!),
    [`checks take more than ${CHECK_LIMIT_MS} ms: ${times(slow)}`]:
      slow.length > 0,
    [`names of checks do not begin with an exported symbol: ${names(strange)}`]:
      strange.length > 0,
  });
}

/** The solutions that no lesson asks for. */
export function strayExtras(lessons: LessonFiles[], root: URL): string[] {
  const known = lessons.map(({ number }) => `${number}/`);
  return ["solutions/", "tests/mistakes/", "tests/alternatives/"]
    .flatMap((room) =>
      list(new URL(room, root)).map((name) => ({ room, name }))
    )
    .filter(({ name }) => name.endsWith("/") && !known.includes(name))
    .map(({ room, name }) => `${shortPath(new URL(room + name, root), root)}`);
}

/**
 * A machine can pause once; a check that is slow twice is slow, unless others
 * have had the processor meanwhile.
 */
async function slowChecks(
  { number, solution: program }: LessonFiles,
  run: LessonRun,
  root: URL,
): Promise<Check[]> {
  if (ABOUT_SCALE.includes(number)) return [];
  const slow = run.checks.filter(({ ms }) => ms > CHECK_LIMIT_MS);
  if (slow.length === 0) return [];
  const again = await runLesson(number, { program, permission: true, root });
  const limit = CHECK_LIMIT_MS * contention();
  const twice = names(again.checks.filter(({ ms }) => ms > limit));
  return slow.filter(({ name }) => twice.includes(name));
}

function misnamed(lesson: LessonFiles, checks: Check[]): Check[] {
  const symbols = exportedNames(Deno.readTextFileSync(lesson.starter));
  return checks.filter(({ name }) =>
    !symbols.includes(name.match(/^(?:new )?(\w+)/)?.[1] ?? "")
  );
}

function warns({ output }: LessonRun): boolean {
  return /warning/i.test(output.replace(KNOWN_WARNING, ""));
}

function times(checks: Check[]): string[] {
  return checks.map(({ name, ms }) => `${name} (${Math.round(ms)} ms)`);
}

function names(checks: Check[]): string[] {
  return checks.map(({ name }) => name);
}

/** The sentences that are true. */
function complaints(claims: Record<string, boolean>): string[] {
  return Object.keys(claims).filter((sentence) => claims[sentence]);
}
