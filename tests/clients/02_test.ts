// Clients that the world uses, and the server of lesson 02.
import { assertEquals } from "@std/assert";
import { realClient, run, start, startProgram } from "../tools.ts";

const SERVER = "solutions/02/echo.ts";

realClient("startEcho() gives nc -N its file back", ["nc"], async () => {
  await using server = await startProgram([SERVER]);
  // Every byte value, and far more of them than one read gives.
  const file = Uint8Array.from(
    { length: 300_000 },
    (_, i) => i * 31 + (i >> 8),
  );

  const { code, bytes } = await run("nc", ["-N", "127.0.0.1", "7002"], {
    stdin: file,
  });

  assertEquals(code, 0);
  assertEquals(bytes, file);
  assertEquals(server.running.stdout, "Listening on tcp 127.0.0.1:7002\n");
});

realClient(
  "startEcho() answers a line before nc has ended",
  ["nc"],
  async () => {
    await using _server = await startProgram([SERVER]);
    await using nc = start("nc", ["-N", "127.0.0.1", "7002"]);

    await nc.send("hello\n");
    await nc.until("hello\n");
    await nc.send("and again\n");
    await nc.until("and again\n");
    await nc.end();

    assertEquals(await nc.exit(), 0);
    assertEquals(nc.stdout, "hello\nand again\n");
  },
);

realClient("startEcho() serves a client in Python, and the next one", [
  "python3",
], async () => {
  await using _server = await startProgram([SERVER]);
  const client = ["tests/clients/peers/echo_client.py", "7002"];

  const one = await run("python3", [...client, "Hello, world"]);
  const other = await run("python3", [...client, "Grüße"]);

  assertEquals(one.stdout, "received b'Hello, world'\n");
  assertEquals(other.stdout, "received b'Gr\\xc3\\xbc\\xc3\\x9fe'\n");
});

realClient(
  "startEcho() listens again at once after it was killed",
  ["nc"],
  async () => {
    {
      await using _server = await startProgram([SERVER]);
      await using client = start("nc", ["127.0.0.1", "7002"]);
      await client.send("hello\n");
      await client.until("hello\n");
    }
    // That connection is in TIME_WAIT now, or on its way there.
    await using _again = await startProgram([SERVER]);
    const { stdout } = await run("nc", ["-N", "127.0.0.1", "7002"], {
      stdin: "still there?\n",
    });

    assertEquals(stdout, "still there?\n");
  },
);
