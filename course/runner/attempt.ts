import { Child, type Ending } from "./child.ts";
import { type JUnitCase, junitCases } from "./junit.ts";
import { type Course, type Lesson, remove, text } from "./lesson.ts";
import { LIMITS, type Limits, Watchdog } from "./limits.ts";
import { type Report, ReportReader } from "./report.ts";
import type { Evidence } from "./verdict.ts";

/** Which network the checks play on. */
export type Network = "simulated" | "loopback";

/** How to run a lesson's checks. */
export interface RunOptions {
  /** Ends the run at once; `run()` then gives undefined. */
  readonly signal?: AbortSignal;
  /**
   * How much time and output it may use.
   *
   * @default {LIMITS}
   */
  readonly limits?: Limits;
}

let attempts = 0;

/**
 * One process for the checks of one lesson on one network. It may reach
 * loopback and nothing else; the lesson's folder it may read while it loads it.
 *
 * It starts at once, and loads all but the lesson. Then it waits for `go()`.
 */
export class Attempt {
  readonly #root: string;
  readonly #lesson: Lesson;
  readonly #nonce = crypto.randomUUID();
  readonly #reader: ReportReader;
  readonly #results: string;
  readonly #child: Child;
  #take = (_text: string) => {};

  /** `warm`: there is time, so the library may play a scene on its own. */
  constructor(
    { root }: Course,
    lesson: Lesson,
    { network, warm }: { network: Network; warm: boolean },
  ) {
    this.#root = root;
    this.#lesson = lesson;
    this.#reader = new ReportReader(this.#nonce);
    this.#results = `${root}/.course/run-${Deno.pid}-${++attempts}.xml`;
    // Deleting the folder may cost the marks, and no more.
    Deno.mkdirSync(`${root}/.course`, { recursive: true });
    const args = [
      "test",
      "--no-check",
      "--fail-fast",
      "--no-prompt",
      "--junit-path",
      this.#results,
      "--allow-net=127.0.0.0/8,[::1],localhost",
      `--allow-read=lessons/${lesson.id},course/check/node_timers`,
      "course/check/standby.ts",
      "--",
      `--network=${network}`,
      ...(warm ? ["--warm-up"] : []),
    ];
    this.#child = new Child(args, {
      cwd: root,
      take: (text, stream) => {
        if (stream === "stdout") this.#reader.push(text);
        else this.#reader.print(text);
        this.#take(text);
      },
    });
  }

  /** Loads the lesson as it is now, and runs its checks, once. */
  async go(
    { signal, limits = LIMITS }: RunOptions = {},
  ): Promise<Evidence | undefined> {
    const started = performance.now();
    const done = Promise.withResolvers<{ code: number; ending: Ending }>();
    await using watchdog = new Watchdog(
      limits,
      (ending) => this.#child.kill(ending),
      () => this.#child.memory(),
    );
    const unwanted = () => this.stop();
    signal?.addEventListener("abort", unwanted, { once: true });
    if (signal?.aborted) unwanted();
    this.#take = (text) => {
      const { plan, over } = this.#reader.report;
      // Who registers no check has loaded all the same.
      if (plan || over) watchdog.loaded();
      // A first run may have to fetch the standard library: not loading yet.
      else if (text.includes("Download ")) watchdog.loading();
      watchdog.printed(this.#reader.printed);
      if (!allPassed(this.#reader.report)) return;
      if (!this.#child.kill("done")) return; // It is ended for another reason.
      // The system takes 30 ms to clear away a process: nobody waits for it.
      done.resolve({ code: 0, ending: "done" });
    };
    await this.#child.say(`${this.#nonce} ${testOf(this.#root, this.#lesson)}`);
    const { code, ending } = await Promise.race([
      this.#child.ended,
      done.promise,
    ]);
    signal?.removeEventListener("abort", unwanted);
    return this.#evidence({ code, ending, ms: performance.now() - started });
  }

  /** Whether the process has ended, by itself or for whatever reason. */
  get over(): boolean {
    return this.#child.over;
  }

  /** Ends the process. `go()` then gives undefined. */
  stop(): void {
    this.#child.kill("unwanted");
  }

  #evidence(
    { code, ending, ms }: { code: number; ending: Ending; ms: number },
  ): Evidence | undefined {
    try {
      if (ending === "unwanted") return undefined;
      const { report, output } = this.#reader;
      if (ending === "done") {
        const cases = casesOf(report);
        return { root: this.#root, code, ending, cases, report, output, ms };
      }
      this.#reader.end();
      const xml = text(this.#results);
      const cases = xml === undefined ? undefined : junitCases(xml);
      cases?.delete("the last word"); // Of standby.ts, and no check.
      return { root: this.#root, code, ending, cases, report, output, ms };
    } finally {
      remove(this.#results); // A run that was stopped has written none.
    }
  }
}

/** Whether Deno has no more to say than the library: everything has passed. */
function allPassed({ over, plan, ended, ignored }: Report): boolean {
  return over && plan !== undefined &&
    plan.every((name) =>
      ended.get(name)?.status === "passed" || ignored.includes(name)
    );
}

/** What Deno would say of each check of a run in which all have passed. */
function casesOf({ plan = [], ignored }: Report): Map<string, JUnitCase> {
  return new Map(plan.map((name) => [
    name,
    { status: ignored.includes(name) ? "ignored" : "passed", text: "" },
  ]));
}

function testOf(root: string, { id, starter }: Lesson): string {
  const url = new URL("file:///");
  url.pathname = `${root}/lessons/${id}/${
    starter.replace(/\.ts$/, "_test.ts")
  }`;
  return url.href;
}
