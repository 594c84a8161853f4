import { remove } from "./lesson.ts";

// One save is several events, within a millisecond or two. The delay is on the
// way from save to verdict, so it is as short as that allows.
const QUIET_MS = 8;
const POLL_MS = 200;
const PROOF_MS = 500;

/** What a watcher needs to know. */
export interface WatchOptions {
  /** Called after a save, once its last event has come. */
  readonly onSave: () => void;
  /** Called once if no events arrive here and polling takes over. */
  readonly onPolling?: () => void;
}

/**
 * Watches the programs in one folder.
 *
 * On network drives, in some containers and across WSL, events never arrive.
 * `prove()` finds out, and polls from then on.
 */
export class Watcher implements Disposable {
  readonly #folder: string;
  readonly #options: WatchOptions;
  readonly #events: Deno.FsWatcher | undefined;
  #quiet: ReturnType<typeof setTimeout> | undefined;
  #poll: ReturnType<typeof setInterval> | undefined;
  #closed = false;

  /** Starts to watch `folder`. */
  constructor(folder: string, options: WatchOptions) {
    this.#folder = folder;
    this.#options = options;
    this.#events = events(folder);
    if (this.#events) this.#listen(this.#events);
  }

  /** Writes a file into `room`, and polls if nobody hears of it. */
  async prove(room: string): Promise<void> {
    if (this.#events && await eventsArrive(room)) return;
    if (this.#closed) return;
    this.poll();
    this.#options.onPolling?.();
  }

  /** Looks at the files' times instead of waiting for events. */
  poll(): void {
    if (this.#closed || this.#poll !== undefined) return;
    let known = stamps(this.#folder);
    this.#poll = setInterval(() => {
      const now = stamps(this.#folder);
      if (now !== known) this.#changed();
      known = now;
    }, POLL_MS);
  }

  /** Stops watching. */
  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#quiet);
    clearInterval(this.#poll);
    this.#events?.close();
  }

  async #listen(events: Deno.FsWatcher): Promise<void> {
    for await (const { kind, paths } of events) {
      // The checks read these files; only a change is a save.
      if (kind === "access") continue;
      if (paths.some((path) => path.endsWith(".ts"))) this.#changed();
    }
  }

  #changed(): void {
    clearTimeout(this.#quiet);
    this.#quiet = setTimeout(this.#options.onSave, QUIET_MS);
  }
}

/** Undefined where the system gives no events, or no more of them. */
function events(folder: string): Deno.FsWatcher | undefined {
  try {
    return Deno.watchFs(folder, { recursive: false });
  } catch (error) {
    // A missing folder is no reason to poll it.
    if (error instanceof Deno.errors.NotFound) throw error;
    return undefined;
  }
}

let proofs = 0;

/** Whether the writing of a file in `room` is heard. It takes up to half a second. */
export async function eventsArrive(room: string): Promise<boolean> {
  Deno.mkdirSync(room, { recursive: true });
  // Lessons may follow each other faster than a proof ends.
  const name = `watch-${Deno.pid}-${++proofs}`;
  const path = `${room}/${name}`;
  const heard = events(room);
  if (heard === undefined) return false;
  const patience = setTimeout(() => heard.close(), PROOF_MS);
  Deno.writeTextFileSync(path, "");
  let arrived = false;
  for await (const { paths } of heard) {
    arrived = paths.some((changed) => changed.endsWith(name));
    if (arrived) break;
  }
  clearTimeout(patience);
  remove(path); // Whoever has deleted the folder has lost the marks, and no more.
  return arrived;
}

/** What differs after a save: names, times and sizes of the programs. */
function stamps(folder: string): string {
  return [...Deno.readDirSync(folder)]
    .filter(({ name }) => name.endsWith(".ts"))
    .map(({ name }) => `${name} ${stamp(`${folder}/${name}`)}`)
    .sort()
    .join("\n");
}

function stamp(path: string): string {
  try {
    const { mtime, size } = Deno.statSync(path);
    return `${mtime?.getTime()} ${size}`;
  } catch (error) {
    // Gone since the folder was listed.
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}
