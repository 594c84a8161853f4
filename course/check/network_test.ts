// One list of promises, and three networks that keep it: the kernel's, the
// kernel's behind the stand-ins, and the simulated one. What a promise says was
// seen on the kernel first; where the others differ, they are wrong.
import { LoopbackNetwork } from "./loopback.ts";
import { WallClock } from "./clock.ts";
import type { Network } from "./network.ts";
import { datagramLimits } from "./promises/datagram_limits.ts";
import { datagramPromises } from "./promises/datagrams.ts";
import { hangingUpPromises } from "./promises/hanging_up.ts";
import { listeningPromises } from "./promises/listening.ts";
import type { Promised, Wire } from "./promises/promised.ts";
import { endingPromises } from "./promises/ending.ts";
import { streamPromises } from "./promises/streams.ts";
import { transferPromises } from "./promises/transfer.ts";
import { realSleep, turn } from "./real.ts";
import { Recording } from "./recording.ts";
import { SimulatedNetwork } from "./simulated/network.ts";
import { installSockets } from "./stand_ins/install.ts";
import { World } from "./stand_ins/world.ts";

const promises: Promised = {
  ...listeningPromises,
  ...transferPromises,
  ...endingPromises,
  ...hangingUpPromises,
  ...streamPromises,
  ...datagramPromises,
  ...datagramLimits,
};

interface Stand {
  readonly standIns: boolean;
  readonly network: (clock: WallClock) => Network;
  readonly arrived: () => Promise<void>;
}

/** On the kernel a reset or a FIN takes a moment to cross. */
const crossed = () => realSleep(15);

const stands: Record<string, Stand> = {
  "the kernel": {
    standIns: false,
    network: () => new LoopbackNetwork(),
    arrived: crossed,
  },
  "the kernel behind the stand-ins": {
    standIns: true,
    network: () => new LoopbackNetwork(),
    arrived: crossed,
  },
  "the simulated network": {
    standIns: true,
    network: (clock) => new SimulatedNetwork(clock),
    arrived: turn,
  },
};

for (const [where, { standIns, network, arrived }] of Object.entries(stands)) {
  for (const [promise, keep] of Object.entries(promises)) {
    Deno.test(`${where}: ${promise}`, async () => {
      const clock = new WallClock();
      const world = new World(clock, new Recording(clock), {});
      const net = network(clock);
      const undo = standIns ? installSockets(net, world) : () => {};
      const wire: Wire = {
        arrived,
        abrupt: (port) => net.connectAbrupt({ port }),
      };
      try {
        await keep(wire);
      } finally {
        undo();
        clock.stop();
      }
    });
  }
}
