import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { childrenGone } from "./child.ts";
import { listCommand } from "./platform.ts";
import { run } from "./run.ts";
import { GREET_RIGHT, GREET_WRONG, TestCourse } from "./test_course.ts";
import type { Verdict } from "./verdict.ts";

const LIMITS = {
  time: 3_000,
  load: 2_500,
  memory: 1024 ** 3,
  output: 64 * 1024,
};
const GREET = "export function greet(name: string): unknown {";

/** Runs lesson 01 with `source` as the learner's file. */
async function verdict(source: string): Promise<Verdict> {
  using course = new TestCourse();
  course.save(source);
  const made = course.open();
  const verdict = await run(made, made.lessons[0]!, { limits: LIMITS });
  await childrenGone(); // The verdict does not wait for them.
  const left = [...Deno.readDirSync(`${course.root}/.course`)];
  assertEquals(left, [], "a run must leave no file behind");
  return verdict!;
}

/** The words of a problem, whatever lines they are broken into. */
function said({ problem }: Verdict): string {
  return problem!.text.replace(/\s+/g, " ");
}

function statuses({ checks }: Verdict): string[] {
  return checks.map(({ status }) => status);
}

Deno.test("run() passes a right program", async () => {
  const { passed, checks, problem } = await verdict(GREET_RIGHT);

  assertEquals(passed, true);
  assertEquals(checks.length, 4);
  assertEquals(checks[0]!.networks, ["simulated", "loopback"]);
  assertEquals(problem, undefined);
});

Deno.test("run() explains the first check that fails", async () => {
  const failed = await verdict(GREET_WRONG);

  assertEquals(failed.passed, false);
  assertEquals(statuses(failed), ["passed", "failed", "waiting", "waiting"]);
  assertEquals(failed.problem?.check, "greet() says hello");
  assertEquals(failed.problem?.diagnosis?.id, "says-bye");
  assertStringIncludes(failed.problem!.text, 'got "bye ann"');
});

Deno.test("run() passes nobody who prints more than is allowed", async () => {
  // Three checks call it: the last goes beyond, shortly before the last word.
  const flood = `console.log("x".repeat(${LIMITS.output * 0.4}));`;
  const failed = await verdict(GREET_RIGHT.replace("{", `{ ${flood}`));

  assertEquals(failed.passed, false);
});

Deno.test("run() passes nobody whose own tests fail", async () => {
  const own = `Deno.test("mine", () => { throw new Error("not yet"); });`;
  const failed = await verdict(`${GREET_RIGHT}${own}`);

  assertEquals(failed.passed, false);
  assertStringIncludes(said(failed), "not yet");
});

Deno.test("run() believes no program that prints what a pass prints", async () => {
  const forged = await verdict(`
    console.log('ok | 4 passed | 0 failed (2ms)');
    console.log('\\u001e {"plan":["x"]}\\n\\u001e {"end":"x","status":"passed"}');
    ${GREET} Deno.exit(0); }`);

  assertEquals(forged.passed, false);
});

Deno.test("run() stops a loop at import", async () => {
  const { passed, problem } = await verdict(`while (true) {}\n${GREET_RIGHT}`);

  assertEquals(passed, false);
  assertStringIncludes(problem!.text, "still loading");
});

Deno.test("run() stops a loop in a check", async () => {
  const looping = await verdict(`${GREET} while (true) {} }`);

  assertEquals(looping.passed, false);
  assertEquals(looping.problem?.check, "greet() says hello");
  assertStringIncludes(looping.problem!.text, "stopped in this check");
});

Deno.test("run() names a promise that never resolves", async () => {
  const { passed, problem } = await verdict(
    `${GREET} return new Promise(() => {}); }`,
  );

  assertEquals(passed, false);
  assertEquals(problem?.check, "greet() says hello");
  assertStringIncludes(problem!.text, "Promise resolution is still pending");
});

Deno.test("run() says that a program left while it was loaded", async () => {
  const { passed, problem } = await verdict(`Deno.exit(0);\n${GREET_RIGHT}`);

  assertEquals(passed, false);
  assertStringIncludes(
    problem!.text,
    "called Deno.exit(0) while it was loaded",
  );
});

