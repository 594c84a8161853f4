// Lesson 18's solution: a sender by hand, and a network that is no friend.
import { assertEquals, assertStringIncludes } from "@std/assert";
import type { Running } from "../running.ts";
import { overUdp, run, start, startProgram } from "../tools.ts";

const SOLUTION = "solutions/18/transfer.ts";
const BAD_NETWORK = "tests/clients/peers/lossy_udp.py";

overUdp("18: nc -u sends by hand, and repeats itself", ["nc"], async () => {
  await using server = await startProgram([SOLUTION], { transport: "udp" });
  await using nc = start("nc", ["-u", "127.0.0.1", String(server.port)]);

  await nc.send("/connect/7/\n");
  await nc.until("/ack/7/0/dfcb");
  await nc.send("/data/7/6/world/\n"); // Too early.
  await nc.until("/ack/7/0/dfcb/ack/7/0/dfcb");
  await nc.send("/data/7/0/hello\\//\n");
  await nc.until("/ack/7/11/dd9b");
  await nc.send("/data/7/0/hello\\//\n"); // The answer was lost.
  await nc.until("/ack/7/11/dd9b/ack/7/11/dd9b");
  await nc.send("/data/7/11/!/0000\n"); // A wrong checksum.
  await insist(nc, "/close/7/\n", "/close/7/9290");
  await nc.send("/close/7/\n");
  await nc.until("/close/7/9290/close/7/9290");

  const said = "session 7, 11 bytes: hello/world\n";
  assertEquals(await server.running.until(said), said);
});

/**
 * Says `line` until `answer` comes. What is said right behind something that
 * gets no answer, nc may send together with it.
 */
async function insist(nc: Running, line: string, answer: string) {
  for (let tries = 20;; tries--) {
    await nc.send(line);
    try {
      await nc.until(answer, 500);
      return;
    } catch (error) {
      if (tries === 1) throw error;
    }
  }
}

overUdp("18: 1,000 lines get through a bad network", [
  "sh",
  "python3",
], async () => {
  await using server = await startProgram([SOLUTION], { transport: "udp" });
  const { port } = server;
  const ports = [String(port + 100), String(port)];
  await using network = start("python3", [BAD_NETWORK, ...ports]);
  await network.until("listening");
  const lines = Array.from({ length: 1_000 }, (_, n) => `line ${n}\n`).join("");

  const { code, stderr } = await run(
    Deno.execPath(),
    ["run", "-q", "-P", SOLUTION, "send", ports[0]!],
    { stdin: lines, timeoutMs: 60_000 },
  );

  assertEquals(code, 0, stderr);
  const printed = await server.running.until("line 999\n");
  assertStringIncludes(printed, `${lines.length} bytes: ${lines}`);
});

overUdp("18: python3 listens to what the sender says", [
  "python3",
], async () => {
  const listener = `
import socket
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind(("127.0.0.1", 7118))
print("listening", flush=True)
for answer in ("/ack/%s/0/", "/ack/%s/3/", "/close/%s/"):
    datagram, sender = sock.recvfrom(65_507)
    kind, session, *rest = datagram.decode().split("/")[1:]
    print(kind, *rest[:-1], flush=True)
    sock.sendto((answer % session).encode(), sender)
`;
  await using python = start("python3", ["-c", listener]);
  await python.until("listening");

  const { code, stderr } = await run(
    Deno.execPath(),
    ["run", "-q", "-P", SOLUTION, "send", "7118"],
    { stdin: "a\\b" },
  );

  assertEquals(code, 0, stderr);
  assertEquals(await python.exit(), 0);
  assertEquals(python.stdout, "listening\nconnect\ndata 0 a\\\\b\nclose\n");
});
