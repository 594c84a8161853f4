/**
 * A made-up course of two lessons in a temporary folder, for the runner's own
 * tests: it depends on no real lesson, and a test may break it as it likes.
 *
 * @module
 */
import { copyTree } from "./copy_tree.ts";
import { type Course, openCourse } from "./lesson.ts";

// It stands where the check library stands, and speaks as it does.
const CHECK = `
import { report as say } from "./report.ts";
const names: string[] = [];
let planned = false;
export function check(name: string, body: () => unknown, sentence?: string) {
  names.push(name);
  Deno.test(name, async () => {
    if (!planned) say({ plan: names });
    planned = true;
    say({ begin: name });
    const end = { end: name, ms: 1.5, networks: ["simulated", "loopback"] };
    try {
      await body();
    } catch (error) {
      const headline = String((error as Error).message);
      const diagnosis = sentence && { id: "says-bye", sentence };
      const text = headline + "\\n\\n   0 ms  ann  connects\\n\\n" + (sentence ?? "");
      const failure = { network: "simulated", headline, text, diagnosis,
        expected: "hello", received: "bye", recording: [], at: "greet_test.ts:5:1" };
      say({ ...end, status: "failed", failure });
      throw error;
    }
    say({ ...end, status: "passed" });
  });
}
`;

const REPORT = `
let nonce: string | undefined;
export function reportAs(word: string) {
  nonce = word;
}
export function report(data: unknown) {
  if (nonce) console.log("\\u001e" + nonce + " " + JSON.stringify(data));
}
`;

const GREET_TEST = `
import { check } from "check";
import { greet } from "./greet.ts";
function equal(got: unknown, want: unknown) {
  if (got !== want) throw new Error(\`ann expected "\${want}" and got "\${got}"\`);
}
check("greet() is a function", () => equal(typeof greet, "function"));
check("greet() says hello", async () => equal(await greet("ann"), "hello ann"),
  "You say goodbye where a greeting belongs.");
check("greet() knows bob", async () => equal(await greet("bob"), "hello bob"));
check("greet() ends", async () => equal(await greet("cy"), "hello cy"));
`;

/** Does not pass: the second of four checks fails. */
export const GREET_WRONG =
  `// Lesson 01: a greeting.\nexport function greet(name: string): string {\n  return "bye " + name;\n}\n`;

/** Passes. */
export const GREET_RIGHT = GREET_WRONG.replace("bye", "hello");

const GREET_README = `# 01 · A greeting

## Try it

\`\`\`sh
deno run -P lessons/01/greet.ts
nc 127.0.0.1 7001     # in another terminal
\`\`\`

## Questions

<details>
<summary>Who speaks <em>first</em>?</summary>

The client.
</details>
`;

const HINTS = `# Hints

## lesson

Which word comes first?

## says-bye

What does \`greet()\` say?

Look at the line that returns.

One word is the wrong one.
`;

const CONTENTS = `# Lessons

## First words

| | Lesson | What you build | Real client |
| --- | --- | --- | --- |
| [01](01/README.md) | A greeting | \`greet\` | nc |
| [02](02/README.md) | A number | twice | nc -u |
`;

const NUMBER_TEST = `
import { check } from "check";
import { twice } from "./number.ts";
check("twice() doubles", () => {
  if (twice(2) !== 4) throw new Error("2 and 2 are 4");
});
`;

const TWICE =
  "export function twice(n: number): number {\n  return n + 1;\n}\n";

const FILES: Record<string, string> = {
  "course/check/mod.ts": CHECK,
  "course/check/report.ts": REPORT,
  "course/check/warm_up.ts": "export function warmUp() {}",
  "lessons/README.md": CONTENTS,
  "lessons/01/README.md": GREET_README,
  "lessons/01/hints.md": HINTS,
  "lessons/01/greet.ts": GREET_WRONG,
  "lessons/01/greet_test.ts": GREET_TEST,
  "solutions/01/greet.ts": GREET_RIGHT,
  "lessons/02/README.md": "# 02 · A number\n",
  "lessons/02/number.ts": TWICE,
  "lessons/02/number_test.ts": NUMBER_TEST,
  "solutions/02/number.ts": TWICE.replace("n + 1", "n * 2"),
};

/** A made-up course, removed at the end of the block that `using` is in. */
export class TestCourse implements Disposable {
  readonly root: string;

  /** Makes it. Its path has a space and an umlaut, as some have. */
  constructor() {
    this.root = Deno.realPathSync(Deno.makeTempDirSync()) + "/Mein Kürs";
    for (const [path, text] of Object.entries(FILES)) this.write(path, text);
    Deno.mkdirSync(`${this.root}/.course`);
    const here = import.meta.dirname!;
    const house = JSON.parse(Deno.readTextFileSync(`${here}/../../deno.json`));
    const { tasks: { learn }, imports, unstable, permissions, test } = house;
    const config = { tasks: { learn }, imports, unstable, permissions, test };
    this.write("deno.json", JSON.stringify(config));
    for (const name of ["standby.ts", "real.ts"]) {
      const path = `course/check/${name}`;
      Deno.copyFileSync(`${here}/../../${path}`, `${this.root}/${path}`);
    }
    Deno.mkdirSync(`${this.root}/course/runner`);
    copyTree(`${here}/../page`, `${this.root}/course/page`);
    copyTree(`${here}/../web`, `${this.root}/course/web`);
    copyTree(`${here}/join`, `${this.root}/course/runner/join`);
    for (const { name } of Deno.readDirSync(here)) {
      if (!name.endsWith(".ts") || name.endsWith("_test.ts")) continue;
      Deno.copyFileSync(
        `${here}/${name}`,
        `${this.root}/course/runner/${name}`,
      );
    }
  }

  /** The course as the runner sees it now. */
  open(): Course {
    return openCourse(this.root);
  }

  /** Writes a file, as an editor saves it. */
  write(path: string, text: string): void {
    const full = `${this.root}/${path}`;
    Deno.mkdirSync(full.slice(0, full.lastIndexOf("/")), { recursive: true });
    Deno.writeTextFileSync(full, text);
  }

  /** Replaces the learner's file of lesson 01. */
  save(text: string): void {
    this.write("lessons/01/greet.ts", text);
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.root.slice(0, this.root.lastIndexOf("/")), {
      recursive: true,
    });
  }
}
