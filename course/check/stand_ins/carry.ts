import { copyOf, preview } from "../bytes.ts";
import type { RawDatagram } from "../network.ts";
import { refuse } from "../simulated/datagram.ts";
import type { Fate, World } from "./world.ts";

/**
 * Sends a datagram over a network that may drop, double, delay or corrupt it,
 * as the check's adversity says. The sender is not told, as in UDP.
 */
export async function carry(
  world: World,
  socket: RawDatagram,
  bytes: Uint8Array,
  to: Deno.Addr,
): Promise<number> {
  // What cannot be sent at all never gets as far as the network.
  refuse(bytes, to);
  const fate = world.fate();
  if (fate === undefined) return await socket.send(bytes, to);
  const told = `${preview(bytes, 12)} to ${world.recording.nameOf(to)}`;
  world.recording.note({
    side: "cast",
    who: "the network",
    kind: "fate",
    text: `${verb(fate)} ${told}`,
  });
  if (fate === "drop") return bytes.length;
  if (fate === "duplicate") {
    await socket.send(bytes, to);
    return await socket.send(bytes, to);
  }
  if (fate === "corrupt") return await socket.send(corrupted(bytes), to);
  deliverLater(world, socket, copyOf(bytes), { to, ms: fate.delay });
  return bytes.length;
}

function verb(fate: Fate): string {
  if (typeof fate === "object") return `keeps for ${fate.delay} ms`;
  return { drop: "drops", duplicate: "doubles", corrupt: "corrupts" }[fate];
}

/** A copy with one bit of the middle byte turned over. */
function corrupted(bytes: Uint8Array): Uint8Array {
  const wrong = copyOf(bytes);
  if (wrong.length > 0) wrong[wrong.length >> 1]! ^= 0x20;
  return wrong;
}

function deliverLater(
  world: World,
  socket: RawDatagram,
  bytes: Uint8Array,
  { to, ms }: { to: Deno.Addr; ms: number },
) {
  world.clock.set(ms, async () => {
    try {
      await socket.send(bytes, to);
    } catch (error) {
      // Its sender has closed the socket since, and the check may be over.
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  });
}
