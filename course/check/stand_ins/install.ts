import { count } from "../bytes.ts";
import type { Clock } from "../clock.ts";
import type { ListenOptions, Network } from "../network.ts";
import { real } from "../real.ts";
import { StandInConn } from "./conn.ts";
import { StandInDatagram } from "./datagram.ts";
import { replace } from "./doors.ts";
import { fileFunctions } from "./files.ts";
import { StandInListener } from "./listener.ts";
import type { Random } from "./random.ts";
import type { Timers } from "./timers.ts";
import { tlsFunctions } from "./tls.ts";
import type { World } from "./world.ts";

/** Whether a call is for TCP or UDP. */
function isInternet(options: { transport?: string }, transport: string) {
  return (options.transport ?? transport) === transport;
}

/** Puts the stand-ins for sockets in place; returns how to undo it. */
export function installSockets(network: Network, world: World): () => void {
  const { listen, connect, listenDatagram } = real;
  return replace(Deno, {
    ...(network.files && fileFunctions(network.files, world)),
    ...tlsFunctions(network.tls, world),
    listen(options: ListenOptions & { transport?: "tcp" | "unix" }) {
      if (isUnix(options, network)) {
        world.used = true;
        return new StandInListener(network.listenUnix(options.path), world);
      }
      if (!isInternet(options, "tcp")) return listen(options as never);
      world.used = true;
      return new StandInListener(network.listen(options), world);
    },
    async connect(options: Deno.ConnectOptions) {
      if (isUnix(options, network)) return connectUnix(options, network, world);
      if (!isInternet(options, "tcp")) return connect(options);
      const { hostname = "127.0.0.1", port } = options;
      const to = { transport: "tcp", hostname, port } as const;
      const who = world.recording.nameOf(to);
      // A name stands for a port; which address was tried can be the question.
      const at = hostname === "127.0.0.1" ? "" : ` at ${hostname}`;
      const what = `connect() to ${who}${at}`;
      const fault = world.connectFault();
      const raw = await world.call(
        { kind: "connect", who, what },
        () => fault ? Promise.reject(fault) : network.connect(options),
        () => ({ text: what }),
      );
      return new StandInConn(raw, world);
    },
    listenDatagram(options: Deno.UdpListenOptions & { transport: "udp" }) {
      if (!isInternet(options, "udp")) {
        return listenDatagram!(options as never);
      }
      world.used = true;
      return new StandInDatagram(network.listenDatagram(options), world);
    },
  });
}

/** Whether a call is for a Unix socket that `network` has. */
function isUnix(
  options: { transport?: string; path?: string },
  { files }: Network,
): options is { transport: "unix"; path: string } {
  return options.transport === "unix" && files?.has(options.path) !== false;
}

async function connectUnix(
  { path }: { path: string },
  network: Network,
  world: World,
): Promise<StandInConn> {
  const fault = world.connectFault();
  const raw = await world.call(
    { kind: "connect", who: path, what: `connect() to ${path}` },
    () => fault ? Promise.reject(fault) : network.connectUnix(path),
    () => ({ text: `connect() to ${path}` }),
  );
  return new StandInConn(raw, world);
}

/**
 * Puts the time of `clock` in place, from `epoch` on, which is what `Date.now()`
 * says when the check begins; returns how to undo it.
 */
export function installTime(
  clock: Clock,
  timers: Timers,
  epoch: number,
): () => void {
  const milliseconds = () => Math.floor(epoch + clock.read());
  const undo = [
    replace(globalThis, timers.functions),
    replace(Deno, timers.holds),
    replace(AbortSignal, {
      timeout: (ms: number) => timers.abortAfter(ms),
    }),
    replace(Date, { now: milliseconds }),
    replace(globalThis, { Date: datesOf(Date) }),
    replace(Temporal.Now, instants(milliseconds)),
    replace(performance, { now: () => clock.read() }),
  ];
  return () => undo.forEach((restore) => restore());
}

/** The epoch of the simulated network: 1 January 2026, UTC. */
export const EPOCH = Date.UTC(2026, 0, 1);

/** Puts seeded chance in place; returns how to undo it. */
export function installChance(clock: Clock, random: Random): () => void {
  const subtle = crypto.subtle;
  const undo = [
    replace(Math, { random: () => random.next() }),
    replace(crypto, {
      getRandomValues: (into: Uint8Array) => fill(into, random),
      subtle: counted(subtle, clock),
    }),
  ];
  return () => undo.forEach((restore) => restore());
}

/** `real`, whose dates of this moment are those that `Date.now()` says. */
function datesOf(real: DateConstructor): DateConstructor {
  return new Proxy(real, {
    construct: (target, args, made) =>
      Reflect.construct(target, args.length > 0 ? args : [target.now()], made),
    apply: (target) => String(new target(target.now())),
  });
}

/** What `Temporal.Now` says in that millisecond after the epoch of Unix. */
function instants(milliseconds: () => number) {
  const instant = () => Temporal.Instant.fromEpochMilliseconds(milliseconds());
  const here = Temporal.Now.timeZoneId();
  const zoned = (zone: string = here) => instant().toZonedDateTimeISO(zone);
  return {
    instant,
    zonedDateTimeISO: zoned,
    plainDateTimeISO: (zone?: string) => zoned(zone).toPlainDateTime(),
    plainDateISO: (zone?: string) => zoned(zone).toPlainDate(),
    plainTimeISO: (zone?: string) => zoned(zone).toPlainTime(),
  };
}

function fill<T extends ArrayBufferView>(into: T, random: Random): T {
  if (into.byteLength > 65_536) {
    const length = count(into.byteLength);
    throw new DOMException(
      `Cannot give ${length} of entropy: the limit is 65,536`,
      "QuotaExceededError",
    );
  }
  const bytes = new Uint8Array(into.buffer, into.byteOffset, into.byteLength);
  bytes.set(random.bytes(bytes.length));
  return into;
}

/**
 * `subtle`, whose work runs on another thread: counted while it runs, so that
 * time stands still, and handed over when everyone waits, in the order of the
 * calls, however long each took.
 */
function counted(subtle: SubtleCrypto, clock: Clock): SubtleCrypto {
  return new Proxy(subtle, {
    get(target, name) {
      const method = Reflect.get(target, name);
      if (typeof method !== "function") return method;
      return async (...args: unknown[]) => {
        clock.busy++;
        const due = clock.pace(0);
        try {
          return await method.apply(target, args);
        } finally {
          clock.busy--;
          await due;
        }
      };
    },
  });
}
