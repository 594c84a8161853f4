import { assertEquals } from "@std/assert";
import type { Learner } from "./store.ts";
import { bars, byNeed, clock, duration, stuck } from "./summary.ts";

let ids = 0;

function learner(change: Partial<Learner> = {}): Learner {
  return {
    id: ++ids,
    name: "Ada",
    joined: 0,
    lesson: "01",
    status: "failing",
    good: 1,
    of: 4,
    check: "exchange() sends it all",
    diagnosis: null,
    since: 0,
    passed: new Map(),
    ...change,
  };
}

/** Somebody at `lesson` who has passed all before it. */
function at(lesson: number): Learner {
  const two = (n: number) => String(n).padStart(2, "0");
  const before = Array.from({ length: lesson - 1 }, (_, n) => two(n + 1));
  return learner({
    lesson: two(lesson),
    passed: new Map(before.map((id) => [id, 0])),
  });
}

Deno.test("bars() counts who has passed a lesson, and who is at it", () => {
  const found = bars([at(1), at(3), at(3)], { open: "04", most: 8 });

  assertEquals(found, [
    { lesson: "01", passed: 2, here: 1 },
    { lesson: "02", passed: 2, here: 0 },
    { lesson: "03", passed: 0, here: 2 },
    { lesson: "04", passed: 0, here: 0 },
  ]);
});

Deno.test("bars() leaves out where nobody is, and one who ran ahead takes no more than a row", () => {
  const crowd = [at(9), at(9), at(10), at(11), at(28)];
  const found = bars(crowd, { open: null, most: 6 }).map((it) => it.lesson);

  assertEquals(found, ["09", "10", "11", "26", "27", "28"]);
});

Deno.test("bars() counts nobody twice who looks at a lesson again", () => {
  const back = { ...at(3), lesson: "02" };

  assertEquals(bars([back], { open: null, most: 8 }), [
    { lesson: "01", passed: 1, here: 0 },
    { lesson: "02", passed: 1, here: 0 },
  ]);
});

Deno.test("stuck() puts first what most people fail", () => {
  const loop = { lesson: "03", diagnosis: "await-in-accept-loop" };
  const people = [
    learner(),
    learner(loop),
    learner({ ...loop, check: "another one" }),
    learner({ ...loop, status: "passing" }),
    learner({ check: null }),
  ];

  assertEquals(stuck(people), [
    { lesson: "03", what: "await-in-accept-loop", named: true, people: 2 },
    { lesson: "01", what: "exchange() sends it all", named: false, people: 1 },
    { lesson: "01", what: "it does not load", named: false, people: 1 },
  ]);
});

Deno.test("byNeed() begins with who has failed for longest, and ends with who is away", () => {
  const away = learner({ name: "away", since: 1 });
  const people = [
    learner({ name: "done", status: "passing", since: 1 }),
    away,
    learner({ name: "later", since: 9 }),
    learner({ name: "busy", status: "working", since: 1 }),
    learner({ name: "first", since: 2 }),
  ];

  assertEquals(
    byNeed(people, (it) => it === away).map(({ name }) => name),
    ["first", "later", "busy", "done", "away"],
  );
});

Deno.test("duration() and clock() are short", () => {
  assertEquals(
    [0, 59_999, 60_000, 3_599_999, 3_600_000, 7_500_000].map(duration),
    ["now", "now", "1 min", "59 min", "1 h 00", "2 h 05"],
  );
  assertEquals(
    [0, 1, 42_000, 2_527_000, 3_727_000].map(clock),
    ["00:00", "00:01", "00:42", "42:07", "01:02:07"],
  );
});
