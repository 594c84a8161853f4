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
  look: (target: Target) => Promise<boolean> = isListening,
): Promise<void> {
  const limit = performance.now() + LIMIT_MS;
  while (!await look(target)) {
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
export function isListening(target: Target): Promise<boolean> {
  return target.transport === "tcp" ? acceptsTcp(target.port) : isBound(target);
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

/** How Linux writes "listens", and for UDP "is bound", in its tables. */
const STATES = { tcp: "0A", udp: "07" };

/**
 * Tells the same by the kernel's tables alone, for those who would take the one
 * who looks for a client. Linux only.
 */
export async function isBound({ port, transport }: Target): Promise<boolean> {
  // Deno reads /proc only for those who may do everything; `cat` may.
  const tables = [`/proc/net/${transport}`, `/proc/net/${transport}6`];
  const cat = new Deno.Command("cat", { args: tables, stderr: "null" });
  const text = new TextDecoder().decode((await cat.output()).stdout);
  // A row: `0: 0100007F:1B5C 00000000:0000 0A`, ports last, in hex.
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  const row = `^ *\\d+: [0-9A-F]+:${hex} [0-9A-F]+:0000 ${STATES[transport]} `;
  return new RegExp(row, "m").test(text);
}
