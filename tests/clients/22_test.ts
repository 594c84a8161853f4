// Lesson 22's solution, clients that send chunks, and requests that nobody
// should have to understand.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { realClient, run, startProgram } from "../tools.ts";
import { ACCEPTED, REFUSED } from "./22_requests.ts";

const SOLUTION = "solutions/22/bodies.ts";
const PYTHON = "tests/clients/peers/chunked_client.py";

/** What no server should run: it stands inside something else. */
const SMUGGLED = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";

/** The statuses of all that comes back for `text`, until the end. */
async function statusesFor(port: number, text: string): Promise<string> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const bytes = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  for (let sent = 0; sent < bytes.length;) {
    sent += await conn.write(bytes.subarray(sent));
  }
  // A server that does not hang up fails this test, and keeps no other waiting.
  const alarm = setTimeout(() => conn.close(), 5_000);
  try {
    const said = await new Response(conn.readable).text();
    const found = [...said.matchAll(/^HTTP\/1\.1 (\d\d\d)/gm)];
    return found.map(([, status]) => status).join();
  } finally {
    clearTimeout(alarm);
  }
}

realClient(
  "22: curl uploads its input in chunks, after it was told to go on",
  ["curl"],
  async () => {
    await using server = await startProgram([SOLUTION]);
    const url = `http://127.0.0.1:${server.port}/notes`;

    const { stdout, stderr } = await run("curl", ["-v", "-T", "-", url], {
      stdin: "hello\n",
    });

    assertEquals(stdout, "6 bytes\n");
    assertStringIncludes(stderr, "> Transfer-Encoding: chunked\r\n");
    assertStringIncludes(stderr, "< HTTP/1.1 100 Continue\r\n");
    await server.running.until("PUT /notes\n");
  },
);

realClient(
  "22: curl sends two megabytes without a pause",
  ["curl"],
  async () => {
    await using server = await startProgram([SOLUTION]);
    const url = `http://127.0.0.1:${server.port}/`;
    const upload = ["-v", "--data-binary", "@-", "-w", "%{time_total}"];
    const seconds: number[] = [];

    for (let i = 0; i < 3; i++) {
      const { stdout, stderr } = await run("curl", [...upload, url], {
        stdin: new Uint8Array(2_000_000),
      });
      assertStringIncludes(stderr, "> Expect: 100-continue\r\n");
      assertStringIncludes(stderr, "< HTTP/1.1 100 Continue\r\n");
      const [size, time] = stdout.split("\n");
      assertEquals(size, "2000000 bytes");
      seconds.push(Number(time));
    }

    // A second is what curl waits. The machine may be busy, but not each time.
    assert(Math.min(...seconds) < 0.5, `it took ${seconds} s`);
  },
);

realClient(
  "22: curl hears why it is refused, each time",
  ["curl"],
  async () => {
    await using server = await startProgram([SOLUTION]);
    const url = `http://127.0.0.1:${server.port}`;
    const upload = ["-sS", "-H", "Expect:", "-T", "-"];

    for (let i = 0; i < 5; i++) {
      const { code, stdout, stderr } = await run("curl", [
        ...upload,
        `${url}/full`,
      ], { stdin: new Uint8Array(9_000_000) });

      const why = "Cannot accept this request: there is no room for it\n";
      assertEquals({ code, stdout, stderr }, {
        code: 0,
        stdout: why,
        stderr: "",
      });
    }

    const { stdout } = await run("curl", [...upload, `${url}/much`], {
      stdin: new Uint8Array(20_000_000),
    });
    assertStringIncludes(stdout, "its body is too large\n");
  },
);

realClient("22: curl reads a stream, in both versions", ["curl"], async () => {
  await using server = await startProgram([SOLUTION]);
  const url = `http://127.0.0.1:${server.port}/count`;

  const [young, old] = await Promise.all([
    run("curl", ["-sSi", "-N", url]),
    run("curl", ["-sSi", "-N", "-0", url]),
  ]);

  assertStringIncludes(young.stdout, "transfer-encoding: chunked\r\n");
  assert(young.stdout.endsWith("\r\n\r\n1\n2\n3\n4\n5\n"), young.stdout);
  assert(!old.stdout.includes("chunked"), old.stdout);
  assert(old.stdout.endsWith("\r\n\r\n1\n2\n3\n4\n5\n"), old.stdout);
});

Deno.test("22: fetch streams a body, and gets one", async () => {
  await using server = await startProgram([SOLUTION]);
  const url = `http://127.0.0.1:${server.port}`;
  const pieces = Array.from(
    { length: 30 },
    (_, i) => new Uint8Array(i * 1_000),
  );

  const body = ReadableStream.from(pieces);
  const sent = await fetch(`${url}/up`, { method: "POST", body });
  assertEquals(await sent.text(), "435000 bytes\n");

  const counted = await fetch(`${url}/count`);
  assertEquals(await counted.text(), "1\n2\n3\n4\n5\n");
});

realClient(
  "22: python3 sends chunks, and reads them",
  ["python3"],
  async () => {
    await using server = await startProgram([SOLUTION]);

    const { stdout, stderr } = await run("python3", [
      PYTHON,
      String(server.port),
    ]);

    assertEquals(stderr, "");
    assertEquals(stdout, "3000 bytes\n1 2 3 4 5\n0 bytes\n");
  },
);

realClient("22: nc smuggles nothing", ["nc"], async () => {
  await using server = await startProgram([SOLUTION]);
  const request = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 37\r\n" +
    "Transfer-Encoding: chunked\r\n\r\n" +
    "0\r\n\r\nGET /admin HTTP/1.1\r\nHost: a\r\n\r\n";

  const { stdout } = await run("nc", ["-N", "127.0.0.1", `${server.port}`], {
    stdin: request,
  });

  assertEquals(stdout.match(/^HTTP\/1\.1 \d+/gm), ["HTTP/1.1 400"]);
  assertEquals(server.running.stdout, "");
});

Deno.test("22: requests that can be read in two ways are refused", async (t) => {
  await using server = await startProgram([SOLUTION]);

  for (const { name, rfc, bytes } of REFUSED) {
    await t.step(`RFC ${rfc}: ${name.slice(0, 60)}`, async () => {
      const statuses = await statusesFor(server.port, bytes + SMUGGLED);
      assert(/^(400|501)$/.test(statuses), `it was answered with ${statuses}`);
    });
  }

  // Whoever was not refused says what the server prints: this comes last.
  const end = "GET /end HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
  assertEquals(await statusesFor(server.port, end), "200");
  const ran = await server.running.until("GET /end\n");
  assertEquals(ran.replaceAll("POST /first\n", ""), "GET /end\n");
});

Deno.test("22: requests that are only unusual are answered", async (t) => {
  await using server = await startProgram([SOLUTION]);
  const next = "GET /next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

  for (const { name, rfc, bytes } of ACCEPTED) {
    await t.step(`RFC ${rfc}: ${name.slice(0, 60)}`, async () => {
      assertEquals(await statusesFor(server.port, bytes + next), "200,200");
    });
  }
});
