// Programs that loop, hang, flood, crash or try to get out. Each is saved, in
// turn, under the eyes of one runner that watches lesson 03: each has to end in
// one clear sentence, and the runner has to be there for the next.
import { fileURLToPath } from "node:url";
import { assert, assertMatch } from "@std/assert";
import { copyTree } from "../course/runner/copy_tree.ts";
import { processes } from "./processes.ts";
import { realClient } from "./tools.ts";

/** The signature that lesson 03 asks for. */
const SERVE = "export async function serve(listener: Deno.Listener)";

/** A server that does `work` for each client. */
function perClient(work: string): string {
  return `${SERVE} {\n  for await (const conn of listener) {\n    ${work}\n  }\n}`;
}

const ECHO = `async function echo(conn: Deno.Conn) {
  await conn.readable.pipeTo(conn.writable).catch(() => {});
}\n`;

/** What a program does, its source, and what the failure has to say. */
const programs: [does: string, source: string, says: RegExp][] = [
  ["loops at import", `while (true);\n${SERVE} {}`, /still loading/],
  ["loops in a check", perClient("while (true);"), /never had to wait/],
  [
    "loops, and waits for nothing real",
    perClient("while (true) await null;"),
    /never had to wait/,
  ],
  [
    "computes, and waits in between",
    perClient(`for (;;) {
      for (let i = 0; i < 100_000_000; i++);
      await new Promise((resolve) => setTimeout(resolve));
    }`),
    /was still at work after 6 s/,
  ],
  [
    "waits for none of its reads",
    `async function next(conn: Deno.Conn) {
      return await conn.read(new Uint8Array(9));
    }\n` + perClient("while (next(conn) !== null);"),
    /read\(\) from ann a thousand times, and waited for none of them, for 6 s/,
  ],
  [
    "never resolves",
    `${SERVE} { await new Promise(() => {}); }`,
    /ann expected .* and got nothing/,
  ],
  [
    "reads on after the end",
    perClient(
      "while (true) { const b = new Uint8Array(9); const n = await conn.read(b); if (n) await conn.write(b.subarray(0, n)); }",
    ),
    /called read\(\) from ann a thousand times in a row, in vain/,
  ],
  ["exits at import", `Deno.exit(0);\n${SERVE} {}`, /ended|exit/],
  [
    "exits in a check",
    `${SERVE} { Deno.exit(0); }`,
    /ended the process/,
  ],
  [
    "prints without end at import",
    `while (true) console.log("spam");\n${SERVE} {}`,
    /print/,
  ],
  [
    "prints without end in a check",
    perClient('while (true) console.log("spam");'),
    /never had to wait/,
  ],
  [
    "floods standard output",
    perClient(
      "while (true) Deno.stdout.writeSync(new Uint8Array(65536).fill(65));",
    ),
    /print/,
  ],
  ["does not parse", `${SERVE} {\n  for await (const of\n}`, /echo\.ts:\d/],
  ["throws at import", `throw new Error("at once");\n${SERVE} {}`, /at once/],
  [
    "rejects in the background",
    ECHO + perClient(
      'void echo(conn); void Promise.reject(new Error("unheard"));',
    ),
    /Nobody catches.*unheard/,
  ],
  [
    "leaves a listener open",
    `${ECHO}${SERVE} {
      Deno.listen({ hostname: "127.0.0.1", port: 0 });
      const clients: Promise<void>[] = [];
      for await (const conn of listener) clients.push(echo(conn));
      await Promise.all(clients);
    }`,
    /never closed the listener/,
  ],
  [
    "reads a file",
    `${SERVE} { await Deno.readTextFile("/etc/hostname"); }`,
    /NotCapable: Requires read access to "\/etc\/hostname"/,
  ],
  [
    "reads the file of another lesson",
    `${SERVE} { await Deno.readTextFile("lessons/03/echo_test.ts"); }`,
    /NotCapable: Requires read access/,
  ],
  [
    "runs a program",
    `${SERVE} { await new Deno.Command("ls").output(); }`,
    /NotCapable: Requires run access to "ls"/,
  ],
  [
    "listens beyond loopback",
    `${SERVE} { Deno.listen({ hostname: "192.0.2.1", port: 0 }); }`,
    /NotCapable: Requires net access to "192\.0\.2\.1:0"/,
  ],
  [
    "listens on every interface",
    `${ECHO}${SERVE} {
      Deno.listen({ hostname: "0.0.0.0", port: 0 }).close();
      const clients: Promise<void>[] = [];
      for await (const conn of listener) clients.push(echo(conn));
      await Promise.all(clients);
    }`,
    /NotCapable: Requires net access to "0\.0\.0\.0:0"/,
  ],
  [
    "reaches another host",
    `${SERVE} { await Deno.connect({ hostname: "192.0.2.1", port: 80 }); }`,
    /NotCapable: Requires net access to "192\.0\.2\.1:80"/,
  ],
  [
    "sends a datagram to another host",
    `${SERVE} {
      const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
      const to = { transport: "udp", hostname: "192.0.2.1", port: 9 } as const;
      await socket.send(new Uint8Array(1), to).finally(() => socket.close());
    }`,
    /NotCapable: Requires net access to "192\.0\.2\.1:9"/,
  ],
];

