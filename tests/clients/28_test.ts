// Lesson 28's solution in front of servers that lessons 21 and 22 have built,
// and clients that know nothing of what stands between them.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { openBrowser } from "../chromium.ts";
import type { Running } from "../running.ts";
import { realClient, run, start, startProgram } from "../tools.ts";
import { REFUSED } from "./22_requests.ts";

const SOLUTION = "solutions/28/proxy.ts";

/** What a server behind the proxy runs: lesson 22's, with pages of its own. */
const UPSTREAM = `
  import { serve } from "./solutions/22/bodies.ts";
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const name = Deno.args[0];
  console.log("port " + listener.addr.port);
  const bytes = (text) => new TextEncoder().encode(text);
  async function* count() {
    for (let i = 1; i <= 5; i++) {
      yield bytes(i + "\\n");
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  async function* endless() {
    try {
      while (true) {
        yield bytes("again\\n");
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    } finally {
      console.log("nobody listens");
    }
  }
  // Without an icon of its own the browser asks for one, and whoever is slow to
  // answer that has more to do than the other, and gets nothing else.
  const ICON = "<link rel=icon href=data:,>";
  const PAGE = "<!doctype html>" + ICON + "<title>" + name + "</title>";
  const HTML = [["content-type", "text/html"]];
  await serve(listener, async ({ target, headers, body }) => {
    let size = 0;
    if (target === "/full") return { status: 413, body: "no room\\n" };
    try {
      for await (const piece of body) {
        size += piece.length;
        if (target === "/slow") console.log("a part came");
      }
    } catch (error) {
      console.log("the rest is missing");
      throw error;
    }
    if (target === "/count") return { status: 200, body: count() };
    if (target === "/endless") return { status: 200, body: endless() };
    if (target === "/page") return { status: 200, headers: HTML, body: PAGE };
    if (target === "/who") return { status: 200, body: name + "\\n" };
    if (target === "/fields") {
      return { status: 200, body: headers.map((field) => field.join(": ")).join("\\n") };
    }
    return { status: 200, body: size + " bytes\\n" };
  });
`;

/** A server behind the proxy, and its port. */
async function upstream(name: string): Promise<[Running, string]> {
  const running = start(Deno.execPath(), ["eval", "-q", UPSTREAM, name]);
  const said = await running.until("\n");
  return [running, said.match(/^port (\d+)/)![1]!];
}

/** What comes back for `text` until the end, in Latin-1. */
async function exchange(port: number, text: string): Promise<string> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const bytes = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  for (let sent = 0; sent < bytes.length;) {
    sent += await conn.write(bytes.subarray(sent));
  }
  const alarm = setTimeout(() => conn.close(), 5_000);
  try {
    return await new Response(conn.readable).text();
  } finally {
    clearTimeout(alarm);
  }
}

