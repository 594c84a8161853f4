// Thirty learners and a board that is killed: what it shows is true at each
// step, and what it has said yes to is never lost.
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { Board, Learner, type Standing } from "./board.ts";
import { HOUSE } from "./course_files.ts";

const NAMES = Array.from({ length: 30 }, (_, n) => `Learner ${n + 1}`);

/** The cells of the export that a standing leads to. */
function cells(standing: Standing | undefined): string[] {
  const { lesson, status, good, of, check, diagnosis } = standing!;
  return [lesson, status, `${good}`, `${of}`, check ?? "", diagnosis ?? ""];
}

/** The lessons that a row of the export says have passed. */
function passed(row: string[]): string[] {
  const said = row[9] === "" ? [] : row[9]!.split("; ");
  return said.map((it) => it.slice(0, 2));
}

/** Fails unless the board has everybody where they are. */
async function assertTrue(board: Board, learners: Learner[]): Promise<void> {
  const table = await board.table();
  assertEquals(table.size, learners.length);
  for (const { name, acknowledged } of learners) {
    const row = table.get(name)!;
    assertEquals(row.slice(2, 8), cells(acknowledged), name);
    assertEquals(passed(row), acknowledged!.passed as string[], name);
  }
}

/** Starts one that is not expected to listen, and waits until it ends. */
async function run(...args: string[]) {
  const command = ["run", "-q", "-P=board", "course/board/main.ts"];
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...command, ...args],
    cwd: HOUSE,
    signal: AbortSignal.timeout(10_000),
  }).output();
  return { code, said: new TextDecoder().decode(code ? stderr : stdout) };
}

/** Sends bytes, and leaves; or stays for the first line of the answer. */
async function stranger(
  board: Board,
  lines: string[],
  { leaves = false } = {},
): Promise<string> {
  const [hostname, port] = board.address.split(":");
  using conn = await Deno.connect({ hostname: hostname!, port: Number(port) });
  const { headers } = board;
  const head = [
    ...lines.slice(0, 1),
    `Host: ${board.address}`,
    `Origin: ${headers.origin}`,
    `Cookie: ${headers.cookie}`,
    ...lines.slice(1),
  ];
  await conn.write(new TextEncoder().encode(head.join("\r\n")));
  if (leaves) return "";
  const buffer = new Uint8Array(1024);
  const n = await conn.read(buffer) ?? 0;
  return new TextDecoder().decode(buffer.subarray(0, n)).split("\r\n")[0]!;
}

/** The names in a board's file, without what stands beside it. */
function kept(file: string): string[] {
  using db = new DatabaseSync(fileURLToPath(new URL(file, HOUSE)), {
    readOnly: true,
  });
  return db.prepare("SELECT name FROM learners").all()
    .map(({ name }) => String(name));
}

Deno.test("the board shows the truth at each step, and keeps it when it is killed", async () => {
  await using board = new Board();
  await board.start();
  const { code, link } = board;
  const learners = NAMES.map((name) => new Learner(board, name));
  const [first, second, third] = [0, 10, 20].map((n) =>
    learners.slice(n, n + 10)
  );

  await Promise.all(learners.map((it) => it.join()));
  await Promise.all(learners.map((it, n) => it.report(1, n % 3)));
  await assertTrue(board, learners);
  assertStringIncludes(await board.page("/"), "<b>0</b> passed, <b>30</b> at");

  // A third passes, a third goes on failing, a third is silent from now on.
  await Promise.all(first!.map((it) => it.report(1, 10)));
  await Promise.all(second!.map((it) => it.report(1, 3)));
  await Promise.all(first!.map((it) => it.report(2, 4)));
  await assertTrue(board, learners);
  const wall = await board.page("/");
  assertMatch(wall, /mistake-4<\/th>.*<b>10<\/b> people/);
  assertMatch(wall, /mistake-5<\/th>.*<b>10<\/b> people/);

  await board.form("/note", { note: "Look at accept()" });
  await board.form("/timer", { minutes: "45" });
  await board.form("/open", { open: "03" });
  await board.kill();
  await board.start();

  assertEquals([board.code, board.link], [code, link]);
  await assertTrue(board, learners);
  const news = await third![0]!.report(1, 9) as Record<string, unknown>;
  assertEquals([news.note, news.open], ["Look at accept()", "03"]);
  assert((news.timerMs as number) > 44 * 60_000);
  // The silent ones are back, further than they were: they went on meanwhile.
  await Promise.all(third!.map((it) => it.report(3, 10)));
  await assertTrue(board, learners);
  assertEquals(board.complaints, "");
});

Deno.test("the board has lost nothing of what it said yes to, whenever it is killed", async () => {
  await using board = new Board();
  await board.start();
  const learners = NAMES.map((name) => new Learner(board, name));
  await Promise.all(learners.map((it) => it.join()));

  for (let round = 1; round <= 3; round++) {
    // They report as fast as they can, until nobody answers.
    const reports = learners.map(async (it) => {
      for (let n = 0;; n++) await it.report(round, n % 10);
    });
    const ended = Promise.allSettled(reports);
    while (learners.some((it) => it.acknowledged?.lesson !== `0${round}`)) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await board.kill();
    await ended;
    await board.start();

    const table = await board.table();
    for (const { name, said, acknowledged } of learners) {
      // What was said last may have been written, with nobody to hear the yes.
      const found = table.get(name)!.slice(2, 8).join();
      const allowed = [acknowledged, said].map((it) => cells(it).join());
      assert(allowed.includes(found), `${name}: ${found}, not ${allowed}`);
    }
  }
});

