import type { RawDatagram } from "../network.ts";
import type { World } from "./world.ts";

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
  const fate = world.fate();
  if (fate === undefined) return await socket.send(bytes, to);
  if (fate === "drop") {
    world.recording.note({
      side: "cast",
      who: "the network",
      kind: "drop",
      text: "drops the datagram",
    });
    return bytes.length;
  }
  if (fate === "duplicate") {
    await socket.send(bytes, to);
    return await socket.send(bytes, to);
  }
  if (fate === "corrupt") {
    const wrong = bytes.slice();
    if (wrong.length > 0) wrong[wrong.length >> 1]! ^= 0x20;
    return await socket.send(wrong, to);
  }
  const late = bytes.slice();
  // Whoever closed the socket in the meantime does not miss the datagram.
  const deliver = () => void socket.send(late, to).catch(() => {});
  world.clock.set(fate.delay, deliver);
  return bytes.length;
}
