import { diagnose, mistake } from "./catalogue/mod.ts";
import type { Unmet } from "./evidence.ts";
import { explain } from "./explain.ts";
import { Failed } from "./failed.ts";
import { isOurs, mayUseLoopback } from "./loopback.ts";
import { type Body, Play } from "./play.ts";
import { real } from "./real.ts";
import { asData, asked, isReported, report } from "./report.ts";
import { seedOf } from "./stand_ins/random.ts";
import type { Adversity } from "./stand_ins/world.ts";

/** What a check needs beside its body. */
export interface CheckOptions extends Adversity {
  /** The mistakes that a failure may show, the likeliest first. */
  reveals?: readonly string[];
  /**
   * Set if the check makes sense on one network only, or needs none and takes
   * long.
   */
  only?: "simulated" | "loopback";
  /**
   * An address of this machine beside 127.0.0.1 that it needs: "127.0.0.2",
   * which Linux and Windows have, or "::1". The simulated network has both.
   */
  address?: string;
}

/**
 * How long a check may take, in milliseconds, before it counts as a hot loop.
 * Whatever waits is noticed earlier, by its silence.
 */
const TIMEOUT_MS = 6_000;

/**
 * Deno stops a program that computes by throwing away what it was about to do.
 * Its peers would then find that it says nothing, if they looked. So they stop
 * looking a little earlier, in milliseconds.
 */
const EARLIER_MS = 100;

const names: string[] = [];
const ignored: string[] = [];
let running: {
  name: string;
  reveals: readonly string[];
  line: () => string;
  /** For how long nothing else had a turn, in milliseconds. */
  busyFor: () => number;
  /** What it has failed with already. */
  fatal: () => Unmet | undefined;
  /** Tells how it ended, once that is known. */
  end?: () => void;
} | undefined;
let planned = false;

/**
 * Makes a check, for `Deno.test` to register: a test that plays on the
 * simulated network and then, with permission, on loopback, and passes only if
 * it passes on both.
 *
 * Its name is the symbol that it checks, and a promise: "serve() echoes one
 * client".
 */
export function check(
  name: string,
  optionsOrBody: CheckOptions | Body,
  maybeBody?: Body,
): Deno.TestDefinition {
  const whole = typeof optionsOrBody === "function";
  const options = whole ? {} : optionsOrBody;
  const body = whole ? optionsOrBody : maybeBody!;
  (options.reveals ?? []).forEach(mistake); // An unknown name fails here.
  names.push(name);
  const ignore = networksFor(options).length === 0;
  if (ignore) ignored.push(name);
  return {
    name,
    ignore,
    timeout: TIMEOUT_MS,
    fn: () => run(name, options, body),
  };
}

function networksFor(
  { only, address }: CheckOptions,
): ("simulated" | "loopback")[] {
  const wanted = asked.network
    ? [asked.network]
    : ["simulated", "loopback"] as const;
  return wanted.filter((network) =>
    (only === undefined || only === network) &&
    (network === "simulated" || mayUseLoopback() &&
        (address === undefined || isOurs(address)))
  );
}

async function run(name: string, options: CheckOptions, body: Body) {
  if (!planned) report({ plan: names, ignored });
  planned = true;
  report({ begin: name });
  const started = real.now();
  const networks: string[] = [];
  const end = (more: { status: string; failure?: unknown }) =>
    report({ end: name, ms: real.now() - started, networks, ...more });
  const seed = asked.seed ?? seedOf(name);
  const [symbol] = name.split(" ");
  for (const network of networksFor(options)) {
    const alone = asked.network === "loopback";
    const bill = {
      symbol: symbol!,
      network,
      seed,
      adversity: options,
      alone,
      until: started + TIMEOUT_MS - EARLIER_MS,
    };
    const play = new Play(bill);
    const { reveals = [] } = options;
    running = {
      name,
      reveals,
      line: () => play.lastLine,
      busyFor: () => play.busyFor,
      fatal: () => play.fatal,
    };
    const { evidence, place, used } = await play.perform(body);
    networks.push(network);
    if (evidence !== undefined) {
      const found = diagnose(reveals, evidence);
      const text = explain(evidence, found, place?.trail ?? "");
      const failure = asData(evidence, found, { text, place, seed });
      // To tell it takes time. If that runs out meanwhile, it is told again.
      running.end = () => end({ status: "failed", failure });
      running.end();
      running = undefined;
      throw new Failed(text, place);
    }
    running = undefined;
    if (!used) break; // A check of bytes alone says the same on any network.
  }
  end({ status: "passed" });
}

real.test.afterEach(() => {
  if (running === undefined) return;
  // The time of the check ran out while it was running: Deno stopped it.
  if (running.end) {
    running.end();
    running = undefined;
    return;
  }
  const at = running.line();
  const where = at === ""
    ? ""
    : ` The last call before that was made at ${at}.`;
  const spins = running.busyFor() > TIMEOUT_MS / 2;
  const seconds = TIMEOUT_MS / 1_000;
  const unawaited = running.fatal()?.found.kind === "unawaited";
  const headline = unawaited
    ? `${running.fatal()!.message}, for ${seconds} s.${where}`
    : spins
    ? `Your program ran for ${seconds} s, and never had to wait for anything.${where}`
    : `Your program was still at work after ${seconds} s, and this check needs far less.${where}`;
  const found = unawaited
    ? mistake("missing-await")
    : spins
    ? running.reveals.map(mistake).find(({ spins }) => spins)
    : undefined;
  const text = found
    ? `${headline}\n\n${found.sentence} (${found.id})`
    : headline;
  const diagnosis = found && { id: found.id, sentence: found.sentence };
  report({ stuck: running.name, at, text, diagnosis });
  if (!isReported()) real.error(text);
  running = undefined;
});

real.test.afterAll(() => {
  if (isReported() || asked.network || mayUseLoopback()) return;
  real.log("Checked on the simulated network. To add loopback: deno test -P");
});
