// Servers that fail now and then, and the client and server of lesson 13.
import { assertEquals, assertStringIncludes } from "@std/assert";
import { type Ran, realClient, run, start, startProgram } from "../tools.ts";

const PORT = "7013";
const SOLUTION = "solutions/13/retries.ts";
const PEERS = "tests/clients/peers";
const ATTEMPTS = `attempt 1: hung up
attempt 2: done, and the answer lost
attempt 3: answered
`;

/** Runs the client as people do. */
function client(...words: string[]): Promise<Ran> {
  return run(Deno.execPath(), ["run", "-q", "-P", SOLUTION, ...words]);
}

async function python(script: string, ...args: string[]) {
  const running = start("python3", [`${PEERS}/${script}`, PORT, ...args]);
  await running.until("listening");
  return running;
}

realClient("request() gets through to a server that drops and resets", [
  "python3",
], async () => {
  await using server = await python("flaky_counter.py", "once");

  const { code, stdout } = await client("add", "loaf", "5");

  assertEquals({ code, stdout }, { code: 0, stdout: "5\n" });
  assertEquals(await server.exit(), 0);
  assertEquals(server.stdout, `listening\n${ATTEMPTS}total 5\n`);
});

realClient("request() counts twice where the server forgets ids", [
  "python3",
], async () => {
  await using server = await python("flaky_counter.py", "always");

  assertEquals((await client("add", "loaf", "5")).stdout, "10\n");
  assertEquals(await server.exit(), 0);
  assertEquals(server.stdout, `listening\n${ATTEMPTS}total 10\n`);
});

realClient("serve() adds once for nc", ["sh", "nc"], async () => {
  await using _server = await startProgram([SOLUTION]);
  const add = "add loaf 5\\nadd milk 2\\nadd loaf 5\\n";

  const { stdout } = await run("sh", [
    "-c",
    `printf '${add}' | nc -N 127.0.0.1 ${PORT}`,
  ]);
  assertEquals(stdout, "5\n7\n5\n");

  assertEquals((await client("add", "milk", "2")).stdout, "7\n");
});

realClient("curl --retry repeats after 503, and not after silence", [
  "python3",
  "curl",
], async () => {
  const args = ["-fsS", "--retry", "1", `http://127.0.0.1:${PORT}/`];
  {
    await using server = await python("flaky_http.py", "503", "200");
    const { code, stdout } = await run("curl", args);

    assertEquals({ code, stdout }, { code: 0, stdout: "so\n" });
    assertEquals(await server.exit(), 0);
  }
  await using _server = await python("flaky_http.py", "drop", "200");
  const { code, stderr } = await run("curl", args);

  assertEquals(code, 52);
  assertStringIncludes(stderr, "Empty reply from server");
});
