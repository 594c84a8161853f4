import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { Clock } from "./clock.ts";
import { Place } from "./place.ts";
import { Recording } from "./recording.ts";
import { asData, askedIn } from "./report.ts";

/** The events of a failure as a page gets them, when so many were recorded. */
function eventsAsData(count: number): { line?: string }[] {
  const recording = new Recording(new Clock());
  for (let i = 0; i < count; i++) {
    recording.note({
      side: "program",
      who: "ann",
      kind: "read",
      text: `${i}`,
      place: Place.here(),
    });
  }
  const evidence = {
    kind: "different",
    headline: "ann expected something, and got something else",
    recording,
    network: "simulated",
    used: true,
  } as const;
  const also = { text: "", place: undefined, seed: 1 };
  return asData(evidence, undefined, also).recording;
}

Deno.test("asData() says the line of each event", () => {
  for (const { line } of eventsAsData(200)) {
    assertMatch(line!, /^report_test\.ts:\d+$/);
  }
});

Deno.test("asData() looks up no line in the middle of a long recording", () => {
  const lines = eventsAsData(4_000).map(({ line }) => line !== undefined);
  const has = new Array(100).fill(true);
  const none = new Array(3_800).fill(false);
  assertEquals(lines, [...has, ...none, ...has]);
});

Deno.test("askedIn() takes a network and a seed, or says what can be given", () => {
  assertEquals(askedIn([]), { network: undefined, seed: undefined });
  const both = ["--network=loopback", "--seed=0"];
  assertEquals(askedIn(both), { network: "loopback", seed: 0 });

  const refused = (arg: string, message: string) =>
    assertThrows(() => askedIn([arg]), TypeError, message);
  for (const name of ["foo", "", "Loopback"]) {
    refused(
      `--network=${name}`,
      `Cannot take --network=${name}: give --network=simulated or --network=loopback`,
    );
  }
  for (const seed of ["abc", "", "-1", "1.5", "1e3"]) {
    refused(
      `--seed=${seed}`,
      `Cannot take --seed=${seed}: give a whole number, such as --seed=7`,
    );
  }
  // As in `-- --network loopback`.
  refused("--network", "Cannot take --network: give --network=simulated or");
  refused("--seed", "Cannot take --seed: give a whole number");
});
