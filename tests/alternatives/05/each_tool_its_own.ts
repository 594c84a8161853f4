// style: a function for each tool; promises without await
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
export type State = typeof STATES[number];
export interface SocketRow {
  readonly state: State;
  readonly local: string;
  readonly localPort: number;
  readonly peer: string;
  readonly peerPort: number;
  readonly recvQ: number;
  readonly sendQ: number;
}
export function parseTable(text: string): SocketRow[] {
  const rows: SocketRow[] = [];
  for (const line of text.split("\n")) {
    const words = line.trim().split(/\s+/);
    const row = lsof(line) ?? ss(words) ?? netstat(words) ?? windows(words);
    if (row) rows.push(row);
  }
  return rows;
}

function made(
  state = "",
  local = "",
  peer = "*:*",
  recvQ = "0",
  sendQ = "0",
): SocketRow | null {
  const name = stateOf(state);
  const here = addressOf(local);
  const there = addressOf(peer);
  if (!name || !here || !there) return null;
  return {
    state: name,
    local: here[0],
    localPort: here[1],
    peer: there[0],
    peerPort: there[1],
    recvQ: parseInt(recvQ),
    sendQ: parseInt(sendQ),
  };
}

function lsof(line: string) {
  const [, ends, state] = line.match(/ TCP (\S+) (\(\w+\))\s*$/) ?? [];
  const [local, peer] = ends?.split("->") ?? [];
  return made(state, local, peer);
}

function ss([state, recvQ, sendQ, local, peer]: string[]) {
  return made(state, local, peer, recvQ, sendQ);
}

function netstat([proto, recvQ, sendQ, local, peer, state]: string[]) {
  return proto?.startsWith("tcp")
    ? made(state, local, peer, recvQ, sendQ)
    : null;
}

function windows([proto, local, peer, state]: string[]) {
  return proto === "TCP" ? made(state, local, peer) : null;
}

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
function addressOf(word = ""): [string, number] | undefined {
  const [, host, port] = word.match(
    /^(\*|\d+\.\d+\.\d+\.\d+(?:%\w+)?|\[?[\da-f.]*:[\da-f:.]*(?:%\w+)?\]?)[.:](\d+|\*)$/i,
  ) ?? [];
  if (host === undefined) return undefined;
  return [host.replace(/[[\]]/g, ""), Number(port) || 0];
}
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
function ipv4(digits: string): string {
  return [6, 4, 2, 0].map((at) => hex(digits.slice(at, at + 2))).join(".");
}
export interface Report {
  readonly free: boolean;
  readonly queued: number;
  readonly accepted: number;
  readonly unclosed: number;
}
export function examine(rows: readonly SocketRow[], port: number): Report {
  const report = { free: true, queued: 0, accepted: 0, unclosed: 0 };
  for (const row of rows) {
    if (row.localPort !== port) continue;
    switch (row.state) {
      case "LISTEN":
        report.free = false;
        report.queued += row.recvQ;
        report.accepted -= row.recvQ;
        break;
      case "ESTABLISHED":
        report.accepted++;
        break;
      case "CLOSE_WAIT":
        report.unclosed++;
        report.accepted++;
        break;
    }
  }
  report.accepted = Math.max(0, report.accepted);
  return report;
}

export type Verdict =
  | "open"
  | "refused"
  | "timeout"
  | "unreachable"
  | "no-name"
  | "denied";
export function verdictOf(error: unknown): Verdict {
  const { ConnectionRefused, NetworkUnreachable, NotCapable, TimedOut } =
    Deno.errors;
  if (!(error instanceof Error)) throw error;
  if (error instanceof ConnectionRefused) return "refused";
  if (error instanceof TimedOut) return "timeout";
  if (error.name === "TimeoutError") return "timeout";
  if (error instanceof NetworkUnreachable) return "unreachable";
  if ("code" in error && error.code === "EHOSTUNREACH") return "unreachable";
  if (error.message.startsWith("failed to lookup address")) return "no-name";
  if (error instanceof NotCapable) return "denied";
  throw error;
}
export function classifyConnect(
  to: { hostname: string; port: number },
  ms: number,
): Promise<Verdict> {
  const signal = AbortSignal.any([AbortSignal.timeout(ms)]);
  return Deno.connect({ ...to, signal }).then((conn) => {
    conn.close();
    return "open" as const;
  }).catch(verdictOf);
}
