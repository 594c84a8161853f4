import type { Bench } from "./bench.ts";
import { type Column, compare } from "./comparison.ts";
import { C, echoPeers, load } from "./echo.ts";
import { output } from "./process.ts";
import type { Server } from "./servers.ts";
import type { Table } from "./table.ts";

/**
 * Where the time of an echoed message goes: into the server itself, or into the
 * kernel, which all of them ask for the same.
 */
export async function costs(bench: Bench): Promise<Table> {
  const { peers, tools } = await echoPeers(bench);
  const messages = load(bench, tools, "messages", [64, 64, 1]);
  const perSecond = Number(await output(["getconf", "CLK_TCK"]));
  const column = (name: string, part: keyof Ticks): Column => ({
    name,
    measure: async (server: Server) => {
      const before = await ticks(server.process.pid);
      const rate = await messages(server);
      const spent = (await ticks(server.process.pid))[part] - before[part];
      return spent / perSecond / (rate * bench.seconds) * 1e6;
    },
  });
  const { table } = await compare({
    title: "Where a message's time goes",
    text: "Microseconds of processor time for a message of 64 B on one of 64 " +
      "connections, in the server's own code and in the kernel.",
    peers,
    reference: C,
    columns: [
      column("its own, µs", "own"),
      column("the kernel's, µs", "kernel"),
    ],
    rounds: bench.rounds,
  });
  return table;
}

interface Ticks {
  readonly own: number;
  readonly kernel: number;
}

/** What a process has used so far: utime and stime of proc(5), `/proc/pid/stat`. */
async function ticks(pid: number): Promise<Ticks> {
  const stat = await output(["cat", `/proc/${pid}/stat`]);
  // The second field is the command's name, which may have blanks in it.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return { own: Number(fields[11]), kernel: Number(fields[12]) };
}