/** How long a program may keep its learner waiting, in milliseconds. */
const LIMIT_MS = 15_000;

/** A copy of the course, so that no learner's file is touched. */
function copyCourse(): string {
  const root = Deno.makeTempDirSync();
  const here = fileURLToPath(new URL("..", import.meta.url));
  for (const name of ["deno.json", "deno.lock", "course", "lessons/03"]) {
    if (name.includes("/")) Deno.mkdirSync(`${root}/lessons`);
    copyTree(here + name, `${root}/${name}`);
  }
  return root;
}

async function* lines(stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const whole = (rest + text).split("\n");
    rest = whole.pop()!;
    yield* whole;
  }
}

/** A runner that watches lesson 03, and what it says of each save. */
class Watching implements AsyncDisposable {
  readonly root = copyCourse();
  readonly #child = new Deno.Command(Deno.execPath(), {
    args: ["task", "-q", "learn", "--json", "--watch", "03"],
    cwd: this.root,
    stdin: "null",
    stdout: "piped",
  }).spawn();
  readonly #lines = lines(this.#child.stdout);
  #alive = true;

  /** The next verdict; what it says of types is passed over. */
  async verdict(): Promise<{ passed: boolean; failure: { text: string } }> {
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done) throw new Error("Cannot read a verdict: the runner has ended");
      const data = JSON.parse(value);
      if ("passed" in data) return data;
    }
  }

  save(source: string) {
    Deno.writeTextFileSync(`${this.root}/lessons/03/echo.ts`, source);
  }

  /** Ends it in the one way that it cannot answer. */
  async kill() {
    const runners = await processes(this.root, "course/runner/main.ts");
    for (const pid of runners) Deno.kill(pid, "SIGKILL");
    await this.#child.status; // The task that it was.
    this.#alive = false;
  }

  async [Symbol.asyncDispose]() {
    if (this.#alive) this.#child.kill("SIGTERM");
    await this.#child.status;
    await this.#lines.return(undefined);
    Deno.removeSync(this.root, { recursive: true });
  }
}

/** Who is left is seen in /proc, by `sh`; `ls` is what somebody runs. */
const NEEDS = ["/proc", "sh", "ls"];

realClient(
  "a learner's program cannot hurt, and is told what it did",
  NEEDS,
  async (t) => {
    await using runner = new Watching();
    await runner.verdict();
    for (const [does, source, says] of programs) {
      await t.step(`one that ${does}`, async () => {
        const saved = performance.now();
        runner.save(source);
        const { passed, failure } = await runner.verdict();

        assert(!passed, "it passed");
        assertMatch(failure.text.replace(/\s+/g, " "), says);
        assert(performance.now() - saved < LIMIT_MS, "it took too long");
      });
    }
    await t.step("no process is left, and the runner goes on", async () => {
      // Those that wait for the next save are new, and have loaded no program.
      const left = await processes(runner.root, "--junit-path");
      assert(left.length <= 2, `left: ${left}`);
      runner.save(`${ECHO}${SERVE} { void listener; }`);
      assert(!(await runner.verdict()).passed);
    });
    await t.step("nobody stands by for a runner that was killed", async () => {
      await runner.kill();

      const limit = performance.now() + LIMIT_MS;
      while ((await processes(runner.root, "--junit-path")).length > 0) {
        assert(performance.now() < limit, "somebody still waits");
      }
    });
  },
);
