/**
 * Failures as the runner tells them, for the page's own tests.
 *
 * @module
 */
import type { PageState, Problem, RecordedEvent } from "../runner/mod.ts";

/** Something that one of the cast did. */
export function cast(
  who: string,
  kind: string,
  text: string,
  more: Partial<RecordedEvent> = {},
): RecordedEvent {
  return { at: 0, side: "cast", who, kind, text, ...more };
}

/** Something that the program did; `peer` is "" for what goes to nobody. */
export function program(
  peer: string,
  kind: string,
  text: string,
  more: Partial<RecordedEvent> = {},
): RecordedEvent {
  return { at: 0, side: "program", who: peer, kind, text, ...more };
}

/** The bytes of `text`, as they stand in an event. */
export function bytes(text: string): { bytes: string; size: number } {
  const all = [...new TextEncoder().encode(text)];
  const hex = all.map((byte) => byte.toString(16).padStart(2, "0"));
  return { bytes: hex.join(" "), size: all.length };
}

/** A server that waits for ann, while bob has something to say. */
export const IGNORED: Problem = {
  check: "serve() answers the second client while the first is silent",
  network: "simulated",
  kind: "silence",
  who: "bob",
  headline: 'bob expected 5 bytes, "hello", and got nothing',
  text: "bob expected 5 bytes …",
  diagnosis: {
    id: "await-in-accept-loop",
    sentence: "You wait for one client's whole conversation.",
  },
  expected: bytes("hello").bytes,
  received: "",
  at: "echo_test.ts:32",
  recording: [
    cast("ann", "connect", "connects"),
    program("", "accept", "accept() → ann", { line: "echo.ts:12" }),
    cast("bob", "connect", "connects"),
    cast("bob", "send", '→ "hello"', bytes("hello")),
  ],
  waiting: [
    {
      side: "program",
      kind: "read",
      who: "ann",
      what: "read() from ann",
      line: "echo.ts:23",
    },
    { side: "cast", kind: "receive", who: "bob", what: 'waits for "hello"' },
  ],
};

/** A problem with this recording, and nothing else to say. */
export function recorded(
  recording: RecordedEvent[],
  more: Partial<Problem> = {},
): Problem {
  return { text: "", headline: "", recording, waiting: [], ...more };
}

/** Lesson 03 with one check that fails. */
export function failing(problem: Problem): PageState {
  const check = { name: problem.check ?? "serve() ends", networks: [] };
  const checks = [{ ...check, status: "failed" } as const];
  const verdict = { passed: false, checks, problem, ms: 90 };
  return { lesson: "03", checking: false, verdict, passed: ["01"] };
}
