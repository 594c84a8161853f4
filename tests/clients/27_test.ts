// Lesson 27's solution: ten thousand connections between two processes, what
// each of them costs, too few descriptors, and other programs that bring crowds.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { untilListening } from "../listening.ts";
import { findTool, realClient, run, start, startProgram } from "../tools.ts";

const SOLUTION = "solutions/27/crowd.ts";
const CROWD = "tests/clients/peers/crowd.py";
const CONNS = 10_000;

/** What the process of the server runs, on a free port. */
const SERVER = `
  import { listen, serve } from "./${SOLUTION}";
  const listener = listen({ hostname: "127.0.0.1", port: 0 });
  console.log("port " + listener.addr.port + " of " + Deno.pid + ";");
  await serve(listener);
`;

/** What the process of the crowd runs: LOAD is put in front. */
const LOADER = `
  import { explain, loadTest } from "./${SOLUTION}";
  const at = { hostname: "127.0.0.1", port: LOAD.port };
  const report = await loadTest([at], LOAD);
  console.log(JSON.stringify(report));
  Object.keys(report.errors).forEach((kind) => console.log(explain(kind)));
`;

/** Starts a process of Deno that may open so many files. */
function limited(files: number, code: string) {
  const deno = [Deno.execPath(), "eval", "-q", code];
  return start("bash", [
    "-c",
    `ulimit -n ${files}; exec "$@"`,
    "bash",
    ...deno,
  ]);
}

async function startServer(files: number) {
  const running = limited(files, SERVER);
  const said = await running.until(";");
  const [, port, pid] = said.match(/^port (\d+) of (\d+);/)!.map(Number);
  return { running, port: port!, pid: pid! };
}

function startCrowd(files: number, load: Record<string, number>) {
  return limited(files, `const LOAD = ${JSON.stringify(load)};\n${LOADER}`);
}

/** What a process has in memory, in bytes. Linux only. */
async function resident(pid: number): Promise<number> {
  const { stdout } = await run("cat", [`/proc/${pid}/status`]);
  return Number(stdout.match(/^VmRSS:\s+(\d+) kB$/m)![1]) * 1_024;
}

