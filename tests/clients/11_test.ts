// Servers that do not answer in time, and the client of lesson 11.
import { assertEquals, assertStringIncludes } from "@std/assert";
import { type Ran, realClient, run, start } from "../tools.ts";

const PORT = "7011";

/** Runs the solution as people do, with these limits in milliseconds. */
function client(idleMs: number, totalMs: number): Promise<Ran> {
  const program = "solutions/11/deadlines.ts";
  const limits = [`${idleMs}`, `${totalMs}`];
  return run(Deno.execPath(), ["run", "-q", "-P", program, ...limits]);
}

async function listening() {
  const nc = start("nc", ["-lv", "127.0.0.1", PORT]);
  await nc.when(() => nc.stderr.includes("Listening"), "listen");
  return nc;
}

realClient("ask() prints what nc answers", ["nc"], async () => {
  await using nc = await listening();
  await nc.send("fine, thanks\n");

  const { code, stdout } = await client(5_000, 5_000);

  assertEquals({ code, stdout }, { code: 0, stdout: "fine, thanks\n" });
  assertEquals(await nc.exit(), 0);
  assertEquals(nc.stdout, "How are you?\n");
});

realClient("ask() gives up on an nc that is silent, as curl does", [
  "nc",
  "curl",
], async () => {
  {
    await using nc = await listening();
    const { code, stderr } = await client(200, 5_000);

    assertEquals(code, 1);
    assertStringIncludes(stderr, "TimedOut: Cannot wait any longer");
    assertEquals(await nc.exit(), 0); // It was told: the connection closed.
    assertEquals(nc.stdout, "How are you?\n");
  }
  await using nc = await listening();
  const url = `http://127.0.0.1:${PORT}/`;
  const { code, stderr } = await run("curl", ["-sS", "-m", "0.2", url]);

  assertEquals(code, 28);
  assertStringIncludes(stderr, "timed out");
  assertEquals(await nc.exit(), 0);
});

realClient("ask() ends a server that drips", ["python3"], async () => {
  const peer = "tests/clients/peers/drip_server.py";
  await using server = start("python3", [peer, PORT, "50"]);
  await server.until("listening");

  // It is never silent for so long: only the limit for all can end this.
  const { code, stderr } = await client(2_000, 400);

  assertEquals(code, 1);
  assertStringIncludes(stderr, "TimedOut");
  assertEquals(await server.exit(), 0);
  assertStringIncludes(server.stdout, "blocking: True\nasked: How are you?\n");
  assertStringIncludes(server.stdout, "ended by the client");
});

realClient("settimeout() of python3 does not end a server that drips", [
  "python3",
], async () => {
  const peers = "tests/clients/peers";
  await using server = start("python3", [
    `${peers}/drip_server.py`,
    PORT,
    "50",
  ]);
  await server.until("listening");

  const args = [`${peers}/patient_client.py`, PORT, "1", "1.2"];
  const { stdout } = await run("python3", args);

  assertEquals(stdout, "still waiting\n");
  assertEquals(await server.exit(), 0);
});
