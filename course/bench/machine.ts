/** What a number depends on, besides the programs. */
export interface Machine {
  readonly date: Date;
  readonly cores: number;
  readonly system: string;
  readonly kernel: string;
  readonly deno: string;
  /** Processes that wanted to run, on average, in the minute before. */
  readonly load: number;
}

/** This machine, now. */
export function thisMachine(): Machine {
  return {
    date: new Date(),
    cores: navigator.hardwareConcurrency,
    system: Deno.build.os,
    kernel: Deno.osRelease(),
    deno: Deno.version.deno,
    load: Deno.loadavg()[0]!,
  };
}

/** A machine in words; a warning if it had other things to do. */
export function described(machine: Machine): string {
  const { date, cores, system, kernel, deno, load } = machine;
  const name = system === "linux" ? "Linux" : system;
  const facts = [
    `Measured on ${date.toISOString().slice(0, 10)}`,
    `${cores} ${cores === 1 ? "core" : "cores"}`,
    `${name} \`${kernel}\``,
    `Deno ${deno}`,
    `load before the run ${load.toFixed(2)}`,
  ];
  const busy = load > cores / 2
    ? " The machine was busy with other things: measure again."
    : "";
  return `${facts.join("; ")}.${busy}`;
}
