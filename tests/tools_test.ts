import { assert, assertEquals, assertRejects } from "@std/assert";
import { isListening } from "./listening.ts";
import {
  findTool,
  missing,
  overUdp,
  portOf,
  realClient,
  run,
  start,
  startProgram,
} from "./tools.ts";

/** A program in a temporary file, for the length of `use`. */
async function withProgram(
  source: string,
  use: (path: string) => Promise<void>,
): Promise<void> {
  const path = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(path, source);
    await use(path);
  } finally {
    await Deno.remove(path);
  }
}

/** A port that was free a moment ago. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return (listener.addr as Deno.NetAddr).port;
}

const deno = Deno.execPath();

Deno.test("run() passes on input, output and the exit code", async () => {
  const code = `
    await Deno.stdin.readable.pipeTo(Deno.stdout.writable);
    console.error("no");
    Deno.exit(3);
  `;
  const stdin = new Uint8Array([0x68, 0x69, 0xff]);
  const ran = await run(deno, ["eval", code], { stdin });

  const stdout = "hi\ufffd";
  assertEquals(ran, { code: 3, stdout, bytes: stdin, stderr: "no\n" });
});

Deno.test("run() ends a command at its limit and says what it printed", async () => {
  const code = "console.log('here'); while (true);";
  const error = await assertRejects(
    () => run(deno, ["eval", code], { timeoutMs: 500 }),
    Error,
    "to end: 500 ms went by",
  );

  assert(error.message.includes("here"), error.message);
});

Deno.test("run() survives a command that reads nothing", async () => {
  const stdin = new Uint8Array(1 << 20);
  const ran = await run(deno, ["eval", "0"], { stdin });

  assertEquals(ran.code, 0);
});

Deno.test("start() gives a conversation", async () => {
  const echo = "await Deno.stdin.readable.pipeTo(Deno.stdout.writable)";
  await using client = start(deno, ["eval", echo]);

  await client.send("one\n");
  await client.until("one\n");
  await client.send("two\n");
  await client.end();

  assertEquals(await client.exit(), 0);
  assertEquals(client.stdout, "one\ntwo\n");
});

Deno.test("until() fails when the program ends instead", async () => {
  await using client = start(deno, ["eval", "console.log('bye')"]);

  await assertRejects(() => client.until("hello"), Error, "it ended");
});

for (const transport of ["tcp", "udp"] as const) {
  const test = transport === "tcp" ? realClient : overUdp;
  test(`startProgram() waits for a ${transport} port, and frees it`, [], () => {
    const port = freePort();
    const target = { port, transport };
    const open = transport === "tcp"
      ? `for await (const _ of Deno.listen({ hostname: "127.0.0.1", port: ${port} }));`
      : `for await (const _ of Deno.listenDatagram({ hostname: "127.0.0.1", port: ${port}, transport: "udp" }));`;
    return withProgram(open, async (path) => {
      {
        await using program = await startProgram([path], target);
        assertEquals(program.port, port);
        assert(await isListening(target));
        await assertRejects(
          () => startProgram([path], target),
          Error,
          `${transport} port ${port} is in use`,
        );
      }
      assert(!await isListening(target));
    });
  });
}

Deno.test("startProgram() shows why a program opened no port", () =>
  withProgram("throw new Error('broken');", async (path) => {
    await assertRejects(
      () => startProgram([path], { port: freePort() }),
      Error,
      "broken",
    );
  }));

Deno.test("startProgram() grants loopback and nothing else", () =>
  withProgram("await Deno.readTextFile('/etc/hosts');", async (path) => {
    await assertRejects(
      () => startProgram([path], { port: freePort() }),
      Error,
      "NotCapable",
    );
  }));

Deno.test("portOf() follows the number of the lesson", () => {
  assertEquals(portOf("solutions/03/echo.ts"), 7003);
  assertEquals(portOf("lessons/28/proxy.ts"), 7028);
});

Deno.test("findTool() finds programs, not folders and not fancies", () => {
  assert(findTool("deno") ?? findTool("node") ?? findTool("sh"));
  assertEquals(findTool("no-such-tool-anywhere"), undefined);
  assertEquals(findTool("../"), undefined);
});

realClient(
  "realClient() runs its test where the tools are",
  [],
  () => Promise.resolve(),
);

Deno.test("missing() takes Debian's programs for its own, not another's", () => {
  const [name] = Deno.execPath().match(/[^/\\]+$/)!; // One that is here.
  assertEquals(missing([name, "no-such-tool"], "linux"), ["no-such-tool"]);
  assertEquals(missing([name], "darwin"), [name]);
  assertEquals(missing(["/proc", "Unix sockets"], "darwin"), ["/proc"]);
  assertEquals(missing(["Unix sockets"], "windows"), ["Unix sockets"]);
});

realClient("realClient() ignores elsewhere, and fails where CI is true", [
  "env",
], () =>
  withProgram(
    `import { realClient } from "${import.meta.resolve("./tools.ts")}";
     realClient("asks", ["no-such-tool"], () => { throw new Error("ran") });`,
    async (path) => {
      const config = ["--config", "deno.json", "--no-check", "-A"];
      const command = ["test", ...config, path];
      const here = await run("env", ["-u", "CI", deno, ...command]);
      assertEquals(here.code, 0, here.stderr);
      assert(here.stdout.includes("asks (this machine has no no-such-tool)"));

      const ci = await run("env", ["CI=true", deno, ...command]);
      assertEquals(ci.code, 1);
      assert(ci.stdout.includes("Cannot run the real client"), ci.stdout);
    },
  ));
