// Lesson 24's solution, and those who speak WebSocket without having learned it
// here: a browser, and Deno itself.
import { assertEquals, assertMatch } from "@std/assert";
import { openBrowser } from "../chromium.ts";
import { realClient, start, startProgram } from "../tools.ts";

const SOLUTION = "solutions/24/websocket.ts";

/** Runs in the browser: a whole conversation, and how it ended. */
const CONVERSATION = `(async () => {
  const socket = new WebSocket("ws://" + location.host);
  socket.binaryType = "arraybuffer";
  const next = (type) =>
    new Promise((resolve) => socket.addEventListener(type, resolve));
  await next("open");
  const heard = [];
  const bytes = Uint8Array.of(0, 255, 254);
  for (const data of ["hello", "né", "x".repeat(126), "y".repeat(65536), bytes]) {
    const message = next("message");
    socket.send(data);
    const { data: back } = await message;
    heard.push(back.length < 10 ? back : back.length ?? [...new Uint8Array(back)]);
  }
  const closed = next("close");
  socket.close(4001, "bye");
  const { code, wasClean } = await closed;
  return { heard, code, wasClean };
})()`;

/** Runs in the browser: a message of 65,537 bytes. */
const TOO_LONG = `new Promise((resolve) => {
  const socket = new WebSocket("ws://" + location.host);
  socket.onopen = () => socket.send("x".repeat(65537));
  socket.onclose = ({ code, wasClean }) => resolve({ code, wasClean });
})`;

/** Runs in the browser: somebody types a word, and presses Enter. */
const TYPING = `
  document.forms[0][0].value = "typed";
  document.forms[0].requestSubmit();
`;

/** Runs in the browser: waits until the page's log says so much. */
function logged(text: string): string {
  return `new Promise((resolve) => {
    const log = document.querySelector("pre");
    const look = () => {
      if (log.textContent.includes(${JSON.stringify(text)})) {
        resolve(log.textContent);
      } else requestAnimationFrame(look);
    };
    look();
  })`;
}

function next(socket: WebSocket, type: string): Promise<Event> {
  return new Promise((resolve) =>
    socket.addEventListener(type, resolve, { once: true })
  );
}

realClient("24: a page in chromium talks to it", ["chromium"], async () => {
  await using server = await startProgram([SOLUTION]);
  await using browser = await openBrowser();
  const page = await browser.newPage();
  await page.goto("http://127.0.0.1:7024/");
  await page.evaluate(logged("open\n"));

  assertEquals(await page.evaluate(CONVERSATION), {
    heard: ["hello", "né", 126, 65_536, [0, 255, 254]],
    code: 4001,
    wasClean: true,
  });
  // Everybody hears everything, and the page that was there first as well.
  const log = await page.evaluate(logged("yyy\n"));
  assertMatch(String(log), /^open\nhello\nné\nx{126}\ny{65536}\n/);
  await page.evaluate(TYPING);
  await page.evaluate(logged("typed\n"));
  const { code, wasClean } = await page.evaluate(TOO_LONG) as CloseEvent;
  assertEquals({ code, wasClean }, { code: 1009, wasClean: true });

  server.running.signal("SIGINT");

  const end = await page.evaluate(logged("clean"));
  assertMatch(String(end), /1001, clean: true\n$/);
  assertEquals(await server.running.exit(), 0);
  const codes = server.running.stdout.match(/\d+/g);
  assertEquals(codes, ["4001", "1009", "1001"]);
});

realClient("24: the starter's page says 1006", ["chromium"], async () => {
  await using _server = await startProgram(["lessons/24/websocket.ts"]);
  await using browser = await openBrowser();
  const page = await browser.newPage();
  await page.goto("http://127.0.0.1:7024/");

  const end = await page.evaluate(logged("clean"));

  assertMatch(String(end), /^1006, clean: false\n$/);
});

realClient("24: Deno's own client is understood", [], async () => {
  await using server = await startProgram([SOLUTION]);
  const ann = new WebSocket("ws://127.0.0.1:7024");
  const bob = new WebSocket("ws://127.0.0.1:7024");
  await Promise.all([next(ann, "open"), next(bob, "open")]);

  for (const text of ["hello", "né", "y".repeat(65_536)]) {
    const both = Promise.all([next(ann, "message"), next(bob, "message")]);
    ann.send(text);
    const heard = (await both).map((event) => (event as MessageEvent).data);
    assertEquals(heard, [text, text]);
  }
  const left = next(ann, "close");
  ann.close(4001, "bye");
  const { code, wasClean } = await left as CloseEvent;
  assertEquals({ code, wasClean }, { code: 4001, wasClean: true });

  const over = next(bob, "close");
  server.running.signal("SIGINT");
  assertEquals((await over as CloseEvent).code, 1001);
  assertEquals(await server.running.exit(), 0);
  assertEquals(server.running.stdout, "closed with 4001\nclosed with 1001\n");
});

realClient("24: curl shakes hands, and sees a close", ["curl"], async () => {
  await using server = await startProgram([SOLUTION]);
  await using curl = start("curl", [
    ...["--silent", "--verbose", "--include", "--no-buffer"],
    ...["Upgrade: websocket", "Connection: Upgrade"].flatMap((h) => ["-H", h]),
    ...["-H", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="],
    ...["-H", "Sec-WebSocket-Version: 13"],
    "http://127.0.0.1:7024",
  ]);
  const hasHead = () => curl.stderr.includes("< Sec-WebSocket-Accept");
  await curl.when(hasHead, "receive a head");

  server.running.signal("SIGINT");

  assertEquals(await curl.exit(), 0);
  const head = new TextEncoder().encode(
    "HTTP/1.1 101 Switching Protocols\r\n" +
      "Upgrade: websocket\r\n" +
      "Connection: Upgrade\r\n" +
      "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
  );
  const close = [0x88, 0x02, 0x03, 0xe9];
  assertEquals(await curl.stdoutBytes(), Uint8Array.of(...head, ...close));
});