realClient(
  "28: curl sends all kinds of bodies through the proxy",
  ["curl"],
  async () => {
    const [one, port] = await upstream("one");
    await using _one = one;
    await using proxy = await startProgram([SOLUTION, port]);
    const url = `http://127.0.0.1:${proxy.port}`;
    const upload = (size: number, ...args: string[]) =>
      run("curl", ["-sS", ...args, url], { stdin: new Uint8Array(size) });

    const large = await upload(16 << 20, "--data-binary", "@-");
    assertEquals(large.stdout, "16777216 bytes\n");
    const chunked = await upload(3_000_000, "-T", "-");
    assertEquals(chunked.stdout, "3000000 bytes\n");
    const old = await upload(5, "-0", "--data-binary", "@-");
    assertEquals(old.stdout, "5 bytes\n");
    const nameless = await upload(
      5,
      "-0",
      "-H",
      "Host:",
      "--data-binary",
      "@-",
    );
    assertEquals(nameless.stdout, "5 bytes\n"); // In HTTP/1.0 that is allowed.

    const { stderr } = await run("curl", [
      "-vsS",
      "-T",
      "-",
      `${url}/full`,
    ], { stdin: new Uint8Array(3_000_000) });
    assertStringIncludes(stderr, "< HTTP/1.1 413 ");
    const head = await run("curl", ["-sSI", url, url]);
    assertEquals(head.stdout.match(/^HTTP\/1.1 200/gm)?.length, 2);
    const fields = await run("curl", [
      "-sS",
      "-H",
      "Connection: X-Secret",
      "-H",
      "X-Secret: 1",
      "-H",
      "X-Forwarded-For: 192.0.2.1",
      `${url}/fields`,
    ]);
    assertStringIncludes(
      fields.stdout,
      "x-forwarded-for: 192.0.2.1, 127.0.0.1",
    );
    assert(!/secret|connection/.test(fields.stdout), fields.stdout);
    const code = (...args: string[]) =>
      run("curl", ["-sS", "-o", "/dev/null", "-w", "%{http_code}", ...args]);
    const all = ["-X", "OPTIONS", "--request-target", "*", url];
    assertEquals((await code(...all)).stdout, "200");
    const tunnel = ["-X", "CONNECT", "--request-target", "one:80", url];
    assertEquals((await code(...tunnel)).stdout, "400");
    assertEquals(proxy.running.stderr, "");
  },
);

realClient(
  "28: curl meets both upstreams, and one that is left",
  ["curl"],
  async () => {
    const [one, first] = await upstream("one");
    await using _one = one;
    const [two, second] = await upstream("two");
    await using _two = two;
    await using proxy = await startProgram([SOLUTION, first, second]);
    const urls = Array(20).fill(`http://127.0.0.1:${proxy.port}/who`);

    const both = await run("curl", ["-sS", ...urls]);
    assertEquals(both.stdout, "one\ntwo\n".repeat(10));

    one.signal("SIGKILL");
    await one.exit();
    const left = await run("curl", ["-sS", ...urls]);
    assertEquals(left.stdout, "two\n".repeat(20));

    two.signal("SIGKILL");
    await two.exit();
    const none = await run("curl", ["-sS", "-w", "%{http_code} ", ...urls]);
    const codes = none.stdout.match(/\b50[23]\b/g) ?? [];
    assertEquals(codes.length, 20, none.stdout);
    assertEquals(codes.at(-1), "503"); // They are known to be gone by now.
  },
);

realClient(
  "28: curl is told when an answer breaks off",
  ["curl"],
  async () => {
    const [one, port] = await upstream("one");
    await using _one = one;
    await using proxy = await startProgram([SOLUTION, port]);
    const url = `http://127.0.0.1:${proxy.port}/endless`;

    await using curl = start("curl", ["-sSN", url]);
    await curl.until("again\n");
    one.signal("SIGKILL");

    assertEquals(await curl.exit(), 18); // "Transferred a partial file."
  },
);

realClient(
  "28: an upstream stops when curl has given up",
  ["curl"],
  async () => {
    const [one, port] = await upstream("one");
    await using _one = one;
    await using proxy = await startProgram([SOLUTION, port]);
    const url = `http://127.0.0.1:${proxy.port}/endless`;

    await using curl = start("curl", ["-sSN", url]);
    await curl.until("again\n");
    curl.signal("SIGTERM");

    await one.until("nobody listens\n");

    const slow = `http://127.0.0.1:${proxy.port}/slow`;
    await using upload = start("curl", ["-sS", "-T", "-", slow]);
    await upload.send("half of it");
    await one.until("a part came\n");
    upload.signal("SIGKILL");

    await one.until("the rest is missing\n");
    assertEquals(proxy.running.stderr, "");
  },
);

