import { count } from "./bytes.ts";
import { Unmet } from "./evidence.ts";
import type { Timers } from "./stand_ins/timers.ts";
import type { World } from "./stand_ins/world.ts";

/** What the program has left open or running, if it has. */
export function leftBehind(world: World, timers: Timers): Unmet | undefined {
  const sockets = [...world.open];
  const [socket] = sockets;
  if (socket !== undefined) {
    const others = sockets.length > 1
      ? ` and ${count(sockets.length - 1, "other socket")}`
      : "";
    return new Unmet({
      kind: "leak",
      left: sockets.map(({ kind }) => kind),
      headline: `Your program never closed ${
        world.named(socket.what)
      }${others}`,
    }).from(socket.place);
  }
  const timer = timers.holding.find((place) => !place.inTest);
  if (timer === undefined) return;
  return new Unmet({
    kind: "leak",
    left: ["timer"],
    headline: "Your program has ended, and one of its timers is still running",
  }).from(timer);
}
