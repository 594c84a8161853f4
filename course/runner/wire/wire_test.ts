// The wire as a program, with a server or a client of ours at the other end.
import { fileURLToPath } from "node:url";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";

const HOUSE = fileURLToPath(new URL("../../..", import.meta.url));
const COMMAND = ["run", "-q", "-P", "course/runner/wire/main.ts"];

/** Runs the wire with `input` for its standard input, to its end. */
async function wire(
  args: string[],
  input: string | Uint8Array | Promise<string> = "",
) {
  const child = new Deno.Command(Deno.execPath(), {
    args: [...COMMAND, ...args],
    cwd: HOUSE,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  const typed = await input;
  await writer.write(
    typeof typed === "string" ? new TextEncoder().encode(typed) : typed,
  );
  await writer.close();
  const { code, stdout, stderr } = await child.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, bytes: stdout, stdout: text(stdout), stderr: text(stderr) };
}

function listen() {
  return Deno.listen({ hostname: "127.0.0.1", port: 0 });
}

Deno.test("wire connect passes bytes on, ends its sending, and takes the answer", async () => {
  using listener = listen();
  const every = Uint8Array.from({ length: 256 }, (_, i) => i);
  const running = wire(["connect", String(listener.addr.port)], every);
  const conn = await listener.accept();

  const heard: number[] = [];
  const buffer = new Uint8Array(512);
  for (let n; (n = await conn.read(buffer)) !== null;) {
    heard.push(...buffer.subarray(0, n));
  }
  conn.close();
  const { code, bytes } = await running;

  assertEquals(heard, [...every]);
  assertEquals(bytes.length, 0);
  assertEquals(code, 0);
});

Deno.test("wire connect hears an answer after it has ended its sending", async () => {
  using listener = listen();
  const running = wire(["connect", String(listener.addr.port)], "hello");
  using conn = await listener.accept();
  const buffer = new Uint8Array(16);
  let length = 0;
  for (let n; (n = await conn.read(buffer)) !== null;) length += n;
  await conn.write(new TextEncoder().encode("heard"));
  await conn.closeWrite();

  assertEquals(length, 5);
  const { code, stdout } = await running;
  assertEquals({ code, stdout }, { code: 0, stdout: "heard" });
});

Deno.test("wire --hex sends what is typed, and vanishes on request", async () => {
  using listener = listen();
  const args = ["--hex", "connect", String(listener.addr.port)];
  const accepted = listener.accept();
  // Not before: accept() throws for a client that has already vanished.
  const running = wire(args, accepted.then(() => "00 05\n:reset\n"));
  using conn = await accepted;

  await assertRejects(async () => {
    while (await conn.read(new Uint8Array(16)) !== null);
  }, Deno.errors.ConnectionReset);
  const { stderr } = await running;
  assertStringIncludes(stderr, "→ 00 05");
  assertStringIncludes(stderr, "→ vanishes (RST)");
});

Deno.test("wire listen obeys a wish while it waits for somebody", async () => {
  const { code, stderr } = await wire(
    ["--hex", "listen", "0"],
    "68 69\n:quit\n",
  );

  assertEquals(code, 0);
  assertStringIncludes(stderr, "→ 68 69");
  assertStringIncludes(stderr, "· closed");
});

Deno.test("wire --hex listen gives all that was typed to the first who comes", async () => {
  const child = new Deno.Command(Deno.execPath(), {
    args: [...COMMAND, "--hex", "listen", "0"],
    cwd: HOUSE,
    stdin: "piped",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode("68 69\n0a\n"));
  await writer.close();
  let said = "";
  let came = "";
  for await (
    const text of child.stderr.pipeThrough(new TextDecoderStream())
  ) {
    const [, port] = /listens at 127\.0\.0\.1:(\d+)\n/.exec(said += text) ?? [];
    if (came || port === undefined || !said.includes("→ 0a")) continue;
    using conn = await Deno.connect({ hostname: "127.0.0.1", port: +port });
    came = await new Response(conn.readable).text();
  }
  const { code } = await child.status;
  assertEquals({ came, code }, { came: "hi\n", code: 0 });
});

Deno.test("wire leaves without a word when nobody reads what comes", async () => {
  for (const flags of [[], ["--hex"]]) {
    using listener = listen();
    const child = new Deno.Command(Deno.execPath(), {
      args: [...COMMAND, ...flags, "connect", String(listener.addr.port)],
      cwd: HOUSE,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    using conn = await listener.accept();
    await child.stdout.cancel();
    await conn.write(new TextEncoder().encode("hello"));

    const told = await new Response(child.stderr).text();
    assertMatch(told, /^.*connected to .*\n$/);
    await child.status;
  }
});

Deno.test("wire says that nobody listens", async () => {
  const listener = listen();
  const { port } = listener.addr;
  listener.close();

  const { code, stderr } = await wire(["connect", String(port)]);
  assertEquals(code, 1);
  assertStringIncludes(stderr, `Nobody listens at 127.0.0.1:${port}`);
});

Deno.test("wire says that a port is taken", async () => {
  using listener = listen();
  const { code, stderr } = await wire(["listen", String(listener.addr.port)]);

  assertEquals(code, 1);
  assertStringIncludes(stderr, "somebody does already");
});

Deno.test("wire stays on this machine", async () => {
  for (const flags of [[], ["--udp"]]) {
    const { code, stderr } = await wire(
      [...flags, "connect", "192.0.2.1:9"],
      "x",
    );
    assert(code > 0);
    assertStringIncludes(stderr, "stays on this machine");
  }
});

Deno.test("wire explains what it cannot read", async () => {
  const { code, stderr } = await wire(["conect", "7003"]);

  assertEquals(code, 2);
  assertStringIncludes(stderr, 'Say "connect" or "listen"');
});

Deno.test("wire --udp asks, and takes the answer of the one it asked", async () => {
  const at = { transport: "udp", hostname: "127.0.0.1", port: 0 } as const;
  const server = Deno.listenDatagram(at);
  const stranger = Deno.listenDatagram(at);
  const { port } = server.addr as Deno.NetAddr;
  const running = wire(
    ["--udp", "--wait", "1", "connect", String(port)],
    "ask",
  );

  const [question, from] = await server.receive();
  await stranger.send(new TextEncoder().encode("me too"), from);
  await server.send(new TextEncoder().encode("answer"), from);
  const { code, stdout } = await running;
  server.close();
  stranger.close();

  assertEquals(new TextDecoder().decode(question), "ask");
  assertEquals({ code, stdout }, { code: 0, stdout: "answer" });
});
