import { type Bench, compiled, LISTEN, solved } from "./bench.ts";
import { type Column, compare } from "./comparison.ts";
import { output } from "./process.ts";
import { onLoadCore, type Peer, type Server } from "./servers.ts";
import type { Table } from "./table.ts";

/** The name of the server that counts as 1. */
export const C = "C, epoll";
const LESSON = "lesson 03";
const NODE = "Node, `node:net`";
const STREAMS = "Python, `asyncio` streams";
const PROTOCOL = "Python, `asyncio.Protocol`";

const SERVE = `${LISTEN}
await solution.serve(listener);`;

const ANSWER = `
const socket = Deno.listenDatagram(
  { transport: "udp", hostname: "127.0.0.1", port: 0 });
console.log((socket.addr as Deno.NetAddr).port);
await solution.serveEcho(socket);`;

/** Lesson 03's echo server and four others, and the tools that load them. */
export async function echoPeers(
  bench: Bench,
): Promise<{ peers: Peer[]; tools: string }> {
  const tools = await compiled(bench, [
    "peers/echo.c",
    "load/messages.c",
    "load/visits.c",
  ]);
  const room = `${bench.root}/course/bench/peers`;
  const peers = [
    { name: C, command: [`${tools}/echo`] },
    { name: LESSON, command: solved(bench, "03/echo.ts", SERVE) },
    { name: NODE, command: ["node", `${room}/echo.mjs`] },
    { name: STREAMS, command: ["python3", `${room}/echo_streams.py`] },
    { name: PROTOCOL, command: ["python3", `${room}/echo_protocol.py`] },
  ];
  return { peers, tools };
}

/** What `tool` counts in a second, times `scale`. */
export function load(
  bench: Bench,
  tools: string,
  tool: string,
  args: readonly number[],
  scale = 1,
): (server: Server) => Promise<number> {
  return async ({ port }) => {
    const all = [port, ...args, bench.seconds].map(String);
    const said = await output(onLoadCore([`${tools}/${tool}`, ...all]));
    return parseFloat(said) * scale;
  };
}

/** Lesson 03's echo server beside four others. */
export async function echo(bench: Bench): Promise<Table> {
  const { peers, tools } = await echoPeers(bench);
  const messages = (args: number[], scale?: number) =>
    load(bench, tools, "messages", args, scale);
  const crowd = "64 B, 64 connections";
  const columns: Column[] = [
    { name: "64 B, 1 connection", measure: messages([1, 64, 1]) },
    {
      name: crowd,
      measure: messages([64, 64, 1]),
      promised: true,
    },
    { name: "64 B, 1,000", measure: messages([1_000, 64, 1]) },
    {
      name: "64 kB, 16, MB/s",
      measure: messages([16, 65_536, 4], 65_536 / 1e6),
    },
    { name: "connections/s", measure: load(bench, tools, "visits", [16]) },
  ];
  const { table, number } = await compare({
    title: "Echo over TCP",
    text: "Messages that come back in a second; in brackets, times the C " +
      "server. Bulk: 16 connections with four messages each on their way. The " +
      "load is made by a C program on a core of its own.",
    peers,
    reference: C,
    columns,
    rounds: bench.rounds,
  });
  const what = `${LESSON}, ${crowd}, times`;
  const ratio = (peer: string) => number(LESSON, crowd) / number(peer, crowd);
  const goals = [
    {
      what: `${what} a C epoll echo`,
      measured: ratio(C),
      atLeast: 0.75,
    },
    ...[NODE, STREAMS, PROTOCOL].map((peer) => ({
      what: `${what} ${peer}`,
      measured: ratio(peer),
      atLeast: 1,
    })),
  ];
  return { ...table, goals };
}

/** Lesson 04's UDP server beside the same four. */
export async function datagrams(bench: Bench): Promise<Table> {
  const tools = await compiled(bench, [
    "peers/datagrams.c",
    "load/questions.c",
  ]);
  const room = `${bench.root}/course/bench/peers`;
  const reference = "C, `recvfrom`";
  const peers: Peer[] = [
    { name: reference, command: [`${tools}/datagrams`] },
    { name: "lesson 04", command: solved(bench, "04/datagrams.ts", ANSWER) },
    { name: "Node, `node:dgram`", command: ["node", `${room}/datagrams.mjs`] },
    {
      name: "Python, `loop.sock_recvfrom`",
      command: ["python3", `${room}/datagrams_streams.py`],
    },
    {
      name: "Python, `asyncio.DatagramProtocol`",
      command: ["python3", `${room}/datagrams_protocol.py`],
    },
  ];
  let lost = 0;
  const measure = async ({ port }: Server) => {
    const args = [port, 64, 64, bench.seconds].map(String);
    const said = await output(onLoadCore([`${tools}/questions`, ...args]));
    const [answers, unanswered] = said.split(" ").map(Number);
    lost += unanswered!;
    return answers!;
  };
  const { table } = await compare({
    title: "Datagrams",
    text:
      "Answers in a second to datagrams of 64 B, 64 of them on their way; " +
      "every server sends the text back in upper case.",
    peers,
    reference,
    columns: [{ name: "answers/s", measure }],
    rounds: bench.rounds,
  });
  const text = `${table.text} ${lost === 0 ? "None" : lost} got lost.`;
  return { ...table, text };
}
