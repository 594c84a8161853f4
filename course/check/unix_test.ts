// What `network_test.ts` does, for Unix sockets. A permission for one of them
// names its absolute path, which deno.json cannot know. So the kernel is asked
// only where any network is allowed: `tests/clients/12_test.ts` runs it so.
import { WallClock } from "./clock.ts";
import { LoopbackNetwork } from "./loopback.ts";
import { unixPromises } from "./promises/unix.ts";
import { Recording } from "./recording.ts";
import { SimulatedNetwork } from "./simulated/network.ts";
import { installSockets } from "./stand_ins/install.ts";
import { World } from "./stand_ins/world.ts";

const { state } = Deno.permissions.querySync({ name: "net" });
const ignore = state !== "granted" || Deno.build.os === "windows";

for (const [promise, keep] of Object.entries(unixPromises)) {
  Deno.test({ name: `the kernel: ${promise}`, ignore }, async () => {
    await inFolder(keep);
  });

  const behind = `the kernel behind the stand-ins: ${promise}`;
  Deno.test({ name: behind, ignore }, async () => {
    const clock = new WallClock();
    const world = new World(clock, new Recording(clock), {});
    const undo = installSockets(new LoopbackNetwork(), world);
    try {
      await inFolder(keep);
    } finally {
      undo();
      clock.stop();
    }
  });

  Deno.test(`the simulated network: ${promise}`, async () => {
    const clock = new WallClock();
    const network = new SimulatedNetwork(clock);
    const world = new World(clock, new Recording(clock), {});
    const undo = installSockets(network, world);
    try {
      await keep(network.files.folder);
    } finally {
      undo();
      clock.stop();
    }
  });
}

async function inFolder(keep: (folder: string) => Promise<void>) {
  const folder = Deno.makeTempDirSync();
  try {
    await keep(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}
