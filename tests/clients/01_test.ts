// Servers that the world uses, and the client of lesson 01.
import { assertEquals, assertStringIncludes } from "@std/assert";
import { type Ran, realClient, run, start } from "../tools.ts";

const PORT = "7001";

/** Runs the solution as people do; `words` are its question. */
function client(...words: string[]): Promise<Ran> {
  const program = "solutions/01/exchange.ts";
  return run(Deno.execPath(), ["run", "-q", "-P", program, ...words]);
}

realClient("exchange() takes all that nc -l has to send", ["nc"], async () => {
  const numbers = Array.from({ length: 1_000 }, (_, i) => `${i + 1}\n`).join(
    "",
  );
  await using nc = start("nc", ["-lv", "127.0.0.1", PORT]);
  await nc.when(() => nc.stderr.includes("Listening"), "listen");
  await nc.send(numbers);
  await nc.end();

  const { stdout, code } = await client();

  assertEquals(code, 0);
  assertEquals(stdout, `${numbers}\n(${numbers.length} bytes)\n`);
  assertEquals(await nc.exit(), 0);
  assertEquals(nc.stdout, "What time is it?\r\n\r\n");
});

realClient(
  "exchange() ends its request, and nc -lN its answer",
  ["nc"],
  async () => {
    await using nc = start("nc", ["-lNv", "127.0.0.1", PORT]);
    await nc.when(() => nc.stderr.includes("Listening"), "listen");
    await nc.send("12:00\n");
    await nc.end();

    const { stdout } = await client("What", "time", "in", "UTC?");

    assertEquals(stdout, "12:00\n\n(6 bytes)\n");
    assertEquals(await nc.exit(), 0);
    assertEquals(nc.stdout, "What time in UTC?\r\n\r\n");
  },
);

realClient("exchange() fetches from python3 -m http.server what curl fetches", [
  "python3",
  "curl",
], async () => {
  const folder = ["--directory", "lessons/01"];
  const args = ["-u", "-m", "http.server", "-b", "127.0.0.1", ...folder, PORT];
  await using server = start("python3", args);
  await server.until("Serving HTTP");

  const { stdout } = await client("GET", "/exchange_test.ts", "HTTP/1.0");
  const curl = await run("curl", [
    "--silent",
    "--show-error",
    `http://127.0.0.1:${PORT}/exchange_test.ts`,
  ]);

  assertStringIncludes(stdout, "HTTP/1.0 200 OK\r\n");
  assertEquals(curl.code, 0);
  assertStringIncludes(curl.stdout, "The checks for lesson 01");
  const body = stdout.slice(stdout.indexOf("\r\n\r\n") + 4);
  assertEquals(body.replace(/\n\(\d+ bytes\)\n$/, ""), curl.stdout);
});

realClient("exchange() gets every byte back from an echo server in Python", [
  "python3",
], async () => {
  await using server = start("python3", [
    "tests/clients/peers/echo_server.py",
    PORT,
  ]);
  await server.until("listening");

  const { stdout } = await client("Hello, world");

  assertEquals(stdout, "Hello, world\r\n\r\n\n(16 bytes)\n");
  assertEquals(await server.exit(), 0);
  assertStringIncludes(server.stdout, "connected by 127.0.0.1\n");
  assertStringIncludes(server.stdout, "echoed 16 bytes");
});
