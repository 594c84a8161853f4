// Each thing is broken on purpose: on this machine where that is possible, and
// in a system made up for it where it is not.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { examine, type Finding } from "./doctor.ts";
import { orphansAmong, type System, thisSystem } from "./system.ts";
import { TestCourse } from "./test_course.ts";
import { healthLines } from "./words.ts";

/** What the doctor finds in a made-up course, in a system changed so. */
async function findings(
  change: Partial<System> = {},
  course = new TestCourse(),
): Promise<Map<string, Finding>> {
  using made = course;
  const greet = () => Promise.resolve(undefined);
  const system = { ...thisSystem(), editor: "code", greet, ...change };
  const found = new Map<string, Finding>();
  for await (const finding of examine(system, made.open())) {
    found.set(finding.subject, finding);
  }
  return found;
}

/** The only thing that is not well. */
async function illness(
  change: Partial<System>,
  course?: TestCourse,
): Promise<Finding> {
  const found = await findings(change, course);
  const ill = [...found.values()].filter(({ well }) => !well);
  assertEquals(ill.length, 1, JSON.stringify([...found.values()]));
  return ill[0]!;
}

Deno.test("examine() finds nothing where nothing is wrong", async () => {
  const found = await findings();

  assert([...found.values()].every(({ well }) => well));
  assertEquals(found.size, 8);
});

Deno.test("examine() finds another Deno", async () => {
  for (const version of ["1.46.3", "2.7.0", "3.0.0"]) {
    const { subject, advice } = await illness({ version });

    assertEquals(subject, "Deno");
    assertStringIncludes(advice!, "npx -y deno@2.9.6");
  }
});

Deno.test("examine() finds that there is no IPv6", async () => {
  const { greet } = thisSystem();
  // Nobody has this address: it is for documents (RFC 3849).
  const { subject, advice } = await illness({
    greet: (host) => greet(host === "::1" ? "2001:db8::1" : host),
  });

  assertEquals(subject, "loopback, IPv6");
  assertStringIncludes(advice!, "lesson 12");
});

Deno.test("examine() finds that no file events come", async () => {
  const { subject, advice } = await illness({
    eventsArrive: () => Promise.resolve(false),
  });

  assertEquals(subject, "the watcher");
  assertStringIncludes(advice!, "five times a second");
});

Deno.test("examine() finds who has the port of a lesson", async () => {
  const hostname = "127.0.0.1";
  using _tcp = Deno.listen({ hostname, port: 7_001 });
  const { subject, found, advice } = await illness({ os: "linux" });

  assertEquals([subject, found], ["ports", "7001 is taken"]);
  assertStringIncludes(advice!, "ss -tlnp sport = :7001");
});

Deno.test("examine() finds the port of a lesson taken for UDP", async () => {
  const at = { hostname: "127.0.0.1", port: 7_002, transport: "udp" } as const;
  const udp = Deno.listenDatagram(at);
  const { found, advice } = await illness({ os: "windows" });
  udp.close();

  assertEquals(found, "7002 (UDP) is taken");
  assertStringIncludes(advice!, "netstat -ano | findstr :7002");
});

Deno.test("examine() finds a process whose runner is gone", {
  ignore: Deno.build.os === "windows", // It lists others than `sh`.
}, async () => {
  const course = new TestCourse();
  // No process has this number: the largest that Linux gives is 4,194,304.
  const results = `${course.root}/.course/run-5000000-1.xml`;
  const idle = new Deno.Command("sh", {
    args: ["-c", "read line", "sh", "--junit-path", results],
    stdin: "piped",
  }).spawn();

  const { subject, found, advice } = await illness({ os: "linux" }, course);
  await idle.stdin.close();
  await idle.status;

  assertEquals(subject, "processes");
  assertStringIncludes(found, "1 left over");
  assertStringIncludes(advice!, `kill -9 ${idle.pid}`);
});

Deno.test("orphansAmong() leaves alone whose runner lives", () => {
  const lines = `
    12 deno run -P=learn course/runner/main.ts
    13 deno test --junit-path /home/ann/course/.course/run-12-1.xml
    14 deno test --junit-path /home/ann/course/.course/run-11-8.xml
    15 deno test --junit-path /home/bob/course/.course/run-10-1.xml
    16 less /home/ann/course/.course/run-11-8.xml`;

  assertEquals(orphansAmong(lines, "/home/ann/course/.course/run-"), [14]);
});

Deno.test("examine() finds a folder that cannot be written", async () => {
  const course = new TestCourse();
  Deno.removeSync(`${course.root}/.course`, { recursive: true });
  course.write(".course", "a file where a folder must be");

  const { subject, found } = await illness({
    eventsArrive: () => Promise.resolve(true),
  }, course);

  assertEquals(subject, "the folder");
  assertStringIncludes(found, ".course");
});

Deno.test("examine() takes a missing editor for no illness", async () => {
  const found = await findings({ editor: undefined });
  const { well, advice } = found.get("the editor")!;

  assert(well);
  assertStringIncludes(advice!, "VISUAL");
});

Deno.test("healthLines() keeps to 80 columns", () => {
  const found = "a long story ".repeat(20);
  const lines = healthLines({
    subject: "ports",
    well: false,
    found,
    advice: found,
  });

  assert(lines.split("\n").every(({ length }) => length <= 80));
  assert(lines.startsWith("  ✗ ports           a long story"));
});
