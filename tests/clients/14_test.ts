// Lesson 14's solution, one peer that reads nothing, and others that do.
import { assert, assertEquals } from "@std/assert";
import { realClient, run, start, startProgram } from "../tools.ts";

const PROGRAM = "solutions/14/backpressure.ts";
const DEAF = "tests/clients/peers/deaf_client.py";

/** Asserts that these are the feed's pages from 0 on, and none is missing. */
function assertPages(text: string, least: number) {
  const lines = text.split("\n").slice(0, -1); // The last may be cut.
  const wrong = lines.findIndex((line, i) =>
    line !== `${Math.floor(i / 1_000)}`.padEnd(63, ".")
  );
  assertEquals(lines[wrong], undefined);
  assert(lines.length >= least, `only ${lines.length} lines came`);
}

realClient(
  "14: python3 reads nothing, and next to nothing waits for it",
  ["python3", "nc", "head"],
  async () => {
    await using server = await startProgram([PROGRAM]);
    const port = String(server.port);
    await using deaf = start("python3", [DEAF, port]);
    await deaf.until("connected");
    const told = () =>
      [...server.running.stdout.matchAll(/^(\d+) bytes wait$/gm)]
        .map(([, waiting]) => Number(waiting));

    const nc = `nc 127.0.0.1 ${port} | head -c 6400000`;
    const { stdout } = await run("sh", ["-c", nc]);
    assertPages(stdout, 99_999); // The others are served meanwhile.

    await server.running.when(() => told().length >= 3, "tell three times");
    assert(Math.max(...told()) <= 65_536, `${told()} bytes waited`);
  },
);

realClient(
  "14: curl takes its time, and misses nothing",
  ["curl"],
  async () => {
    await using server = await startProgram([PROGRAM]);

    const { code, stdout } = await run("curl", [
      ...["-sS", "--http0.9", "--limit-rate", "2M", "--max-time", "1"],
      `http://127.0.0.1:${server.port}/`,
    ]);

    assertEquals(code, 28); // The feed has no end; curl's patience has.
    assertPages(stdout, 10_000);
  },
);

Deno.test("14: sixteen MiB are swapped with lesson 03's echo", async () => {
  await using echo = await startProgram(["solutions/03/echo.ts"]);
  const flags = ["run", "-q", "-P", "--no-prompt", "--config", "deno.json"];

  const { code, stdout, stderr } = await run(Deno.execPath(), [
    ...flags,
    PROGRAM,
    String(echo.port),
  ]);

  assertEquals({ code, stdout, stderr }, {
    code: 0,
    stdout: "16777216 bytes came back\n",
    stderr: "",
  });
});
