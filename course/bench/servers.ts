import { median } from "./numbers.ts";
import { Process } from "./process.ts";

/** A server that can be started. */
export interface Peer {
  readonly name: string;
  readonly command: readonly string[];
  /** What it prints when it listens, the port in a group. Default: a line. */
  readonly ready?: RegExp;
}

/** One that runs. */
export interface Server {
  readonly name: string;
  readonly port: number;
  readonly process: Process;
}

/** What was measured of each server by its name, and why something was not. */
export interface Measured {
  readonly medians: Map<string, number>;
  readonly troubles: readonly string[];
}

/** How long a server may take until it listens. */
const PATIENCE_MS = 10_000;

const cores = navigator.hardwareConcurrency;
const divided = cores > 1 && Deno.build.os === "linux";

/**
 * Whoever makes the load has the first core, and servers have the others. Left
 * alone, Linux may put the two on one core for a while, and halve a number.
 */
export function onLoadCore(command: readonly string[]): string[] {
  return divided ? ["taskset", "-c", "0", ...command] : [...command];
}

function onServerCores(command: readonly string[]): string[] {
  if (!divided) return [...command];
  return ["taskset", "-c", `1-${cores - 1}`, ...command];
}

/** All servers of one comparison. */
export class Servers implements AsyncDisposable {
  /** Those that run. */
  readonly running: Server[] = [];
  /** Why the others do not. */
  readonly troubles: string[] = [];

  /** Starts the peers, and waits until each has its port. */
  static async start(peers: readonly Peer[]): Promise<Servers> {
    const servers = new Servers();
    for (const peer of peers) await servers.#start(peer);
    return servers;
  }

  async #start({ name, command, ready = /^(\d+)$/m }: Peer): Promise<void> {
    const process = new Process(onServerCores(command), { limitMs: 300_000 });
    const patience = setTimeout(() => process.kill(), PATIENCE_MS);
    try {
      const [, port] = await process.prints(ready);
      this.running.push({ name, port: Number(port), process });
    } catch (error) {
      await process[Symbol.asyncDispose]();
      this.troubles.push(`${name} is missing: ${reason(error)}`);
    } finally {
      clearTimeout(patience);
    }
  }

  /**
   * Measures all of them, one after the other, and again in each round, so that
   * a slow moment of the machine falls on all alike.
   */
  async measure(
    rounds: number,
    measurement: (server: Server) => Promise<number>,
  ): Promise<Measured> {
    const numbers = new Map<string, number[]>();
    const troubles: string[] = [];
    for (let round = 0; round < rounds; round++) {
      for (const server of this.running) {
        try {
          const soFar = numbers.get(server.name) ?? [];
          numbers.set(server.name, [...soFar, await measurement(server)]);
        } catch (error) {
          troubles.push(`${server.name}: ${reason(error)}`);
        }
      }
    }
    const medians = [...numbers].map(([name, all]) =>
      [name, median(all)] as const
    );
    return { medians: new Map(medians), troubles };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const all = this.running.map(({ process }) => process);
    await Promise.all(all.map((process) => process[Symbol.asyncDispose]()));
  }
}

/** An error in one line, as code: Markdown has nothing to say to it. */
export function reason(error: unknown): string {
  if (!(error instanceof Error)) throw error;
  const line = error.message.replaceAll("`", "'").replaceAll(/\s+/g, " ");
  return `\`${line.trim()}\``;
}
