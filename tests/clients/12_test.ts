// Lesson 12's solution, and what has no place in the sandbox: Unix sockets and
// listeners for everybody, on the kernel's own network.
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { Running } from "../running.ts";
import { realClient, run, start } from "../tools.ts";

const PROGRAM = "solutions/12/addresses.ts";

overIPv6("12: serve() greets nc and curl over IPv4 and IPv6", [
  "nc",
  "curl",
], async () => {
  await using v4 = await listening("127.0.0.1:7012", ["-P"]);
  await using v6 = await listening("[::1]:7012", ["-P"]);
  const nc = (...args: string[]) => run("nc", ["-d", ...args, "7012"]);

  assertEquals((await nc("-4", "127.0.0.1")).stdout, from("127.0.0.1"));
  assertEquals((await nc("-6", "::1")).stdout, from("::1"));
  assertEquals(await curl("-g", "http://[::1]:7012"), from("::1"));
  assertEquals([v4.code, v6.code], [undefined, undefined]);
});

overIPv6("12: a listener on :: takes both families, one on 0.0.0.0 does not", [
  "nc",
], async () => {
  const nc = (...args: string[]) => run("nc", ["-d", ...args, "7012"]);
  {
    await using _both = await listening("[::]:7012", [
      "--allow-net=[::]:7012",
    ]);
    assertEquals((await nc("127.0.0.1")).stdout, from("::ffff:127.0.0.1"));
    assertEquals((await nc("::1")).stdout, from("::1"));
  }
  const flags = ["--allow-net=0.0.0.0:7012"];
  await using _one = await listening("0.0.0.0:7012", flags);
  assertEquals((await nc("127.0.0.1")).stdout, from("127.0.0.1"));
  assertEquals((await nc("::1")).code, 1);
});

realClient("12: listenUnix() serves nc and curl, and survives kill -9", [
  "Unix sockets",
  "nc",
  "curl",
], async () => {
  const folder = Deno.makeTempDirSync();
  const path = `${folder}/hello.sock`;
  try {
    {
      await using server = await listening(path, permissionsFor(path));
      const nc = await run("nc", ["-dU", path]);
      assertEquals(nc.stdout, from("this machine"));
      const url = ["--unix-socket", path, "http://here"];
      assertEquals(await curl(...url), from("this machine"));
      await server.stop(); // With SIGKILL: nobody removes the file.
    }
    assertEquals(Deno.lstatSync(path).isSocket, true);

    await using again = await listening(path, permissionsFor(path));
    const second = await run(Deno.execPath(), program(path));
    assertEquals(second.code, 1);
    assertMatch(second.stderr, /AddrInUse/);
    const nc = await run("nc", ["-dU", path]);
    assertEquals(nc.stdout, from("this machine"));
    assertEquals(again.code, undefined);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});

realClient(
  "12: listenUnix() deletes no file that is no socket",
  ["Unix sockets"],
  async () => {
    const path = Deno.makeTempFileSync();
    try {
      Deno.writeTextFileSync(path, "Dear diary");

      const { code, stderr } = await run(Deno.execPath(), program(path));

      assertEquals(code, 1);
      assertMatch(stderr, /AddrInUse/);
      assertEquals(Deno.readTextFileSync(path), "Dear diary");
    } finally {
      Deno.removeSync(path);
    }
  },
);

realClient(
  "12: this machine has an address for itself, among others",
  [],
  async () => {
    const list = "for (const { name, address } of Deno.networkInterfaces()) " +
      "console.log(name, address)";

    const { stdout } = await run(Deno.execPath(), ["eval", list]);

    assertMatch(stdout, /^\S+ 127\.0\.0\.1$/m);
  },
);

// The gate has no permission that would name a temporary path; see there.
realClient(
  "12: the kernel keeps the promises about Unix sockets",
  ["Unix sockets"],
  async () => {
    const { code, stdout } = await run(Deno.execPath(), [
      "test",
      "--no-check",
      "--allow-net",
      "--allow-read",
      "--allow-write",
      "course/check/unix_test.ts",
    ]);

    assertEquals(code, 0, stdout);
    assertStringIncludes(stdout, "the kernel behind the stand-ins: ");
  },
);

/** As `realClient()`, on machines that have IPv6. */
function overIPv6(...[name, tools, fn]: Parameters<typeof realClient>) {
  if (hasIPv6()) return realClient(name, tools, fn);
  Deno.test.ignore(`${name} (this machine has no IPv6)`, fn);
}

function hasIPv6(): boolean {
  try {
    Deno.listen({ hostname: "::1", port: 0 }).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    return false;
  }
}

function from(where: string): string {
  return `You come from ${where}\n`;
}

async function curl(...args: string[]): Promise<string> {
  const { stdout } = await run("curl", ["--http0.9", "--silent", ...args]);
  return stdout;
}

/** What a Unix socket needs: net, by its absolute path, and the file. */
function permissionsFor(path: string): string[] {
  const net = `--allow-net=unix:${path}`;
  return [net, `--allow-read=${path}`, `--allow-write=${path}`];
}

function program(where: string, flags = permissionsFor(where)): string[] {
  return ["run", "-q", "--no-prompt", ...flags, PROGRAM, where];
}

/** Starts the solution, and waits until it says that it listens. */
async function listening(where: string, flags: string[]): Promise<Running> {
  const running = start(Deno.execPath(), program(where, flags));
  await running.until("Listening on");
  return running;
}
