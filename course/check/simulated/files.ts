import { toBytes } from "../bytes.ts";
import type { Clock } from "../clock.ts";
import { kernel } from "../errors.ts";
import { SimulatedConn } from "./conn.ts";
import { SimulatedListener } from "./listener.ts";

/** The path of the simulated folder. */
export const FOLDER = "/here";

/** What lies at a path: a socket, whether or not it is served, or a text. */
type Entry = { listener: SimulatedListener | undefined } | { text: string };

/**
 * A folder inside this process, and the Unix sockets in it: see unix(7). It
 * knows the calls that a program needs for a socket's file, or for a text that
 * lies in its place, and no others.
 */
export class SimulatedFiles {
  /** The path that all others begin with; the real one is never touched. */
  readonly folder = FOLDER;
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();

  /** Opens an empty folder; its sockets live in the time of `clock`. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether `path` lies in this folder. */
  has(path: unknown): path is string {
    return typeof path === "string" && path.startsWith(`${this.folder}/`);
  }

  /** Opens a listener, and makes its file. */
  listenUnix(path: string): SimulatedListener {
    this.#clock.activity++;
    if (this.#entries.has(path)) throw kernel.addrInUse();
    const listener = new SimulatedListener(this.#clock, unix(path), {
      backlog: 511,
      // As in Deno: what lies there goes, even if it is something else by now.
      release: () => {
        this.#abandon(listener);
        this.#entries.delete(path);
      },
    });
    this.#entries.set(path, { listener });
    return listener;
  }

  /** Leaves the file of `listener`, wherever it was moved, without a server. */
  #abandon(listener: SimulatedListener) {
    for (const entry of this.#entries.values()) {
      if ("listener" in entry && entry.listener === listener) {
        entry.listener = undefined;
      }
    }
  }

  // deno-lint-ignore require-await -- A call on a socket rejects, it never throws.
  async connectUnix(path: string): Promise<SimulatedConn> {
    this.#clock.activity++;
    const entry = this.#entries.get(path);
    if (entry === undefined) throw kernel.notFound();
    const listener = "listener" in entry ? entry.listener : undefined;
    if (listener === undefined) throw kernel.connectionRefused();
    // Clients have no path. Both ends share the address, so that a name which
    // the recording gives to one is the name of the other.
    const [client, server] = SimulatedConn.pair(
      this.#clock,
      unix(null),
      unix(path),
    );
    listener.welcome(server);
    return client;
  }

  /** See `Deno.lstat`. There are no links here, so `Deno.stat` is the same. */
  lstat(path: string): Deno.FileInfo {
    const entry = this.#entry(path, "lstat");
    const isFile = "text" in entry;
    return {
      isFile,
      isDirectory: false,
      isSymlink: false,
      isSocket: !isFile,
      size: isFile ? toBytes(entry.text).length : 0,
    } as Deno.FileInfo;
  }

  /** See `Deno.remove`. */
  remove(path: string) {
    this.#entry(path, "remove");
    this.#entries.delete(path);
  }

  /** See `Deno.rename`. */
  rename(from: string, to: string) {
    const entry = this.#entry(from, "rename");
    this.#entries.delete(from);
    this.#entries.set(to, entry);
  }

  /** See `Deno.chmod`. There is one user here, who may do everything. */
  chmod(path: string) {
    this.#entry(path, "chmod");
  }

  /** See `Deno.readTextFile`. */
  readTextFile(path: string): string {
    const entry = this.#entry(path, "readfile");
    if ("text" in entry) return entry.text;
    throw kernel.noSuchDevice(`: readfile '${path}'`);
  }

  /** See `Deno.writeTextFile`. */
  writeTextFile(path: string, text: string) {
    this.#clock.activity++;
    const entry = this.#entries.get(path);
    if (entry && "listener" in entry) {
      throw kernel.noSuchDevice(`: writefile '${path}'`);
    }
    this.#entries.set(path, { text });
  }

  #entry(path: string, call: string): Entry {
    this.#clock.activity++;
    const entry = this.#entries.get(path);
    if (entry === undefined) throw kernel.notFound(`: ${call} '${path}'`);
    return entry;
  }
}

/** A Unix address where the network has one of the Internet. */
function unix(path: string | null): Deno.NetAddr {
  return { transport: "unix", path } as unknown as Deno.NetAddr;
}
