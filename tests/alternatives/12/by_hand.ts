// style: index by index and number by number; probes before it listens
export function parseHostPort(
  text: string,
  defaultPort?: number,
): { hostname: string; port: number } {
  const fail = (why: string): never => {
    throw new TypeError(`"${text}" is not understood: ${why}`);
  };
  let hostname = text;
  let digits: string | undefined;
  if (text.startsWith("[")) {
    const end = text.indexOf("]");
    if (end < 0) fail("a bracket is open");
    hostname = text.slice(1, end);
    const rest = text.slice(end + 1);
    if (rest !== "" && rest[0] !== ":") {
      fail("there is more behind the bracket");
    }
    if (rest !== "") digits = rest.slice(1);
  } else if (text.includes("]")) {
    fail("a bracket was never opened");
  } else if (text.split(":").length === 2) {
    const colon = text.indexOf(":");
    hostname = text.slice(0, colon);
    digits = text.slice(colon + 1);
  }
  if (hostname === "") fail("there is no host");
  const isV6 = text.startsWith("[") || hostname.includes(":");
  if (isV6 && !isAddress(hostname)) fail("this is no address");
  if (digits === undefined) {
    return { hostname, port: defaultPort ?? fail("there is no port") };
  }
  let port = 0;
  if (digits === "") fail("there is no port");
  for (const digit of digits) {
    const value = digit.charCodeAt(0) - 48;
    if (value < 0 || value > 9) fail("its port is no number");
    port = port * 10 + value;
  }
  if (port > 65_535) fail("its port is too large");
  return { hostname, port };
}

/** Whether there are eight groups, or fewer and one gap. */
function isAddress(text: string): boolean {
  const [full = ""] = text.split("%");
  // An address of IPv4 in the end stands for two groups.
  const address = full.replace(/(?<=:)\d+\.\d+\.\d+\.\d+$/, "0:0");
  const gaps = address.split("::").length - 1;
  const groups = address.split(":").filter((group) => group !== "");
  return address.includes(":") &&
    groups.every((group) => /^[\da-f]{1,4}$/i.test(group)) &&
    (gaps === 0 ? groups.length === 8 : gaps === 1 && groups.length < 8);
}

export function sameHost(one: string, other: string): boolean {
  const [a, b] = [words(one), words(other)];
  if (!a || !b) return !a && !b && one.toLowerCase() === other.toLowerCase();
  return a.zone === b.zone && a.words.every((word, i) => word === b.words[i]);
}

/** The eight words of an address; IPv4 is put where IPv6 keeps it. */
function words(host: string): { words: number[]; zone: string } | undefined {
  const [address = "", zone = ""] = host.toLowerCase().split("%");
  if (/^\d+\.\d+\.\d+\.\d+$/.test(address)) return words(`::ffff:${address}`);
  if (!address.includes(":")) return undefined;
  const [left = "", right] = address.split("::").map((half) => half);
  const head = numbers(left);
  if (right === undefined) return { words: head, zone };
  const tail = numbers(right);
  const gap = new Array(8 - head.length - tail.length).fill(0);
  return { words: [...head, ...gap, ...tail], zone };
}

function numbers(half: string): number[] {
  return half.split(":").filter((group) => group !== "").flatMap((group) => {
    if (!group.includes(".")) return [parseInt(group, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = group.split(".").map(Number);
    return [a * 256 + b, c * 256 + d];
  });
}

export const listenLocal = (port: number) =>
  Deno.listen({ hostname: "127.0.0.1", port });

export const listenEverywhere = (port: number) =>
  Deno.listen({ hostname: "[::]", port });

interface Options {
  resolve: (name: string) => Promise<string[]>;
  attemptDelayMs?: number;
  signal?: AbortSignal;
}

export async function connectAny(
  name: string,
  port: number,
  { resolve, attemptDelayMs = 250, signal }: Options,
): Promise<Deno.TcpConn> {
  return await new Promise((succeed, fail) => {
    let queue: string[] = [];
    const failures: string[] = [];
    let running = 0;
    const over = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;

    function end() {
      over.abort();
      clearTimeout(timer);
    }

    // Two may come in one moment; the second is sent home.
    function arrived(conn: Deno.TcpConn) {
      if (over.signal.aborted) return conn.close();
      end();
      succeed(conn);
    }

    function next() {
      clearTimeout(timer);
      const hostname = queue.shift();
      if (over.signal.aborted) return;
      if (hostname === undefined) {
        if (running === 0) fail(new Error(failures.join("\n")));
        return;
      }
      running++;
      timer = setTimeout(next, attemptDelayMs);
      Deno.connect({ hostname, port, signal: over.signal })
        .then(arrived, (error) => {
          running--;
          failures.push(`${hostname} says ${error.name}`);
          next();
        });
    }

    signal?.addEventListener("abort", () => {
      end();
      fail(signal.reason);
    });
    if (signal?.aborted) return fail(signal.reason);
    resolve(name).then((addresses) => {
      queue = [...addresses];
      if (queue.length === 0) fail(new Error(`${name} is nowhere`));
      else next();
    }, fail);
  });
}

export async function listenUnix(path: string): Promise<Deno.UnixListener> {
  const { AddrInUse, ConnectionRefused, NotFound } = Deno.errors;
  try {
    const info = Deno.lstatSync(path);
    if (!info.isSocket) throw new AddrInUse(`${path} is no socket`);
    (await Deno.connect({ transport: "unix", path })).close();
  } catch (error) {
    if (error instanceof ConnectionRefused) Deno.removeSync(path);
    else if (!(error instanceof NotFound)) throw error;
  }
  const listener = Deno.listen({ transport: "unix", path });
  Deno.chmodSync(path, 0o600); // For programs of this user alone.
  return listener;
}

export async function serve(listener: Deno.Listener): Promise<void> {
  const { BrokenPipe, ConnectionReset } = Deno.errors;
  const answered: Promise<void>[] = [];
  for await (const conn of listener) {
    answered.push(
      answer(conn).catch((error) => {
        const gone = error instanceof BrokenPipe ||
          error instanceof ConnectionReset;
        if (!gone) throw error;
      }).finally(() => conn.close()),
    );
  }
  await Promise.all(answered);
}

async function answer(conn: Deno.Conn) {
  const peer = conn.remoteAddr as Deno.NetAddr;
  const where = peer.hostname ?? "this machine";
  await conn.write(new TextEncoder().encode(`You come from ${where}\n`));
  await conn.closeWrite();
  while (await conn.read(new Uint8Array(64)) !== null) continue;
}
