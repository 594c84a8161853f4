import { type Page, type Step, tcp } from "./table.ts";

function enter(name: string, run: string): Step[] {
  return [
    { run, as: name },
    { in: name, mentions: /call you\?\r?\n$/ },
    { in: name, type: `${name}\n`, mentions: /^\* The room contains.*\n/m },
  ];
}

export const page: Page = {
  path: "lessons/15/README.md",
  tools: ["nc"],
  scenes: [
    {
      part: "experiment",
      shows: "a room that works, until somebody vanishes",
      steps: [
        {
          run:
            "deno run -P lessons/15/chat.ts    # and, three times: nc 127.0.0.1 7015",
          as: "server",
          until: tcp(7015),
        },
        ...["ann", "bob", "cat"]
          .flatMap((name) => enter(name, "nc 127.0.0.1 7015")),
        { in: "ann", type: "hello\n" },
        { in: "bob", mentions: "[ann] hello" },
        { in: "cat", mentions: "[ann] hello" },
        { in: "cat", press: "Ctrl-Z" },
        // When the second line is with bob, the first is with cat, unread.
        { in: "ann", type: "one\ntwo\n" },
        { in: "bob", mentions: /^\[ann\] two$/m },
        { in: "cat", press: "kill -9 %1", ends: 137 },
        { in: "ann", type: "and now?\n" },
        { in: "server", ends: 1, mentions: /^error: Uncaught/m },
        {
          in: "bob",
          press: "Ctrl-C",
          ends: "somehow",
          prints: /^\s*(\[ann\] and now\?\n)?$/, // And not that cat has left.
        },
      ],
    },
    {
      part: "Try it",
      shows: "what bob sees",
      steps: [
        {
          run: "deno run -P lessons/15/chat.ts",
          as: "server",
          until: tcp(7015),
        },
        ...enter(
          "ann",
          "nc -C 127.0.0.1 7015             # in three other terminals",
        ),
        {
          run: "nc -C 127.0.0.1 7015             # in three other terminals",
          as: "bob",
        },
        { in: "bob", type: "bob\n" },
        { in: "ann", mentions: "* bob has entered the room" },
        { in: "ann", type: "hello\n" },
        {
          in: "bob",
          prints: "Welcome to budgetchat! What shall I call you?\n" +
            "* The room contains: ann\n" +
            "[ann] hello",
        },
        { in: "ann", press: "Ctrl-C" },
        { in: "bob", prints: "* ann has left the room" },
      ],
    },
  ],
};
