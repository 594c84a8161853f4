import { assertEquals } from "@std/assert";
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
