// The runner as a program in a terminal: what it shows, and how it leaves.
import { fileURLToPath } from "node:url";
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import {
  GREET_RIGHT,
  GREET_WRONG,
  TestCourse,
} from "../course/runner/test_course.ts";
import { Pty } from "../course/runner/test_pty.ts";
import { HOUSE } from "./course_files.ts";
import { untilThereAre } from "./processes.ts";
import { realClient } from "./tools.ts";

const HOT = "export function greet() {\n  while (true) {}\n}\n";

/** `deno task learn` in a terminal, and a browser that shows nothing. */
class Seat extends Pty {
  readonly #course: TestCourse;

  constructor(course: TestCourse, args: string[]) {
    const command = [Deno.execPath(), "task", "-q", "learn", ...args];
    super(command, { cwd: course.root, env: { BROWSER: "true" } });
    this.#course = course;
  }

  /** The course can be removed when nobody works in it any more. */
  override async [Symbol.asyncDispose]() {
    await super[Symbol.asyncDispose]();
    await nobodyLeft(this.#course);
  }
}

function terminal(course: TestCourse, ...args: string[]): Pty {
  return new Seat(course, args);
}

/** What a server answers to a request that no browser would send. */
async function answer(address: string, request: string): Promise<string> {
  const { hostname, port } = new URL(address);
  using conn = await Deno.connect({ hostname, port: Number(port) });
  await conn.write(new TextEncoder().encode(request));
  return await new Response(conn.readable).text();
}

/** Waits until the page at `address` says `text` to those who listen. */
async function untilPageSays(address: string, text: string): Promise<void> {
  const { body } = await fetch(`${address}events`, {
    signal: AbortSignal.timeout(20_000),
  });
  let said = "";
  for await (const piece of body!.pipeThrough(new TextDecoderStream())) {
    said += piece;
    if (said.includes(text)) return;
  }
  throw new Error(`Cannot read "${text}" from the page: it said ${said}`);
}

function nobodyLeft(course: TestCourse) {
  return untilThereAre(0, course.root, "deno");
}

async function signal(course: TestCourse, name: Deno.Signal): Promise<void> {
  const [runner] = await untilThereAre(1, course.root, "course/runner/main.ts");
  Deno.kill(runner!, name);
}

/** A test that types into a terminal, and looks at who is left. */
function inTerminal(name: string, fn: () => Promise<void>) {
  realClient(name, ["/proc", "sh", "python3"], fn);
}

inTerminal(
  "learn shows the lesson, each save, hints, the list and the next one",
  async () => {
    using course = new TestCourse();
    await using screen = terminal(course);

    await screen.sees("✗ greet() says hello");
    await screen.type("h");
    await screen.sees("Hint 1 of 3 · says-bye");
    await screen.type("h");
    await screen.sees("Look at the line that returns.");
    // The verdict of a save shows at once, whatever page is open.
    course.save(GREET_RIGHT);
    await screen.sees("✓ 4 checks, on the simulated network and on loopback");
    await screen.sees("nc 127.0.0.1 7001");
    await screen.sees("has the answer): Who speaks first?");
    await screen.type("s");
    await screen.sees("word for word");
    await screen.type("x");
    await screen.sees("n next lesson");
    await screen.type("l");
    await screen.sees("▸ ✓ 01  A greeting");
    await screen.type("q");
    await screen.sees("n next lesson");
    await screen.type("n");
    await screen.sees("✗ twice() doubles");
    await screen.type("q");

    assertEquals(await screen.ended(), { code: 0, restored: true });
    assert(
      screen.written.trimEnd().endsWith(
        "lesson 02 A number: 0 of 1 checks pass",
      ),
    );
    assertStringIncludes(screen.written, "\u001b[?25h\u001b[?1049l");
    await nobodyLeft(course);
    const progress = JSON.parse(
      Deno.readTextFileSync(`${course.root}/.course/progress.json`),
    );
    assertEquals(progress.current, "02");
    assertEquals(Object.keys(progress.lessons), ["01"]);
  },
);

inTerminal("learn shows types beside the checks", async () => {
  using course = new TestCourse();
  await using screen = terminal(course);
  await screen.sees("greet() says hello");

  course.save(
    GREET_WRONG.replace("return", "const n: number = name;\n  return"),
  );

  await screen.sees("Types, beside the checks:  greet.ts:3:9  Type 'string'");
});

inTerminal("learn resets after one question", async () => {
  using course = new TestCourse();
  await using screen = terminal(course);
  await screen.sees("✗ greet() says hello");
  course.save(GREET_RIGHT);
  await screen.sees("✓ 4 checks");

  await screen.type("r");
  await screen.sees("Put the original of lessons/01/greet.ts back?");
  await screen.type("y");

  await screen.sees("Yours is now greet.ts.mine-1.");
  await screen.sees("✗ greet() says hello");
  assertStringIncludes(screen.picture, "Yours is now greet.ts.mine-1.");

  course.save(GREET_RIGHT);
  await screen.sees("✓ 4 checks");
  assert(!screen.picture.includes("mine-1"), "what is over is still told");
});

inTerminal("learn says that the file is gone, and gets it back", async () => {
  using course = new TestCourse();
  await using screen = terminal(course);
  await screen.sees("✗ greet() says hello");

  Deno.removeSync(`${course.root}/lessons/01/greet.ts`);
  await screen.sees("lessons/01/greet.ts is not there any more");
  await screen.type("ry");

  await screen.sees("✗ greet() says hello");
});

inTerminal("learn drops a hot loop at the next save", async () => {
  using course = new TestCourse();
  course.save(HOT);
  await using screen = terminal(course);
  await screen.sees("checking …");

  course.save(GREET_RIGHT);

  await screen.sees("✓ 4 checks");
  await screen.type("q");
  assertEquals((await screen.ended()).code, 0);
  await nobodyLeft(course);
});

inTerminal("learn checks all lessons, and stops at a key", async () => {
  using course = new TestCourse();
  await using screen = terminal(course);
  await screen.sees("✗ greet() says hello");

  await screen.type("c");
  await screen.sees("0 of 2 lessons pass");
  assertStringIncludes(screen.picture, "1 of 4 checks pass");
  await screen.type("x");

  await screen.sees("✗ greet() says hello");
});

inTerminal("learn leaves nothing behind, in whatever way it ends", async () => {
  const ways: Record<string, (screen: Pty, course: TestCourse) => unknown> = {
    "q": (screen) => screen.type("q"),
    "Ctrl-C": (screen) => screen.type("\u0003"),
    "SIGTERM": (_, course) => signal(course, "SIGTERM"),
    "SIGINT": (_, course) => signal(course, "SIGINT"),
    "a closed window": (screen) => screen.hangUp(),
  };
  for (const [way, leave] of Object.entries(ways)) {
    using course = new TestCourse();
    course.save(HOT);
    await using screen = terminal(course);
    await screen.sees("checking …");
    await untilThereAre(2, course.root, "--junit-path"); // One for each network.

    await leave(screen, course);

    const { restored } = await screen.ended();
    assert(restored || way === "a closed window", way);
    await nobodyLeft(course);
  }
});

inTerminal("learn gives the terminal back when it fails itself", async () => {
  using course = new TestCourse();
  await using screen = terminal(course);
  await screen.sees("✗ greet() says hello");

  // Nobody writes the marks before something passes.
  const marks = `${course.root}/.course/progress.json`;
  Deno.removeSync(marks);
  Deno.mkdirSync(marks);
  course.save(GREET_RIGHT);

  const { code, restored } = await screen.ended();
  assertEquals([code, restored], [70, true]);
  assertStringIncludes(screen.written, "the runner itself has failed");
  await nobodyLeft(course);
});

inTerminal(
  "learn opens the page, shows each save there, and ends it",
  async () => {
    using course = new TestCourse();
    await using screen = terminal(course);
    await screen.sees("✗ greet() says hello");

    await screen.type("w");
    await screen.sees("The page opens in your browser: http://127.0.0.1:");
    const [address] = screen.picture.match(/http:\S+/)!;
    await untilPageSays(address, "✗ 1 of 4 checks pass");
    course.save(GREET_RIGHT);
    await untilPageSays(address, "✓ all 4 checks pass");
    const lesson = await (await fetch(address)).text();
    const foreign = await answer(
      address,
      "GET /lessons HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
    );
    await screen.type("q");

    assertStringIncludes(lesson, "<h1>01 · A greeting</h1>");
    assertMatch(foreign, /^HTTP\/1.1 421 .*asked for "evil\.example"\.\n$/s);
    assertEquals((await screen.ended()).code, 0);
    await nobodyLeft(course);
  },
);

inTerminal("learn starts the lesson that is chosen on the page", async () => {
  using course = new TestCourse();
  await using screen = terminal(course, "--page");
  await screen.sees("The page opens in your browser: http://127.0.0.1:");
  const [address] = screen.picture.match(/http:\S+(?=\/)/)!;

  const started = await fetch(`${address}/lessons/02/start`, {
    method: "POST",
    headers: { Origin: address },
  });

  await screen.sees("✗ twice() doubles");
  assertStringIncludes(await started.text(), "02 · A number");
  await screen.type("q");
  await nobodyLeft(course);
});

inTerminal(
  "learn checks all lessons no longer when one is started on the page",
  async () => {
    using course = new TestCourse();
    course.save(HOT);
    await using screen = terminal(course, "--page");
    await screen.sees("The page opens in your browser: http://127.0.0.1:");
    const [address] = screen.picture.match(/http:\S+(?=\/)/)!;
    await screen.type("c");
    await screen.sees("0 of 0 lessons pass, 2 to go");

    const started = await fetch(`${address}/lessons/02/start`, {
      method: "POST",
      headers: { Origin: address },
    });

    await started.body!.cancel();
    await screen.sees("✗ twice() doubles");
    await untilThereAre(0, course.root, "--allow-read=lessons/01");
    assertStringIncludes(screen.picture, "✗ twice() doubles");
    await screen.type("q");
    await nobodyLeft(course);
  },
);

inTerminal(
  "learn says so when the page cannot be there, and goes on",
  async () => {
    using course = new TestCourse();
    course.write("course/page/main.ts", "throw new Error('out of order');\n");
    await using screen = terminal(course);
    await screen.sees("✗ greet() says hello");

    await screen.type("w");

    await screen.sees("The page has ended.");
    await screen.sees("out of order");
    course.save(GREET_RIGHT);
    await screen.sees("✓ 4 checks");
  },
);

inTerminal("wire talks in a terminal, in both roles", async () => {
  const cwd = fileURLToPath(HOUSE);
  const wire = [
    Deno.execPath(),
    "run",
    "-q",
    "-P",
    "course/runner/wire/main.ts",
  ];
  await using server = new Pty([...wire, "listen", "0"], { cwd });
  await server.sees("listens at 127.0.0.1:");
  const [, port] = /listens at 127\.0\.0\.1:(\d+)/.exec(server.picture)!;
  await using client = new Pty([...wire, "connect", port!], { cwd });
  await server.sees("connected to 127.0.0.1:");

  await client.type("hello\n");
  await server.sees('← "hello\\n"  (6 bytes)');
  await server.type(":hex 00 ff\n");
  await client.sees("← 00 ff");
  await client.type(":end\n");
  await server.sees("← ends its sending (FIN)");
  await server.type("still here\n");
  await client.sees('← "still here\\n"');
  await server.type(":nonsense\n");
  await server.sees('There is no wish ":nonsense"');
  await server.type(":quit\n");

  assertEquals((await client.ended()).code, 0);
  assertEquals((await server.ended()).code, 0);
});
