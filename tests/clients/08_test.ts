// Programs that the world uses, talking to lesson 08's servers.
import { assertEquals, assertMatch } from "@std/assert";
import { realClient, run, start, startProgram } from "../tools.ts";

const SOLUTION = "solutions/08/lines.ts";
const HOST = "127.0.0.1";

realClient("serveLines() answers every line of nc -C", ["nc"], async () => {
  await using _server = await startProgram([SOLUTION]);

  const { code, stdout } = await run("nc", ["-C", "-N", HOST, "7008"], {
    stdin: "one\ntwo\n\nthree\nno end",
  });

  assertEquals(stdout, '"one"\n"two"\n""\n"three"\n');
  assertEquals(code, 0);
});

realClient("serveLines() leaves what nc sends without -C as it is", [
  "nc",
], async () => {
  await using _server = await startProgram([SOLUTION]);

  const { stdout } = await run("nc", ["-N", HOST, "7008"], {
    stdin: "né 😀\na\rb\n",
  });

  assertEquals(stdout, '"né 😀"\n"a\\rb"\n');
});

realClient("the starter answers one of three lines, as its README says", [
  "nc",
], async () => {
  await using _server = await startProgram(["lessons/08/lines.ts"]);

  const { stdout } = await run("nc", ["-N", HOST, "7008"], {
    stdin: "one\ntwo\nthree\n",
  });

  assertEquals(stdout, '"one"');
});

realClient("serveLines() answers the three lines of curl dict://", [
  "curl",
], async () => {
  await using _server = await startProgram([SOLUTION]);
  await using curl = start("curl", ["-sN", `dict://${HOST}:7008/d:socket`]);

  // curl would wait for the end of the connection. We do not.
  const printed = await curl.until('"QUIT"\n');

  assertMatch(
    printed,
    /^"CLIENT libcurl [\d.]+"\n"DEFINE ! socket"\n"QUIT"\n$/,
  );
});

realClient("serveLines() talks with curl telnet://", ["curl"], async () => {
  await using _server = await startProgram([SOLUTION]);
  await using curl = start("curl", ["-sN", `telnet://${HOST}:7008`]);

  await curl.send("hello\n");
  assertEquals(await curl.until("\n"), '"hello"\n');
  await curl.send("still there?\r\n");
  assertEquals(await curl.until('?"\n'), '"hello"\n"still there?"\n');
});

realClient("serveLines() hangs up on nc that sends no line at all", [
  "nc",
], async () => {
  await using _server = await startProgram([SOLUTION]);
  await using nc = start("nc", [HOST, "7008"]);

  await nc.send("x".repeat(100_000)); // And its input stays open.

  await nc.exit();
  assertEquals(nc.stdout, "");
});

realClient("serveLines() answers a Python program", ["python3"], async () => {
  await using _server = await startProgram([SOLUTION]);

  const { code, stdout, stderr } = await run("python3", [
    "tests/clients/peers/lines_client.py",
    "7008",
    "né",
    "two",
  ]);

  assertEquals({ code, stderr }, { code: 0, stderr: "" });
  assertEquals(stdout, '"né"\n"two"\n"né"\n');
});

realClient("serveGopher() serves curl gopher://", ["curl"], async () => {
  await using _server = await startProgram([SOLUTION, "gopher"]);
  const gopher = (path: string) =>
    run("curl", ["-s", `gopher://${HOST}:7008${path}`]);

  const menu = await gopher("/");
  assertEquals(menu.code, 0);
  assertEquals(
    menu.stdout,
    "0About gophers\t/about\t127.0.0.1\t7008\r\n.\r\n",
  );

  const about = await gopher("/0/about");
  assertEquals(
    about.stdout,
    "A line asks. The end of the connection answers.\n",
  );

  const unknown = await gopher("/0/../../etc/passwd");
  assertEquals(
    unknown.stdout,
    "3Nothing has this name\t\terror.host\t1\r\n.\r\n",
  );
});