/** How many connections the kernel has, each counted at both its ends here. */
async function established(): Promise<number> {
  const { stdout } = await run("ss", ["-s"]);
  return Number(stdout.match(/^TCP: .*\(estab (\d+),/m)![1]);
}

/** The most files that a process of this machine may open; 0 if nobody says. */
function mostFiles(): number {
  if (findTool("bash") === undefined) return 0;
  const args = ["-c", "ulimit -Hn"];
  const { stdout } = new Deno.Command("bash", { args }).outputSync();
  const said = new TextDecoder().decode(stdout).trim();
  return said === "unlimited" ? Infinity : Number(said);
}

const FILES = CONNS + 500; // Deno opens some for itself.
const tooFew = mostFiles() < FILES && Deno.env.get("CI") !== "true";
const name = `27: ${CONNS} idle connections cost at most 10 kB each`;

if (tooFew) {
  const reason = `ulimit -Hn is ${mostFiles()}, and it takes ${FILES}`;
  Deno.test.ignore(`${name} (${reason})`, () => {});
} else realClient(name, ["bash", "ss"], holdTenThousand);

async function holdTenThousand() {
  const { port, pid, running } = await startServer(FILES);
  await using server = running;
  // What a first crowd leaves behind is there once, and not for each client.
  const first = { port, conns: 1_000, messages: 20, everyMs: 25, size: 32 };
  await using few = startCrowd(FILES, { ...first, rampPerSec: 4_000 });
  assertEquals(await few.exit(), 0);
  const before = await resident(pid);
  const others = await established();

  const load = { port, conns: CONNS, messages: 2, everyMs: 7_000, size: 32 };
  await using crowd = startCrowd(FILES, { ...load, rampPerSec: 4_000 });
  const limit = performance.now() + 40_000;
  // Both ends are on this machine. Nobody tells when all are there.
  while (await established() < others + 2 * CONNS) {
    assert(performance.now() < limit, `only ${await established()} are there`);
    assertEquals(crowd.code, undefined, crowd.stderr);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const each = (await resident(pid) - before) / CONNS;

  assertEquals(await crowd.exit(40_000), 0, crowd.stderr);
  const { connected, answered, errors } = JSON.parse(crowd.stdout);
  assertEquals(
    { connected, answered, errors },
    { connected: CONNS, answered: 2 * CONNS, errors: {} },
  );
  console.log(`${Math.round(each)} bytes for each of ${CONNS} connections`);
  assert(each <= 10_000, `each idle connection costs ${each} bytes`);
  assertEquals(server.stdout + server.stderr, `port ${port} of ${pid};\n`);
}

realClient(
  "27: a crowd with too few descriptors says so, and counts the others",
  ["bash"],
  async () => {
    const { port, running } = await startServer(1_000);
    await using _server = running;
    const load = { port, conns: 200, messages: 1, everyMs: 1, size: 32 };

    await using crowd = startCrowd(64, load);

    assertEquals(await crowd.exit(), 0, crowd.stderr);
    const [report, ...explained] = crowd.stdout.trim().split("\n");
    const { connected, answered, errors } = JSON.parse(report!);
    assert(connected > 20 && connected < 64, `${connected} are connected`);
    assertEquals(answered, connected);
    assertEquals(errors, { EMFILE: 200 - connected });
    assertMatch(explained.join(), /^EMFILE: .*\(ulimit -n\)/);
  },
);

realClient(
  "27: the program's own crowd says so, too, and Deno bears it",
  ["bash"],
  async () => {
    await using server = await startProgram([SOLUTION]);
    const deno = [Deno.execPath(), "run", "-q", "-P", SOLUTION, "1200"];
    const command = 'ulimit -n 1000; exec "$@"';

    await using crowd = start("bash", ["-c", command, "bash", ...deno]);

    assertEquals(await crowd.exit(20_000), 0, crowd.stderr);
    assertMatch(crowd.stdout, /errors: { EMFILE: \d{3} },/);
    assertMatch(crowd.stdout, /^EMFILE: .*\(ulimit -n\)/m);
    assertEquals(server.running.stderr, "");
  },
);

realClient(
  "27: a server with too few descriptors says so, and serves all in the end",
  ["bash", "python3"],
  async () => {
    const deno = [Deno.execPath(), "run", "-q", "-P", SOLUTION];
    const command = 'ulimit -n 64; exec "$@"';
    await using server = start("bash", ["-c", command, "bash", ...deno]);
    await untilListening({ port: 7027, transport: "tcp" }, server);
    await using crowd = start("python3", [CROWD, "7027", "120"]);
    await crowd.until("inside\n");
    const said = "EMFILE: this process may open no more files (ulimit -n)";
    await server.when(() => server.stderr.includes(said), "say so");

    await crowd.send("\n");

    assertEquals(await crowd.exit(), 0);
    assertEquals(crowd.stdout, "inside\n120 hello\n");
    assertEquals(server.code, undefined, server.stderr);
  },
);

realClient(
  "27: a crowd gets all its answers, and nc its job of a second",
  ["nc"],
  async () => {
    await using server = await startProgram([SOLUTION]);
    const deno = ["run", "-q", "-P", SOLUTION, "20"];
    await using crowd = start(Deno.execPath(), deno);

    const { stdout } = await run("nc", ["-N", "127.0.0.1", "7027"], {
      stdin: "! work\n",
    });

    assertEquals(stdout, "! work\n");
    assertEquals(await crowd.exit(), 0, crowd.stderr);
    assertMatch(
      crowd.stdout,
      /connected: 20,\s+answered: 20000,\s+errors: {},/,
    );
    assertEquals(server.running.stderr, "");
  },
);

realClient("27: wrk brings a crowd to lesson 21", ["wrk"], async () => {
  await using server = await startProgram(["solutions/21/http.ts"]);
  const url = "http://127.0.0.1:7021/";

  const crowd = ["-c", "500", "-t", "2", "-d", "2", "--latency", url];
  const { code, stdout } = await run("wrk", crowd);

  assertEquals(code, 0);
  assertMatch(stdout, /2 threads and 500 connections/);
  assertMatch(stdout, /^ +99% +\d/m);
  assert(!/Socket errors|Non-2xx/.test(stdout), stdout);
  assertEquals(server.running.stderr, "");
});

realClient("27: redis-benchmark brings a crowd to lesson 23", [
  "redis-benchmark",
], async () => {
  await using server = await startProgram(["solutions/23/store.ts"]);

  const crowd = ["-p", "7023", "-c", "500", "-n", "5000", "-t", "ping", "-q"];
  const { code, stdout, stderr } = await run("redis-benchmark", crowd);

  assertEquals({ code, stderr }, { code: 0, stderr: "" });
  assertMatch(
    stdout,
    /PING_MBULK: [\d.]+ requests per second, p50=[\d.]+ msec/,
  );
  assert(!/error/i.test(stdout), stdout);
  assertEquals(server.running.stderr, "");
});
