// Where everything of a lesson lies. Folders are read, never listed by hand,
// so a new lesson is held to every promise from its first file on.

/** The checkout that these tests stand in. */
export const HOUSE: URL = new URL("../", import.meta.url);

/** The files of one lesson, wherever they lie. */
export interface LessonFiles {
  /** Two digits, as in `lessons/03`. */
  readonly number: string;
  /** The names in the lesson's folder, sorted; a folder's name ends in `/`. */
  readonly names: string[];
  readonly folder: URL;
  /** The only module in the folder that is not a test. */
  readonly starter: URL;
  readonly test: URL;
  /** The same name under `solutions/`, whether or not it exists. */
  readonly solution: URL;
  readonly mistakes: Mistake[];
  /** Other right programs: `tests/alternatives/NN/*.ts`. */
  readonly alternatives: URL[];
}

/** A wrong program, and what its first lines say about it. */
export interface Mistake {
  /** The id in the catalogue, which is the file's name. */
  readonly id: string;
  readonly program: URL;
  /** What follows `// expect:`; it must be the id. */
  readonly expect?: string;
  /** What follows `// network:`: where alone the mistake can be seen. */
  readonly network?: string;
  /** What follows `// run:`: the test beside the program that proves it. */
  readonly run?: string;
}

/** The lessons that have a starter and a test, in order. */
export function findLessons(root: URL = HOUSE): LessonFiles[] {
  return numbers(root)
    .filter((number) => halfOf(number, root) === undefined)
    .map((number) => findLesson(number, root));
}

/** What is wrong with the folders that no lesson could be read from. */
export function halfLessons(root: URL = HOUSE): string[] {
  return numbers(root).flatMap((number) => halfOf(number, root) ?? []);
}

/** One lesson's files. Fails when the folder has no starter or two of them. */
export function findLesson(number: string, root: URL = HOUSE): LessonFiles {
  const half = halfOf(number, root);
  if (half !== undefined) throw new Error(half);
  const folder = new URL(`lessons/${number}/`, root);
  const names = namesIn(folder);
  const starter = names.find((name) => isModule(name) && !isTest(name))!;
  const test = names.find(isTest)!;
  return {
    number,
    names,
    folder,
    starter: new URL(starter, folder),
    test: new URL(test, folder),
    solution: new URL(`solutions/${number}/${starter}`, root),
    mistakes: programs(new URL(`tests/mistakes/${number}/`, root))
      .map(readMistake),
    alternatives: programs(new URL(`tests/alternatives/${number}/`, root)),
  };
}

/** The value of a leading `// key: value` line, if the program has one. */
export function directive(source: string, key: string): string | undefined {
  const head = source.match(/^(?:\/\/.*\n)*/)![0];
  return head.match(new RegExp(`^// ${key}: (.+)$`, "m"))?.[1]?.trim();
}

/** The names that a module exports, types included, sorted. */
export function exportedNames(source: string): string[] {
  const declared =
    /^export (?:default )?(?:declare )?(?:abstract )?(?:async )?(?:function\*?|class|const|let|type|interface|enum) (\w+)/gm;
  return [...source.matchAll(declared)].map(([, name]) => name!).sort();
}

/** The names in a folder, sorted, or none if there is no such folder. */
export function list(folder: URL): string[] {
  try {
    return [...Deno.readDirSync(folder)]
      .map(({ name, isDirectory }) => isDirectory ? `${name}/` : name)
      .sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** A path as people type it: relative to the root. */
export function shortPath(file: URL, root: URL = HOUSE): string {
  return decodeURIComponent(file.href.replace(root.href, ""));
}

function programs(folder: URL): URL[] {
  return list(folder)
    .filter((name) => isModule(name) && !isTest(name))
    .map((name) => new URL(name, folder));
}

function readMistake(program: URL): Mistake {
  const source = Deno.readTextFileSync(program);
  const id = program.pathname.match(/([^/]+)\.ts$/)![1]!;
  const found = (["expect", "network", "run"] as const)
    .map((key) => [key, directive(source, key)])
    .filter(([, value]) => value !== undefined);
  return { id, program, ...Object.fromEntries(found) };
}

function numbers(root: URL): string[] {
  return list(new URL("lessons/", root))
    .filter((name) => /^\d\d\/$/.test(name))
    .map((name) => name.slice(0, 2));
}

/** Says what keeps a folder from being a lesson, if anything does. */
function halfOf(number: string, root: URL): string | undefined {
  const folder = new URL(`lessons/${number}/`, root);
  const modules = namesIn(folder).filter(isModule);
  const tests = modules.filter(isTest);
  if (modules.length === 2 && tests.length === 1) return;
  return `Cannot read lesson ${number}: its folder has the modules ` +
    `"${modules}". A lesson has one starter and one test`;
}

/** `reset` keeps a learner's file beside the starter; it is no part of this. */
function namesIn(folder: URL): string[] {
  return list(folder).filter((name) => !/\.mine-\d+$/.test(name));
}

function isModule(name: string): boolean {
  return name.endsWith(".ts");
}

function isTest(name: string): boolean {
  return name.endsWith("_test.ts");
}
