import { assertEquals } from "@std/assert";
import { junitCases } from "./junit.ts";

const XML = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="deno test" tests="5" failures="1" errors="1" time="0.026">
    <testsuite name="./lessons/03/echo_test.ts" tests="5">
        <testcase name="echo() &lt;&amp;&gt; &quot;quotes&quot; it&apos;s" time="0.006" line="3" col="6">
        </testcase>
        <testcase name="switched off" time="0.000" line="4" col="6">
            <skipped/>
        </testcase>
        <testcase name="fails" time="0.001" line="5" col="6">
            <failure message="Uncaught Error: boom">Error: boom &lt;x&gt;
    at file:///tmp/echo_test.ts:5:32</failure>
        </testcase>
        <testcase name="was running" time="0.000" line="6" col="6">
            <error message="Cancelled"/>
        </testcase>
        <testcase name="not reached" line="7" col="6">
            <skipped/>
        </testcase>
    </testsuite>
</testsuites>`;

Deno.test("junitCases() reads what deno test writes", () => {
  assertEquals([...junitCases(XML)], [
    ['echo() <&> "quotes" it\'s', { status: "passed", text: "" }],
    ["switched off", { status: "ignored", text: "" }],
    ["fails", {
      status: "failed",
      text: "Error: boom <x>\n    at file:///tmp/echo_test.ts:5:32",
    }],
    ["was running", { status: "failed", text: "Cancelled" }],
    ["not reached", { status: "waiting", text: "" }],
  ]);
});

Deno.test("junitCases() finds nothing where nothing ran", () => {
  const xml = '<?xml version="1.0"?>\n<testsuites tests="0">\n</testsuites>';

  assertEquals(junitCases(xml).size, 0);
  assertEquals(junitCases("").size, 0);
});

Deno.test("junitCases() keeps the worse of two results for a name", () => {
  const xml = `<testsuites><testsuite><testcase name="a" time="0"><failure>no
    </failure></testcase><testcase name="a" time="0"/></testsuite></testsuites>`;

  assertEquals(junitCases(xml).get("a")?.status, "failed");
});
