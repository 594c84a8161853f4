import { type Bench, exists, LISTEN, solved } from "./bench.ts";
import { compare } from "./comparison.ts";
import { parseRedisBenchmark } from "./parse.ts";
import { Process } from "./process.ts";
import { onLoadCore, type Peer, type Server } from "./servers.ts";
import type { Table } from "./table.ts";

const SERVE = `${LISTEN}
await solution.serve(listener);`;

/** Lesson 23's store under redis-benchmark, beside Redis. */
export async function store(bench: Bench): Promise<Table> {
  const path = "23/store.ts";
  if (!exists(bench, `solutions/${path}`)) {
    throw new Error("Cannot measure the store: lesson 23 is not there");
  }
  const reference = "`redis-server`";
  const peers: Peer[] = [
    redis(bench),
    { name: "lesson 23", command: solved(bench, path, SERVE) },
  ];
  let errors = 0;
  const requests = bench.tiny ? 2_000 : 200_000;
  const measure = (test: string) => async ({ port }: Server) => {
    const where = ["-h", "127.0.0.1", "-p", `${port}`, "--csv"];
    const what = ["-t", test, "-P", "16", "-n", `${requests}`];
    const command = ["redis-benchmark", ...where, ...what];
    await using process = new Process(onLoadCore(command));
    const { success } = await process.ended;
    if (!success || /\bERR\b|^Error/m.test(process.printed)) {
      errors++;
      throw process.failure("end without an error");
    }
    const [perSecond] = parseRedisBenchmark(process.stdout).values();
    return perSecond!;
  };
  const { table } = await compare({
    title: "Commands under `redis-benchmark`",
    text: "Commands in a second: 50 connections, 16 commands at once on each.",
    peers,
    reference,
    columns: ["ping_inline", "ping_mbulk", "set", "get"]
      .map((test) => ({ name: `\`${test}\``, measure: measure(test) })),
    rounds: bench.rounds,
  });
  const what = "errors under `redis-benchmark`";
  return { ...table, goals: [{ what, measured: errors, atMost: 0 }] };
}

/** A real Redis that keeps nothing, on a port that was free a moment ago. */
function redis({ folder }: Bench): Peer {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const where = ["--bind", "127.0.0.1", "--port", `${listener.addr.port}`];
  const nothing = ["--save", "", "--appendonly", "no", "--dir", folder];
  return {
    name: "`redis-server`",
    command: ["redis-server", ...where, ...nothing],
    ready: /port=(\d+)[^]*Ready to accept/,
  };
}
