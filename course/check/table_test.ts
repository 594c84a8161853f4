import { assert, assertEquals } from "@std/assert";
import { Clock } from "./clock.ts";
import { Recording } from "./recording.ts";
import { table } from "./table.ts";

const cast = { side: "cast", kind: "send" } as const;
const program = { side: "program", kind: "read", who: "ann" } as const;

Deno.test("table() puts the program's call beside what caused it", () => {
  const recording = new Recording(new Clock());
  recording.note({ ...cast, who: "ann", text: '→ "hello"' });
  recording.note({ ...program, text: "read() from ann → 5 bytes" });

  assertEquals(
    table(recording, 79),
    '     0 ms  ann  → "hello"               read() from ann → 5 bytes',
  );
});

Deno.test("table() says who waits, and whom nobody accepts", () => {
  const recording = new Recording(new Clock());
  const accept = { side: "program", kind: "accept", who: "" } as const;
  recording.note({ ...cast, who: "ann", kind: "connect", text: "connects" });
  recording.note({ ...accept, text: "accept() → ann" });
  recording.note({ ...cast, who: "bob", kind: "connect", text: "connects" });
  recording.wait({ ...program, what: "read() from ann" });

  assertEquals(
    table(recording, 79),
    `\
     0 ms  ann  connects                accept() → ann
     0 ms  bob  connects                nobody accepts bob
     0 ms                               read() from ann, still waiting`,
  );
});

Deno.test("table() says that nobody accepts below what else happened then", () => {
  const recording = new Recording(new Clock());
  const accept = { side: "program", kind: "accept", who: "" } as const;
  recording.note({ ...accept, text: "accept() → ann" });
  recording.note({ ...cast, who: "bob", kind: "connect", text: "connects" });
  recording.note({ ...program, text: "read() from ann → null" });

  assertEquals(
    table(recording, 79).split("\n").slice(1).join("\n"),
    `\
     0 ms  bob  connects                read() from ann → null
     0 ms                               nobody accepts bob`,
  );
});

Deno.test("table() joins equal calls and leaves out the middle", () => {
  const recording = new Recording(new Clock());
  for (let i = 0; i < 100; i++) {
    recording.note({ ...program, text: "read() from ann → 1 byte" });
  }
  assertEquals(
    table(recording, 79).trimStart(),
    "0 ms                               read() from ann → 1 byte, 100 times",
  );

  for (let i = 0; i < 100; i++) {
    recording.note({ ...program, text: `read() from ann → ${i} bytes` });
  }
  const lines = table(recording, 79).split("\n");
  assertEquals(lines.length, 22);
  assertEquals(lines[6]!.trim(), "… 80 more events …");
});

Deno.test("table() keeps what happened around the error of the check", () => {
  const failed = new Error("closed twice");
  const kept = (before: number, after: number) => {
    const recording = new Recording(new Clock());
    const notes = (what: string, often: number) => {
      for (let i = 0; i < often; i++) {
        recording.note({ ...program, text: `${what} ${i}` });
      }
    };
    notes("before", before);
    recording.note({ ...program, text: "close() ✗", error: failed });
    recording.note({ ...program, text: "nobody catches it", error: failed });
    notes("after", after);
    const lines = table(recording, 79, failed).split("\n");
    return lines.map((line) => line.replace("0 ms", "").trim());
  };

  const crowded = kept(300, 200);
  assertEquals(crowded.length, 22);
  assertEquals(crowded.slice(3, 18), [
    "before 3",
    "… 290 more events …",
    ...[294, 295, 296, 297, 298, 299].map((i) => `before ${i}`),
    "close() ✗",
    "nobody catches it",
    "after 0",
    "after 1",
    "after 2",
    "… 192 more events …",
    "after 195",
  ]);

  // At either end it stands there anyway: one gap is enough.
  for (const [before, after] of [[1, 200], [300, 1]] as const) {
    const lines = kept(before, after);
    assertEquals(lines.length, 22);
    assertEquals(lines.filter((line) => line.startsWith("…")).length, 1);
    assert(lines.includes("close() ✗"));
    assert(lines.includes(`before ${before - 1}`));
  }
  // What led to it stays, wherever it is.
  for (let after = 0; after < 30; after++) {
    const lines = kept(30, after);
    assert(lines.length <= 22);
    assert(lines.join(" ").includes("before 28 before 29 close() ✗ nobody"));
  }
});

Deno.test("table() keeps equal calls apart if there was a wait between them", () => {
  const clock = new Clock();
  const recording = new Recording(clock);
  for (const ms of [0, 0, 100, 0, 200]) {
    if (ms > 0) {
      clock.set(ms, () => {});
      clock.jump();
    }
    recording.note({ ...program, text: "send() to ann: 1 byte" });
  }

  const calls = table(recording, 79).split("\n").map((line) =>
    line.trim().replace(/ +/g, " ")
  );
  assertEquals(calls, [
    "0 ms send() to ann: 1 byte, 2 times",
    "100 ms send() to ann: 1 byte, 2 times",
    "300 ms send() to ann: 1 byte",
  ]);
});

Deno.test("table() names a peer that had no name when it came", () => {
  const recording = new Recording(new Clock());
  recording.note({ ...program, text: "accept() → 127.0.0.1:50001" });
  recording.name(50001, "ann");

  assertEquals(
    table(recording, 79).trim(),
    "0 ms" + " ".repeat(31) + "accept() → ann",
  );
});
