// Three sockets send each other datagrams of all sizes.
import type { RawDatagram } from "../network.ts";
import type { Room } from "./conversation.ts";

const STEPS = 14;

/** From nothing to more than a datagram can carry. */
const SIZES = [0, 1, 7, 512, 1_472, 9_000, 65_507, 65_508];

class Socket {
  readonly raw: RawDatagram;
  isReceiving = false;

  constructor(raw: RawDatagram) {
    this.raw = raw;
  }

  /** What it got, as its size, its first byte, and who sent it. */
  async receive(names: Map<number, string>, into?: Uint8Array) {
    this.isReceiving = true;
    try {
      const [bytes, from] = await this.raw.receive(into);
      const sender = names.get((from as Deno.NetAddr).port);
      return `${bytes.length} of ${bytes[0] ?? "nothing"} from ${sender}`;
    } finally {
      this.isReceiving = false;
    }
  }
}

/** Sends, receives and closes, at random. */
export async function datagrams({ network, random, log }: Room): Promise<void> {
  const names = ["ann", "bob", "cat"];
  const sockets = names.map(() =>
    new Socket(network.listenDatagram({ hostname: "127.0.0.1", port: 0 }))
  );
  const addrs = sockets.map(({ raw }) => raw.addr as Deno.NetAddr);
  const byPort = new Map(addrs.map(({ port }, i) => [port, names[i]!]));
  for (let i = 0; i < STEPS; i++) {
    const who = random.below(3);
    const socket = sockets[who]!;
    const name = names[who]!;
    const what = random.below(12);
    if (what < 6) {
      const to = random.below(3);
      const size = SIZES[random.below(SIZES.length)]!;
      const bytes = new Uint8Array(size).fill(i + 1);
      await log.step(
        `${name} sends ${size} to ${names[to]}`,
        () => socket.raw.send(bytes, addrs[to]!),
      );
    } else if (what < 11) {
      if (socket.isReceiving) continue;
      const into = what < 8
        ? new Uint8Array(1 + random.below(2_000))
        : undefined;
      await log.step(
        `${name} receives ${into?.length ?? ""}`,
        () => socket.receive(byPort, into),
      );
    } else await log.step(`${name} closes`, () => socket.raw.close());
  }
  for (const { raw } of sockets) {
    try {
      raw.close();
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  }
  await log.over();
}
