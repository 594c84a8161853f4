// style: promise chains without async functions, and the timers of Node
import { clearTimeout, setTimeout } from "node:timers";

type Ending = "clean" | "drained" | "reset" | "gave-up";

export function pipeOneWay(
  from: Deno.TcpConn,
  to: Deno.TcpConn,
  total = 0,
): Promise<number> {
  const buffer = new Uint8Array(65_536);
  return from.read(buffer).then((n) =>
    n === null
      ? to.closeWrite().then(() => total)
      : writeAll(to, buffer.subarray(0, n))
        .then(() => pipeOneWay(from, to, total + n))
  );
}

export function relay(
  a: Deno.TcpConn,
  b: Deno.TcpConn,
): Promise<"clean" | "reset"> {
  return Promise.all([pipeOneWay(a, b), pipeOneWay(b, a)])
    .then(() => "clean" as const, resetOrThrow)
    .finally(() => [a, b].forEach((conn) => conn.close()));
}

export function closeGracefully(
  conn: Deno.TcpConn,
  { drainMs = 5_000, drainBytes = 1 << 20 } = {},
): Promise<Ending> {
  let open = true;
  let drained = 0;
  const close = () => {
    if (open) conn.close();
    open = false;
  };
  const timer = setTimeout(close, drainMs);
  const drain = (): Promise<Ending> =>
    conn.read(new Uint8Array(65_536)).then((n) => {
      if (n === null) return drained ? "drained" : "clean";
      drained += n;
      return drained > drainBytes ? "gave-up" : drain();
    });
  return conn.closeWrite().then(drain)
    .catch((error) => open ? resetOrThrow(error) : "gave-up")
    .finally(() => {
      clearTimeout(timer);
      close();
    });
}

function resetOrThrow(error: unknown): "reset" {
  const { BrokenPipe, ConnectionReset } = Deno.errors;
  const vanished = [BrokenPipe, ConnectionReset].some((kind) =>
    error instanceof kind
  );
  if (vanished) return "reset";
  throw error;
}

function writeAll(conn: Deno.TcpConn, data: Uint8Array): Promise<void> {
  return data.length === 0
    ? Promise.resolve()
    : conn.write(data).then((n) => writeAll(conn, data.subarray(n)));
}
