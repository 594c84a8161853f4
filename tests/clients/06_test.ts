// Lesson 06's solution, and programs that end well, badly and not at all.
import { assert, assertEquals } from "@std/assert";
import { realClient, run, start, startProgram } from "../tools.ts";

const PROGRAM = "solutions/06/closing.ts";
const PAGE = "".padEnd(3_000_000, "No byte is lost. ");
const LEAVING = "tests/clients/peers/leaving_client.py";

realClient("06: a slow curl gets the last byte", ["curl"], async () => {
  await using server = await startProgram([PROGRAM]);

  const { code, stdout, stderr } = await run("curl", [
    ...["-sS", "--limit-rate", "6M"],
    `http://127.0.0.1:${server.port}/a/long/question?that=nobody&reads=it`,
  ]);

  assert(stdout === PAGE, `curl got ${stdout.length} bytes`);
  assertEquals({ code, stderr }, { code: 0, stderr: "" });
  await server.running.until("drained\n");
});

realClient(
  "06: nc -N ends its question, and gets the page",
  ["nc"],
  async () => {
    await using server = await startProgram([PROGRAM]);

    const { code, stdout } = await run("nc", [
      ...["-N", "127.0.0.1", String(server.port)],
    ], { stdin: "hello, is anybody there?\n" });

    assert(stdout === `HTTP/1.0 200 OK\r\n\r\n${PAGE}`);
    assertEquals(code, 0);
    await server.running.until("drained\n");
  },
);

realClient(
  "06: nc -N hears through the relay what comes after its end",
  ["nc"],
  async () => {
    await using echo = await startProgram(["solutions/03/echo.ts"]);
    await using server = await startProgram([PROGRAM, String(echo.port)]);
    const text = "All work and no play makes an echo. ".repeat(10_000);

    const { code, stdout } = await run("nc", [
      ...["-N", "127.0.0.1", String(server.port)],
    ], { stdin: text });

    assert(stdout === text, `nc got ${stdout.length} bytes`);
    assertEquals(code, 0);
    await server.running.until("clean\n");
  },
);

realClient(
  "06: python3 vanishes with RST, and the next client is served",
  ["python3", "curl"],
  async () => {
    await using server = await startProgram([PROGRAM]);
    const port = String(server.port);

    await run("python3", [LEAVING, port, "some", "reset"]);
    await server.running.until("reset\n");
    const { stdout } = await run("curl", ["-sS", `127.0.0.1:${port}`]);

    assertEquals(stdout.length, PAGE.length);
  },
);

realClient(
  "06: a peer is killed: RST with unread bytes, and FIN without",
  ["python3"],
  async () => {
    await using server = await startProgram([PROGRAM]);
    const port = String(server.port);

    await using busy = start("python3", [LEAVING, port, "some", "wait"]);
    await busy.until("received");
    await busy.stop();
    await server.running.until("reset\n");

    await using done = start("python3", [LEAVING, port, "all", "wait"]);
    await done.until("received 3000019");
    await done.stop();
    await server.running.until("drained\n");
  },
);

realClient(
  "06: the relay reports a client that vanished with RST",
  ["python3"],
  async () => {
    await using echo = await startProgram(["solutions/03/echo.ts"]);
    await using server = await startProgram([PROGRAM, String(echo.port)]);

    await run("python3", [LEAVING, String(server.port), "some", "reset"]);

    await server.running.until("reset\n");
  },
);
