// The last part of `deno task test`: all tests, two lanes of them side by side.
// Half of them compute, and half of them wait, for a browser, a limit, a real
// client. What is printed stays together: the second lane's output comes when
// the first has ended.
import { HOUSE, list } from "./course_files.ts";

/** It measures how long checks take, and has the machine for itself. */
const ALONE = ["tests/lessons_test.ts"];

/** These wait, and they listen where the course's programs do: port 7001 and on. */
const WAITING = [
  "tests/board_page_test.ts",
  "tests/board_test.ts",
  "tests/clients",
  "tests/commands_test.ts",
  "tests/hostile_test.ts",
  "tests/join_test.ts",
  "tests/offline_test.ts",
  "tests/page_test.ts",
  "tests/runner_terminal_test.ts",
  "tests/runner_test.ts",
  "tests/tools_test.ts",
];

/** How a lane ended. */
interface Ended {
  readonly code: number;
  /** Deno's last line, in numbers: "ok | 12 passed (3 steps) | 0 failed". */
  readonly passed: number;
  readonly steps: number;
  readonly failed: number;
  readonly ignored: number;
}

/** All modules of tests in a folder, as paths from the root. */
function testsIn(folder: string): string[] {
  return list(new URL(`${folder}/`, HOUSE)).flatMap((name) => {
    const path = `${folder}/${name}`;
    if (name.endsWith("/")) return testsIn(path.slice(0, -1));
    return name.endsWith("_test.ts") ? [path] : [];
  });
}

/** Runs the tests in `paths`; `print` gets what they print, as it comes. */
async function lane(
  paths: string[],
  print: (text: string) => void,
): Promise<Ended> {
  const { stdout, stderr, status } = new Deno.Command(Deno.execPath(), {
    args: ["test", "-q", "-P=house", ...paths],
    cwd: HOUSE,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let end = "";
  await Promise.all([stdout, stderr].map(async (stream) => {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      end = (end + text).slice(-2_000);
      print(text);
    }
  }));
  const { code } = await status;
  return { code, ...counted(end) };
}

function counted(output: string): Omit<Ended, "code"> {
  // deno-lint-ignore no-control-regex -- Colours.
  const plain = output.replace(/\x1b\[[\d;]*m/g, "");
  const line = plain.match(/^(?:ok|FAILED) \| \d+ passed.*$/m)?.[0] ?? "";
  const number = (what: string) =>
    Number(line.match(new RegExp(`(\\d+) ${what}`))?.[1] ?? 0);
  return {
    passed: number("passed"),
    steps: number("steps?"),
    failed: number("failed"),
    ignored: number("ignored"),
  };
}

/** Runs two lanes at once; the second one is printed after the first. */
async function sideBySide(one: string[], two: string[]): Promise<Ended[]> {
  let held = "";
  let print: (text: string) => void = (text) => held += text;
  const first = lane(one, write).finally(() => {
    write(held);
    print = write;
  });
  return await Promise.all([first, lane(two, (text) => print(text))]);
}

function write(text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) {
    at += Deno.stdout.writeSync(bytes.subarray(at));
  }
}

const began = performance.now();
const set = (paths: string[]) =>
  paths.flatMap((path) => path.endsWith(".ts") ? [path] : testsIn(path));
const all = [...testsIn("course"), ...testsIn("tests")];
const [alone, waiting] = [set(ALONE), set(WAITING)];
const computing = all.filter((path) =>
  !alone.includes(path) && !waiting.includes(path)
);
const lanes = [
  await lane(alone, write),
  ...await sideBySide(waiting, computing),
];
const sum = (what: keyof Ended) =>
  lanes.reduce((total, ended) => total + ended[what], 0);
const well = lanes.every(({ code }) => code === 0);
const ignored = sum("ignored") > 0 ? ` | ${sum("ignored")} ignored` : "";
const seconds = Math.round((performance.now() - began) / 1_000);
console.log(
  `\nAll lanes together:\n${well ? "ok" : "FAILED"} | ${
    sum("passed")
  } passed ` +
    `(${sum("steps")} steps) | ${sum("failed")} failed${ignored} (${seconds}s)`,
);
Deno.exit(well ? 0 : 1);
