import { assertEquals } from "@std/assert";
import { contents } from "./contents.ts";
import { hintsFor } from "./hint.ts";
import { hintsText } from "./lesson.ts";
import { afterwards } from "./prose.ts";

Deno.test("contents() reads the table of lessons", () => {
  const table = contents(`# Lessons

## First connections

| | Lesson | You build | Real client |
| --- | --- | --- | --- |
| [01](01/README.md) | Your first TCP client | \`writeAll\`, \`exchange\` | nc |

## Messages

| [07](07/README.md) | Records | \`readExactly\` | nc -N |
`);

  assertEquals([...table], [
    ["01", {
      part: "First connections",
      builds: "writeAll, exchange",
      client: "nc",
    }],
    ["07", { part: "Messages", builds: "readExactly", client: "nc -N" }],
  ]);
  assertEquals(contents("").size, 0);
});

Deno.test("afterwards() finds the commands and the first question", () => {
  const readme = `# 03 · Many clients

\`\`\`sh
not this one
\`\`\`

## Try it

In two terminals:

\`\`\`sh
deno run -P lessons/03/echo.ts
nc 127.0.0.1 7003
\`\`\`

## Questions

<details>
<summary>What does the <b>second</b> \`nc\`
see?</summary>

Nothing.
</details>

## Further
`;

  assertEquals(afterwards(readme), {
    tryIt: ["deno run -P lessons/03/echo.ts", "nc 127.0.0.1 7003"],
    question: "What does the second nc see?",
  });
});

Deno.test("afterwards() takes a question that is not folded", () => {
  const readme = "## Questions\n\nWho closes\nfirst?\n\nThe client.\n";

  assertEquals(afterwards(readme), {
    tryIt: [],
    question: "Who closes first?",
  });
  assertEquals(afterwards(""), { tryIt: [] });
});

const HINTS = `# Hints for lesson 03

## lesson

What does the loop
wait for?

## await-in-accept-loop

One.

Two.

Three.

Four.

## empty
`;

Deno.test("hintsFor() answers the diagnosis, in three steps at most", () => {
  const steps = ["One.", "Two.", "Three."];

  const hints = hintsFor(HINTS, "await-in-accept-loop");

  assertEquals(hints, { id: "await-in-accept-loop", steps });
});

Deno.test("hintsFor() falls back to the lesson's own hints", () => {
  const general = { id: "lesson", steps: ["What does the loop wait for?"] };

  assertEquals(hintsFor(HINTS, undefined), general);
  assertEquals(hintsFor(HINTS, "unknown"), general);
  assertEquals(hintsFor(HINTS, "empty"), general);
  assertEquals(hintsFor("", "unknown"), undefined);
});

Deno.test("hintsText() has the hints of the lesson, then those for any", () => {
  const root = Deno.makeTempDirSync();
  Deno.mkdirSync(`${root}/lessons/03`, { recursive: true });
  const lesson = { id: "03", title: "", starter: "", path: "" };
  const course = { root, lessons: [lesson] };
  Deno.writeTextFileSync(`${root}/lessons/hints.md`, "## same\n\nAny.\n");
  assertEquals(hintsFor(hintsText(course, lesson), "same")?.steps, ["Any."]);

  Deno.writeTextFileSync(`${root}/lessons/03/hints.md`, "## same\n\nOwn.\n");
  assertEquals(hintsFor(hintsText(course, lesson), "same")?.steps, ["Own."]);
  Deno.removeSync(root, { recursive: true });
});
