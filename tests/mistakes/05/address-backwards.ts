// expect: address-backwards
// Two digits are one byte, and one reads from left to right.
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
    if (/^\s*udp/i.test(line)) continue;
    const words = line.replace("->", " ").trim().split(/\s+/);
    const state = words.map(stateOf).find(Boolean);
    const at = words.findIndex(addressOf);
    const local = addressOf(words[at]);
    const peer = addressOf(words[at + 1]) ?? ["*", 0];
    if (state === undefined || local === undefined) continue;
    rows.push({
      state,
      local: local[0],
      localPort: local[1],
      peer: peer[0],
      peerPort: peer[1],
      recvQ: Number(words[at - 2]) || 0,
      sendQ: Number(words[at - 1]) || 0,
    });
  }
  return rows;
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
  return [0, 2, 4, 6].map((at) => hex(digits.slice(at, at + 2))).join(".");
}
export interface Report {
  readonly free: boolean;
  readonly queued: number;
  readonly accepted: number;
  readonly unclosed: number;
}
export function examine(rows: readonly SocketRow[], port: number): Report {
  const here = rows.filter(({ localPort }) => localPort === port);
  const count = (state: State) =>
    here.filter((row) => row.state === state).length;
  const listeners = here.filter(({ state }) => state === "LISTEN");
  const queued = listeners.reduce((sum, { recvQ }) => sum + recvQ, 0);
  const connected = count("ESTABLISHED") + count("CLOSE_WAIT");
  return {
    free: listeners.length === 0,
    queued,
    accepted: Math.max(0, connected - queued),
    unclosed: count("CLOSE_WAIT"),
  };
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
export async function classifyConnect(
  to: { hostname: string; port: number },
  ms: number,
): Promise<Verdict> {
  try {
    const signal = AbortSignal.timeout(ms);
    const conn = await Deno.connect({ ...to, signal });
    conn.close();
    return "open";
  } catch (error) {
    return verdictOf(error);
  }
}
