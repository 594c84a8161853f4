import { XMLParser } from "fast-xml-parser";

/** What Deno itself says about one test. The verdict stands on this. */
export interface JUnitCase {
  readonly status: "passed" | "failed" | "ignored" | "waiting";
  /** The error with its stack, if it failed and Deno knows why. */
  readonly text: string;
}

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: "",
  textNodeName: "text",
  parseTagValue: false,
  isArray: (name) => name === "testsuite" || name === "testcase",
});

/**
 * Reads the file that `deno test --junit-path` writes: a result for each test,
 * by name. A test of which two results exist has the worse one.
 */
export function junitCases(xml: string): Map<string, JUnitCase> {
  const suites = parser.parse(xml)?.testsuites?.testsuite ?? [];
  const cases = new Map<string, JUnitCase>();
  for (const suite of suites) {
    for (const test of suite.testcase ?? []) {
      const name = String(test.name);
      if (cases.get(name)?.status !== "failed") cases.set(name, result(test));
    }
  }
  return cases;
}

// deno-lint-ignore no-explicit-any -- The shape of parsed XML.
function result(test: any): JUnitCase {
  const failure = test.failure ?? test.error;
  if (failure !== undefined) {
    const text = String(failure.text ?? failure.message ?? failure);
    return { status: "failed", text };
  }
  if (test.skipped === undefined) return { status: "passed", text: "" };
  // Deno calls "skipped" both a test that is switched off and one that was
  // never reached after a failure. Only the first has a time.
  const ignored = test.time !== undefined;
  return { status: ignored ? "ignored" : "waiting", text: "" };
}
