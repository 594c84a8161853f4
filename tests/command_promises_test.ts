// The promises about commands, broken on purpose: a made-up page and its table
// agree, and each change to one of them must be noticed.
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { hasCommands, unlike } from "./command_promises.ts";
import { Checkout } from "./commands/checkout.ts";
import { play } from "./commands/player.ts";
import { type Page, raw, type Step, tcp } from "./commands/table.ts";
import { realClient } from "./tools.ts";

const PAGE = `# A page

\`\`\`sh
sleep 0    # at the top
\`\`\`

It takes 12 ms, and prints, in
other words, nothing.

\`\`\`text
picture
\`\`\`

## Try it

- As part of a list:

  \`\`\`sh
  NAME='me'
  printf "I am $NAME\\n" |
    cat
  true; reboot    # not now
  \`\`\`

\`\`\`
I am me
\`\`\`
`;

const COMMAND = 'printf "I am $NAME\\n" |\n  cat';

const TABLE: Page = {
  path: "page.md",
  tools: [],
  scenes: [
    {
      part: "experiment",
      shows: "nothing",
      steps: [
        { run: "sleep 0    # at the top", prints: /^$/ },
        { run: "echo", told: "in other words", prints: /^\n$/ },
        { run: "echo 7 ms", told: "other", prints: "12 ms", varies: /\d+/ },
      ],
    },
    {
      part: "Try it",
      shows: "a variable",
      steps: [{ set: "NAME='me'" }, { run: COMMAND, prints: "I am me" }],
    },
  ],
  unplayed: { "true; reboot    # not now": "It would end the test." },
  pictures: ["picture"],
};

/** The table, with other steps in one of its scenes. */
function withSteps(scene: 0 | 1, ...steps: Step[]): Page {
  const scenes = TABLE.scenes.with(scene, { ...TABLE.scenes[scene]!, steps });
  return { ...TABLE, scenes };
}

Deno.test("a page and its table agree", () => {
  assertEquals(unlike(TABLE, PAGE), []);
  assertEquals(hasCommands(PAGE), true);
  assertEquals(hasCommands("```text\nls\n```\n"), false);
});

const changed: Record<string, [table: Page, page: string, complaint: string]> =
  {
    "a command that is new": [
      TABLE,
      PAGE.replace("  true;", "  ls\n  true;"),
      "a command is not played (Try it): ls",
    ],
    "a command that was edited": [
      TABLE,
      PAGE.replace("sleep 0 ", "sleep 1 "),
      "a command is not played (experiment): sleep 1    # at the top",
    ],
    "a comment that was edited": [
      TABLE,
      PAGE.replace("# at the top", "# 12 ms"),
      "a command is not played (experiment): sleep 0    # 12 ms",
    ],
    "a command that is gone": [
      TABLE,
      PAGE.replace("sleep 0    # at the top", ""),
      "what the table plays is not there: sleep 0",
    ],
    "a command that is played in the other part": [
      withSteps(1, { run: "sleep 0    # at the top" }),
      PAGE,
      "a command is not played (Try it): NAME='me'",
    ],
    "a reason for what is gone": [
      TABLE,
      PAGE.replace("  true; reboot    # not now\n", ""),
      '"unplayed" names what is not there: true; reboot    # not now',
    ],
    "words that tell of no command any more": [
      TABLE,
      PAGE.replace("other words", "short"),
      "the table takes from it what it does not say: in other words",
    ],
    "output that is not shown any more": [
      TABLE,
      PAGE.replace("12 ms", "13 ms"),
      "the table takes from it what it does not say: 12 ms",
    ],
    "output that is new": [
      TABLE,
      PAGE.replace("I am me\n", "I am me\nand you\n"),
      "a line is shown and not compared: and you",
    ],
    "a picture that is gone": [
      TABLE,
      PAGE.replace("picture\n", ""),
      '"pictures" names what is not there: picture',
    ],
  };

for (const [name, [table, page, complaint]] of Object.entries(changed)) {
  Deno.test(`${name} is noticed`, () => {
    assertStringIncludes(unlike(table, page).join("\n"), complaint);
  });
}

let checkout: Checkout;
Deno.test.beforeAll(() => void (checkout = new Checkout()));
Deno.test.afterAll(() => checkout[Symbol.dispose]());

const SHELL = ["bash", "timeout"];

/** Plays the made-up table, or other steps in the place of its second scene. */
async function playSteps(...steps: Step[]): Promise<void> {
  const page = steps.length > 0 ? withSteps(1, ...steps) : TABLE;
  for (const scene of page.scenes) await play(page, scene, checkout);
}

realClient("a table is played", SHELL, async () => {
  await playSteps();
  await playSteps(
    { run: "cat; exit 3", as: "cat" },
    { in: "cat", silent: true },
    { in: "cat", type: "one\ntwo\n", mentions: [/one/, "two"] },
    { in: "cat", type: "three\n", prints: /^\nthree\n$/ },
    { in: "cat", press: "Ctrl-D", ends: 3 },
    { run: "cat | cat", as: "cats" },
    { in: "cats", type: "one\n", prints: /^one\n$/ },
    { in: "cats", press: "Ctrl-C", ends: 130 },
    { run: "false", code: 1 },
    { run: "echo >> n; wc -l < n", again: true, prints: /^3\n$/ },
  );
});

const played: [Step[], complaint: string][] = [
  [[{ run: "echo 1", prints: "2" }], "print just this:\n2: it ended. It p"],
  [[{ run: "echo 12", prints: "1" }], 'wait for "echo 12" to print just this'],
  [[{ run: "echo 12", mentions: ["1", "3"] }], "print this:\n1\n3: it ended"],
  [
    [{ run: "echo a ms", prints: "12 ms", varies: /\d+/ }],
    "print just this:\n12 ms",
  ],
  [[{ run: "false" }], '"false" ended with exit code 1, not 0'],
  [[{ run: "echo a", as: "a" }, { in: "a", ends: 0, silent: true }], "nothing"],
  [[{ in: "nobody", type: "a" }], 'Cannot find the terminal "nobody"'],
  [[{ run: raw`printf '\07'`, as: "a", until: tcp(7099) }], "nobody listens"],
];

for (const [steps, complaint] of played) {
  const name = steps.map((step) => JSON.stringify(step)).join();
  realClient(`it is noticed when ${name}`, SHELL, async () => {
    const { message } = await assertRejects(() => playSteps(...steps), Error);
    assertStringIncludes(message, complaint);
    assertStringIncludes(message, "Mend what is wrong: the page, a program");
  });
}

realClient("nothing that a scene started outlives it", SHELL, async () => {
  const port = 7099;
  const eternal = `trap '' INT TERM; nc -lk 127.0.0.1 ${port} & sleep 60`;
  const step = { run: eternal, as: "nc", until: tcp(port) };
  await playSteps(step);
  await playSteps(step); // It found the port free.
});
