// Plays what a table says, as a person would: types, waits for what is printed,
// and compares it with what the page shows.
import { isBound } from "../listening.ts";
import type { Target } from "../running.ts";
import type { Checkout } from "./checkout.ts";
import { fits, pattern } from "./output.ts";
import type { Command, Doing, Output, Page, Scene, Step } from "./table.ts";
import { Terminal } from "./terminal.ts";

/** How long a command is typed again. */
const AGAIN_MS = 10_000;

/** Plays a scene from its first step to its last, and ends what still runs. */
export async function play(
  page: Page,
  scene: Scene,
  checkout: Checkout,
): Promise<void> {
  checkout.solve(lastSolved(page.path, scene));
  await using stage = new Stage(checkout);
  for (const step of scene.steps) {
    try {
      await stage.play(step);
    } catch (error) {
      throw new Error(
        `Cannot play ${page.path} as it stands: ${(error as Error).message}\n` +
          "Mend what is wrong: the page, a program of the course, or the " +
          "page's table in tests/commands/",
      );
    }
  }
}

/** The last lesson that somebody who reads this has solved, as two digits. */
function lastSolved(path: string, { part }: Scene): string {
  const number = Number(path.match(/^lessons\/(\d\d)\//)?.[1] ?? 1);
  return String(part === "Try it" ? number : number - 1).padStart(2, "0");
}

/** The terminals of one scene. */
class Stage implements AsyncDisposable {
  readonly #checkout: Checkout;
  readonly #named = new Map<string, Terminal>();
  readonly #all = new AsyncDisposableStack();
  #settings = "";

  constructor(checkout: Checkout) {
    this.#checkout = checkout;
  }

  async play(step: Step): Promise<void> {
    if ("set" in step) this.#settings += `${step.set}\n`;
    else if ("run" in step) await this.#run(step);
    else await this.#do(step);
  }

  async #run(step: Command): Promise<void> {
    const { as, until } = step;
    if (until && !(until instanceof RegExp)) await assertFree(until);
    const terminal = this.#open(step);
    if (as === undefined) return await this.#toItsEnd(step, terminal);
    this.#named.set(as, terminal);
    if (until instanceof RegExp) await waitFor(terminal, [until], {});
    else if (until) await terminal.untilListening(until);
    await compare(terminal, step);
  }

  /** Once, or until it prints what it should. */
  async #toItsEnd(step: Command, terminal: Terminal): Promise<void> {
    const limit = performance.now() + AGAIN_MS;
    for (;;) {
      try {
        await assertEnds(terminal, step.code ?? 0);
        return await compare(terminal, step);
      } catch (error) {
        if (!step.again || performance.now() > limit) throw error;
        terminal = this.#open(step);
      }
    }
  }

  #open({ run }: Command): Terminal {
    const terminal = new Terminal(run, this.#settings, this.#checkout);
    return this.#all.use(terminal);
  }

  async #do(step: Doing): Promise<void> {
    const terminal = this.#named.get(step.in);
    if (!terminal) throw new Error(`Cannot find the terminal "${step.in}"`);
    if (step.type !== undefined) await terminal.type(step.type);
    if (step.press) await terminal.press(step.press);
    if (step.ends !== undefined) await assertEnds(terminal, step.ends);
    await compare(terminal, step);
    if (step.silent && terminal.news.trim() !== "") {
      throw new Error(
        `"${terminal.typed}" should print nothing. It printed:\n` +
          terminal.news,
      );
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#all.disposeAsync();
  }
}

/** Waits until what is new fits the step; fails once it never will. */
async function compare(
  terminal: Terminal,
  { prints, mentions, varies }: Command | Doing,
): Promise<void> {
  const parts = mentions === undefined ? [] : [mentions].flat();
  const all = prints === undefined ? [] : [prints];
  const end = Math.max(
    await waitFor(terminal, parts, { varies }),
    await waitFor(terminal, all, { varies, whole: true }),
  );
  terminal.look(end);
}

/** Waits until the output is there, and returns where it ends in the news. */
async function waitFor(
  terminal: Terminal,
  outputs: Output[],
  { varies, whole = false }: { varies?: RegExp | undefined; whole?: boolean },
): Promise<number> {
  if (outputs.length === 0) return 0;
  const patterns = outputs.map((it) => pattern(it, { varies, whole }));
  const done = () => fits(terminal.news, patterns) >= 0;
  const what = `print ${whole ? "just this" : "this"}:\n${outputs.join("\n")}`;
  await terminal.when(done, what);
  return fits(terminal.news, patterns);
}

async function assertEnds(
  terminal: Terminal,
  expected: number | "somehow",
): Promise<void> {
  const code = await terminal.exit();
  if (code === expected || expected === "somehow") return;
  throw new Error(
    `"${terminal.typed}" ended with exit code ${code}, not ${expected}. ` +
      `It printed:\n${terminal.news}`,
  );
}

async function assertFree(target: Target): Promise<void> {
  if (!await isBound(target)) return;
  throw new Error(
    `${target.transport} port ${target.port} is in use. ` +
      "End the program that listens there",
  );
}
