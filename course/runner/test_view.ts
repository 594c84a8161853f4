/**
 * A lesson on the screen, for the tests of the screen.
 *
 * @module
 */
import { assert } from "@std/assert";
import type { Lesson } from "./lesson.ts";
import type { Problem } from "./problem.ts";
import { screen } from "./screen.ts";
import { width } from "./text.ts";
import type { CheckResult, Verdict } from "./verdict.ts";
import { firstView, type View } from "./view.ts";

/** The part that all three lessons are in. */
export const PART = "First connections";
/** Three lessons. */
export const LESSONS: Lesson[] = ["01", "02", "03"].map((id) => ({
  id,
  title: ["Your first TCP client", "A server", "Many clients"][Number(id) - 1]!,
  starter: "echo.ts",
  path: `/course/lessons/${id}/echo.ts`,
  entry: { part: PART, builds: "concurrent echo", client: "nc" },
}));
/** When every run ended. */
export const AT = new Date(2026, 0, 31, 14, 2, 31);

/** What the check library says of a server that serves one client. */
export const FAILURE: Problem = {
  check: "serve() answers the second client while the first is silent",
  text:
    `bob expected 5 bytes, "hello", and got nothing for 300 ms      simulated network

      0 ms  ann  connects                   echo.ts:11  accept() → ann
    302 ms  bob  ← …                        echo.ts:18  read() from ann, waiting

You wait for one client's whole conversation inside the accept loop, so nobody
else is let in until it ends.                               await-in-accept-loop`,
  diagnosis: {
    id: "await-in-accept-loop",
    sentence:
      "You wait for one client's whole conversation inside the accept " +
      "loop, so nobody else is let in until it ends.",
  },
};

/** One check and how it came out. */
export function check(
  name: string,
  status: CheckResult["status"],
): CheckResult {
  return { name, status, ms: 2, networks: ["simulated", "loopback"] };
}

/** A run that does not pass. */
export function failed(problem: Problem, checks: CheckResult[] = []): Verdict {
  return { passed: false, checks, problem, ms: 94.2, at: AT };
}

/** Lesson 03, with two lessons passed, and `change`. */
export function view(change: Partial<View>): View {
  const passed = new Set(["01", "02"]);
  return { ...firstView(LESSONS, LESSONS[2]!, passed), ...change };
}

/** The screen as text, with the space at the ends of lines taken off. */
export function shown(change: Partial<View>, columns = 80, rows = 30): string {
  const lines = screen(view(change), { columns, rows, color: false });
  assert(lines.length <= rows, `${lines.length} lines in ${rows} rows`);
  for (const line of lines) {
    assert(width(line) <= columns, `${width(line)} columns: ${line}`);
  }
  return lines.map((line) => line.trimEnd()).join("\n");
}

/** A run whose second check of four fails. */
export const FAILING = failed(FAILURE, [
  check("serve() echoes one client", "passed"),
  check(FAILURE.check!, "failed"),
  check("serve() outlives a client that resets", "waiting"),
  check("serve() closes what it opened", "waiting"),
]);
