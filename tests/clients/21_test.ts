// Lesson 21's solution, and clients that have spoken HTTP all their lives.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { openBrowser } from "../chromium.ts";
import { realClient, run, startProgram } from "../tools.ts";

const PROGRAM = "solutions/21/http.ts";
const URL = "http://127.0.0.1:7021/";
const PAGE = "<!doctype html><title>Hello</title><h1>Hello, browser.</h1>\n";

realClient("21: curl gets two pages on one connection", ["curl"], async () => {
  await using _server = await startProgram([PROGRAM]);

  const { code, stdout, stderr } = await run("curl", ["-v", URL, URL]);

  assertEquals({ code, stdout }, { code: 0, stdout: PAGE + PAGE });
  assertMatch(stderr, /Re-using existing connection/);
});

realClient("21: curl --next posts, and gets on", ["curl"], async () => {
  await using _server = await startProgram([PROGRAM]);

  const { code, stdout, stderr } = await run("curl", [
    ...["-v", "--data", "Grüße", URL],
    ...["--next", "-v", URL],
  ]);

  assertEquals({ code, stdout }, { code: 0, stdout: `7 bytes came.\n${PAGE}` });
  assertMatch(stderr, /Re-using existing connection/);
});

realClient("21: curl -I gets a head, and then a page", ["curl"], async () => {
  await using _server = await startProgram([PROGRAM]);

  const { code, stdout } = await run("curl", ["-sSI", URL, "--next", URL]);

  assertEquals(code, 0);
  assertMatch(stdout, /^HTTP\/1\.1 200 OK\r\n/);
  assertMatch(stdout, /\r\nContent-Length: 60\r\n/);
  assert(stdout.endsWith(`\r\n\r\n${PAGE}`), stdout);
});

realClient("21: curl -0 is told that the connection ends", [
  "curl",
], async () => {
  await using _server = await startProgram([PROGRAM]);

  const { code, stdout, stderr } = await run("curl", ["-0", "-v", URL]);

  assertEquals({ code, stdout }, { code: 0, stdout: PAGE });
  assertMatch(stderr, /< Connection: close\r?\n/);
});

realClient("21: curl hears why its upload was refused", ["curl"], async () => {
  await using _server = await startProgram([PROGRAM]);

  // Without "Expect:" it asks first, and a refusal comes before the upload.
  const { code, stdout } = await run("curl", [
    ...["-sS", "-H", "Expect:", "--data-binary", "@-"],
    ...["-w", "%{http_code}", URL],
  ], { stdin: new Uint8Array(20_000_000) });

  assertEquals({ code, stdout }, { code: 0, stdout: "413" });
});

realClient("21: curl cannot leave the directory", ["curl"], async () => {
  await using _server = await startProgram([
    "--allow-read=lessons/21",
    PROGRAM,
    "lessons/21",
  ], { port: 7021 });
  const get = async (target: string) => {
    const status = ["-w", "\n%{http_code} %{content_type}"];
    const args = ["-sS", "--path-as-is", ...status, `${URL}${target}`];
    return (await run("curl", args)).stdout;
  };

  const hints = await Deno.readTextFile("lessons/21/hints.md");
  const type = "200 text/markdown; charset=utf-8";
  assertEquals(await get("hints.md"), `${hints}\n${type}`);
  for (const target of ["../20/README.md", "..%2f..%2fdeno.json", "none"]) {
    assertEquals(await get(target), "\n404 ");
  }
});

realClient("21: fetch gets, posts, and looks", [], async () => {
  await using _server = await startProgram([PROGRAM]);

  const page = await fetch(URL);
  assertEquals(page.headers.get("content-type"), "text/html; charset=utf-8");
  assertEquals(await page.text(), PAGE);
  const posted = await fetch(URL, { method: "POST", body: "🐶" });
  assertEquals(await posted.text(), "4 bytes came.\n");
  const head = await fetch(URL, { method: "HEAD" });
  assertEquals(head.headers.get("content-length"), "60");
  assertEquals(await head.text(), "");
  const missing = await fetch(`${URL}missing`);
  assertEquals(missing.status, 404);
  assertEquals(await missing.text(), "There is only /.\n");
});

realClient("21: a browser shows the page", ["chromium"], async () => {
  await using _server = await startProgram([PROGRAM]);
  await using browser = await openBrowser();
  const page = await browser.newPage();

  await page.goto(URL);

  assertEquals(await page.title(), "Hello");
  assertEquals(await page.innerText("h1"), "Hello, browser.");
});

realClient("21: wrk meets no error", ["wrk"], async () => {
  await using server = await startProgram([PROGRAM]);

  const { code, stdout } = await run("wrk", ["-c", "100", "-d", "1", URL]);

  assertEquals(code, 0);
  assertMatch(stdout, /^ +[1-9]\d* requests in /m);
  // It has a line for errors of sockets, and one for other statuses, if any.
  assert(!/Socket errors|Non-2xx/.test(stdout), stdout);
  assertEquals(server.running.stderr, "");
});
