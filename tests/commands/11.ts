import { type Page, tcp } from "./table.ts";

export const page: Page = {
  path: "lessons/11/README.md",
  tools: ["nc", "curl"],
  scenes: [
    {
      part: "experiment",
      shows: "a program that has its answer, and does not end",
      steps: [
        {
          run:
            "nc -l 127.0.0.1 7011                         # in the first: fine, thanks",
          as: "nc",
          until: tcp(7011),
        },
        {
          run: "deno run -P lessons/11/deadlines.ts 20000    # in the second",
          as: "client",
        },
        { in: "nc", prints: /^How are you\?\n$/ },
        { in: "nc", type: "fine, thanks\n", ends: "somehow" },
        { in: "client", prints: "fine, thanks" },
        { in: "client", press: "Ctrl-C", ends: 130 },
      ],
    },
    {
      part: "Try it",
      shows: "how it and curl give up",
      steps: [
        { run: "nc -l 127.0.0.1 7011", as: "nc", until: tcp(7011) },
        {
          run:
            '# Say nothing. In the other: "error: Uncaught … TimedOut", and nc ends.\n' +
            "deno run -P lessons/11/deadlines.ts 500",
          code: 1,
          mentions: "error: Uncaught … TimedOut",
        },
        { in: "nc", ends: "somehow" },
        {
          run: '# The same with curl: "(28) Operation timed out".\n' +
            "nc -l 127.0.0.1 7011",
          as: "nc",
          until: tcp(7011),
        },
        {
          run: "curl --max-time 0.5 127.0.0.1:7011",
          code: 28,
          mentions: "(28) Operation timed out",
        },
        { in: "nc", ends: "somehow" },
      ],
    },
  ],
};
