// Lesson 03's solution, and the programs that people use against it.
import { assertEquals } from "@std/assert";
import { realClient, run, start, startProgram } from "../tools.ts";

const PEERS = "tests/clients/peers";

realClient(
  "03: several nc talk at once, and one is silent",
  ["nc"],
  async () => {
    await using server = await startProgram(["solutions/03/echo.ts"]);
    const nc = () => start("nc", ["127.0.0.1", String(server.port)]);
    await using _silent = nc();
    await using ann = nc();
    await using bob = nc();

    await ann.send("hello from ann\n");
    await bob.send("hello from bob\n");
    await ann.until("hello from ann\n");
    await bob.until("hello from bob\n");
    await ann.send("bye\n");
    await ann.until("bye\n");

    assertEquals(ann.stdout, "hello from ann\nbye\n");
    assertEquals(bob.stdout, "hello from bob\n");
  },
);

realClient(
  "03: the second nc outlives the first, killed with words on the way",
  ["nc"],
  async () => {
    await using server = await startProgram(["solutions/03/echo.ts"]);
    const nc = () => start("nc", ["127.0.0.1", String(server.port)]);
    await using first = nc();
    await using second = nc();
    await first.send("hello\n");
    await first.until("hello\n");

    await first.stop();
    await second.send("still here?\n");

    assertEquals(await second.until("still here?\n"), "still here?\n");
  },
);

realClient("03: threads of python3 are all answered", ["python3"], async () => {
  await using server = await startProgram(["solutions/03/echo.ts"]);
  const client = `${PEERS}/threaded_echo_clients.py`;

  const { code, stdout, stderr } = await run("python3", [
    client,
    String(server.port),
    "20",
  ]);

  const answers = Array.from(
    { length: 20 },
    (_, n) => `hello from ${n}, word 2 of ${n}, word 3 of ${n}`,
  );
  assertEquals(stdout.trim().split("\n").sort(), answers.sort());
  assertEquals({ code, stderr }, { code: 0, stderr: "" });
});

realClient(
  "03: socat gets a long text back, and then the end",
  ["socat"],
  async () => {
    await using server = await startProgram(["solutions/03/echo.ts"]);
    const text = "All work and no play makes an echo. ".repeat(10_000);

    // socat ends its sending at the end of its input, and waits for ours.
    const address = `TCP:127.0.0.1:${server.port}`;
    const { code, stdout } = await run("socat", ["-t10", "-", address], {
      stdin: text,
    });

    assertEquals(stdout, text);
    assertEquals(code, 0);
  },
);
