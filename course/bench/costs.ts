import type { Bench } from "./bench.ts";
import { compare } from "./comparison.ts";
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
  const inKernel = new Map<string, number[]>();
  /** One load tells both: the second column gives what the first has left. */
  const own = async (server: Server) => {
    const before = await ticks(server.process.pid);
    const rate = await messages(server);
    const after = await ticks(server.process.pid);
    const each = (part: keyof Ticks) =>
      (after[part] - before[part]) / perSecond / (rate * bench.seconds) * 1e6;
    const soFar = inKernel.get(server.name) ?? [];
    inKernel.set(server.name, [...soFar, each("kernel")]);
    return each("own");
  };
  const kernel = ({ name }: Server) =>
    Promise.resolve(inKernel.get(name)!.shift()!);
  const { table } = await compare({
    title: "Where a message's time goes",
    text: "Microseconds of processor time for a message of 64 B on one of 64 " +
      "connections, in the server's own code and in the kernel.",
    peers,
    reference: C,
    columns: [
      { name: "its own, µs", measure: own },
      { name: "the kernel's, µs", measure: kernel },
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
