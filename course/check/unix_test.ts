// What `network_test.ts` does, for Unix sockets. A permission for one of them
// names its absolute path, which deno.json cannot know. So the kernel is asked
// only where any network is allowed: `tests/clients/12_test.ts` runs it so.
import { WallClock } from "./clock.ts";
import { LoopbackNetwork } from "./loopback.ts";
import type { Network } from "./network.ts";
import { unixPromises } from "./promises/unix.ts";
import { Recording } from "./recording.ts";
import { SimulatedNetwork } from "./simulated/network.ts";
import { installSockets } from "./stand_ins/install.ts";
import { World } from "./stand_ins/world.ts";

const { state } = Deno.permissions.querySync({ name: "net" });
const kernelToo = state === "granted";

for (const [promise, keep] of Object.entries(unixPromises)) {
  Deno.test(`the simulated network: ${promise}`, () =>
    standIns(
      (clock) => new SimulatedNetwork(clock),
      ({ files }) => keep(files!.folder),
    ));

  if (!kernelToo) continue;
  Deno.test(`the kernel: ${promise}`, () => inFolder(keep));
  Deno.test(`the kernel behind the stand-ins: ${promise}`, () =>
    standIns(() => new LoopbackNetwork(), () => inFolder(keep)));
}

async function standIns(
  open: (clock: WallClock) => Network,
  keep: (network: Network) => Promise<void>,
) {
  const clock = new WallClock();
  const network = open(clock);
  const world = new World(clock, new Recording(clock), {});
  const undo = installSockets(network, world);
  try {
    await keep(network);
  } finally {
    undo();
    clock.stop();
  }
}

async function inFolder(keep: (folder: string) => Promise<void>) {
  const folder = Deno.makeTempDirSync();
  try {
    await keep(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}
