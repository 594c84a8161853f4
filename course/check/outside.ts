// What runs outside the simulation: timers of `node:timers`, which no stand-in
// sees. Node's own list of active resources tells of them.

interface NodeProcess {
  getActiveResourcesInfo(): string[];
}

const { process } = globalThis as unknown as { process: NodeProcess };

/** How many timers of the platform are running now. */
export function realTimers(): number {
  const active = process.getActiveResourcesInfo();
  return active.filter((name) => name === "Timeout").length;
}
