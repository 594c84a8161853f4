// Lesson 05: looking at sockets.
//
// The kernel keeps a table of all sockets, and each system has a tool that
// prints it. This program reads the table of one tool, and believes what it
// seems to say. Read the others as well, and tell what the rows really mean.

/** The states of TCP, numbered from 1 as in `/proc/net/tcp`. */
const STATES = [
  "ESTABLISHED",
  "SYN_SENT",
  "SYN_RECV",
  "FIN_WAIT_1",
  "FIN_WAIT_2",
  "TIME_WAIT",
  "CLOSE",
  "CLOSE_WAIT",
  "LAST_ACK",
  "LISTEN",
  "CLOSING",
] as const;

/** The state of a TCP socket. */
export type State = typeof STATES[number];

/** One socket, as one side of a connection sees it. */
export interface SocketRow {
  readonly state: State;
  /** An address without brackets; `*`, `0.0.0.0` and `::` as they stand. */
  readonly local: string;
  readonly localPort: number;
  readonly peer: string;
  /** 0 if there is no peer. */
  readonly peerPort: number;
  /** Bytes that nobody has read; of a listener, clients in its queue. */
  readonly recvQ: number;
  /** Bytes that the peer has not confirmed. */
  readonly sendQ: number;
}

/** Reads what `ss -tan`, `netstat -an` or `lsof -nP -iTCP` prints. */
export function parseTable(text: string): SocketRow[] {
  const rows: SocketRow[] = [];
  for (const line of text.split("\n")) {
    // TODO: This reads ss. Of what the others print, nothing is left.
    const words = line.trim().split(/\s+/);
    const state = stateOf(words[0]!);
    const local = addressOf(words[3]);
    const peer = addressOf(words[4]) ?? ["*", 0];
    if (state === undefined || local === undefined) continue;
    rows.push({
      state,
      local: local[0],
      localPort: local[1],
      peer: peer[0],
      peerPort: peer[1],
      recvQ: Number(words[1]),
      sendQ: Number(words[2]),
    });
  }
  return rows;
}

/** The state that a tool calls `word`, if it is one. */
function stateOf(word: string): State | undefined {
  const plain = (name: string) => name.replace(/[-_()]/g, "");
  const other: Record<string, string> = {
    ESTAB: "ESTABLISHED",
    LISTENING: "LISTEN",
    CLOSED: "CLOSE",
    SYNRCVD: "SYNRECV",
    SYNRECEIVED: "SYNRECV",
  };
  const name = other[plain(word)] ?? plain(word);
  return STATES.find((state) => plain(state) === name);
}

/** The address and the port that `word` names, if it is such a pair. */
function addressOf(word = ""): [string, number] | undefined {
  // TODO: On a Mac 127.0.0.1.7005 is a pair as well.
  const [, host, port] = word.match(/^(.+):(\d+|\*)$/) ?? [];
  if (host === undefined) return undefined;
  return [host.replace(/[[\]]/g, ""), Number(port) || 0];
}

/** Reads `/proc/net/tcp`, which the tools of Linux read as well. */
export function parseProcNetTcp(text: string): SocketRow[] {
  const pair = "([0-9A-F]{8}):([0-9A-F]{4})";
  const line = RegExp(
    `^ *\\d+: ${pair} ${pair} ([0-9A-F]{2}) ([0-9A-F]{8}):([0-9A-F]{8})`,
    "gm",
  );
  return [...text.matchAll(line)].flatMap((found) => {
    const [local, localPort, peer, peerPort, st, tx, rx] = found.slice(1);
    const state = STATES[hex(st!) - 1];
    return state === undefined ? [] : {
      state,
      local: ipv4(local!),
      localPort: hex(localPort!),
      peer: ipv4(peer!),
      peerPort: hex(peerPort!),
      recvQ: hex(rx!),
      sendQ: hex(tx!),
    };
  });
}

function hex(digits: string): number {
  return parseInt(digits, 16);
}

/** An IPv4 address out of 8 digits of hex. */
function ipv4(digits: string): string {
  // TODO: 0100007F comes out as 1.0.0.127.
  return [0, 2, 4, 6].map((at) => hex(digits.slice(at, at + 2))).join(".");
}

/** What a table says about the programs at one port of this machine. */
export interface Report {
  /** Whether a server could listen there now. */
  readonly free: boolean;
  /** Clients that are connected, and that no program has accepted. */
  readonly queued: number;
  /** Out of the queue, and not ended by the program, even if by the client. */
  readonly accepted: number;
  /** Connections that the client has ended, and the program has not closed. */
  readonly unclosed: number;
}

/** Says what `rows`, a table of Linux, mean for the TCP port `port`. */
export function examine(rows: readonly SocketRow[], port: number): Report {
  // On loopback the other end of each connection is in the table as well.
  const here = rows.filter(({ localPort }) => localPort === port);
  const count = (state: State) =>
    here.filter((row) => row.state === state).length;
  const listeners = here.filter(({ state }) => state === "LISTEN");
  const queued = listeners.reduce((sum, { recvQ }) => sum + recvQ, 0);
  return {
    // TODO: The server has ended, and for a minute its port looks taken.
    free: here.length === 0,
    queued,
    // TODO: The program has accepted one, and this says two.
    accepted: count("ESTABLISHED") + count("CLOSE_WAIT"),
    unclosed: count("CLOSE_WAIT"),
  };
}

/** What one finds who knocks at a port. */
export type Verdict =
  | "open"
  | "refused"
  | "timeout"
  | "unreachable"
  | "no-name"
  | "denied";

/** What it means that `Deno.connect` threw `error`; others are thrown again. */
export function verdictOf(error: unknown): Verdict {
  const { ConnectionRefused } = Deno.errors;
  if (!(error instanceof Error)) throw error;
  if (error instanceof ConnectionRefused) return "refused";
  // TODO: Whatever else goes wrong is called a timeout.
  return "timeout";
}

/** Knocks at `to`, waits at most `ms` milliseconds, and leaves no trace. */
export async function classifyConnect(
  to: { hostname: string; port: number },
  _ms: number,
): Promise<Verdict> {
  try {
    // TODO: Nobody answers, and the next line waits for two minutes.
    await Deno.connect(to);
    // TODO: Each knock adds a row to the table, and the row stays.
    return "open";
  } catch (error) {
    return verdictOf(error);
  }
}

// Try it by hand: `ss -tan | deno run -P lessons/05/table.ts [PORT]`.
if (import.meta.main) {
  const port = Number(Deno.args[0] ?? 7005);
  const text = await new Response(Deno.stdin.readable).text();
  const raw = text.includes("local_address");
  const rows = raw ? parseProcNetTcp(text) : parseTable(text);
  console.log(examine(rows, port));
  console.log(await classifyConnect({ hostname: "127.0.0.1", port }, 1_000));
}
