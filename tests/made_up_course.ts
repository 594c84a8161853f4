// A course of one tiny lesson, written into a temporary folder, so that the
// promises about the real one can be broken on purpose, one file at a time.

/** Paths and contents; `null` leaves a file out. */
export type Files = Record<string, string | null>;

/** A check library of a dozen lines that keeps the protocol of the real one. */
const CHECK = `
const nonce = Deno.args[0]?.replace("--report=", "");
const only = Deno.args[1]?.replace("--network=", "");
const plan: string[] = [];
function tell(data: unknown): void {
  if (nonce) console.log(\`\\u001e\${nonce} \${JSON.stringify(data)}\`);
}
const host = { name: "net", host: "127.0.0.1" } as const;
const real = Deno.permissions.querySync(host).state === "granted";
const networks = (real ? ["simulated", "loopback"] : ["simulated"])
  .filter((network) => !only || network === only);

Deno.test.beforeAll(() => tell({ plan }));

export function check(name: string, id: string, promise: () => boolean) {
  plan.push(name);
  Deno.test(name, () => {
    const status = promise() ? "passed" : "failed";
    const failure = { diagnosis: { id }, headline: id };
    tell({ end: name, status, ms: 1, networks, ...(status === "failed" && { failure }) });
    if (status === "failed") throw new Error(id);
  });
}
`;

const FILES: Files = {
  "deno.json": JSON.stringify({
    imports: { check: "./check.ts" },
    permissions: { default: { net: ["127.0.0.1"] } },
  }),
  "check.ts": CHECK,
  "lessons/01/README.md": "# 01 · Doubling\n",
  "lessons/01/hints.md": "## lesson\n",
  "lessons/01/double.ts": `// Lesson 01: doubling.
export function double(n: number): number {
  // TODO: This gives back what it was given.
  return n;
}
`,
  "lessons/01/double_test.ts": `import { check } from "check";
import { double } from "./double.ts";
check("double() keeps zero", "not-zero", () => double(0) === 0);
check("double() doubles", "not-doubled", () => double(3) === 6);
`,
  "solutions/01/double.ts": `// Lesson 01, solved: doubling.
export function double(n: number): number {
  return 2 * n;
}
`,
  "tests/mistakes/01/not-zero.ts": `// expect: not-zero
export function double(n: number): number {
  return 2 * n + 1;
}
`,
  "tests/alternatives/01/sum.ts": `// style: a sum
export function double(n: number): number {
  return n + n;
}
`,
};

/** Gives `use` a course that differs from the made-up one by `changes`. */
export async function withCourse<T>(
  changes: Files,
  use: (root: URL) => Promise<T> | T,
): Promise<T> {
  const folder = await Deno.makeTempDir({ prefix: "made-up-course-" });
  const root = new URL(`file://${folder}/`);
  try {
    for (const [path, text] of Object.entries({ ...FILES, ...changes })) {
      if (text === null) continue;
      const file = new URL(path, root);
      await Deno.mkdir(new URL("./", file), { recursive: true });
      await Deno.writeTextFile(file, text);
    }
    return await use(root);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** What a file of the unchanged course says. */
export function madeUp(path: string): string {
  return FILES[path]!;
}

/** A file of the made-up course with one thing replaced. */
export function edited(path: string, from: string, to: string): Files {
  const text = madeUp(path);
  if (text.includes(from)) return { [path]: text.replace(from, to) };
  throw new Error(`Cannot replace "${from}" in ${path}: it does not say that`);
}
