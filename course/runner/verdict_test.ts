import { assertEquals, assertStringIncludes } from "@std/assert";
import type { JUnitCase } from "./junit.ts";
import type { End, Report } from "./report.ts";
import { combined, type Evidence, judge, spotless } from "./verdict.ts";

function report(plan?: string[]): Report {
  const ended = new Map((plan ?? []).map((name) => [name, pass(name)]));
  const known = { begun: new Set<string>(), ended, stuck: new Map() };
  const said = { ...known, ignored: [], over: false };
  return { ...said, ...(plan && { plan }) };
}

/** What the library says at the end of a check that passed. */
function pass(end: string): End {
  return { end, status: "passed", ms: 1, networks: [] };
}

function cases(statuses: Record<string, JUnitCase["status"]>) {
  return new Map(
    Object.entries(statuses).map((
      [name, status],
    ) => [name, { status, text: "" }]),
  );
}

function evidence(change: Partial<Evidence>): Evidence {
  return {
    root: "/course",
    code: 0,
    ending: "exit",
    cases: cases({ a: "passed", b: "passed" }),
    report: report(["a", "b"]),
    output: "",
    ms: 90,
    ...change,
  };
}

function judged(change: Partial<Evidence>) {
  return judge(evidence(change));
}

Deno.test("judge() passes what Deno says passed", () => {
  assertEquals(judged({}).passed, true);
  assertEquals(
    judged({ cases: cases({ a: "passed", b: "ignored" }) }).passed,
    true,
  );
});

Deno.test("judge() passes nothing less", () => {
  const less: Record<string, Partial<Evidence>> = {
    "a code that is not 0": { code: 1 },
    "a failed check": { cases: cases({ a: "passed", b: "failed" }) },
    "a check that was not reached": {
      cases: cases({ a: "passed", b: "waiting" }),
    },
    "a check without a result": { cases: cases({ a: "passed" }) },
    "only ignored checks": { cases: cases({ a: "ignored", b: "ignored" }) },
    "no check at all": { cases: cases({}), report: report([]) },
    "no plan": { report: report() },
    "no results": { cases: undefined },
    "a kill": { ending: "time" },
  };
  for (const [what, change] of Object.entries(less)) {
    assertEquals(judged(change).passed, false, what);
  }
});

Deno.test("judge() passes nothing that the library did not play", () => {
  const unplayed = report(["a", "b"]);
  unplayed.ended.delete("b");
  const { passed, problem } = judged({ report: unplayed });

  assertEquals(passed, false);
  assertEquals(problem?.check, "b");
  assertStringIncludes(problem!.text, "replace Deno.test");
});

Deno.test("judge() believes the library where Deno.test was replaced", () => {
  const said = report(["a"]);
  const text = "ann expected hello, and got nothing";
  const seen = { recording: [], waiting: [], dropped: 0 };
  const failure = {
    text,
    headline: text,
    kind: "silence",
    network: "simulated" as const,
    ...seen,
  };
  said.ended.set("a", { ...pass("a"), status: "failed", failure });
  const { passed, problem } = judged({ report: said });

  assertEquals(passed, false);
  assertEquals(problem?.text, text);
});

Deno.test("judge() believes Deno where the library says otherwise", () => {
  const said = report(["a", "b"]);
  const end = { end: "b", status: "passed", ms: 1, networks: [] } as const;
  said.ended.set("b", end);
  const text = "Leaks detected:\n  - A TCP connection was opened";
  const found = cases({ a: "passed" }).set("b", { status: "failed", text });

  const { passed, problem } = judged({ code: 1, cases: found, report: said });

  assertEquals(passed, false);
  assertEquals(problem?.check, "b");
  assertStringIncludes(problem!.text, "A TCP connection was opened");
});

Deno.test("judge() tells from the data how far a killed run came", () => {
  const said = report(["a", "b", "c"]);
  said.begun.add("a").add("b");
  said.ended.delete("b");
  said.ended.delete("c");

  const { checks, problem } = judged({
    code: 137,
    ending: "time",
    cases: undefined,
    report: said,
  });

  assertEquals(checks.map(({ status }) => status), [
    "passed",
    "failed",
    "waiting",
  ]);
  assertEquals(problem?.check, "b");
});

Deno.test("judge() gives the library's word on a check that is stuck", () => {
  const said = report(["a"]);
  const text = "Your program ran for 2 s, and never had to wait for anything.";
  const diagnosis = { id: "goes-round", sentence: "It goes round." };
  said.stuck.set("a", { stuck: "a", at: "echo.ts:14", text, diagnosis });
  const found = cases({ a: "failed" });

  const { problem } = judged({ code: 1, cases: found, report: said });

  assertEquals(problem, { check: "a", text, at: "echo.ts:14", diagnosis });
});

Deno.test("combined() passes what each network leaves to the other", () => {
  const one = evidence({ cases: cases({ a: "passed", b: "ignored" }) });
  const two = evidence({ cases: cases({ a: "ignored", b: "passed" }) });

  assertEquals(judge(combined(one, two)).passed, true);
  assertEquals(judge(combined(one, one)).checks[1]!.status, "ignored");
});

Deno.test("combined() fails what the second network fails", () => {
  const one = evidence({});
  const two = evidence({
    code: 1,
    cases: cases({ a: "passed", b: "failed" }),
  });

  assertEquals(judge(combined(one, two)).passed, false);
  assertEquals(
    judge(combined(one, evidence({ ending: "time" }))).passed,
    false,
  );
});

Deno.test("spotless() takes a network without a check for no failure", () => {
  const ignored = cases({ a: "ignored", b: "ignored" });

  assertEquals(spotless(evidence({ cases: ignored })), true);
  assertEquals(spotless(evidence({ code: 1, cases: ignored })), false);
  assertEquals(spotless(evidence({ cases: cases({ a: "passed" }) })), false);
  assertEquals(spotless(evidence({ ending: "output" })), false);
});