Deno.test("the board says why it cannot start, and what its flags are", async () => {
  await using board = new Board();
  await board.start();
  const port = board.address.split(":")[1]!;

  const file = `.course/test-board-${Deno.pid}-taken.db`;
  const here = ["--host", "127.0.0.1", "--file", file];
  const taken = await run(...here, "--port", port);
  const second = await run("--port", "0", "--file", board.file);
  const elsewhere = await run("--port", "0", "--file", "/tmp/board.db");
  const garbage = `.course/test-board-${Deno.pid}-garbage.db`;
  Deno.writeTextFileSync(new URL(garbage, HOUSE), "This is a letter.\n");
  const letter = await run("--port", "0", "--file", garbage);
  const letterNew = await run("--port", "0", "--file", garbage, "--new");
  const nowhere = await run("--port", "0", "--file", ".course/none/b.db");
  const strange = await run("--file", file, "--host", "192.0.2.1");
  const wrong = await run("--bogus");
  const help = await run("--help");
  assertEquals(
    Deno.readTextFileSync(new URL(garbage, HOUSE)),
    "This is a letter.\n",
  );
  Deno.removeSync(new URL(garbage, HOUSE));
  for (const end of ["", "-wal", "-shm"]) {
    await Deno.remove(file + end).catch(() => "It was not made.");
  }

  assertEquals([taken.code, wrong.code, help.code], [2, 2, 0]);
  assertMatch(taken.said, /Cannot listen at port \d+: it is in use/);
  assertMatch(second.said, /Cannot keep the board in .*another board is run/);
  assertMatch(elsewhere.said, /in \/tmp\/board.db: it has to be in .*\.course/);
  assertMatch(letter.said, /something else in it. Move it away, or take anot/);
  assertEquals(letterNew.said, letter.said);
  assertMatch(nowhere.said, /none.*Take another file: deno task board/);
  for (const { code, said } of [elsewhere, letter, nowhere]) {
    assertEquals(code, 2);
    assert(!/--allow|[Aa]nother board/.test(said), said);
  }
  assertMatch(strange.said, /Cannot listen at 192\.0\.2\.1: it is 0\.0\.0\.0/);
  assertMatch(wrong.said, /Cannot read "--bogus"/);
  assertStringIncludes(help.said, "deno task board --port 9000");
});

Deno.test("--new changes nothing unless the new board begins", async () => {
  await using board = new Board();
  await board.start();
  await new Learner(board, "Ada").join();
  using other = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const port = `${other.addr.port}`;
  const fresh = ["--new", "--host", "127.0.0.1", "--file", board.file];
  const running = board.files;

  const locked = await run(...fresh, "--port", "0");
  assertEquals(locked.code, 2);
  assertMatch(locked.said, /another board is running.*--file .* --port/);
  assert(!locked.said.includes("--new"), locked.said);
  assertEquals(board.files, running);

  await board.kill();
  const killed = board.files;
  const taken = await run(...fresh, "--port", port);
  assertMatch(taken.said, /Cannot listen at port/);
  assertEquals(board.files, killed);

  await board.start("--new");
  assertEquals((await board.table()).size, 0);
  const [old] = board.files.filter((name) => /\d{4}-\d\d-\d\d/.test(name));
  assertEquals(board.files.filter((name) => name.startsWith(old!)), [old]);
  assertEquals(kept(`.course/${old}`), ["Ada"]);
});

Deno.test({
  name: "the board that is asked to end leaves one file, for its owner alone",
  ignore: Deno.build.os === "windows", // It has no such signals, nor modes.
  async fn() {
    await using board = new Board();
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      await board.start();
      await new Learner(board, signal).join();
      const modes = board.files.map((name) =>
        Deno.statSync(new URL(`.course/${name}`, HOUSE)).mode! & 0o777
      );
      assert(modes.every((mode) => mode === 0o600), `${modes}`);

      await board.end(signal);

      assertEquals(board.files, [board.file.replace(".course/", "")]);
      assertEquals(board.complaints, "");
    }
    assertEquals(kept(board.file), ["SIGINT", "SIGTERM", "SIGHUP"]);
  },
});

Deno.test("no stranger makes the board print a stack trace or a warning", async () => {
  await using board = new Board();
  await board.start();
  const join = ["POST /api/join HTTP/1.1", "Content-Type: application/json"];
  const note = "POST /note HTTP/1.1";
  const form = "Content-Type: application/x-www-form-urlencoded";
  const parts = "Content-Type: multipart/form-data";
  const chunked = "Transfer-Encoding: chunked";
  const says = (...lines: string[]) => stranger(board, lines);
  const leaves = { leaves: true };

  await stranger(board, [...join, "Content-Length: 50", "", "{"], leaves);
  await stranger(board, [...join, chunked, "", "9", "{"], leaves);
  await stranger(board, [note, form, "Content-Length: 9", "", "n"], leaves);
  await stranger(board, [...join, chunked, "", "z", "{"], leaves);
  const answers = [
    await says("GET http://[bad HTTP/1.1", "", ""),
    await says("POST http://[bad HTTP/1.1", "Content-Length: 2", "", "{}"),
    await says(note, parts, "Content-Length: 5", "", "hello"),
    await says(
      "POST /timer HTTP/1.1",
      `${parts}; boundary=x`,
      "Content-Length: 5",
      "",
      "hello",
    ),
    await says("TRACE / HTTP/1.1", chunked, "", "2", "{}", "0", "", ""),
    await says("GET /join HTTP/1.1", chunked, "", "2", "{}", "0", "", ""),
    await says(note, form, chunked, "", "6", "note=x", "0", "", ""),
    await says(...join, chunked, "", "2", "{}", "0", "", ""),
  ];

  const statuses = answers.map((line) => line.split(" ")[1]);
  assertEquals(
    statuses,
    ["400", "400", "400", "400", "404", "403", "303", "403"],
  );
  assertEquals(board.complaints, "");
});
