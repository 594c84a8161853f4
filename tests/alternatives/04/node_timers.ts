// style: one loop per function, Buffer instead of DataView, timers of node:timers
import { Buffer } from "node:buffer";
import { setTimeout as pause } from "node:timers/promises";

export interface RequestOptions {
  timeoutMs: number;
  retries: number;
  id?: number;
}

const { BadResource, Interrupted, TimedOut } = Deno.errors;

export async function serveEcho(socket: Deno.DatagramConn): Promise<void> {
  for (;;) {
    const [bytes, from] = await socket.receive().catch(nothingIfClosed);
    if (bytes === undefined) return;
    try {
      const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
      await socket.send(Buffer.from(text.toUpperCase()), from);
    } catch {
      continue; // That one gets no answer.
    }
  }
}

export async function request(
  to: Deno.NetAddr,
  payload: Uint8Array,
  options: RequestOptions,
): Promise<Uint8Array> {
  const head = Buffer.alloc(4);
  head.writeUInt32BE(options.id ?? Math.floor(Math.random() * 0xffffffff));
  const question = Buffer.concat([head, payload]);
  const here = { transport: "udp", hostname: "127.0.0.1", port: 0 } as const;
  const socket = Deno.listenDatagram(here);
  let receiving = socket.receive();
  try {
    for (let left = options.retries; left >= 0; left--) {
      await socket.send(question, to);
      const late = new AbortController();
      const { signal } = late;
      const silence = pause(options.timeoutMs, undefined, { signal });
      silence.catch(() => {}); // It is given up when the answer is there.
      for (;;) {
        const datagram = await Promise.race([receiving, silence]);
        if (datagram === undefined) break;
        receiving = socket.receive();
        const [bytes, from] = datagram;
        const { hostname, port } = from as Deno.NetAddr;
        if (hostname !== to.hostname || port !== to.port) continue;
        if (!head.equals(bytes.subarray(0, 4))) continue;
        late.abort();
        return bytes.subarray(4);
      }
    }
    throw new TimedOut(`${to.hostname}:${to.port} is silent`);
  } catch (error) {
    const { code } = error as { code?: string };
    throw code === "EMSGSIZE" ? new RangeError("It is too long") : error;
  } finally {
    receiving.catch(() => {}); // Closing interrupts it, as it should.
    socket.close();
  }
}

export async function serveCounter(socket: Deno.DatagramConn): Promise<void> {
  const answered: { [request: string]: Uint8Array } = {};
  let sum = 0;
  for (;;) {
    const [bytes, from] = await socket.receive().catch(nothingIfClosed);
    if (bytes === undefined) return;
    if (bytes.length !== 5) continue;
    const { hostname, port } = from as Deno.NetAddr;
    const key = [hostname, port, ...bytes.subarray(0, 4)].join();
    if (!(key in answered)) {
      const answer = Buffer.from([...bytes.subarray(0, 4), 0, 0, 0, 0]);
      answer.writeUInt32BE(sum += bytes[4]!, 4);
      answered[key] = answer;
    }
    await socket.send(answered[key]!, from);
  }
}

function nothingIfClosed(error: unknown): [undefined, Deno.Addr] {
  const closed = error instanceof BadResource || error instanceof Interrupted;
  if (!closed) throw error;
  return [undefined, { transport: "udp", hostname: "", port: 0 }];
}
