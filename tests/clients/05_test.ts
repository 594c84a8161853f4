// The tools that show sockets, read by lesson 05's solution while real sockets
// are in all the states that it knows. Tables of the kernel have no simulation.
import { assertEquals } from "@std/assert";
import { realClient, run, start } from "../tools.ts";

const SOLUTION = "./solutions/05/table.ts";

interface Row {
  state: string;
  local: string;
  localPort: number;
  peerPort: number;
  recvQ: number;
  sendQ: number;
}

interface Seen {
  rows: Row[];
  report: Record<string, number | boolean>;
}

const TABLES: Record<string, string[]> = {
  "ss": ["ss", "-tan"],
  "netstat": ["netstat", "-an"],
  "lsof": ["lsof", "-nP", "-iTCP"],
  "/proc/net/tcp": ["cat", "/proc/net/tcp"],
};

/** What the solution makes of a table, as far as it concerns `port`. */
async function look(table: string, port: number): Promise<Seen> {
  const [command, ...args] = TABLES[table]!;
  const { stdout: text } = await run(command!, args);
  const parse = table.startsWith("/proc") ? "parseProcNetTcp" : "parseTable";
  const { stdout, stderr } = await run(Deno.execPath(), [
    "eval",
    `import { examine, ${parse} } from "${SOLUTION}";
    const rows = ${parse}(await new Response(Deno.stdin.readable).text())
      .filter((row) => [row.localPort, row.peerPort].includes(${port}));
    const report = examine(rows, ${port});
    console.log(JSON.stringify({ rows, report }));`,
  ], { stdin: text });
  assertEquals(stderr, "");
  return JSON.parse(stdout);
}

/** Listens on a port of the kernel's choice. */
function listen(options: { tcpBacklog?: number } = {}) {
  return Deno.listen({ hostname: "127.0.0.1", port: 0, ...options });
}

function portOf(listener: Deno.Listener): number {
  return (listener.addr as Deno.NetAddr).port;
}

for (const table of Object.keys(TABLES)) {
  const tool = TABLES[table]![0]!;
  realClient(`05: ${table} shows a listener and two clients`, [
    tool,
  ], async () => {
    using listener = listen();
    const port = portOf(listener);
    using _ann = await Deno.connect({ port });
    using _bob = await Deno.connect({ port });
    using _withAnn = await listener.accept();
    using _withBob = await listener.accept();

    const { rows, report } = await look(table, port);

    // The system may give a port that somebody has just left: TIME_WAIT.
    const live = rows.filter(({ state }) => state !== "TIME_WAIT");
    const here = live.filter((row) => row.localPort === port);
    const states = here.map(({ state }) => state).sort();
    assertEquals(states, ["ESTABLISHED", "ESTABLISHED", "LISTEN"]);
    assertEquals([...new Set(here.map(({ local }) => local))], ["127.0.0.1"]);
    assertEquals(live.length, 5); // The clients' ends are there as well.
    const found = { free: false, queued: 0, accepted: 2, unclosed: 0 };
    assertEquals(report, found);
  });
}

realClient("05: ss counts those who wait to be accepted", ["ss"], async () => {
  using listener = listen();
  const port = portOf(listener);
  using _ann = await Deno.connect({ port });
  using _bob = await Deno.connect({ port });
  using _withAnn = await listener.accept();

  const { report } = await look("ss", port);

  assertEquals(report, { free: false, queued: 1, accepted: 1, unclosed: 0 });
});

realClient("05: a server that never closes fills ss", ["ss"], async () => {
  using listener = listen();
  const port = portOf(listener);
  const leaked: Deno.Conn[] = [];
  for (let i = 0; i < 7; i++) {
    using client = await Deno.connect({ port });
    const conn = await listener.accept();
    leaked.push(conn);
    await client.closeWrite();
    assertEquals(await conn.read(new Uint8Array(1)), null); // It knows.
  }

  const { report } = await look("ss", port);
  leaked.forEach((conn) => conn.close());

  assertEquals(report, { free: false, queued: 0, accepted: 7, unclosed: 7 });
});

realClient("05: TIME_WAIT is no obstacle to a new server", ["ss"], async () => {
  const listener = listen();
  const port = portOf(listener);
  const client = await Deno.connect({ port });
  const { port: other } = client.localAddr as Deno.NetAddr;
  const conn = await listener.accept();
  conn.close(); // The server is the first to close.
  assertEquals(await client.read(new Uint8Array(1)), null);
  client.close();
  listener.close();

  const { rows, report } = await look("ss", port);

  // Somebody else's client may have had the same port, a minute ago.
  const ours = rows.filter(({ localPort, peerPort }) =>
    [localPort, peerPort].includes(other)
  );
  assertEquals(ours.map(({ state }) => state), ["TIME_WAIT"]);
  assertEquals(report.free, true);
  using again = Deno.listen({ hostname: "127.0.0.1", port });
  assertEquals(portOf(again), port);
});

realClient("05: a live listener keeps its port", ["ss"], async () => {
  using listener = listen();
  const port = portOf(listener);

  const { report } = await look("ss", port);

  assertEquals(report.free, false);
  let error: unknown;
  try {
    Deno.listen({ hostname: "127.0.0.1", port }).close();
  } catch (thrown) {
    error = thrown;
  }
  assertEquals(error instanceof Deno.errors.AddrInUse, true);
});

/**
 * Both rows of a connection, the server's and the client's, once a write of the
 * client waits and two looks say the same. The same alone says little: the
 * writer may not have had its turn.
 */
async function whenFull(port: number, client: number) {
  for (let before = "", tries = 0; tries < 100; tries++) {
    const { rows } = await look("ss", port);
    // Somebody else's client may have had the server's port, a minute ago.
    const server = rows.find(({ peerPort }) => peerPort === client);
    const other = rows.find(({ localPort }) => localPort === client);
    const both = JSON.stringify([server, other]);
    if (server && other && other.sendQ > 0 && both === before) {
      return { server, other };
    }
    before = both;
  }
  throw new Error("Cannot see full queues at rest: after 100 looks none are");
}

realClient("05: ss shows what nobody reads, on both sides", [
  "ss",
], async () => {
  using listener = listen();
  const port = portOf(listener);
  const client = await Deno.connect({ port });
  using _conn = await listener.accept();
  // One write may find room for all of it; sooner or later another one waits.
  let taken = 0;
  const writing = (async () => {
    for (;;) taken += await client.write(new Uint8Array(1_048_576));
  })().catch(() => {}); // It is closed below.

  const from = (client.localAddr as Deno.NetAddr).port;
  const { server, other } = await whenFull(port, from);

  assertEquals(server.recvQ > 0, true);
  // What has arrived and is not confirmed yet counts on both sides.
  assertEquals(server.recvQ + other.sendQ >= taken, true);
  client.close();
  await writing;
});

realClient("05: the program reads ss, and knocks at nc", [
  "ss",
  "nc",
], async () => {
  await using server = start("nc", ["-v", "-l", "127.0.0.1", "7005"]);
  await server.when(() => server.stderr.includes("Listening"), "listen");
  const { stdout: table } = await run("ss", ["-tan"]);

  const args = ["run", "-q", "-P", SOLUTION];
  const { stdout, stderr } = await run(Deno.execPath(), args, { stdin: table });

  const report = "{ free: false, queued: 0, accepted: 0, unclosed: 0 }";
  assertEquals(stdout, `${report}\nopen\n`, stderr);
});
