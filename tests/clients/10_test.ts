// Lesson 10's solution, and programs in Python that speak the same protocol.
import { assertEquals, assertMatch } from "@std/assert";
import { realClient, run, start, startProgram } from "../tools.ts";

const PROGRAM = "solutions/10/messages.ts";
const PEERS = "tests/clients/peers";

realClient("10: serve() answers a client in Python", ["python3"], async () => {
  await using server = await startProgram([PROGRAM]);
  const ask = (...words: string[]) =>
    run("python3", [
      `${PEERS}/json_header_client.py`,
      String(server.port),
      ...words,
    ]);

  const ring = await ask("search", "ring");
  const dragon = await ask("search", "🐉");
  const binary = await ask("binary", "😃");

  assertEquals(ring.stdout, "result: In the caves beneath the mountains 💍\n");
  assertEquals(dragon.stdout, 'result: No match for "🐉"\n');
  assertEquals(binary.stdout, "content: b'binary\\xf0\\x9f\\x98\\x83'\n");
  assertEquals([ring, dragon, binary].map(({ code }) => code), [0, 0, 0]);
});

realClient("10: search() asks a server in Python", ["python3"], async () => {
  const args = [`${PEERS}/json_header_server.py`, "7010", "2"];
  await using server = start("python3", args);
  await server.until("listening");
  const search = (word: string) =>
    run(Deno.execPath(), ["run", "-q", "-P", PROGRAM, word]);

  const dog = await search("🐶");
  const dragon = await search("dragon");

  assertEquals(dog.stdout, "Playing ball 🏐\n");
  assertEquals(dragon.stdout, "No match for 'dragon'.\n");
  assertEquals(await server.exit(), 0);
});

realClient("10: serve() answers nc, and tells it what is wrong", [
  "nc",
], async () => {
  await using server = await startProgram([PROGRAM]);
  const nc = (...parts: string[]) =>
    run("nc", ["-N", "127.0.0.1", String(server.port)], {
      stdin: parts.join(""),
    });
  const header = '{"byteorder":"big","content-type":"text/json",' +
    '"content-encoding":"utf-8","content-length":34}';

  const wrong = await nc("\0\x02", "{}");
  const right = await nc("\0]", header, '{"action":"search","value":"ring"}');

  assertMatch(wrong.stdout, /{"result":"Error: [^{]*}$/);
  assertMatch(right.stdout, /{"result":"In the caves [^{]*}$/);
});
