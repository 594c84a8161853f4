// A learner's runner and a board: what each hears of the other, and that the
// learner waits for nothing, whatever becomes of the board.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  GREET_RIGHT,
  GREET_WRONG,
  TestCourse,
} from "../course/runner/test_course.ts";
import { Pty } from "../course/runner/test_pty.ts";
import { Board } from "./board.ts";
import { processes, untilThereAre } from "./processes.ts";
import { realClient } from "./tools.ts";

/** `deno task learn` in a terminal, in a company that has a proxy. */
class Seat extends Pty {
  readonly #root: string;

  constructor({ root }: TestCourse, args: string[]) {
    super([Deno.execPath(), "task", "-q", "learn", ...args], {
      cwd: root,
      env: {
        HTTP_PROXY: "http://127.0.0.1:9",
        http_proxy: "127.0.0.1:9",
        BROWSER: "true",
      },
    });
    this.#root = root;
  }

  /** The course can be removed when nobody works in it any more. */
  override async [Symbol.asyncDispose]() {
    await super[Symbol.asyncDispose]();
    await untilThereAre(0, this.#root, "deno");
  }
}

/** How a process was called. */
async function commandOf(id: number): Promise<string[]> {
  const args = ["-o", "args=", "-p", String(id)];
  const { stdout } = await new Deno.Command("ps", { args }).output();
  return new TextDecoder().decode(stdout).trim().split(" ");
}

function flags({ address, code }: { address: string; code: string }) {
  return ["--join", address, "--code", code, "--name", "Ada"];
}

/** Waits until the board says of Ada what `holds` asks for. */
async function untilBoardHas(
  board: Board,
  holds: (row: string[]) => boolean,
): Promise<void> {
  let row: string[] | undefined;
  for (let tries = 0; tries < 500; tries++) {
    row = (await board.table()).get("Ada");
    if (row && holds(row)) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`Cannot find it on the board, which has ${row}`);
}

/** A test that types into a terminal, and looks at who is left. */
function inTerminal(name: string, fn: () => Promise<void>) {
  realClient(name, ["/proc", "sh", "python3", "ps"], fn);
}

inTerminal(
  "learn --join tells the board, and shows what the board says",
  async () => {
    await using board = new Board();
    await board.start();
    using course = new TestCourse();
    await using screen = new Seat(course, flags(board));

    await screen.sees("You have joined the workshop as Ada.");
    await untilBoardHas(board, (row) => row[7] === "says-bye");
    const [, , lesson, status, good, of, check] = (await board.table())
      .get("Ada")!;
    assertEquals([lesson, status, good, of], ["01", "failing", "1", "4"]);
    assertEquals(check, "greet() says hello");
    await board.form("/note", { note: "Look at the return" });
    await board.form("/timer", { minutes: "45" });
    await board.form("/open", { open: "01" });
    await screen.sees("Board: Look at the return");
    await screen.sees(" min left · open up to 01");
    await screen.type("w");
    await screen.sees("The page opens in your browser: http://127.0.0.1:");
    const [address] = screen.picture.match(/http:\S+/)!;
    assertStringIncludes(
      await (await fetch(address)).text(),
      '<p class="note" dir="auto">Look at the return</p>',
    );

    course.save(GREET_RIGHT);
    await screen.sees("✓ 4 checks");
    await untilBoardHas(board, (row) => row[3] === "passing");
    await screen.type("n");
    await screen.sees("Lesson 02 comes later");
    await board.form("/open", { open: "02" });
    await screen.sees(" · open up to 02");
    await screen.type("n");
    await screen.sees("✗ twice() doubles");
    await untilBoardHas(board, (row) => row[2] === "02");
    await screen.type("q");
    assertEquals((await screen.ended()).code, 0);
  },
);

inTerminal(
  "learn may reach the board's address through one process, and nothing else",
  async () => {
    await using board = new Board();
    await board.start();
    using course = new TestCourse();
    await using screen = new Seat(course, flags(board));
    await screen.sees("You have joined");

    const [joining] = await untilThereAre(
      1,
      course.root,
      "runner/join/main.ts",
    );
    const line = await commandOf(joining!);
    const granted = line.filter((it) => /^(-A|-P|--allow)/.test(it));
    assertEquals(granted, [`--allow-net=${board.address}`]);
    assert(line.includes("--no-prompt"));
    for (const id of await processes(course.root, "course/check/standby.ts")) {
      assert(!(await commandOf(id)).join().includes(board.address));
    }
  },
);

inTerminal(
  "learn goes on without the board, catches up, and is back by itself",
  async () => {
    await using board = new Board();
    await board.start();
    using course = new TestCourse();
    {
      await using screen = new Seat(course, flags(board));
      await screen.sees("You have joined");
      await board.form("/open", { open: "02" });
      await screen.sees("open up to 02");

      await board.kill();
      course.save(GREET_RIGHT);
      await screen.sees("✓ 4 checks");
      await screen.sees("open up to 02 · the board is out of reach, go on");
      await board.start();
      await untilBoardHas(board, (row) => row[3] === "passing");
      assertStringIncludes((await board.table()).get("Ada")!.at(-1)!, "01 ");
      await board.form("/note", { note: "Welcome back" });
      await screen.sees("Board: Welcome back");
    }

    // The same day, without the flags, and as the same person.
    course.save(GREET_WRONG);
    await using again = new Seat(course, []);
    await again.sees("Board: Welcome back");
    await untilBoardHas(board, (row) => row[3] === "failing");
    assertEquals((await board.table()).size, 1);
  },
);

inTerminal(
  "learn shows its verdicts while a board says nothing at all",
  async () => {
    using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const address = `127.0.0.1:${silent.addr.port}`;
    using course = new TestCourse();
    await using screen = new Seat(course, flags({ address, code: "0000" }));
    await screen.sees("✗ greet() says hello");

    // Now the request is under way, and nobody is going to answer it.
    using _request = await silent.accept();
    course.save(GREET_RIGHT);
    await screen.sees("✓ 4 checks");
    course.save(GREET_WRONG);
    await screen.sees("✗ greet() says hello");
    await screen.type("q");
    assertEquals((await screen.ended()).code, 0);
  },
);

inTerminal("learn says why the board refused, and goes on", async () => {
  await using board = new Board();
  await board.start();
  const code = board.code === "0000" ? "0001" : "0000";
  const { address } = board;
  using course = new TestCourse();
  await using screen = new Seat(
    course,
    flags({ address, code }),
  );

  await screen.sees("says: The code is another one: it stands on the");
  course.save(GREET_RIGHT);
  await screen.sees("✓ 4 checks");
});

Deno.test("learn joins no board for a single run", async () => {
  using course = new TestCourse();
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "task",
      "-q",
      "learn",
      ...flags({ address: "127.0.0.1", code: "1" }),
    ],
    cwd: course.root,
    stdin: "null",
  }).output();

  assertEquals(code, 2);
  assertStringIncludes(
    new TextDecoder().decode(stderr),
    "Cannot join for one run",
  );
});
