import { type Bench, deno, LISTEN, solved } from "./bench.ts";
import { compare } from "./comparison.ts";
import { parseWrk } from "./parse.ts";
import { output } from "./process.ts";
import { onLoadCore, type Peer, type Server } from "./servers.ts";
import type { Table } from "./table.ts";

const OURS = `${LISTEN}
const headers = [["Content-Type", "text/plain;charset=UTF-8"]] as const;
await solution.serve(listener, () => ({ status: 200, headers, body: "Hello.\\n" }));`;

const BUILT_IN = `
const onListen = ({ port }: { port: number }) => console.log(port);
Deno.serve({ hostname: "127.0.0.1", port: 0, onListen }, () =>
  new Response("Hello.\\n"));`;

/** Lesson 21's server under wrk, beside Deno's own. */
export async function http(bench: Bench): Promise<Table> {
  const reference = "`Deno.serve`";
  const lesson = "lesson 21";
  const peers: Peer[] = [
    { name: reference, command: deno(bench, "built_in", BUILT_IN) },
    { name: lesson, command: solved(bench, "21/http.ts", OURS) },
  ];
  let errors = 0;
  const measure = (conns: number) => async ({ port }: Server) => {
    const seconds = Math.ceil(bench.seconds); // wrk takes whole ones only.
    const args = ["-t1", `-c${conns}`, `-d${seconds}s`];
    const wrk = onLoadCore(["wrk", ...args, `http://127.0.0.1:${port}/`]);
    const answers = parseWrk(await output(wrk));
    errors += answers.errors;
    return answers.perSecond;
  };
  const { table } = await compare({
    title: "HTTP under `wrk`",
    text: "Answers of 7 bytes in a second, on connections that are kept.",
    peers,
    reference,
    columns: [1, 64, 256].map((conns) => ({
      name: `${conns} connection${conns === 1 ? "" : "s"}`,
      measure: measure(conns),
    })),
    rounds: bench.rounds,
  });
  const goals = [{ what: "errors under `wrk`", measured: errors, atMost: 0 }];
  return { ...table, goals };
}
