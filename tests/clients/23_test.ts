// Lesson 23's solution, and the programs that come with Redis.
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { type Ran, realClient, run, start, startProgram } from "../tools.ts";

const SOLUTION = "solutions/23/store.ts";

/** Runs redis-cli, with what is typed as its input. */
function cli(args: string[], stdin = ""): Promise<Ran> {
  return run("redis-cli", ["-p", "7023", ...args], { stdin });
}

/** What redis-cli prints for one command. */
async function reply(...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await cli(words);
  assertEquals({ code, stderr }, { code: 0, stderr: "" });
  return stdout.replace(/\n$/, "");
}

realClient("23: redis-cli stores, counts and forgets", [
  "redis-cli",
], async () => {
  await using _server = await startProgram([SOLUTION]);

  assertEquals(await reply("SET", "poem", "roses\r\nviolets"), "OK");
  assertEquals(await reply("GET", "poem"), "roses\r\nviolets");
  assertEquals(await reply("--no-raw", "GET", "nothing"), "(nil)");
  assertEquals(await reply("incr", "visits"), "1");
  assertEquals(await reply("--no-raw", "INCR", "visits"), "(integer) 2");
  assertEquals(await reply("SET", "visits", "1", "NX"), "");
  assertEquals(await reply("SET", "session", "ann", "EX", "100"), "OK");
  assertMatch(await reply("TTL", "session"), /^(100|99)$/);
  assertEquals(await reply("DEL", "poem", "session"), "2");
  assertEquals(await reply("LPUSH", "jobs", "sweep", "cook"), "2");
  assertEquals(await reply("BLPOP", "letters", "jobs", "0"), "jobs\ncook");
});

realClient("23: redis-cli goes on after an error", ["redis-cli"], async () => {
  await using _server = await startProgram([SOLUTION]);

  const typed = "SET word hello\nINCR word\nNOPE\nGET\nGET word\n";
  const { code, stdout } = await cli([], typed);

  assertEquals(code, 0);
  assertEquals(
    stdout.split("\n").filter((line) => line !== ""),
    [
      "OK",
      "ERR value is not an integer or out of range",
      "ERR unknown command 'NOPE'",
      "ERR wrong number of arguments for 'GET'",
      "hello",
    ],
  );
});

realClient("23: redis-cli -3 does without RESP 3", ["redis-cli"], async () => {
  await using _server = await startProgram([SOLUTION]);

  const { code, stdout, stderr } = await cli(["-3", "PING"]);

  assertEquals(code, 0);
  assertEquals(stdout, "PONG\n");
  assertMatch(stderr, /^HELLO 3 failed: ERR unknown command 'HELLO'\n/);
});

realClient("23: redis-cli --pipe loads what people and programs wrote", [
  "redis-cli",
], async () => {
  await using _server = await startProgram([SOLUTION]);
  const typed = Array.from(
    { length: 1_000 },
    (_, i) => `SET ${i} ${i * i}\r\n`,
  );
  const protocol = "*3\r\n$3\r\nSET\r\n$4\r\npoem\r\n$4\r\na\r\nb\r\n".repeat(
    500,
  );

  const { code, stdout } = await cli(["--pipe"], typed.join("") + protocol);

  assertStringIncludes(stdout, "errors: 0, replies: 1500\n");
  assertEquals(code, 0);
  assertEquals(await reply("GET", "999"), "998001");
  assertEquals(await reply("GET", "poem"), "a\r\nb");
  assertEquals(await reply("DBSIZE"), "1001");
});

realClient("23: redis-cli hears what another publishes", [
  "redis-cli",
], async () => {
  await using _server = await startProgram([SOLUTION]);
  await using ann = start("redis-cli", ["-p", "7023", "SUBSCRIBE", "news"]);
  await ann.until("subscribe\nnews\n1\n");

  assertEquals(await reply("PUBLISH", "news", "hello"), "1");
  await ann.until("message\nnews\nhello\n");
  assertEquals(await reply("PUBLISH", "sport", "goal"), "0");
});

realClient("23: a redis-cli that is killed takes no item with it", [
  "redis-cli",
], async () => {
  await using _server = await startProgram([SOLUTION]);
  await using bob = start("redis-cli", ["-p", "7023", "BLPOP", "jobs", "0"]);
  {
    await using doomed = start("redis-cli", ["-p", "7023"]);
    await doomed.send("PING\nBLPOP errands 0\n");
    await doomed.until("PONG");
  }

  await reply("LPUSH", "errands", "shop");
  assertEquals(await reply("BLPOP", "errands", "1"), "errands\nshop");
  await reply("LPUSH", "jobs", "sweep");
  assertEquals(await bob.exit(), 0);
  assertEquals(bob.stdout, "jobs\nsweep\n");
});

realClient("23: redis-benchmark finds nothing wrong", [
  "redis-benchmark",
  "redis-cli",
], async () => {
  await using _server = await startProgram([SOLUTION]);
  const load = ["-p", "7023", "-n", "8000", "-P", "16", "-q"];
  const { code, stdout, stderr } = await run("redis-benchmark", [
    ...load,
    "-t",
    "ping,set,get,incr",
  ], { timeoutMs: 60_000 });

  assertEquals({ code, stderr }, { code: 0, stderr: "" });
  const done = [...stdout.matchAll(/(\w+): [\d.]+ requests per second/g)];
  assertEquals(
    done.map(([, test]) => test),
    ["PING_INLINE", "PING_MBULK", "SET", "GET", "INCR"],
  );
  assertEquals(/error|warning/i.test(stdout), false, stdout);
  assertEquals(await reply("GET", "counter:__rand_int__"), "8000");
});