realClient(
  "28: SIGTERM lets curl have its answer to the end, and the exit code is 0",
  ["curl"],
  async () => {
    const [one, port] = await upstream("one");
    await using _one = one;
    await using proxy = await startProgram([SOLUTION, port]);
    const url = `http://127.0.0.1:${proxy.port}`;
    using _idle = await Deno.connect({ port: proxy.port });
    await using curl = start("curl", ["-sSN", `${url}/count`]);
    await curl.until("1\n");

    proxy.running.signal("SIGTERM");

    assertEquals(await curl.exit(), 0);
    assertEquals(curl.stdout, "1\n2\n3\n4\n5\n");
    assertEquals(await proxy.running.exit(), 0);
    assertEquals(proxy.running.stderr, "");
    const late = await run("curl", ["-sS", url]);
    assertEquals(late.code, 7); // "Failed to connect."
  },
);

realClient(
  "28: a browser sees the pages of both upstreams",
  ["chromium"],
  async () => {
    const [one, first] = await upstream("one");
    await using _one = one;
    const [two, second] = await upstream("two");
    await using _two = two;
    await using proxy = await startProgram([SOLUTION, first, second]);

    await using browser = await openBrowser();
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${proxy.port}/page`);
    const title = await page.title();
    assert(["one", "two"].includes(title), title);
    const asked = await page.evaluate(`(async () => {
      const asked = [];
      // One after the other: so both have as much to do, and take turns.
      while (asked.length < 20) {
        asked.push(await fetch("/who").then((answer) => answer.text()));
      }
      return asked.sort();
    })()`);
    const turns = (name: string) => Array.from({ length: 10 }, () => name);
    assertEquals(asked, [...turns("one\n"), ...turns("two\n")]);
  },
);

realClient("28: wrk finds no wrong answer in a crowd", ["wrk"], async () => {
  const [one, first] = await upstream("one");
  await using _one = one;
  const [two, second] = await upstream("two");
  await using _two = two;
  await using proxy = await startProgram([SOLUTION, first, second]);

  const { code, stdout } = await run("wrk", [
    "-t1",
    "-c50",
    "-d1s",
    `http://127.0.0.1:${proxy.port}/who`,
  ]);

  assertEquals(code, 0);
  assert(!/Non-2xx|Socket errors/.test(stdout), stdout);
  const [, requests] = stdout.match(/(\d+) requests in/) ?? [];
  assert(Number(requests) > 50, stdout);
  assertEquals(proxy.running.stderr, "");
});

realClient(
  "28: the servers of lessons 21 and 22 stand behind one address",
  ["curl"],
  async () => {
    await using one = await startProgram(["solutions/21/http.ts"]);
    await using two = await startProgram(["solutions/22/bodies.ts"]);
    await using proxy = await startProgram([SOLUTION]);
    const url = `http://127.0.0.1:${proxy.port}/`;

    const { stdout } = await run("curl", ["-sS", url, url, url, url]);

    assertEquals(stdout.match(/Hello, browser|0 bytes/g)?.sort(), [
      "0 bytes",
      "0 bytes",
      "Hello, browser",
      "Hello, browser",
    ]);
    assertEquals([one.running.stderr, two.running.stderr], ["", ""]);
  },
);

Deno.test("28: nothing that is unclear gets past the proxy", async (t) => {
  await using server = await startProgram(["solutions/22/bodies.ts"]);
  const upstream = String(server.port);
  await using proxy = await startProgram([SOLUTION, upstream]);
  const smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";

  for (const { name, rfc, bytes } of REFUSED) {
    await t.step(`RFC ${rfc}: ${name.slice(0, 60)}`, async () => {
      const said = await exchange(proxy.port, bytes + smuggled);
      assert(/^HTTP\/1\.1 (400|501|502) /m.test(said), said);
      assertEquals(said.match(/^HTTP\/1\.1 200/gm)?.length ?? 0, 0, said);
    });
  }

  // Whatever got through says what the server prints: this comes last.
  await exchange(
    proxy.port,
    "GET /end HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
  );
  const ran = await server.running.until("GET /end\n");
  assert(!ran.includes("smuggled"), ran);
});
