// Lesson 25's proxy between programs that know nothing of it.
import {
  assertEquals,
  assertStrictEquals,
  assertStringIncludes,
} from "@std/assert";
import { realClient, run, start, startProgram } from "../tools.ts";
import { untilListening } from "../listening.ts";

const SOLUTION = "solutions/25/proxy.ts";
const PROXY = "127.0.0.1:7025";
const PAGE = "solutions/25/proxy.ts"; // Any file will do.

/** A web server on 127.0.0.1, port 8025. */
async function web() {
  const where = ["--bind", "127.0.0.1", "--directory", "solutions/25", "8025"];
  const running = start("python3", ["-m", "http.server", ...where]);
  await untilListening({ port: 8025, transport: "tcp" }, running);
  return running;
}

function curl(...args: string[]) {
  return run("curl", ["-sS", "--max-time", "5", ...args]);
}

realClient("25: curl goes through by address, by name, and with a login", [
  "curl",
  "python3",
], async () => {
  await using _proxy = await startProgram([SOLUTION]);
  await using _web = await web();
  const page = await Deno.readTextFile(PAGE);

  for (
    const way of [
      ["--socks5", PROXY, "http://localhost:8025/proxy.ts"],
      ["--socks5-hostname", PROXY, "http://home.test:8025/proxy.ts"],
      ["-x", `socks5h://u:p@${PROXY}`, "http://home.test:8025/proxy.ts"],
    ]
  ) {
    const { stdout, stderr } = await curl(...way);
    assertEquals(stderr, "");
    assertStrictEquals(stdout, page);
  }

  const local = await curl("--socks5", PROXY, "http://home.test:8025/");
  assertStringIncludes(local.stderr, "Could not resolve host: home.test");
});

realClient("25: curl is told why it may not get through", [
  "curl",
  "python3",
], async () => {
  await using _proxy = await startProgram([SOLUTION, "127.0.0.1"]);
  await using _web = await web();
  const reply = async (way: string, url: string) => {
    const { stderr, code } = await curl(way, PROXY, url);
    assertEquals(code, 97);
    return stderr.match(/\((\d+)\)\s*$/)?.[1];
  };

  assertEquals(await reply("--socks5", "http://localhost:8025/"), "2");
  assertEquals(await reply("--socks5-hostname", "http://home.test:8025/"), "2");
  assertEquals(await reply("--socks5-hostname", "http://nobody.test/"), "4");
});

realClient("25: curl meets a plain proxy", ["curl", "python3"], async () => {
  await using _proxy = await startProgram([SOLUTION, "to", "8025"]);
  await using _web = await web();

  const { stdout } = await curl(`http://${PROXY}/proxy.ts`);

  assertStrictEquals(stdout, await Deno.readTextFile(PAGE));
});

realClient("25: curl has to know the password, where there is one", [
  "curl",
  "python3",
], async () => {
  const guarded = `
    import { serveSocks } from "./${SOLUTION}";
    serveSocks(Deno.listen({ hostname: "127.0.0.1", port: 7025 }), {
      allow: () => true,
      resolve: () => Promise.resolve(["127.0.0.1"]),
      auth: (user, password) => user === "ann" && password === "socks",
    });
  `;
  await using proxy = start(Deno.execPath(), ["eval", "-q", guarded]);
  await untilListening({ port: 7025, transport: "tcp" }, proxy);
  await using _web = await web();
  const go = (login: string) =>
    curl("-x", `socks5h://${login}${PROXY}`, "http://home.test:8025/proxy.ts");

  const { stdout } = await go("ann:socks@");
  assertStrictEquals(stdout, await Deno.readTextFile(PAGE));
  const wrong = await go("ann:shoes@");
  assertStringIncludes(wrong.stderr, "User was rejected by the SOCKS5 server");
  const none = await go("");
  assertStringIncludes(none.stderr, "No authentication method was acceptable");
});

realClient("25: nc goes through, half-closed, and hears what is refused", [
  "sh",
  "nc",
  "python3",
], async () => {
  await using _proxy = await startProgram([SOLUTION]);
  await using _web = await web();
  const nc = `nc -N -X 5 -x ${PROXY} home.test`;

  const ask = "printf 'GET /proxy.ts HTTP/1.0\\r\\n\\r\\n'";
  const { stdout } = await run("sh", ["-c", `${ask} | ${nc} 8025`]);
  assertStringIncludes(stdout, "200 OK");
  assertStringIncludes(stdout, await Deno.readTextFile(PAGE));

  const { stderr } = await run("sh", ["-c", `${nc} 9 </dev/null`]);
  assertStringIncludes(stderr, "SOCKSv5 error: Connection refused");
});

realClient("25: ssh greets through a ProxyCommand", ["ssh", "nc"], async () => {
  await using _proxy = await startProgram([SOLUTION]);
  using target = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const command = `ProxyCommand=nc -X 5 -x ${PROXY} %h %p`;
  const options = ["-F", "/dev/null", "-o", "BatchMode=yes", "-o", command];
  const port = String(target.addr.port);
  await using ssh = start("ssh", [...options, "-p", port, "home.test"]);

  using conn = await target.accept();
  const buffer = new Uint8Array(1_024);
  const n = await conn.read(buffer);

  const banner = new TextDecoder().decode(buffer.subarray(0, n!));
  assertStringIncludes(banner, "SSH-2.0-OpenSSH");
  // There is no server; that ssh hears the answer is enough.
  await conn.write(new TextEncoder().encode("SSH-1.0-nobody\r\n"));
  assertEquals(await ssh.exit(), 255);
  assertStringIncludes(ssh.stderr, "Protocol major versions differ: 2 vs. 1");
});

realClient("25: socksConnect() goes through microsocks, and logs in there", [
  "microsocks",
  "python3",
], async () => {
  const login = ["-u", "ann", "-P", "socks"];
  const where = ["-i", "127.0.0.1", "-p", "7026"];
  await using proxy = start("microsocks", [...where, ...login]);
  await untilListening({ port: 7026, transport: "tcp" }, proxy);
  await using _web = await web();
  const ask = (port: number, password: string, host = "localhost") =>
    run(Deno.execPath(), [
      "eval",
      "-q",
      `
      import { socksConnect } from "./${SOLUTION}";
      const target = { hostname: "${host}", port: ${port} };
      const proxy = { hostname: "127.0.0.1", port: 7026 };
      const conn = await socksConnect(proxy, target, ["ann", "${password}"])
        .catch((error) => {
          console.log("reply", error.reply);
          Deno.exit();
        });
      await conn.write(new TextEncoder().encode("HEAD / HTTP/1.0\\r\\n\\r\\n"));
      await conn.readable.pipeTo(Deno.stdout.writable);
      `,
    ]);

  assertStringIncludes((await ask(8025, "socks")).stdout, "200 OK");
  assertEquals((await ask(9, "socks", "127.0.0.1")).stdout, "reply 5\n");
  assertEquals((await ask(8025, "shoes")).stdout, "reply 2\n");
});