Deno.test("run() says that a program left during a check", async () => {
  const { passed, problem } = await verdict(`${GREET} Deno.exit(0); }`);

  assertEquals(passed, false);
  assertEquals(problem?.check, "greet() says hello");
});

Deno.test("run() stops endless printing", async () => {
  const { passed, problem } = await verdict(
    `${GREET} for (;;) console.log("here"); }`,
  );

  assertEquals(passed, false);
  assertStringIncludes(problem!.text, "printed more than");
});

Deno.test("run() stops endless printing without a newline", async () => {
  const { problem } = await verdict(`
    const here = new TextEncoder().encode("here ");
    for (;;) Deno.stdout.writeSync(here);
    ${GREET} }`);

  assertStringIncludes(problem!.text, "printed more than");
});

Deno.test("run() shows where a file cannot be parsed", async () => {
  const { problem } = await verdict(`${GREET}\n  return name name;\n}\n`);

  assertStringIncludes(problem!.text, "greet.ts:2:15  Expected ';'");
  assertStringIncludes(problem!.text, "it cannot be parsed");
  assertStringIncludes(problem!.text, "2 │   return name name;");
  assertStringIncludes(problem!.text, "  │               ^^^^");
});

Deno.test("run() shows an error thrown at import", async () => {
  const thrown = await verdict(`throw new TypeError("early");\n${GREET_RIGHT}`);

  assertStringIncludes(said(thrown), "greet.ts:1:7 TypeError: early");
  assertStringIncludes(said(thrown), "thrown outside any check");
  assert(!said(thrown).includes("file://"));
});

Deno.test("run() says which name the checks miss", async () => {
  const nameless = await verdict(`export function great() {}\n`);

  assertStringIncludes(
    said(nameless),
    'The checks import "greet", and greet.ts exports no such name.',
  );
});

Deno.test("run() says that a module is missing", async () => {
  const { problem } = await verdict(`import "./nobody.ts";\n${GREET_RIGHT}`);

  assertStringIncludes(problem!.text, "greet.ts:1:8  Module not found");
});

Deno.test("run() blames a rejection in the background", async () => {
  const { passed, problem } = await verdict(
    `${GREET} Promise.reject(new Error("unheard")); return "hello " + name; }`,
  );

  assertEquals(passed, false);
  assertStringIncludes(problem!.text, "Error: unheard");
});

Deno.test("run() keeps a program from everything but loopback", async () => {
  const attempts = [
    `Deno.readTextFileSync("/etc/passwd");`,
    `new Deno.Command(${JSON.stringify(Deno.execPath())}).outputSync();`,
    `Deno.listen({ hostname: "0.0.0.0", port: 0 });`,
    `await Deno.connect({ hostname: "192.0.2.1", port: 80 });`,
  ];

  for (const attempt of attempts) {
    const caught = await verdict(`${attempt}\n${GREET_RIGHT}`);
    assertEquals(caught.passed, false);
    assertStringIncludes(said(caught), "may reach loopback, and nothing else");
  }
});

Deno.test("run() says that the learner's file is gone", async () => {
  using course = new TestCourse();
  const made = course.open();
  Deno.removeSync(made.lessons[0]!.path);

  const verdict = await run(made, made.lessons[0]!);

  assertStringIncludes(
    verdict!.problem!.text,
    "greet.ts is not there any more",
  );
});

Deno.test("run() called off leaves no process", async () => {
  using course = new TestCourse();
  course.save(`${GREET} while (true) {} }`);
  const made = course.open();
  const off = new AbortController();

  const running = run(made, made.lessons[0]!, { signal: off.signal });
  setTimeout(() => off.abort(), 300);

  assertEquals(await running, undefined);
  const [command, ...args] = listCommand(Deno.build.os);
  const { stdout } = await new Deno.Command(command!, { args }).output();
  assert(!new TextDecoder().decode(stdout).includes(course.root));
});
