// Lesson 17's solution: more clients than files, and the signals that systems
// send when a program is to end.
import { assertEquals, assertStringIncludes } from "@std/assert";
import { realClient, run, start, startProgram } from "../tools.ts";
import { isListening } from "../listening.ts";

const SOLUTION = "solutions/17/limits.ts";
const CROWD = "tests/clients/peers/crowd.py";

/** What a process of its own runs: the solution, with a limit that is too high. */
const BOASTFUL = `
  import { serve, terminated } from "./${SOLUTION}";
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  console.log("port " + listener.addr.port);
  const stats = await serve(listener, (line) => line.toUpperCase(), {
    maxConns: 10_000, maxPerHost: 10_000, signal: terminated(),
    onError: (error) => console.log(error.code),
  });
  console.log("served " + stats.accepted);
`;

realClient(
  "17: nc gets its answer after SIGTERM, and the exit code is 0",
  ["nc"],
  async () => {
    await using server = await startProgram([SOLUTION]);
    const { port, running } = server;
    await using _idle = start("nc", ["127.0.0.1", String(port)]);
    await using ann = start("nc", ["127.0.0.1", String(port)]);
    await ann.send("one\ntwo\n");
    await ann.until("ONE\n"); // And the second answer has begun.

    running.signal("SIGTERM");

    assertEquals(await running.exit(), 0); // Idle does not keep it.
    await ann.end();
    assertEquals(await ann.exit(), 0);
    assertEquals(ann.stdout, "ONE\nTWO\n");
    // The third one looked whether the port is open.
    assertEquals(running.stdout, "{ accepted: 3, refused: 0, errors: 0 }\n");
    assertEquals(running.stderr, "");
  },
);

realClient("17: a fourth nc is told that it is busy", ["nc"], async () => {
  await using server = await startProgram([SOLUTION]);
  const address = ["127.0.0.1", String(server.port)];
  await using ann = start("nc", address);
  await ann.send("hi\n");
  await ann.until("HI\n"); // Who looked whether the port is open has left.
  await using bob = start("nc", address);
  await using cat = start("nc", address);
  await Promise.all([bob.send("hi\n"), cat.send("hi\n")]);
  await Promise.all([bob.until("HI\n"), cat.until("HI\n")]);

  const { stdout, code } = await run("nc", address);

  assertEquals(stdout, "busy\n");
  assertEquals(code, 0);
});

realClient(
  "17: 120 clients meet `ulimit -n 64`, and all are served in the end",
  ["bash", "python3"],
  async () => {
    const deno = [Deno.execPath(), "eval", "-q", BOASTFUL];
    const limited = 'ulimit -n 64; exec "$@"';
    await using server = start("bash", ["-c", limited, "bash", ...deno]);
    const said = await server.until("\n");
    const port = said.match(/^port (\d+)/)![1]!;
    await using crowd = start("python3", [CROWD, port, "120"]);
    await crowd.until("inside\n");
    await server.until("EMFILE\n");

    await crowd.send("\n");

    assertEquals(await crowd.exit(), 0);
    assertEquals(crowd.stdout, "inside\n120 HELLO\n");
    server.signal("SIGTERM");
    assertEquals(await server.exit(), 0);
    assertStringIncludes(server.stdout, "served 120\n");
    assertEquals(server.stderr, "");
  },
);

realClient(
  "17: a server that is restarted three times finds its port free",
  ["nc"],
  async () => {
    for (let round = 1; round <= 3; round++) {
      await using server = await startProgram([SOLUTION]);
      const address = ["127.0.0.1", String(server.port)];
      await using ann = start("nc", address);
      await ann.send(`round ${round}\n`);
      await ann.until(`ROUND ${round}\n`);

      server.running.signal("SIGINT");

      assertEquals(await server.running.exit(), 0);
      const { port } = server;
      assertEquals(await isListening({ port, transport: "tcp" }), false);
    }
  },
);
