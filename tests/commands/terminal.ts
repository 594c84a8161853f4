import { isBound, untilListening } from "../listening.ts";
import { Running, type Target } from "../running.ts";
import type { Checkout } from "./checkout.ts";
import { shown } from "./output.ts";
import type { Key } from "./table.ts";

/** Seconds after which a command ends, even if the test itself was killed. */
const LIMIT_S = 60;

/**
 * A terminal in which one command was typed. The shell gets the command as a
 * variable: on its command line, `pgrep -f` would find it.
 */
const SHELL = 'exec 2>&1; eval "$TYPED"';

/**
 * Whether `timeout`, process $1, waits or is stopped, and all that the shell
 * below it has started is another program already, or a shell that has started
 * something. Before that, a signal would meet the shell's own beginning; and a
 * `timeout` that has not noted yet what it has started ends alone, and leaves it
 * running. Linux only: it looks into /proc.
 */
const UNDER_WAY = `
grep -q '^State:.[ST]' /proc/$1/status || exit 1
children() { cat /proc/$1/task/$1/children; }
shell=$(children $1)
jobs=$(children $shell)
test -n "$jobs" || exit 1
for job in $jobs; do
  test "$(cat /proc/$job/comm)" != bash || test -n "$(children $job)" || exit 1
done`;

/** A command that runs in a checkout, and all that it has started. */
export class Terminal implements AsyncDisposable {
  readonly typed: string;
  readonly #running: Running;
  #seen = 0;

  /** Types it in the folder of the checkout; `settings` were typed before. */
  constructor(typed: string, settings: string, checkout: Checkout) {
    this.typed = typed;
    // `timeout` is the head of a process group, which is ended as one.
    const args = ["-k", "1", String(LIMIT_S), "bash", "-c", SHELL];
    this.#running = new Running("timeout", args, checkout.folder, {
      name: typed,
      env: {
        TYPED: settings + typed,
        PATH: `${checkout.bin}:${Deno.env.get("PATH")}`,
        CURL_HOME: checkout.home,
        LC_ALL: "C.UTF-8",
        DENO_NO_UPDATE_CHECK: "1",
      },
    });
  }

  /** What has been printed, and not been looked at. */
  get news(): string {
    return shown(this.#running.stdout).slice(this.#seen);
  }

  /** So much of the news needs no second look. */
  look(length: number): void {
    this.#seen += length;
  }

  async type(text: string): Promise<void> {
    await this.#running.send(text);
  }

  async press(key: Key): Promise<void> {
    const { pid } = this.#running;
    await this.#underWay();
    if (key === "Ctrl-D") await this.#running.end();
    else if (key === "Ctrl-Z") signal(-pid, "SIGSTOP");
    else if (key === "kill -9 %1") signal(-pid, "SIGKILL");
    else signal(pid, "SIGINT"); // `timeout` tells its group.
  }

  /** Waits until `done()` holds, which may depend on what is printed. */
  async when(done: () => boolean, what: string): Promise<void> {
    await this.#running.when(done, what);
  }

  /** Waits until the shell has started what was typed, to the last program. */
  async #underWay(): Promise<void> {
    const args = ["-c", UNDER_WAY, "look", String(this.#running.pid)];
    const limit = performance.now() + LIMIT_S * 1_000;
    while (this.#running.code === undefined) {
      const look = new Deno.Command("sh", { args, stderr: "null" });
      if ((await look.output()).success) return;
      if (performance.now() > limit) {
        throw new Error(`Cannot see what "${this.typed}" has started`);
      }
    }
  }

  /** Waits until somebody listens. Nobody did before, or this is a mistake. */
  async untilListening(target: Target): Promise<void> {
    await untilListening(target, this.#running, isBound);
  }

  /** Waits for the end, and returns the exit code. */
  exit(): Promise<number> {
    return this.#running.exit(LIMIT_S * 1_000);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    signal(-this.#running.pid, "SIGKILL");
    await this.#running.stop();
  }
}

/** What has ended hears no signal. */
function signal(pid: number, name: Deno.Signal): void {
  try {
    Deno.kill(pid, name);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
