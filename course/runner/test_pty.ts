/**
 * A terminal for the runner's own tests, with a program in it and a hand on the
 * keys. Python lends the pseudo-terminal, which Deno has none of.
 *
 * @module
 */
import { stripAnsiCode } from "@std/fmt/colors";

// Copies keys in and pictures out. When the program ends it says how, and
// whether the terminal is as it was before.
const PYTHON = `
import fcntl, json, os, pty, select, struct, sys, termios
rows, columns = int(sys.argv[1]), int(sys.argv[2])
master, slave = pty.openpty()
fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
before = termios.tcgetattr(slave)
child = os.fork()
if child == 0:
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for fd in (0, 1, 2):
        os.dup2(slave, fd)
    os.execvp(sys.argv[3], sys.argv[3:])
ended, typing = None, [0]
while True:
    ready, _, _ = select.select([master] + typing, [], [], 0.02)
    if master in ready:
        os.write(1, os.read(master, 65536))
    if 0 in ready:
        typed = os.read(0, 4096)
        if typed:
            os.write(master, typed)
        else:
            typing = []
    if ended is None:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            ended = os.waitstatus_to_exitcode(status)
    elif master not in ready:
        break
restored = termios.tcgetattr(slave) == before
sys.stderr.write(json.dumps({"code": ended, "restored": restored}))
`;

const PATIENCE_MS = 20_000;

/** How a program in a terminal ended. */
export interface Ended {
  readonly code: number;
  /** Whether the terminal's modes are those from before. */
  readonly restored: boolean;
}

/** What a terminal can be asked for. */
export interface PtyOptions {
  readonly cwd: string;
  readonly env?: Record<string, string>;
}

/** A program in a terminal of 80 columns and 30 rows. */
export class Pty implements AsyncDisposable {
  /** Everything that the program wrote, escape sequences included. */
  written = "";
  readonly #process: Deno.ChildProcess;
  readonly #keys: WritableStreamDefaultWriter<Uint8Array>;
  readonly #copied: Promise<void>;
  #changed = Promise.withResolvers<void>();

  /** Starts `command`. */
  constructor(command: string[], { cwd, env = {} }: PtyOptions) {
    this.#process = new Deno.Command("python3", {
      args: ["-c", PYTHON, "30", "80", ...command],
      cwd,
      env: { TERM: "xterm-256color", NO_COLOR: "1", ...env },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#keys = this.#process.stdin.getWriter();
    this.#copied = this.#copy();
  }

  /**
   * What is on the screen now: the last picture, or if the program draws none,
   * its lines. It comes in pieces; one that is not whole yet does not count.
   */
  get picture(): string {
    const [said, ...pictures] = this.written.split("\u001b[H");
    const whole = pictures.findLast((it) => it.includes("\u001b[J"));
    const lines = said!.slice(0, said!.lastIndexOf("\n") + 1);
    return stripAnsiCode(whole ?? lines).replaceAll("\r\n", "\n");
  }

  /** Presses keys. */
  async type(keys: string): Promise<void> {
    await this.#keys.write(new TextEncoder().encode(keys));
  }

  /** Waits until `text` is on the screen. */
  async sees(text: string): Promise<void> {
    const until = Date.now() + PATIENCE_MS;
    while (!this.picture.includes(text)) {
      if (Date.now() > until) {
        throw new Error(
          `Cannot find "${text}" on the screen:\n${this.picture}`,
        );
      }
      await this.#change(until - Date.now());
    }
  }

  /** Waits until the program has ended. */
  async ended(): Promise<Ended> {
    const patience = setTimeout(() => this.hangUp(), PATIENCE_MS);
    const said = await new Response(this.#process.stderr).text();
    await this.#copied;
    await this.#process.status;
    clearTimeout(patience);
    return JSON.parse(said || '{"code": -1, "restored": false}');
  }

  /** Takes the terminal away, as closing its window does. */
  hangUp(): void {
    try {
      this.#process.kill("SIGKILL");
    } catch (error) {
      // It has ended by itself.
      if (!(error instanceof TypeError)) throw error;
    }
  }

  /** Ends what is still there. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.hangUp();
    await this.#process.status;
    await this.#copied;
    await this.#keys.abort().catch(() => "It went with the process.");
    if (!this.#process.stderr.locked) await this.#process.stderr.cancel();
  }

  async #copy(): Promise<void> {
    const text = this.#process.stdout.pipeThrough(new TextDecoderStream());
    for await (const piece of text) {
      this.written += piece;
      this.#changed.resolve();
    }
  }

  async #change(ms: number): Promise<void> {
    const patience = setTimeout(this.#changed.resolve, ms);
    await this.#changed.promise;
    clearTimeout(patience);
    this.#changed = Promise.withResolvers();
  }
}
