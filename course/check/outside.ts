// What the simulation does not see: timers that are neither `globalThis`'s nor
// those of node_timers/, and the time that the processor took. Node's `process`
// tells of both. It is asked for when it is needed and not before: loading it
// takes 9 ms.

interface NodeProcess {
  getActiveResourcesInfo(): string[];
  cpuUsage(): { user: number; system: number };
}

const platform = globalThis as unknown as { process: NodeProcess };

/** How many timers of the platform are running now. */
export function realTimers(): number {
  const active = platform.process.getActiveResourcesInfo();
  return active.filter((name) => name === "Timeout").length;
}

/** Milliseconds of processor time that this process has used. */
export function processorTime(): number {
  const { user, system } = platform.process.cpuUsage();
  return (user + system) / 1_000;
}
