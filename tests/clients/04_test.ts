// Lesson 04's solution, and the programs that people use with it.
import { assertEquals, assertStringIncludes } from "@std/assert";
import { overUdp, type Program, run, start, startProgram } from "../tools.ts";

const PEERS = "tests/clients/peers";
const SOLUTION = "solutions/04/datagrams.ts";

function startUdp(...args: string[]): Promise<Program> {
  return startProgram([SOLUTION, ...args], { transport: "udp" });
}

overUdp("04: two nc -u talk to one socket", ["nc"], async () => {
  await using server = await startUdp();
  const nc = () => start("nc", ["-u", "127.0.0.1", String(server.port)]);
  await using ann = nc();
  await using bob = nc();

  await ann.send("hello from ann\n");
  await bob.send("größe from bob\n");
  await ann.until("ANN\n");
  await bob.until("BOB\n");
  await ann.send("bye\n");
  await ann.until("BYE\n");

  assertEquals(ann.stdout, "HELLO FROM ANN\nBYE\n");
  assertEquals(bob.stdout, "GRÖSSE FROM BOB\n");
});

overUdp("04: nc -u gets 1,472 bytes back whole", ["nc"], async () => {
  await using server = await startUdp();
  await using nc = start("nc", ["-u", "127.0.0.1", String(server.port)]);

  await nc.send("a".repeat(1_472));
  await nc.when(() => nc.stdout.length >= 1_472, "get it all back");

  assertEquals(nc.stdout, "A".repeat(1_472));
});

overUdp("04: socat sends what is no text, and text", ["socat"], async () => {
  await using server = await startUdp();
  const address = `UDP:127.0.0.1:${server.port}`;
  const garbage = Uint8Array.of(0xff, 0xfe);
  await run("socat", ["-u", "-", address], { stdin: garbage });

  await using socat = start("socat", ["-", address]);
  await socat.send("still here?\n");

  assertEquals(await socat.until("?\n"), "STILL HERE?\n");
});

overUdp(
  "04: python3 asks with sendto and recvfrom",
  ["python3"],
  async () => {
    await using server = await startUdp();
    const ask = (...text: string[]) =>
      run("python3", [`${PEERS}/udp_client.py`, String(server.port), ...text]);

    const { stdout } = await ask();
    const long = await ask("x".repeat(65_507));

    assertEquals(stdout, "from 127.0.0.1:7004, 11 bytes: HELLO, UDP!\n");
    assertEquals(
      long.stdout,
      `from 127.0.0.1:7004, 65507 bytes: ${"X".repeat(40)}\n`,
    );
  },
);

overUdp(
  "04: nc -p asks the counter twice, and pays once",
  ["nc"],
  async () => {
    await using server = await startUdp("counter");
    const ask = async () => {
      const args = ["-u", "-p", "5555", "127.0.0.1", String(server.port)];
      await using nc = start("nc", args);
      await nc.send("\0\0\0\x07\x05");
      await nc.when(() => nc.stdout.length >= 8, "get the sum");
      return nc.stdout;
    };

    assertEquals(await ask(), "\0\0\0\x07\0\0\0\x05");
    assertEquals(await ask(), "\0\0\0\x07\0\0\0\x05");
  },
);

overUdp(
  "04: python3 repeats a request to the counter",
  ["python3"],
  async () => {
    await using server = await startUdp("counter");
    const client = `${PEERS}/udp_counter_client.py`;

    const { stdout, stderr } = await run("python3", [
      client,
      String(server.port),
    ]);

    assertEquals(
      stdout.split("\n"),
      [
        "request 1: the sum is 200",
        "request 2: the sum is 300",
        "request 1: the sum is 200",
        "",
      ],
      stderr,
    );
  },
);

overUdp(
  "04: request() asks a python3 server that forgets",
  ["python3"],
  async () => {
    const port = 7104;
    const peer = `${PEERS}/forgetful_udp_server.py`;
    await using server = start("python3", [peer, String(port)]);
    await server.until("listening\n");

    const { stdout, stderr } = await run(Deno.execPath(), [
      "eval",
      `import { request } from "./${SOLUTION}";
      const to = { transport: "udp", hostname: "127.0.0.1", port: ${port} };
      const payload = new TextEncoder().encode("hello");
      const answer = await request(to, payload, { timeoutMs: 200, retries: 9 });
      console.log(new TextDecoder().decode(answer));`,
    ]);

    assertEquals(stdout, "HELLO\n", stderr);
    const said = await server.until("answers hello\n");
    assertStringIncludes(said, "ignores hello\nanswers hello\n");
  },
);
