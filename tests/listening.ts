import type { Running, Target } from "./running.ts";

/** Between two looks at a port that is not open yet. */
const PAUSE_MS = 10;

/** How long a program may take to open its port. */
const LIMIT_MS = 10_000;

/**
 * Waits until somebody listens: TCP shows it by accepting a connection, and
 * UDP, which accepts nothing, by the kernel's table. Fails with what `running`
 * printed when it ends first, or takes too long.
 */
export async function untilListening(
  target: Target,
  running: Running,
): Promise<void> {
  const limit = performance.now() + LIMIT_MS;
  while (!await isListening(target)) {
    if (running.code === undefined && performance.now() < limit) {
      // Nobody tells when a port opens; asking again is all there is.
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      continue;
    }
    throw new Error(
      `Cannot reach the program on ${target.transport} port ${target.port}: ` +
        `nobody listens there. It printed:\n${running.stdout}${running.stderr}`,
    );
  }
}

/** Tells whether anybody listens there now. */
export function isListening({ port, transport }: Target): Promise<boolean> {
  return transport === "tcp" ? acceptsTcp(port) : isBoundUdp(port);
}

async function acceptsTcp(port: number): Promise<boolean> {
  try {
    using _conn = await Deno.connect({ hostname: "127.0.0.1", port });
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) return false;
    throw error;
  }
}

/** Linux lists bound UDP sockets as `0100007F:1B5C`, port last, in hex. */
async function isBoundUdp(port: number): Promise<boolean> {
  // Deno reads /proc only for those who may do everything; `cat` may.
  const { stdout } = await new Deno.Command("cat", {
    args: ["/proc/net/udp"],
  }).output();
  const table = new TextDecoder().decode(stdout);
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  return new RegExp(`^ *\\d+: [0-9A-F]+:${hex} `, "m").test(table);
}
