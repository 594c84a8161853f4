import { type Bench, compiled, exists, LISTEN, solved } from "./bench.ts";
import { compare } from "./comparison.ts";
import { output, Process } from "./process.ts";
import type { Peer, Server } from "./servers.ts";
import type { Table } from "./table.ts";

const SERVE = `${LISTEN}
await solution.serve(listener);`;

/** What an idle connection costs lesson 27's server, and others. */
export async function memory(bench: Bench): Promise<Table> {
  const tools = await compiled(bench, ["peers/echo.c", "load/idle.c"]);
  const room = `${bench.root}/course/bench/peers`;
  const conns = bench.tiny ? 100 : 10_000;
  const crowd = "27/crowd.ts";
  const solution = exists(bench, `solutions/${crowd}`) ? [crowd] : [];
  const reference = "C, epoll";
  const peers: Peer[] = [
    { name: reference, command: [`${tools}/echo`] },
    ...[...solution, "03/echo.ts"].map((path) => ({
      name: `lesson ${path.slice(0, 2)}`,
      command: solved(bench, path, SERVE),
    })),
    { name: "Node, `node:net`", command: ["node", `${room}/echo.mjs`] },
    {
      name: "Python, `asyncio.Protocol`",
      command: ["python3", `${room}/echo_protocol.py`],
    },
  ];
  const column = "kB per connection";
  const measure = async ({ port, process }: Server) => {
    await hold(1); // What the first one alone costs is no connection's price.
    const before = await residentKb(process.pid);
    return (await hold(conns) - before) / conns;

    async function hold(count: number): Promise<number> {
      const command = [`${tools}/idle`, `${port}`, `${count}`];
      await using crowd = new Process(command);
      await crowd.prints(/ready/);
      return await residentKb(process.pid);
    }
  };
  const { table, number } = await compare({
    title: "Memory of idle connections",
    text: `Resident memory that ${conns.toLocaleString("en-US")} connections ` +
      "add, each of which has spoken once." +
      (solution.length > 0 ? "" : " Lesson 27 is not there; lesson 03 is."),
    peers,
    reference,
    columns: [{ name: column, measure }],
    rounds: 1, // Memory that is freed is kept: a second round would add less.
  });
  const goals = solution.map(() => ({
    what: `lesson 27, an idle connection of ${conns}`,
    unit: " kB",
    measured: number("lesson 27", column),
    atMost: 10,
  }));
  return { ...table, goals };
}

async function residentKb(pid: number): Promise<number> {
  return Number(await output(["ps", "-o", "rss=", "-p", `${pid}`]));
}
