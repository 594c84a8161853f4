// Which room may open which door. Rooms are described in course/README.md.

/** The bare names that deno.json's import map gives to packages. */
export type Packages = readonly string[];

interface Room {
  /** Matches the path of a module in the room; the first match counts. */
  readonly path: RegExp;
  /** What its modules may import: names as they are, paths as `/lessons/…`. */
  readonly doors: readonly RegExp[];
}

const STD = /^@std\//;
const NODE = /^node:/;
/** A package of npm that deno.json names; `check` and `@std` are no such. */
const PACKAGE = /^(?!check$|@std\/)[@a-z][^:]*$/;
/** What the runner may load: a verdict has no time for more. */
const LIGHT = /^(?:diff|fast-xml-parser|string-width)$/;
/** What is right as it is in a starter, for the programs in its place. */
const GIVEN = /^\/tests\/mistakes\/\d\d\/given\//;
/** What the page and the board have in common. */
const WEB = /^\/course\/web\//;
/** The only room that may look everywhere, except at a solution. */
const ANYTHING = /^/;

const ROOMS: readonly Room[] = [
  {
    // A learner must be able to read all that a check is made of.
    path: /^lessons\/\d\d\/[^/]+_test\.ts$/,
    doors: [/^@std\/assert$/, /^check$/, /^\/lessons\/\d\d\/[^/]+\.ts$/],
  },
  { path: /^lessons\//, doors: [STD] },
  { path: /^solutions\//, doors: [STD] },
  // Other right programs, and wrong ones, may be written in Node's style.
  // What a starter gives away can lie beside them, once for all.
  { path: /^tests\/alternatives\//, doors: [STD, NODE, GIVEN] },
  { path: /^tests\/mistakes\/.*(?<!_test)\.ts$/, doors: [STD, NODE, GIVEN] },
  { path: /^tests\//, doors: [ANYTHING] },
  { path: /^course\/check\//, doors: [STD, NODE, /^\/course\/check\//] },
  {
    // Lessons are files and processes here: a broken one crashes nothing.
    path: /^course\/runner\//,
    doors: [STD, NODE, LIGHT, /^\/course\/runner\//],
  },
  {
    path: /^course\/page\//,
    doors: [
      STD,
      NODE,
      PACKAGE,
      /^\/course\/page\//,
      WEB,
      /^\/course\/runner\/mod\.ts$/,
    ],
  },
  {
    path: /^course\/board\//,
    doors: [STD, NODE, PACKAGE, /^\/course\/board\//, WEB],
  },
  { path: /^course\/web\//, doors: [STD, PACKAGE, WEB] },
  { path: /^course\/bench\//, doors: [STD, NODE, /^\/course\/bench\//] },
  { path: /^course\/[^/]+$/, doors: [] },
];

/** What the module at `path` imports that its room has no door to. */
export function trespasses(
  path: string,
  source: string,
  packages: Packages,
): string[] {
  const room = ROOMS.find((room) => room.path.test(path));
  if (!room) return [`${path} stands in no room`];
  return importsOf(source)
    .map((specifier) => ({ specifier, target: resolve(path, specifier) }))
    .filter(({ specifier, target }) =>
      !known(specifier, packages) || isSolution(target) ||
      isOtherLesson(path, target) || !room.doors.some((d) => d.test(target))
    )
    .map(({ specifier }) => `${path} imports ${specifier}`);
}

/** The specifiers that a source imports or re-exports, types included. */
export function importsOf(source: string): string[] {
  const found =
    /(?:^|[;}\s])(?:import|export)\s[^;"'`]*?from\s*["']([^"']+)["']|^\s*import\s*["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']/gm;
  return [...codeOf(source).matchAll(found)]
    .map(([, from, alone, dynamic]) => (from ?? alone ?? dynamic)!);
}

/** Whether a source prints by itself. In the house only the doors do that. */
export function prints(source: string): boolean {
  return /\bconsole\.(?:log|error|warn|info|debug)\(/.test(codeOf(source));
}

/** A relative specifier as a path from the root, `/…`; a name as it is. */
function resolve(path: string, specifier: string): string {
  if (!specifier.startsWith(".")) return specifier;
  return new URL(specifier, `file:///${path}`).pathname;
}

/** Packages come by the names in deno.json, never by a URL of their own. */
function known(specifier: string, packages: Packages): boolean {
  return specifier.startsWith(".") || specifier.startsWith("node:") ||
    packages.includes(specifier);
}

function isSolution(target: string): boolean {
  return target.startsWith("/solutions/");
}

/** Two modules of lessons, and not of the same one. */
function isOtherLesson(path: string, target: string): boolean {
  const [here] = path.match(/^lessons\/\d\d\//) ?? [];
  return here !== undefined && target.startsWith("/lessons/") &&
    !target.startsWith(`/${here}`);
}

/** Without comments and templates, which may hold a program for a test. */
function codeOf(source: string): string {
  return source
    .replace(/\/\*.*?\*\//gs, "")
    .replace(/^\s*\/\/.*$/gm, "")
    .replace(/`(?:[^`\\]|\\.)*`/gs, "``");
}
