import { assertEquals } from "@std/assert";
import { csv } from "./csv.ts";
import type { Learner } from "./store.ts";

const ADA: Learner = {
  id: 1,
  name: "Ada",
  joined: 0,
  lesson: "03",
  status: "failing",
  good: 1,
  of: 11,
  check: "serve() answers, at once",
  diagnosis: "await-in-accept-loop",
  since: 60_000,
  passed: new Map([["02", 2_000], ["01", 1_000]]),
};

Deno.test("csv() has a row of names, and one for each learner", () => {
  assertEquals(
    csv([ADA]),
    "\ufeffname,joined,lesson,status,good,of,check,diagnosis,since,passed\r\n" +
      "Ada,1970-01-01T00:00:00.000Z,03,failing,1,11," +
      '"serve() answers, at once",await-in-accept-loop,' +
      "1970-01-01T00:01:00.000Z," +
      "01 1970-01-01T00:00:01.000Z; 02 1970-01-01T00:00:02.000Z\r\n",
  );
});

Deno.test("csv() keeps names from being anything else in a spreadsheet", () => {
  const names = ['=HYPERLINK("x")', "+1", "-1", "@SUM(A1)", 'A "B" C', "a,b"];
  const rows = csv(names.map((name) => ({ ...ADA, name }))).split("\r\n");

  assertEquals(
    rows.slice(1, -1).map((row) => row.split(",1970")[0]),
    [
      `"'=HYPERLINK(""x"")"`,
      "'+1",
      "'-1",
      "'@SUM(A1)",
      '"A ""B"" C"',
      '"a,b"',
    ],
  );
});
